//! Runs that are killed, that meet a full disk or a damaged file: what was there stays, nothing is there by half, and a rerun gives the same bytes.
#![allow(clippy::unwrap_used, reason = "a test panics when it fails")]
#![cfg(all(unix, feature = "cli"))]

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use tempfile::TempDir;

const PROGRAM: &str = env!("CARGO_BIN_EXE_clv");

/// A directory with the rows of two days, and what a run of them in one go makes.
struct Nights {
    directory: TempDir,
    customers: Vec<u8>,
    state: Vec<u8>,
}

impl Nights {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let rows = |day: u32| -> String {
            let rows = (0..60_000).map(|row| format!("customer-{},2026-01-{day:02},{}.{}\n", row * 7919 % 30_011, row % 97, row % 10));
            format!("customer_id,date,amount\n{}", rows.collect::<String>())
        };
        fs::write(directory.path().join("monday.csv"), rows(5)).unwrap();
        fs::write(directory.path().join("tuesday.csv"), rows(6)).unwrap();
        let mut nights = Nights { directory, customers: Vec::new(), state: Vec::new() };
        nights.first_night();
        assert!(nights.second_night().status().unwrap().success());
        (nights.customers, nights.state) = (nights.read("customers.csv"), nights.read("state.clv"));
        nights
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap()
    }

    fn run(&self, log: &str) -> Command {
        let mut command = Command::new(PROGRAM);
        command.current_dir(self.directory.path()).args(["summarize", log, "--state", "state.clv", "-o", "customers.csv"]);
        command.args(["--observation-end", "2026-01-31", "--quiet"]).stdin(Stdio::null());
        command
    }

    /// Monday's rows are taken in, and nothing else has been made.
    fn first_night(&self) -> Vec<u8> {
        for name in ["state.clv", "customers.csv"] {
            let _ = fs::remove_file(self.path(name));
        }
        assert!(self.run("monday.csv").status().unwrap().success());
        fs::remove_file(self.path("customers.csv")).unwrap();
        self.read("state.clv")
    }

    fn second_night(&self) -> Command {
        self.run("tuesday.csv")
    }

    /// Each file is as before or as it should be after, and a rerun of what is not done gives the bytes of a run without interruption.
    fn check_and_rerun(&self, before: &[u8]) {
        let state = self.read("state.clv");
        assert!(state == before || state == self.state, "a state by half");
        if self.path("customers.csv").exists() {
            assert!(self.read("customers.csv") == self.customers, "a summary by half");
        }
        if state == before {
            assert!(self.second_night().status().unwrap().success());
        }
        assert!(self.read("customers.csv") == self.customers && self.read("state.clv") == self.state);
    }
}

#[test]
fn a_killed_run_leaves_nothing_by_half() {
    let nights = Nights::new();
    for milliseconds in [1, 30, 60, 90, 120, 150, 200, 300] {
        let before = nights.first_night();
        let mut child = nights.second_night().stderr(Stdio::null()).spawn().unwrap();
        sleep(Duration::from_millis(milliseconds));
        child.kill().unwrap();
        child.wait().unwrap();
        nights.check_and_rerun(&before);
    }
    // What they left half written, the next run in that directory removes.
    sleep(Duration::from_millis(1100));
    nights.first_night();
    let names = fs::read_dir(nights.directory.path()).unwrap().map(|entry| entry.unwrap().file_name());
    assert_eq!(names.filter(|name| name.to_string_lossy().starts_with(".clv-")).count(), 0, "something is left over");
}

#[test]
fn a_full_disk_leaves_what_was_there() {
    let nights = Nights::new();
    // Blocks of 512 bytes: room for no file, for half a state, for the state and half a summary.
    for blocks in [0, 64, nights.state.len() / 512 + 8] {
        let before = nights.first_night();
        let run = nights.second_night();
        let mut limited = Command::new("sh");
        limited.current_dir(nights.directory.path());
        limited.args(["-c", &format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"")]).arg(run.get_program()).args(run.get_args());
        let output = limited.output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{blocks}: {stderr}");
        assert!(stderr.contains("cannot write") && stderr.contains("File too large"), "{stderr}");
        assert!(nights.read("state.clv") == before && !nights.path("customers.csv").exists());
        assert_eq!(fs::read_dir(nights.directory.path()).unwrap().count(), 3, "something is left over");
        nights.check_and_rerun(&before);
    }
}

#[test]
fn a_damaged_file_among_many_leaves_what_was_there_and_is_named() {
    let nights = Nights::new();
    let before = nights.first_night();
    let mut damaged = nights.read("tuesday.csv");
    damaged.extend_from_slice(b"customer-1,never,1\n");
    fs::write(nights.path("wednesday.csv"), damaged).unwrap();
    let run = nights.run("tuesday.csv").arg("wednesday.csv").output().unwrap();
    let stderr = String::from_utf8(run.stderr).unwrap();
    assert_eq!(run.status.code(), Some(1), "{stderr}");
    assert!(stderr.starts_with("error: wednesday.csv:60002: column \"date\": \"never\" is no date"), "{stderr}");
    assert!(stderr.trim_end().ends_with("; before this file, one file was read, with 60000 rows"), "{stderr}");
    nights.check_and_rerun(&before);

    let again = nights.second_night().output().unwrap();
    let stderr = String::from_utf8(again.stderr).unwrap();
    assert_eq!(again.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("tuesday.csv has been taken in before, as tuesday.csv with 60000 rows"), "{stderr}");
    assert!(nights.read("customers.csv") == nights.customers && nights.read("state.clv") == nights.state);
}
