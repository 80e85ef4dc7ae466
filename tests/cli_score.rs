//! `clv score` on summaries that do not fit in one batch: the same scores whatever the format, the threads and the batches, whole or not at all.
#![allow(clippy::unwrap_used, reason = "a test panics when it fails")]
#![cfg(feature = "cli")]

use std::fs;
use std::io::Write;
use std::process::{Command, Output, Stdio};

use clv::{Customers, ModelFile, SummaryOptions};
use tempfile::TempDir;

/// More than two batches of a summary.
const CUSTOMERS: &str = "150000";

fn clv(place: &TempDir, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_clv")).args(arguments).current_dir(place.path()).stdin(Stdio::null()).output().unwrap()
}

#[track_caller]
fn done(output: Output) -> Output {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output
}

fn files(place: &TempDir) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(place.path()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// A summary as CSV and Parquet, and a model.
fn simulated() -> TempDir {
    let place = TempDir::new().unwrap();
    let simulate = ["simulate", "--model", "pareto-nbd", "--params", "r=0.553,alpha=10.578,s=0.606,beta=11.669", "--customers", CUSTOMERS];
    let window = ["--start", "1997-01-01", "--horizon", "39 weeks", "--acquisition", "84 days", "--spend", "p=6.25,q=3.74,gamma=15.44"];
    for name in ["customers.csv", "customers.parquet"] {
        done(clv(&place, &[&simulate[..], &window, &["--seed", "1", "--summary", "-o", name]].concat()));
    }
    done(clv(&place, &["fit", "customers.parquet", "--model", "pareto-nbd", "-o", "model.json", "--quiet"]));
    place
}

#[test]
fn a_summary_in_batches_is_scored_as_one() {
    let place = simulated();
    let score = |input: &str, output: &str, threads: &str| {
        let output = [
            "score",
            input,
            "--model",
            "model.json",
            "--observation-end",
            "1997-09-30",
            "--no-intervals",
            "--threads",
            threads,
            "-o",
            output,
        ];
        String::from_utf8(done(clv(&place, &output)).stderr).unwrap()
    };
    let said = score("customers.csv", "scores.csv", "1");
    assert!(said.contains("scored 150,000 customers: "), "{said}");
    for (input, output, threads) in [
        ("customers.parquet", "other.csv", "2"),
        ("customers.csv", "other.parquet", "2"),
        ("customers.parquet", "scores.parquet", "1"),
        ("customers.parquet", "scores.json", "2"),
    ] {
        assert_eq!(score(input, output, threads), said, "{output}");
    }
    let read = |name: &str| fs::read(place.path().join(name)).unwrap();
    assert!(read("scores.csv") == read("other.csv"));
    assert!(read("scores.parquet") == read("other.parquet"));

    // The scores of the library, to the bit.
    let model = ModelFile::from_json(&fs::read_to_string(place.path().join("model.json")).unwrap()).unwrap();
    let scorer = model.scorer(Some("1997-09-30".parse().unwrap())).unwrap();
    let customers = Customers::from_csv(place.path().join("customers.csv"), &SummaryOptions::default()).unwrap();
    let scores = scorer.score_all(&customers).unwrap();
    let csv = String::from_utf8(read("scores.csv")).unwrap();
    let json: serde_json::Value = serde_json::from_slice(&read("scores.json")).unwrap();
    assert_eq!(csv.lines().count(), scores.len() + 1);
    assert_eq!(json.as_array().unwrap().len(), scores.len());
    for (row, (line, score)) in csv.lines().skip(1).zip(&scores).enumerate() {
        let fields: Vec<&str> = line.split(',').collect();
        let number = |at: usize| fields[at].parse::<f64>().unwrap().to_bits();
        assert_eq!(fields[0], customers.id(row));
        assert_eq!(
            [number(4), number(5), number(6), number(7), number(8)],
            [score.p_alive, score.p_active, score.expected_purchases.unwrap(), score.expected_average_spend.unwrap(), score.clv.unwrap()]
                .map(f64::to_bits),
            "row {row}"
        );
        assert_eq!(json[row]["clv"].as_f64(), score.clv);
    }
}

#[test]
fn a_bad_row_far_down_leaves_nothing_and_is_named() {
    let place = simulated();
    let whole = fs::read_to_string(place.path().join("customers.csv")).unwrap();
    let first = whole.lines().nth(1).unwrap().to_owned();
    let before = files(&place);
    for (row, words) in [(first.as_str(), "occurs a second time"), ("x,1997-01-01,1997-03-05,1,9,8,5,5", "recency 9 exceeds age 8")] {
        fs::write(place.path().join("customers.csv"), format!("{whole}{row}\n")).unwrap();
        let flags = ["--model", "model.json", "--no-intervals", "--observation-end", "1997-09-30"];
        let ended = clv(&place, &[&["score", "customers.csv", "-o", "scores.csv"], &flags[..]].concat());
        let said = String::from_utf8(ended.stderr).unwrap();
        assert_eq!(ended.status.code(), Some(1), "{said}");
        assert!(said.contains(words) && said.contains("error: customers.csv:150002"), "{said}");
        assert_eq!(files(&place), before);
    }
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let place = simulated();
    let arguments = ["score", "customers.parquet", "--model", "model.json", "--no-intervals", "--observation-end", "1997-09-30"];
    let mut command = Command::new(env!("CARGO_BIN_EXE_clv"));
    let mut child = command
        .args(arguments)
        .current_dir(place.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .stdin(Stdio::null())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let ended = child.wait_with_output().unwrap();
    assert_eq!((ended.status.code(), String::from_utf8(ended.stderr).unwrap().as_str()), (Some(0), ""));
}

/// The account that cannot take its place leaves the scores of before in theirs.
#[test]
fn scores_and_their_account_appear_together_or_not_at_all() {
    let place = simulated();
    let whole = fs::read_to_string(place.path().join("customers.csv")).unwrap();
    fs::write(place.path().join("scores.csv"), "of before").unwrap();
    let flags = ["score", "-", "--model", "model.json", "--no-intervals", "--observation-end", "1997-09-30", "-o", "scores.csv"];
    let score = |account: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_clv"));
        command.args(flags).args(["--account", account]).current_dir(place.path());
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let mut child = score("account.json");
    let mut input = child.stdin.take().unwrap();
    // No pipe holds a megabyte: when so much is taken, the places of the results have been looked at.
    let (head, rest) = whole.as_bytes().split_at(1 << 20);
    input.write_all(head).unwrap();
    fs::create_dir(place.path().join("account.json")).unwrap();
    input.write_all(rest).unwrap();
    drop(input);
    let ended = child.wait_with_output().unwrap();
    let said = String::from_utf8(ended.stderr).unwrap();
    assert!(ended.status.code() == Some(1) && said.contains("account.json: it is a directory"), "{said}");
    assert_eq!(fs::read_to_string(place.path().join("scores.csv")).unwrap(), "of before");

    let mut child = score("told.json");
    child.stdin.take().unwrap().write_all(whole.as_bytes()).unwrap();
    done(child.wait_with_output().unwrap());
    assert!(fs::read_to_string(place.path().join("told.json")).unwrap().contains("definition_hash"));
    assert_eq!(fs::read_to_string(place.path().join("scores.csv")).unwrap().lines().count(), whole.lines().count());
}
