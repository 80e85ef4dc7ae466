//! `clv backtest` from outside: what it writes, what it says, how it exits.
#![allow(clippy::unwrap_used, reason = "a test panics when it fails")]
#![cfg(feature = "cli")]

use std::fs;
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

const CDNOW: &str = "examples/data/cdnow_sample.csv";
const HOLDOUT: [&str; 6] = ["--cut", "1997-09-30", "--holdout", "39 weeks", "--observation-end", "1998-06-30"];

fn clv(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_clv"));
    command.args(arguments).current_dir(env!("CARGO_MANIFEST_DIR")).stdin(Stdio::null()).output().unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[track_caller]
fn done(arguments: &[&str]) -> Output {
    let output = clv(arguments);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    output
}

#[track_caller]
fn failed(arguments: &[&str], code: i32, words: &str) {
    let output = clv(arguments);
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(code), "{said}");
    assert!(said.lines().any(|line| line.starts_with("error: ")) && said.contains(words), "{words:?} is not in: {said}");
    assert!(output.stdout.is_empty());
}

fn run_of<'a>(report: &'a Value, cut: &str, model: &str, group: &str) -> &'a Value {
    let runs = report["runs"].as_array().unwrap();
    runs.iter().find(|run| run["cut"] == cut && run["model"] == model && run["group"] == group).unwrap()
}

#[track_caller]
fn close(value: &Value, expected: f64, tolerance: f64) {
    let value = value.as_f64().unwrap();
    assert!((value - expected).abs() <= tolerance, "{value} is not {expected}");
}

#[test]
fn one_holdout_is_written_and_told() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("backtest.json");
    let file = file.to_str().unwrap();
    let output = done(&[&["backtest", CDNOW, "--models", "pareto-nbd,mbg-nbd,bg-nbd"], &HOLDOUT[..], &["-o", file]].concat());
    assert!(output.stdout.is_empty());
    let report: Value = serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
    assert_eq!(report["format"], 1);
    // Three models, NBD and six rules of thumb, three groups each.
    assert_eq!(report["runs"].as_array().unwrap().len(), 30);
    let run = run_of(&report, "1997-09-30", "pareto-nbd", "known_at_cut");
    assert_eq!((&run["scheme"], &run["holdout_end"], &run["customers"]), (&"holdout".into(), &"1998-06-30".into(), &2357.into()));
    close(&run["predicted_purchases"], 1665.5, 1.6);
    close(&run["bias"], -0.115, 1e-3);
    close(&run["coverage"]["0.9"], 0.9512, 5e-4);
    assert!(run_of(&report, "1997-09-30", "own-rate", "known_at_cut")["log_score"].is_null());

    let said = stderr(&output);
    // Lines are broken between words.
    let flat = said.split_whitespace().collect::<Vec<_>>().join(" ");
    for words in [
        "made 1,882 purchases",
        "pareto-nbd 1,666 -11.5 % 0.755 0.9872 95 % 47 %",
        "0 1,411 0.237 0.138 0.185 0.225",
        "mbg-nbd gave what came the highest probability (log score 0.9821)",
        "the total of mbg-nbd was off by -16.2 %. Its 90 % intervals held for 95 % of the customers.",
        "by the best rule of thumb, own-rate, it was 46 %. No rule of thumb came closer in total.",
        "One cut can mislead",
    ] {
        assert!(flat.contains(words), "{words:?} is not in: {said}");
    }
    let widest = said.lines().map(|line| line.chars().count()).max();
    assert!(widest <= Some(80), "{widest:?}: {said}");
    assert!(said.trim_end().ends_with('.'), "{said}");
}

#[test]
fn rolling_origins_end_with_the_observation() {
    let output = done(&["backtest", CDNOW, "--models", "pareto-nbd", "--origins", "4", "--holdout", "13 weeks"]);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let expected = [("1997-07-01", 758.1), ("1997-09-30", 629.3), ("1997-12-30", 625.2), ("1998-03-31", 636.3)];
    for (cut, predicted) in expected {
        let run = run_of(&report, cut, "pareto-nbd", "known_at_cut");
        assert_eq!(run["scheme"], "rolling");
        close(&run["predicted_purchases"], predicted, 1e-3 * predicted);
    }
    let said = stderr(&output);
    for words in ["1998-06-30, the last day in the data", "Back-test at 4 cuts", "+28.5 %", "were off by -13.3 % to +28.5 %"] {
        assert!(said.contains(words), "{words:?} is not in: {said}");
    }
    let tables = said.lines().filter(|line| !line.starts_with("note: "));
    assert!(tables.map(|line| line.chars().count()).max() <= Some(80), "{said}");
}

#[test]
fn the_file_does_not_depend_on_threads_and_quiet_is_quiet() {
    let arguments = [&["backtest", CDNOW, "--models", "bg-nbd", "--quiet"], &HOLDOUT[..]].concat();
    let one = done(&[&arguments[..], &["--threads", "1"]].concat());
    let two = done(&[&arguments[..], &["--threads", "2"]].concat());
    assert_eq!(one.stdout, two.stdout);
    assert_eq!(stderr(&one), "");
}

