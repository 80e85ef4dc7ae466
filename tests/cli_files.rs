//! `clv` on logs in many files, in order of time, and carried on from night to night.
#![allow(clippy::unwrap_used, reason = "a test panics when it fails")]
#![cfg(feature = "cli")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

const CDNOW: &str = "examples/data/cdnow_sample.csv";
const END: [&str; 2] = ["--observation-end", "1998-06-30"];

fn clv(directory: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_clv")).current_dir(directory).args(arguments).output().unwrap()
}

#[track_caller]
fn done(output: Output) -> (String, String) {
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{stderr}");
    (String::from_utf8(output.stdout).unwrap(), stderr)
}

#[track_caller]
fn failed(output: Output, code: i32, words: &str) {
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(code), "{stderr}");
    assert!(stderr.contains(words), "{words:?} is not in: {stderr}");
    assert!(output.stdout.is_empty());
}

/// The CDNOW sample in order of time, whole and in three files.
fn parts() -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(CDNOW)).unwrap();
    let (header, rows) = text.split_once('\n').unwrap();
    let date_at = header.split(',').position(|name| name == "date").unwrap();
    let mut rows: Vec<&str> = rows.lines().collect();
    rows.sort_by_key(|row| row.split(',').nth(date_at).unwrap());
    let write = |name: &str, rows: &[&str]| fs::write(directory.path().join(name), format!("{header}\n{}\n", rows.join("\n"))).unwrap();
    write("all.csv", &rows);
    for (number, rows) in rows.chunks(rows.len() / 3 + 1).enumerate() {
        write(&format!("part-{number}.csv"), rows);
    }
    directory
}

#[test]
fn files_an_ordered_log_and_carried_on_states_give_the_same_bytes() {
    let directory = parts();
    let summarize = |arguments: &[&str]| done(clv(directory.path(), &[&["summarize"], &END[..], arguments].concat()));
    let (expected, account) = summarize(&["all.csv"]);
    assert!(account.contains("6,919 rows"), "{account}");
    for arguments in [
        &["part-0.csv", "part-1.csv", "part-2.csv"][..],
        &["part-*.csv"],
        &["part-*.csv", "--threads", "1"],
        &["part-*.csv", "--threads", "3", "--time-ordered"],
        &["part-0.csv", "--state", "state.clv"],
        &["part-2.csv", "--state", "state.clv"],
        &["part-1.csv", "--state", "state.clv"],
        &["--state", "state.clv"],
    ] {
        let (summary, said) = summarize(arguments);
        let whole = !arguments.contains(&"--state") || arguments.contains(&"part-1.csv") || arguments.len() == 2;
        assert_eq!((summary == expected, said == account), (whole, whole), "{arguments:?}: {said}");
    }
    let quiet = done(clv(directory.path(), &["summarize", "part-*.csv", "--quiet", END[0], END[1]]));
    assert_eq!(quiet, (expected, String::new()));

    let (model, _) = done(clv(directory.path(), &["fit", "part-*.csv", END[0], END[1]]));
    assert_eq!(model, done(clv(directory.path(), &["fit", "all.csv", END[0], END[1]])).0);
}

#[test]
fn skipped_rows_are_judged_among_those_that_a_run_brings_to_a_state() {
    let directory = parts();
    let path = directory.path();
    let rows = |name: &str, good: usize, bad: usize| {
        let rows = ["0001,1998-06-01,5\n".repeat(good), "0001,1.6.1998,5\n".repeat(bad)].concat();
        fs::write(path.join(name), format!("customer_id,date,amount\n{rows}")).unwrap();
    };
    let tonight = |name: &str, limit: &[&str]| {
        let arguments = ["summarize", name, "--state", "state.clv", "--bad-rows", "skip", END[0], END[1]];
        clv(path, &[&arguments[..], &["-o", "customers.csv"], limit].concat())
    };
    done(tonight("all.csv", &[]));
    let before = fs::read(path.join("state.clv")).unwrap();
    // A share: 3 of 3 are too many, whatever thousands of rows there were before; nothing of them is taken in.
    rows("bad.csv", 0, 3);
    failed(
        tonight("bad.csv", &["--max-skipped", "5%"]),
        1,
        "3 of 3 rows cannot be used, and --max-skipped allows 5 %; the first is bad.csv:2:",
    );
    assert_eq!(fs::read(path.join("state.clv")).unwrap(), before);
    // Without a limit they are a warning, tonight and no more.
    let (_, said) = done(tonight("bad.csv", &[]));
    assert!(said.contains("warning: 3 of 3 rows (100 %) were skipped"), "{said}");
    // A number: those of earlier nights do not add up to more than it.
    for night in 1..=3 {
        rows("night.csv", 50 + night, 2);
        let (_, said) = done(tonight("night.csv", &["--max-skipped", "2"]));
        assert!(!said.contains("warning"), "{said}");
    }
    rows("night.csv", 60, 3);
    failed(tonight("night.csv", &["--max-skipped", "2"]), 1, "3 of 63 rows cannot be used, and --max-skipped allows 2");
}

#[test]
fn what_cannot_be_read_together_is_said() {
    let directory = parts();
    let summarize = |arguments: &[&str]| clv(directory.path(), &[&["summarize"], arguments].concat());
    failed(summarize(&["part-0.csv", "part-*.csv"]), 1, "part-0.csv is there twice, and its rows would count twice");
    failed(summarize(&["part-1.csv", "part-0.csv", "--time-ordered", END[0], END[1]]), 1, "but the log was said to be in order of time");
    failed(summarize(&["all.csv", "--time-ordered"]), 2, "--time-ordered needs --observation-end");
    failed(summarize(&["all.csv", "--time-ordered", "--state", "state.clv"]), 2, "cannot be used with");
    failed(summarize(&["all.csv", "-o", "part-0.csv", "part-*.csv"]), 2, "part-0.csv is read, and the result would replace it");
    failed(summarize(&["all.csv", "--state", "part-0.csv"]), 1, "cannot read part-0.csv: it is no state file");
    failed(summarize(&["-", "--state", "state.clv"]), 1, "standard input cannot be told from what was taken in before");
    failed(summarize(&[]), 2, "LOG");
}
