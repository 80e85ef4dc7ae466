//! `clv simulate` from outside.
#![allow(clippy::unwrap_used, clippy::float_cmp, reason = "a test panics when it fails, and exact figures are what it is about")]
#![cfg(feature = "cli")]

use std::fs;
use std::process::{Command, Output};

use clv::{Date, Observation, TransactionLog};
use tempfile::TempDir;

const PARETO: [&str; 4] = ["--model", "pareto-nbd", "--params", "r=0.55,alpha=10.6,s=0.61,beta=11.7"];

fn simulate(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_clv")).arg("simulate").args(arguments).output().unwrap()
}

#[track_caller]
fn stdout(arguments: &[&str]) -> String {
    let output = simulate(arguments);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Wrong usage, in these words.
#[track_caller]
fn refused(arguments: &[&str], words: &str) {
    let output = simulate(arguments);
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(stderr.contains(words), "{words:?} is not in: {stderr}");
    assert!(output.stdout.is_empty());
}

#[test]
fn a_log_that_can_be_read_with_the_customers_dates_and_amounts_asked_for() {
    let place = TempDir::new().unwrap();
    let path = place.path().join("log.csv");
    let output = simulate(&[&PARETO[..], &["--customers", "2000", "--seed", "7", "-o", path.to_str().unwrap()]].concat());
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), output.stdout.len()), (Some(0), 0), "{said}");
    assert!(said.ends_with("of 2000 customers, observed until 1998-06-30; seed 7\n"), "{said}");

    let log = TransactionLog::from_csv(&path).unwrap();
    assert!(said.contains(&format!("simulated {} transactions", log.len())));
    assert_eq!((log.customer_count(), log.first_date()), (2000, Some("1997-01-01".parse().unwrap())));
    assert!(log.last_date() <= Some("1998-06-30".parse().unwrap()));
    let customers = log.summarize(&Observation::until("1998-06-30".parse().unwrap())).unwrap();
    let last_arrival: Date = "1997-03-25".parse().unwrap();
    assert!(customers.purchases().iter().all(|record| record.first.date() <= last_arrival));
    // A repeat purchase of this population is worth 6.25 x 15.44 / 2.74 on average.
    let repeat: Vec<f64> = customers.average_spend().iter().copied().filter(|&spend| spend > 0.0).collect();
    assert!((repeat.iter().sum::<f64>() / repeat.len() as f64 - 35.22).abs() < 3.0);
}

#[test]
fn parts_are_the_whole_log() {
    let with = |more: &[&str]| stdout(&[&PARETO[..], &["--customers", "100", "--seed", "3"], more].concat());
    let header = "customer_id,date,amount\n";
    let parts: String = ["1/3", "2/3", "3/3"].map(|part| with(&["--part", part]).strip_prefix(header).unwrap().to_owned()).concat();
    assert_eq!(header.to_owned() + &parts, with(&[]));
    for (part, words) in
        [("0/3", "there is no part 0 of 3"), ("4/3", "no part 4 of 3"), ("third", "is no part"), ("1/101", "none of the 100 customers")]
    {
        refused(&[&PARETO[..], &["--customers", "100", "--part", part]].concat(), words);
    }
}

#[test]
fn a_seed_gives_the_same_bytes_with_any_number_of_threads() {
    let with = |more: &[&str]| stdout(&[&PARETO[..], &["--customers", "300"], more].concat());
    let log = with(&["--seed", "3"]);
    assert!(log.starts_with("customer_id,date,amount\n001,1997-"), "{}", &log[..60]);
    assert_eq!(log, with(&["--seed", "3", "--threads", "1"]));
    assert_eq!(log, with(&["--seed", "3", "--threads", "2", "--quiet"]));
    assert_ne!(log, with(&["--seed", "4"]));
}

#[test]
fn the_summary_is_what_summarize_makes_of_the_log() {
    let place = TempDir::new().unwrap();
    let name = |file: &str| place.path().join(file).to_str().unwrap().to_owned();
    for unit in ["day", "week", "hour"] {
        let base = ["--model", "nbd", "--params", "r=2,alpha=60", "--customers", "50", "--until", "1997-05-31", "--unit", unit];
        stdout(&[&base[..], &["-o", &name("log.csv")]].concat());
        stdout(&[&base[..], &["--summary", "-o", &name("summary.csv")]].concat());
        let merge = if unit == "hour" { "hour" } else { "day" };
        let summarized = Command::new(env!("CARGO_BIN_EXE_clv"))
            .args(["summarize", &name("log.csv"), "--observation-end", "1997-05-31", "--unit", unit, "--merge", merge])
            .output()
            .unwrap();
        let summary = fs::read_to_string(name("summary.csv")).unwrap();
        assert_eq!(summary, String::from_utf8(summarized.stdout).unwrap(), "{unit}");
        assert!(summary.starts_with("customer_id,first_purchase,last_purchase,frequency,recency,age,average_spend,total_spend\n"));
        assert_eq!(summary.lines().count(), 51);
    }
}