#[test]
fn without_a_length_the_holdout_lasts_to_the_observation_end_and_a_file_can_hold_the_settings() {
    let folder = TempDir::new().unwrap();
    let settings = folder.path().join("clv.toml");
    fs::write(&settings, "cut = \"1997-09-30\"\nobservation-end = \"1998-06-30\"\nmodels = \"bg-nbd,nbd\"\nmodel = \"nbd\"\n").unwrap();
    let output = done(&["backtest", CDNOW, "--definition", settings.to_str().unwrap(), "--quiet"]);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    close(&run_of(&report, "1997-09-30", "bg-nbd", "all")["predicted_purchases"], 1653.4, 1.6);
    close(&run_of(&report, "1997-09-30", "nbd", "all")["predicted_purchases"], 2929.8, 2.9);
}

#[test]
fn wrong_usage_is_told_before_anything_is_read() {
    failed(&["backtest", "no such.csv"], 2, "nothing says where to cut");
    failed(&["backtest", "no such.csv", "--origins", "4"], 2, "--origins needs the length");
    failed(&["backtest", "no such.csv", "--origins", "1", "--holdout", "13 weeks"], 2, "one origin is a single holdout");
    failed(&["backtest", "no such.csv", "--cut", "1997-09-30", "--origins", "4"], 2, "give one of them");
    failed(&["backtest", "no such.csv", "--cut", "1997-09-30", "--holdout", "lifetime"], 2, "a lifetime has no end");
    failed(&["backtest", "no such.csv", "--cut", "1997-09-30", "--holdout", "30 hours"], 2, "whole days");
    failed(&["backtest", "no such.csv", "--cut", "1997-09-30", "--models", "pareto"], 2, "pareto-nbd");
    failed(&["backtest", "no such.csv", "--cut", "1997-09-30", "-o", "backtest.csv"], 2, "a back-test is JSON");
    failed(&["backtest", CDNOW, "--cut", "1997-09-30", "--models", "nbd,nbd"], 2, "twice");
}

#[test]
fn a_split_that_the_data_do_not_allow_is_told_with_the_range() {
    failed(&["backtest", CDNOW, "--cut", "1996-12-31"], 1, "a cut can be from 1997-01-01 to 1998-06-29");
    failed(&["backtest", CDNOW, "--cut", "1998-06-30"], 1, "a cut can be from 1997-01-01 to 1998-06-29");
    failed(&["backtest", CDNOW, "--cut", "1997-12-31", "--holdout", "39 weeks"], 1, "1 to 181 days");
    failed(&["backtest", CDNOW, "--origins", "9", "--holdout", "13 weeks"], 1, "5 or fewer of 13 weeks");
    failed(&["backtest", CDNOW, "--origins", "2", "--holdout", "39 weeks"], 1, "only one holdout");
    failed(&["backtest", "no such.csv", "--cut", "1997-09-30"], 1, "no such.csv");
}

#[test]
fn the_main_job_holds_out_the_last_quarter() {
    let folder = TempDir::new().unwrap();
    let out = folder.path().join("out");
    let output = done(&["run", CDNOW, "--model", "pareto-nbd", "--no-intervals", "--out", out.to_str().unwrap()]);
    // 545 days from the first to the last: 19 weeks of them are held out, as clv backtest would.
    let said = stderr(&output);
    assert!(said.contains("Back-test: calibrated until 1998-02-17, held against 133 days until 1998-06-30"), "{said}");
    let alone = done(&["backtest", CDNOW, "--models", "pareto-nbd", "--cut", "1998-02-17", "--holdout", "19 weeks"]);
    assert_eq!(fs::read(out.join("backtest.json")).unwrap(), alone.stdout);
}

#[test]
fn the_main_job_goes_on_without_a_back_test_and_says_why() {
    let folder = TempDir::new().unwrap();
    let (log, out) = (folder.path().join("log.csv"), folder.path().join("out"));
    let run = |days: &[(&str, &str)]| {
        let rows: String = days.iter().map(|(customer, date)| format!("{customer},{date},10\n")).collect();
        fs::write(&log, format!("customer_id,date,amount\n{rows}")).unwrap();
        let output = done(&["run", log.to_str().unwrap(), "--model", "nbd", "--spend", "none", "--out", out.to_str().unwrap()]);
        let report: Value = serde_json::from_slice(&fs::read(out.join("backtest.json")).unwrap()).unwrap();
        assert_eq!((&report["format"], report["runs"].as_array().unwrap().len()), (&1.into(), 0));
        stderr(&output)
    };
    let short = run(&[("a", "2026-01-01"), ("a", "2026-01-09"), ("b", "2026-01-03"), ("c", "2026-01-20")]);
    assert!(short.contains("the log covers 19 days"), "{short}");
    // Long enough, but nobody came back before the last quarter.
    let late = run(&[("a", "2026-01-01"), ("a", "2026-02-09"), ("b", "2026-01-03"), ("c", "2026-02-10")]);
    assert!(late.contains("left out: cut 2026-02-03: no model could be fitted"), "{late}");
}
