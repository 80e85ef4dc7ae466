//! What `clv` writes: whole or not at all, where it was told to, and never over what it is made from.
#![allow(clippy::unwrap_used, reason = "a test panics when it fails")]
#![cfg(feature = "cli")]

#[path = "command/place.rs"]
mod place;

use std::fs;
use std::path::Path;
use std::process::Stdio;

use place::{CDNOW, CUT, Ended, GOOD, Place, clv, command, run_cdnow};

#[test]
fn what_cannot_be_written_is_an_error_and_what_was_there_stays() {
    let place = Place::new();
    let file = place.file("file", "a file");
    for arguments in [
        &["summarize", CDNOW, "-o", &format!("{file}/customers.csv")][..],
        &["summarize", CDNOW, "-o", &place.name("no/such/customers.csv")],
        &["summarize", CDNOW, "-o", place.0.path().to_str().unwrap()],
        &["run", CDNOW, "--out", &format!("{file}/out")],
        &["run", CDNOW, "--out", &file],
    ] {
        clv(arguments).failed(1, "cannot write");
        assert_eq!(place.files(), ["file"]);
    }
    // One of three results cannot take its place: none does.
    fs::create_dir_all(place.path("out/scores.csv")).unwrap();
    clv(&["run", CDNOW, "--out", &place.name("out")]).failed(1, "is a directory");
    assert_eq!(fs::read_dir(place.path("out")).unwrap().count(), 1);
    // A result that fails leaves an earlier one alone.
    let kept = place.file("kept.csv", "kept");
    let bad = place.file("bad.csv", format!("{GOOD}x,never,1\n"));
    clv(&["summarize", &bad, "-o", &kept]).failed(1, "bad.csv:5");
    assert_eq!(place.read("kept.csv"), "kept");
}

#[test]
fn a_directory_that_takes_no_file_is_known_before_the_work() {
    // The input is not there: had the work begun, the error would be about it.
    for arguments in [
        &["summarize", "no such.csv", "-o", "/proc/customers.csv"][..],
        &["run", "no such.csv", "--out", "/proc"],
        &["run", "no such.csv", "--out", "/proc/no/out"],
    ] {
        if Path::new("/proc/self").exists() {
            clv(arguments).failed(1, "cannot write /proc/");
        }
    }
}

#[cfg(unix)]
#[test]
fn a_directory_that_is_not_writable_is_said_to_be() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::new();
    let closed = place.path("closed");
    fs::create_dir(&closed).unwrap();
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o555)).unwrap();
    if fs::write(closed.join("probe"), "").is_ok() {
        eprintln!("skipped: this user (root?) may write to a directory of mode 0555");
        return;
    }
    for arguments in [
        &["summarize", "no such.csv", "-o", &place.name("closed/customers.csv")][..],
        &["run", "no such.csv", "--out", &place.name("closed")],
        &["run", "no such.csv", "--out", &place.name("closed/deep/out")],
    ] {
        clv(arguments).failed(1, "is not writable");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_said_with_the_file() {
    for format in ["csv", "json", "parquet"] {
        let ended = clv(&["summarize", CDNOW, "-o", "/dev/full", "--format", format]).failed(1, "error: /dev/full: cannot write the table");
        assert!(ended.stderr.contains("No space left"), "{}", ended.stderr);
    }
    let place = Place::new();
    std::os::unix::fs::symlink("/dev/full", place.path("scores.csv")).unwrap();
    let out = place.name("");
    let ended = clv(&["run", CDNOW, CUT[0], CUT[1], "--out", &out]).failed(1, "scores.csv: cannot write the table");
    assert!(ended.stderr.contains("No space left"), "{}", ended.stderr);
    assert_eq!(place.files(), ["scores.csv"]);
}

#[cfg(unix)]
#[test]
fn results_go_through_symbolic_links() {
    let place = Place::new();
    fs::create_dir(place.path("out")).unwrap();
    place.file("elsewhere.csv", "before");
    std::os::unix::fs::symlink(place.path("elsewhere.csv"), place.path("out/scores.csv")).unwrap();
    run_cdnow(&place);
    assert_eq!(fs::read_link(place.path("out/scores.csv")).unwrap(), place.path("elsewhere.csv"));
    assert_eq!(place.read("elsewhere.csv").lines().count(), 2358);
    // A second run replaces the results of the first, and leaves nothing else.
    run_cdnow(&place);
    assert_eq!((place.files().len(), fs::read_dir(place.path("out")).unwrap().count()), (2, 7));
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let mut child = command(&["summarize", CDNOW, "--quiet"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let ended: Ended = child.wait_with_output().unwrap().into();
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
}

#[test]
fn a_result_never_replaces_what_it_is_made_from() {
    let place = Place::new();
    let log = place.file("customers.csv", fs::read(CDNOW).unwrap());
    let before = place.read("customers.csv");
    let folder = place.name("");
    clv(&["run", &log, "--out", &folder]).failed(2, "the result would replace it");
    clv(&["summarize", &log, "-o", &log]).failed(2, "the result would replace it");
    let model = place.name("model.json");
    clv(&["fit", CDNOW, CUT[0], CUT[1], "-o", &model]).done();
    clv(&["score", CDNOW, "--model", &model, "-o", &model, "--format", "csv"]).failed(2, "the result would replace it");
    assert_eq!(place.read("customers.csv"), before);
    clv(&["summarize", CDNOW, "-o", &place.name("customers.csv.gz")]).failed(2, "not compressed");
}