#[test]
fn every_format_holds_the_same_log() {
    let place = TempDir::new().unwrap();
    let rows = |file: &str| {
        let path = place.path().join(file);
        stdout(&[&PARETO[..], &["--customers", "40", "-o", path.to_str().unwrap()]].concat());
        path
    };
    let csv = TransactionLog::from_csv(rows("log.csv")).unwrap();
    let parquet = clv::Source::open(rows("log.parquet")).unwrap().read_log(&clv::ReadOptions::default()).unwrap();
    let json: serde_json::Value = serde_json::from_str(&fs::read_to_string(rows("log.json")).unwrap()).unwrap();
    assert_eq!(json.as_array().unwrap().len(), csv.len());
    for id in 1..=40 {
        let id = format!("{id:02}");
        assert_eq!(csv.transactions_of(&id), parquet.transactions_of(&id));
        let amounts = |row: &&serde_json::Value| row["customer_id"] == id.as_str();
        let total: f64 = json.as_array().unwrap().iter().filter(amounts).map(|row| row["amount"].as_f64().unwrap()).sum();
        let expected: f64 = csv.transactions_of(&id).iter().map(|row| row.amount).sum();
        assert!((total - expected).abs() < 1e-9);
    }
}

#[test]
fn spend_may_be_given_or_left_out() {
    let with = |spend: &str| stdout(&[&PARETO[..], &["--customers", "300", "--spend", spend]].concat());
    let amounts = |log: &str| log.lines().skip(1).map(|row| row.rsplit(',').next().unwrap().parse().unwrap()).collect::<Vec<f64>>();
    let dates = |log: &str| log.lines().map(|row| row.rsplit_once(',').unwrap().0.to_owned()).collect::<Vec<_>>();
    let (none, cents) = (with("none"), with("p=4,q=5,gamma=0.01"));
    assert!(amounts(&none).iter().all(|&amount| amount == 0.0));
    assert!(amounts(&cents).iter().all(|&amount| amount < 1.0));
    assert_eq!(dates(&none), dates(&cents));
    assert_eq!(with("gamma-gamma"), with("gamma = 15.44, p = 6.25, q = 3.74"));
}

#[test]
fn settings_may_come_from_a_file() {
    let place = TempDir::new().unwrap();
    let path = place.path().join("clv.toml");
    fs::write(&path, "model = \"nbd\"\nparams = \"r=1,alpha=10\"\nseed = 9\nspend = \"none\"\n").unwrap();
    let log = stdout(&["--definition", path.to_str().unwrap(), "--customers", "20"]);
    assert_eq!(log, stdout(&["--model", "nbd", "--params", "r=1,alpha=10", "--seed", "9", "--spend", "none", "--customers", "20"]));
}

#[test]
fn wrong_usage_is_told_with_a_way_out() {
    let params = |params: &'static str| ["--model", "pareto-nbd", "--params", params];
    refused(&["--model", "pareto-nbd"], "--params is missing; pareto-nbd has the parameters r, alpha, s, beta");
    refused(&params("r=0.55,alpha=10.6,s=0.61"), "beta is missing; pareto-nbd has the parameters r, alpha, s, beta");
    refused(&params("r=0.55,alpha=10.6,s=0.61,beta=11.7,r=1"), "r is given twice");
    refused(&params("r=0.55,alpha=10.6,a=0.61,b=11.7"), "\"a\" is not known");
    refused(&params("r=0.55,alpha=x"), "\"x\" is no number");
    refused(&params("0.55,10.6"), "\"0.55\" is not of the form name=value");
    refused(&params("r=-1,alpha=10.6,s=0.61,beta=11.7"), "Pareto/NBD: r = -1 must be a positive finite number");
    refused(&[&PARETO[..], &["--spend", "p=6"]].concat(), "q is missing; gamma-gamma has the parameters p, q, gamma");
    refused(&[&PARETO[..], &["--customers", "0"]].concat(), "without a customer");
    refused(&[&PARETO[..], &["--until", "1997-02-01"]].concat(), "arrives after the observation end 1997-02-01 in part");
    refused(&["--model", "nbd", "--params", "r=1,alpha=1e-9"], "transactions are to be expected of 1000 customers");
    refused(&[&PARETO[..], &["--start", "9999-12-01"]].concat(), "calendar");
}
