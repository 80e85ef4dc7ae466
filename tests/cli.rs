//! The command line from outside: what it writes, what it says, how it exits.
#![allow(clippy::unwrap_used, clippy::float_cmp, reason = "a test panics when it fails, and exact figures are what it is about")]
#![cfg(feature = "cli")]

#[path = "command/place.rs"]
mod place;

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Stdio;

use clv::{Date, Table, TableFormat, Values};

use place::{CDNOW, CUT, Ended, GOOD, Place, clv, command, run_cdnow};

fn clv_with_stdin(arguments: &[&str], input: &[u8]) -> Ended {
    let mut child = command(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    child.wait_with_output().unwrap().into()
}

fn json(text: &str) -> serde_json::Value {
    serde_json::from_str(text).unwrap()
}

fn header(csv: &str) -> &str {
    csv.lines().next().unwrap()
}

fn close(value: &serde_json::Value, expected: f64, tolerance: f64) {
    let value = value.as_f64().unwrap();
    assert!((value - expected).abs() <= tolerance, "{value} is not {expected}");
}

#[test]
fn the_main_job_gives_the_published_fit_and_a_score_for_everyone() {
    let place = Place::new();
    let ended = run_cdnow(&place);
    assert_eq!(ended.stdout, "");
    assert_eq!(place.files(), ["out"]);
    let mut names: Vec<_> = fs::read_dir(place.path("out")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["account.json", "backtest.json", "customers.csv", "model.json", "report", "report.html", "scores.csv"]);

    let customers = place.read("out/customers.csv");
    assert_eq!(header(&customers), "customer_id,first_purchase,last_purchase,frequency,recency,age,average_spend,total_spend");
    assert_eq!(customers.lines().count(), 2358);
    let scores = place.read("out/scores.csv");
    assert_eq!(
        header(&scores),
        "customer_id,frequency,recency,age,p_alive,p_active,expected_purchases,expected_average_spend,clv,clv_lower,clv_upper,status,prior_weight,band,score"
    );
    let ids = |csv: &str| csv.lines().map(|line| line.split(',').next().unwrap().to_owned()).collect::<Vec<_>>();
    assert_eq!(ids(&customers), ids(&scores));
    let bands = ["high", "mid", "low"];
    assert!(scores.lines().skip(1).all(|line| line.contains(",scored,") && bands.iter().any(|band| line.contains(&format!(",{band},")))));

    let model = json(&place.read("out/model.json"));
    close(&model["purchases"]["log_likelihood"], -9582.429207, 1e-6);
    close(&model["spend"]["log_likelihood"], -4055.91769, 1e-5);
    close(&model["purchases"]["parameters"]["alpha"], 4.4136, 5e-4);
    assert_eq!((model["purchases"]["status"].as_str(), model["unit"].as_str()), (Some("converged"), Some("week")));
    assert_eq!(model["definition"]["horizon"], "12 months");

    for words in ["4,960 of them used", "bg-nbd, fitted to 2,357 customers", "The ten most valuable customers", "05420", "total CLV"] {
        assert!(ended.stderr.contains(words), "{words:?} is not in: {}", ended.stderr);
    }
    let widest = ended.stderr.lines().filter(|line| !line.contains("/out/")).map(|line| line.chars().count()).max();
    assert!(widest <= Some(80), "{}", ended.stderr);
    assert!(!ended.stderr.contains('\x1b'));
}

#[test]
fn the_steps_one_by_one_give_what_the_main_job_gives() {
    let place = Place::new();
    run_cdnow(&place);
    let [customers, model, scores] = ["customers.csv", "model.json", "scores.csv"].map(|name| place.name(name));
    clv(&["summarize", CDNOW, CUT[0], CUT[1], "-o", &customers]).done();
    clv(&["fit", CDNOW, CUT[0], CUT[1], "-o", &model]).done();
    clv(&["score", CDNOW, CUT[0], CUT[1], "--model", &model, "-o", &scores]).done();
    for name in ["customers.csv", "model.json", "scores.csv"] {
        assert!(place.read(name) == place.read(&format!("out/{name}")), "{name}");
    }
    // The summary is as good an input as the log.
    let from_summary = json(&clv(&["fit", &customers]).done().stdout);
    let from_log = json(&place.read("model.json"));
    for key in ["purchases", "spend", "unit", "observation_end", "definition"] {
        assert_eq!(from_summary[key], from_log[key], "{key}");
    }
    assert_eq!(from_summary["data"]["fingerprint"], from_log["data"]["fingerprint"]);
    let ended = clv(&["score", &customers, "--model", &model]).done();
    assert!(ended.stdout == place.read("scores.csv"));
    assert!(ended.stderr.contains("2,357 customers"), "{}", ended.stderr);
}

#[test]
fn the_fingerprint_is_that_of_the_summary_as_a_file() {
    use sha2::{Digest, Sha256};
    let place = Place::new();
    run_cdnow(&place);
    let hash = Sha256::digest(fs::read(place.path("out/customers.csv")).unwrap());
    let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(json(&place.read("out/model.json"))["data"]["fingerprint"], hex);
}

/// The rows of the sample in an order that has nothing to do with time or customer.
fn shuffled(csv: &str) -> String {
    let mut lines = csv.lines();
    let header = lines.next().unwrap();
    let mut rows: Vec<(u64, &str)> =
        lines.enumerate().map(|(row, line)| ((row as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(17), line)).collect();
    rows.sort_unstable();
    let rows: Vec<&str> = rows.into_iter().map(|(_, line)| line).collect();
    format!("{header}\n{}\n", rows.join("\n"))
}

fn as_parquet(csv: &str, path: &Path) {
    let column = |field: usize| csv.lines().skip(1).map(move |line| line.split(',').nth(field).unwrap());
    let table = Table::new()
        .with("customer_id", Values::Text(column(1).collect()))
        .and_then(|table| table.with("date", Values::Date(column(2).map(|date| date.parse::<Date>().unwrap()).collect())))
        .and_then(|table| table.with("amount", Values::Number(column(4).map(|amount| amount.parse::<f64>().unwrap()).collect())))
        .unwrap();
    clv::write_atomically(path, |out| table.write(TableFormat::Parquet, out)).unwrap();
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn neither_the_order_of_rows_nor_the_kind_of_file_nor_the_threads_change_a_byte() {
    let place = Place::new();
    let csv = fs::read_to_string(CDNOW).unwrap();
    // The interval of the total in account.json is drawn: one seed, the same bytes.
    clv(&["run", CDNOW, CUT[0], CUT[1], "--seed", "7", "--out", &place.name("out")]).done();
    let shuffled = shuffled(&csv);
    assert_ne!(shuffled, csv);
    as_parquet(&shuffled, &place.path("log.parquet"));
    let inputs = [
        place.file("shuffled.csv", &shuffled),
        place.file("log.csv.gz", gzip(csv.as_bytes())),
        place.name("log.parquet"),
        "-".to_owned(),
        CDNOW.to_owned(),
    ];
    for (input, threads) in inputs.iter().zip(["0", "1", "2", "0", "1"]) {
        let out = place.name("other");
        let arguments = ["run", input, CUT[0], CUT[1], "--threads", threads, "--seed", "7", "--out", &out];
        clv_with_stdin(&arguments, if input == "-" { shuffled.as_bytes() } else { b"" }).done();
        for name in ["customers.csv", "model.json", "scores.csv", "account.json", "backtest.json"] {
            assert!(place.read(&format!("other/{name}")) == place.read(&format!("out/{name}")), "{name} of {input}, {threads} threads");
        }
        fs::remove_dir_all(&out).unwrap();
    }
}

/// Two rows of two good customers, so that bad rows are not alone.

#[test]
fn bad_input_is_an_error_that_leaves_nothing_behind() {
    let csv = fs::read(CDNOW).unwrap();
    let compressed = gzip(&csv);
    let scratch = Place::new();
    as_parquet(&String::from_utf8(csv).unwrap(), &scratch.path("log.parquet"));
    let parquet = fs::read(scratch.path("log.parquet")).unwrap();
    let with = |row: &str| format!("{GOOD}{row}\n").into_bytes();
    let rows = |rows: &str| format!("customer_id,date,amount\n{rows}").into_bytes();
    let cases: Vec<(&str, Vec<u8>, &[&str], &str)> = vec![
        ("an empty file", Vec::new(), &[], "the file is empty"),
        ("a header alone", rows(""), &[], "no row below it"),
        ("a missing column", b"customer_id,date\na,1997-01-01\n".to_vec(), &[], "there is no column \"amount\""),
        ("a column that is not there", GOOD.into(), &["--customer", "user"], "there is no column \"user\""),
        ("a bad date", with("c,1997-13-01,4"), &[], "log:5: column \"date\": \"1997-13-01\""),
        ("a bad amount", with("c,1997-01-01,abc"), &[], "log:5: column \"amount\": amount \"abc\""),
        ("NaN", with("c,1997-01-01,NaN"), &[], "log:5: column \"amount\": amount NaN is not finite"),
        ("an infinite amount", with("c,1997-01-01,inf"), &[], "log:5: column \"amount\": amount inf is not finite"),
        ("no customer", with(",1997-01-01,4"), &[], "log:5: column \"customer_id\": the customer is missing"),
        ("too few fields", with("c,1997-01-01"), &[], "log:5: the row has 2 fields"),
        ("a wrong delimiter", GOOD.replace(',', ";").into_bytes(), &[], "set it with --delimiter ';'"),
        ("not UTF-8", [GOOD.as_bytes(), b"caf\xe9,1997-01-01,4\n"].concat(), &[], "is not UTF-8"),
        ("a truncated gzip file", compressed[..compressed.len() / 2].to_vec(), &[], "end too early"),
        ("a truncated Parquet file", parquet[..parquet.len() / 2].to_vec(), &[], "cut off"),
        ("an end before all data", GOOD.into(), &["--observation-end", "1996-12-31"], "lies before all data"),
        ("one customer who bought once", rows("a,1997-01-01,10\n"), &[], "has a repeat purchase"),
        ("nobody bought twice", rows("a,1997-01-01,10\nb,1997-02-01,10\n"), &[], "has a repeat purchase"),
        ("all amounts zero", rows("a,1997-01-01,0\na,1997-02-01,0\nb,1997-01-05,0\n"), &[], "--spend none"),
        ("refunds alone", rows("a,1997-01-01,-5\nb,1997-02-01,-6\n"), &[], "no customer has a purchase"),
        ("all refunded", rows("a,1997-01-01,5\na,1997-01-01,-5\n"), &[], "no customer has a purchase"),
        ("a refund that is an error", with("a,1997-03-01,-2"), &["--refunds", "error"], "refund"),
        ("an open quote", with("\"c,1997-01-01,4\nd,1997-01-01,4"), &[], "log:5: the quote opened on line 5 is never closed"),
        ("an open quote to skip", with("\"c,1997-01-01,4\nd,1997-01-01,4"), &["--bad-rows", "skip"], "log:5: the quote opened on line 5"),
        ("amounts beyond all numbers", rows("a,1997-01-01,1.5e308\nb,1997-02-01,1.5e308\n"), &[], "check their unit"),
        ("a summary", b"customer_id,frequency,recency,age\na,1,2,3\n".to_vec(), &[], "this is a summary"),
    ];
    for (what, content, flags, words) in cases {
        let place = Place::new();
        let log = place.file("log", content);
        let out = place.name("out/deep");
        let arguments = [&["run", &log, "--out", &out], flags].concat();
        let ended = clv(&arguments).failed(1, words);
        assert!(ended.stderr.contains(words), "{what}");
        assert_eq!(place.files(), ["log"], "{what}");
    }
}

#[test]
fn one_customer_is_enough_and_a_fit_at_a_boundary_is_done() {
    let place = Place::new();
    let log = place.file("log.csv", "customer_id,date,amount\na,1997-01-01,10\na,1997-02-01,12\na,1997-03-01,12\n");
    let ended = clv(&["run", &log, "--out", &place.name("out")]).done();
    assert!(ended.stderr.contains("notice: "), "{}", ended.stderr);
    assert_eq!(json(&place.read("out/model.json"))["purchases"]["status"], "at_boundary");
    assert_eq!(place.read("out/scores.csv").lines().count(), 2);
}

#[test]
fn what_is_not_used_is_counted() {
    let place = Place::new();
    let log = place.file(
        "log.csv",
        format!("{GOOD}c,1997-01-02,4\nc,1997-01-02,5\nc,1997-01-20,-2\nd,1997-01-05,-9\ne,1997-01-06,8\ne,1997-01-06,-8\nf,no date,1\nb,1997-06-01,5\n"),
    );
    let ended = clv(&["summarize", &log, "--bad-rows", "skip", "--observation-end", "1997-03-31"]).done();
    let ids: Vec<&str> = ended.stdout.lines().skip(1).map(|line| &line[..1]).collect();
    assert_eq!(ids, ["a", "b", "c"]);
    for words in
        ["skipped: without a readable date", "after the observation end", "merged", "set against purchases", "exceeding", "left out"]
    {
        assert!(ended.stderr.contains(words), "{words:?} is not in: {}", ended.stderr);
    }
    assert!(ended.stdout.contains("c,1997-01-02,1997-01-02,0,0,12.571428571428571,0,7\n"), "{}", ended.stdout);
}

#[test]
fn ids_are_text_and_stay_as_they_are() {
    let place = Place::new();
    let log = place.file("log.csv", "customer_id,date,amount\n007,1997-01-01,1\n7,1997-01-01,1\n\"a,b\",1997-01-01,1\n\"say \"\"x\"\"\",1997-01-02,1\nno end,1997-01-03,1\n");
    let ended = clv(&["summarize", &log, "--quiet"]).done();
    let ids: Vec<&str> = ended.stdout.lines().skip(1).map(|line| line.split(",1997").next().unwrap()).collect();
    assert_eq!(ids, ["007", "7", "\"a,b\"", "no end", "\"say \"\"x\"\"\""]);
    assert_eq!(ended.stderr, "");
}

#[test]
fn an_observation_end_that_was_not_given_is_said() {
    let place = Place::new();
    let log = place.file("log.csv", GOOD);
    let ended = clv(&["summarize", &log]).done();
    assert!(ended.stderr.contains("observation end is taken to be 1997-02-01"), "{}", ended.stderr);
    let ended = clv(&["summarize", &log, CUT[0], CUT[1]]).done();
    assert!(!ended.stderr.contains("taken to be"), "{}", ended.stderr);
}

#[test]
fn wrong_usage_is_exit_code_2() {
    for (arguments, words) in [
        (&["summarize", CDNOW, "--unit", "month"][..], "unit \"month\" is not known"),
        (&["run", CDNOW, "--out", "x", "--margin", "-1"], "margin -1 must be a share"),
        (&["fit", CDNOW, "--horizon", "soon"], "horizon \"soon\" is not known"),
        (&["fit", CDNOW, "--discount", "x"], "is no number"),
        (&["fit", CDNOW, "--model", "guess"], "bg-nbd"),
        (&["fit", CDNOW, "-o", "model.csv"], "JSON"),
        (&["summarize", CDNOW, "--horizon", "12 months"], "unexpected argument '--horizon'"),
        (&["summarize", CDNOW, "--observation-end", "30.9.1997"], "is no date"),
        (&["summarize", CDNOW, "--delimiter", "ab"], "one punctuation character"),
        (&["summarize", CDNOW, "--delimiter", "\""], "one punctuation character"),
        (&["summarize", CDNOW, "--delimiter", "\n"], "one punctuation character"),
        (&["summarize", CDNOW, "--decimal", ";"], "it is '.' or ','"),
        (&["summarize", CDNOW, "--decimal", ","], "a comma cannot be the decimal mark and separate the fields as well"),
        (&["summarize", CDNOW, "--threads", "100000"], "0..=1024"),
        (&["run", CDNOW], "--out"),
        (&["guess"], "unrecognized subcommand"),
    ] {
        clv(arguments).failed(2, words);
    }
    assert_eq!(clv(&[]).code, Some(2));
    for help in [&["--help"][..], &["--version"], &["run", "--help"], &["explain", "-h"]] {
        assert!(!clv(help).done().stdout.is_empty());
    }
    clv(&["summarize", "no such file.csv"]).failed(1, "cannot read no such file.csv");
}

#[test]
fn a_model_file_must_be_whole_and_fit_the_data() {
    let place = Place::new();
    run_cdnow(&place);
    let good = place.read("out/model.json");
    let customers = place.name("out/customers.csv");
    let alpha = good.lines().find(|line| line.contains("\"alpha\":")).unwrap();
    for (text, words) in [
        (String::new(), "no model file"),
        ("{}".to_owned(), "missing field `format`"),
        (good.replace("\"format\": 1", "\"format\": 99"), "format 99 is not known"),
        (good.replacen("\"log_likelihood\"", "\"ln\"", 1), "ln"),
        (good.replacen(alpha, "\"alpha\": NaN,", 1), "no model file"),
        (good.replacen(alpha, "\"alpha\": -4.4,", 1), "alpha = -4.4 must be a positive"),
    ] {
        let model = place.file("bad.json", text);
        let ended = clv(&["score", &customers, "--model", &model, "-o", &place.name("scores.csv")]).failed(1, words);
        assert!(ended.stderr.contains("bad.json"), "{}", ended.stderr);
        assert_eq!(place.files(), ["bad.json", "out"]);
    }
    let model = place.name("out/model.json");
    clv(&["score", &customers, "--model", &model, "--unit", "day"]).failed(1, "the model is in weeks");
    clv(&["score", &customers, "--model", "no such.json"]).failed(1, "cannot read the model file no such.json");
    let in_days = place.name("days.csv");
    clv(&["summarize", CDNOW, CUT[0], CUT[1], "--unit", "day", "-o", &in_days]).done();
    clv(&["score", &in_days, "--model", &model]).failed(1, "unit week");
}

#[test]
fn a_run_leaves_no_chart_of_an_earlier_one() {
    let place = Place::new();
    let out = place.name("out");
    clv(&["run", CDNOW, CUT[0], CUT[1], "--out", &out]).done();
    let chart = |name: &str| Path::new(&out).join("report").join(name);
    assert!(chart("spend.csv").exists() && chart("deciles.csv").exists());
    fs::write(chart("own.csv"), "a\n").unwrap();
    clv(&["run", CDNOW, CUT[0], CUT[1], "--out", &out, "--spend", "none"]).done();
    assert!(!chart("spend.csv").exists() && !chart("concentration.csv").exists());
    // What is no chart of a page is left alone.
    assert!(chart("own.csv").exists() && chart("deciles.csv").exists());
}

#[test]
fn scores_have_a_hole_where_there_is_no_spend() {
    let place = Place::new();
    let model = place.name("model.json");
    clv(&["fit", CDNOW, CUT[0], CUT[1], "--spend", "none", "-o", &model]).done();
    assert!(json(&place.read("model.json"))["spend"].is_null());
    let arguments = ["score", CDNOW, CUT[0], CUT[1], "--model", &model, "--horizon", "39 weeks"];
    let csv = clv(&arguments).done().stdout;
    assert!(csv.lines().skip(1).all(|line| line.contains(",,,,,no_spend_estimate,") && line.ends_with(",,")));
    let noted = clv(&[&arguments[..], &["--threshold", "5"]].concat()).done();
    assert!(noted.stderr.contains("no CLV to exceed a threshold"), "{}", noted.stderr);
    let scores = json(&clv(&[&arguments[..], &["--format", "json"]].concat()).done().stdout);
    let first = &scores[0];
    assert_eq!((first["customer_id"].as_str(), first["frequency"].as_u64()), (Some("00004"), Some(2)));
    assert!(first["clv"].is_null() && first["expected_average_spend"].is_null());
    close(&first["expected_purchases"], 1.226, 5e-4);
}

#[test]
fn the_definition_of_value_comes_from_flags_or_from_the_model() {
    let place = Place::new();
    let model = place.name("model.json");
    clv(&["fit", CDNOW, CUT[0], CUT[1], "--margin", "0.5", "-o", &model]).done();
    let total = |flags: &[&str]| {
        let ended = clv(&[&["score", CDNOW, CUT[0], CUT[1], "--model", &model, "--format", "json"], flags].concat()).done();
        let scores = json(&ended.stdout);
        scores.as_array().unwrap().iter().map(|score| score["clv"].as_f64().unwrap()).sum::<f64>()
    };
    let half = total(&[]);
    let all = total(&["--margin", "1"]);
    assert!((all / half - 2.0).abs() < 1e-12);
    assert!(total(&["--margin", "1", "--horizon", "24 months"]) > 1.5 * all);
    assert!(total(&["--margin", "1", "--discount", "0.5"]) < all);
}

#[test]
fn a_summary_without_dates_needs_a_horizon_that_needs_none() {
    let place = Place::new();
    let model = place.name("model.json");
    let published = "tests/data/cdnow_sample_summary_published.csv";
    let ended = clv(&["fit", published, "-o", &model]).done();
    assert!(ended.stderr.contains("-9,582.43"), "{}", ended.stderr);
    assert!(ended.stderr.contains("note: scoring will need --observation-end"), "{}", ended.stderr);
    clv(&["score", published, "--model", &model]).failed(1, "depends on the calendar");
    clv(&["score", published, "--model", &model, "--horizon", "39 weeks"]).done();
    clv(&["score", published, "--model", &model, CUT[0], CUT[1]]).done();
}

#[test]
fn settings_come_from_a_file_and_flags_win() {
    let place = Place::new();
    let settings = place.file(
        "clv.toml",
        "unit = \"day\"\nobservation_end = 1997-09-30\nhorizon = \"6 months\"\nmargin = 0.3\ndiscount = 0\nquiet = true\ncustomer = \"customer_id\"\n",
    );
    let model = place.name("model.json");
    let ended = clv(&["fit", CDNOW, "--definition", &settings, "--horizon", "3 months", "-o", &model]).done();
    assert_eq!(ended.stderr, "");
    let file = json(&place.read("model.json"));
    assert_eq!((file["unit"].as_str(), file["observation_end"].as_str()), (Some("day"), Some("1997-09-30")));
    assert_eq!(file["definition"], serde_json::json!({"horizon": "3 months", "annual_discount": 0.0, "margin": 0.3}));
    // What means something to another command only is passed over; `customer` is the column also where --customer is an id.
    clv(&["summarize", CDNOW, "--definition", &settings, "-o", &place.name("customers.csv")]).done();
    clv(&["explain", CDNOW, "--definition", &settings, "--customer", "00004", "--model", &model]).done();
    for (text, words) in [
        ("horizn = \"6 months\"", "horizn is no setting; the nearest one is horizon"),
        ("unit = \"month\"", "unit \"month\" is not known"),
        ("margin = [1]", "must be a single value"),
        ("margin", "is no TOML file"),
    ] {
        let settings = place.file("bad.toml", text);
        let ended = clv(&["fit", CDNOW, "--definition", &settings]).failed(2, words);
        assert!(ended.stderr.contains("bad.toml"), "{}", ended.stderr);
    }
    clv(&["fit", CDNOW, "--definition", "no such.toml"]).failed(1, "cannot read no such.toml");
}

#[test]
fn columns_and_delimiters_can_be_named() {
    let place = Place::new();
    let log = place.file("log.csv", "kunde;datum;betrag\na;1997-01-01;10\na;1997-02-01;12\n");
    let names = ["--customer-column", "kunde", "--date-column", "datum", "--amount", "betrag", "--delimiter", ";"];
    assert_eq!(clv(&[&["summarize", &log], &names[..]].concat()).done().stdout.lines().count(), 2);
    let log = place.file("log.tsv", "customer_id\tdate\tamount\na\t1997-01-01\t10\n");
    clv(&["summarize", &log, "--delimiter", "\\t"]).done();
    let log = place.file("log.csv", "customer_id;date;amount\na;1997-01-01;10\na;1997-02-01;1.234,50\n");
    let ended = clv(&["summarize", &log, "--delimiter", ";", "--decimal", ","]).done();
    assert_eq!(ended.stdout.lines().nth(1).unwrap().rsplit(',').next(), Some("1244.5"));
}

/// A definition file may say how a CSV is read, and a night's files be Parquet.
#[test]
fn a_decimal_comma_is_no_matter_of_parquet() {
    let place = Place::new();
    as_parquet("i,c,d,n,a\n1,a,1997-01-01,1,10.5\n1,a,1997-02-01,1,12\n2,b,1997-01-03,1,5\n", &place.path("log.parquet"));
    let log = place.name("log.parquet");
    let plain = clv(&["summarize", &log]).done().stdout;
    assert_eq!(clv(&["summarize", &log, "--decimal", ","]).done().stdout, plain);
    clv(&["summarize", &log, CDNOW, "--decimal", ","]).failed(2, "a comma cannot be the decimal mark");
}

#[test]
fn the_first_purchase_of_somebody_first_seen_in_the_run_in_is_not_called_so() {
    let place = Place::new();
    let model = place.name("model.json");
    clv(&["fit", CDNOW, CUT[0], CUT[1], "--spend", "none", "-o", &model]).done();
    let explain = |flags: &[&str]| {
        clv(&[&["explain", CDNOW, CUT[0], CUT[1], "--customer", "00004", "--model", &model][..], flags].concat()).done().stdout
    };
    assert!(explain(&[]).contains("purchase 1, the first"));
    let seen = explain(&["--run-in", "8 weeks"]);
    assert!(seen.contains("First seen on 1997-01-01") && seen.contains("purchase 1") && !seen.contains("purchase 1, the first"), "{seen}");
}

#[test]
fn one_score_is_explained_to_the_last_step() {
    let place = Place::new();
    run_cdnow(&place);
    let model = place.name("out/model.json");
    let explain = ["explain", CDNOW, CUT[0], CUT[1], "--model", &model, "--customer"];
    let text = clv(&[&explain[..], &["00004"]].concat()).done().stdout;
    for words in ["1997-01-01", "272 days / 7 = 38.8571", "1 / (1 + a / (b + x - 1)", "given alive", "nothing: after 1997-09-30", "clv"] {
        assert!(text.to_lowercase().contains(&words.to_lowercase()), "{words:?} is not in: {text}");
    }
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    // The last step is the score of the file, to the bit.
    let steps = json(&clv(&[&explain[..], &["00004", "--format", "json"]].concat()).done().stdout);
    let steps = steps["steps"].as_array().unwrap();
    let of = |name: &str| steps.iter().find(|step| step["name"] == name).unwrap()["result"].as_f64().unwrap();
    let scores = place.read("out/scores.csv");
    let row: Vec<&str> = scores.lines().find(|line| line.starts_with("00004,")).unwrap().split(',').collect();
    for (column, name) in [
        (4, "P(alive)"),
        (5, "p_active"),
        (6, "expected_purchases"),
        (7, "expected_average_spend"),
        (8, "clv"),
        (9, "clv_lower"),
        (10, "clv_upper"),
    ] {
        assert_eq!(of(name), row[column].parse::<f64>().unwrap(), "{name}");
    }
    let explained = json(&clv(&[&explain[..], &["00004", "--format", "json"]].concat()).done().stdout);
    let last = row.len() - 2;
    assert_eq!((explained["band"].as_str(), explained["score"].as_f64()), (Some(row[last]), row[last + 1].parse().ok()));
    assert_eq!(explained["definition_hash"], json(&place.read("out/model.json"))["definition_hash"]);
    let other = json(&clv(&[&explain[..], &["00004", "--margin", "0.5", "--format", "json"]].concat()).done().stdout);
    assert!(other["band"].is_null() && other["definition_hash"] != explained["definition_hash"]);
    clv(&[&explain[..], &["4"]].concat()).failed(1, "did you mean \"00004\"");
    clv(&[&explain[..], &["nobody"]].concat()).failed(1, "there is no customer \"nobody\"");
}

#[test]
fn every_model_runs_and_is_explained() {
    let place = Place::new();
    for model in clv::AnyPurchaseModel::NAMES {
        let out = place.name(model);
        clv(&["run", CDNOW, CUT[0], CUT[1], "--model", model, "--out", &out]).done();
        let file = place.name(&format!("{model}/model.json"));
        for customer in ["00004", "00018"] {
            let text = clv(&["explain", CDNOW, CUT[0], CUT[1], "--model", &file, "--customer", customer]).done().stdout;
            assert!(text.contains(model) && !text.contains("equation for P(alive)"), "{text}");
        }
    }
}

#[test]
fn parquet_results_hold_what_csv_holds() {
    let place = Place::new();
    let customers = place.name("customers.parquet");
    clv(&["summarize", CDNOW, CUT[0], CUT[1], "-o", &customers]).done();
    assert!(fs::read(&customers).unwrap().starts_with(b"PAR1"));
    let from_parquet = json(&clv(&["fit", &customers]).done().stdout);
    let from_csv = json(&clv(&["fit", CDNOW, CUT[0], CUT[1]]).done().stdout);
    assert_eq!(from_parquet["purchases"], from_csv["purchases"]);
    assert_eq!(from_parquet["data"]["fingerprint"], from_csv["data"]["fingerprint"]);
}

#[test]
fn a_damaged_parquet_file_is_an_error_in_one_line() {
    let place = Place::new();
    as_parquet("i,c,d,n,a\n1,a,1997-01-01,1,10\n1,a,1997-02-01,1,12\n2,b,1997-01-03,1,5\n", &place.path("log.parquet"));
    let bytes = fs::read(place.path("log.parquet")).unwrap();
    let check = |position: usize| {
        let mut damaged = bytes.clone();
        damaged[position] ^= [0x01, 0x80, 0x10, 0x04][position % 4];
        let log = place.file(&format!("{position}.parquet"), &damaged);
        let ended = clv(&["summarize", &log, "--quiet"]);
        assert!(!ended.stderr.contains("panicked") && !ended.stderr.contains("internal error"), "{position}: {}", ended.stderr);
        assert!(matches!(ended.code, Some(0 | 1)), "{position}: {:?} {}", ended.code, ended.stderr);
        assert!(ended.code == Some(0) || ended.stderr.starts_with("error: "), "{position}: {}", ended.stderr);
        fs::remove_file(log).unwrap();
    };
    std::thread::scope(|scope| {
        for worker in 0..2 {
            let check = &check;
            let positions = (4 + worker..bytes.len()).step_by(2);
            scope.spawn(move || positions.for_each(check));
        }
    });
}

#[test]
fn the_program_can_be_called_twice_in_a_process() {
    let place = Place::new();
    for (threads, name) in [("1", "one.csv"), ("2", "two.csv")] {
        let output = place.name(name);
        let arguments = ["clv", "summarize", CDNOW, "--threads", threads, "--quiet", "-o", &output].map(std::ffi::OsString::from);
        assert_eq!(format!("{:?}", clv::cli::main(arguments)), format!("{:?}", std::process::ExitCode::SUCCESS));
    }
    assert_eq!(place.read("one.csv"), place.read("two.csv"));
}

#[test]
fn the_order_of_a_summary_does_not_change_its_fingerprint() {
    let place = Place::new();
    run_cdnow(&place);
    let summary = place.read("out/customers.csv");
    let shuffled = place.file("shuffled.csv", shuffled(&summary));
    let fingerprint = json(&clv(&["fit", &shuffled]).done().stdout)["data"]["fingerprint"].clone();
    assert_eq!(fingerprint, json(&place.read("out/model.json"))["data"]["fingerprint"]);
}

#[test]
fn what_a_summary_leaves_out_is_said() {
    let place = Place::new();
    run_cdnow(&place);
    let customers = place.name("out/customers.csv");
    let ended = clv(&["fit", &customers]).done();
    assert!(!ended.stderr.contains("note: "), "{}", ended.stderr);
    let ended = clv(&["fit", &customers, "--refunds", "drop", "--merge", "hour"]).done();
    assert!(ended.stderr.contains("--refunds and --merge have no effect"), "{}", ended.stderr);
    let ended = clv(&["score", &customers, "--model", &place.name("out/model.json"), "--merge", "day"]).done();
    assert!(ended.stderr.contains("--merge has no effect"), "{}", ended.stderr);
    assert!(!ended.stderr.contains("average_spend"), "{}", ended.stderr);
    let bare = place.file("bare.csv", "id,x,t_x,T\na,1,2,10\nb,0,0,10\nc,3,8,10\n");
    let ended = clv(&["fit", &bare, "--spend", "none"]).done();
    assert_eq!(ended.stderr.matches("has no column average_spend").count(), 1, "{}", ended.stderr);
    // A field that is empty in a column that is there is another matter.
    let holes = place.file("holes.csv", "id,x,t_x,T,m_x\na,1,2,10,5\nb,0,0,10,\nc,3,8,10,\n");
    clv(&["fit", &holes, "--spend", "none"]).failed(1, "holes.csv:4: column \"m_x\": average spend is missing");
    let ended = clv(&["fit", &holes, "--spend", "none", "--bad-rows", "skip"]).done();
    assert_eq!(json(&ended.stdout)["data"]["customers"], 2);
}

#[test]
fn no_mean_spend_is_no_estimate() {
    let place = Place::new();
    run_cdnow(&place);
    let model = place.read("out/model.json");
    let q = model.lines().find(|line| line.trim_start().starts_with("\"q\":")).unwrap();
    let other = model.replacen(q, "\"q\": 0.75,", 1);
    clv(&["score", CDNOW, CUT[0], CUT[1], "--model", &place.file("changed.json", other.clone())]).failed(1, "checksum does not match");
    let mut other = json(&other);
    other.as_object_mut().unwrap().remove("checksum");
    let heavy = place.file("heavy.json", other.to_string());
    let arguments = ["score", CDNOW, CUT[0], CUT[1], "--model", &heavy];
    let csv = clv(&arguments).done().stdout;
    let (mut without, mut with) = (0, 0);
    for row in csv.lines().skip(1) {
        let fields: Vec<&str> = row.split(',').collect();
        // Where nothing was bought again, the mean spend of all customers is asked for, and it is infinite.
        if fields[1] == "0" {
            assert_eq!(fields[7..12], ["", "", "", "", "no_spend_estimate"], "{row}");
            assert_eq!(fields[13..], ["", ""], "{row}");
            without += 1;
        } else if fields[11] == "scored" {
            assert!(fields[7..9].iter().all(|field| field.parse::<f64>().unwrap() > 0.0), "{row}");
            with += 1;
        }
    }
    assert!(without > 1000 && with > 900, "{without} {with}");
    let scores = json(&clv(&[&arguments[..], &["--format", "json"]].concat()).done().stdout);
    let first = scores.as_array().unwrap().iter().find(|score| score["frequency"] == 0).unwrap();
    assert!(first["clv"].is_null() && first["expected_average_spend"].is_null() && first["status"] == "no_spend_estimate");
}

#[test]
fn purchases_can_be_merged_by_the_hour() {
    let place = Place::new();
    let log = place
        .file("log.csv", "customer_id,date,amount\na,1997-01-01T09:10,10\na,1997-01-01T09:50,5\na,1997-01-01T17:00,12\nb,1997-01-03,5\n");
    let arguments = ["summarize", &log, "--observation-end", "1997-01-31", "--unit", "day", "--quiet"];
    let by_day = clv(&arguments).done().stdout;
    assert!(by_day.contains("a,1997-01-01,1997-01-01,0,0,30,0,27\n"), "{by_day}");
    let by_hour = clv(&[&arguments[..], &["--merge", "hour"]].concat()).done().stdout;
    assert!(by_hour.contains("a,1997-01-01T09:00,1997-01-01T17:00,1,0.3333333333333333,30.583333333333332,12,27\n"), "{by_hour}");
    assert!(by_hour.contains("b,1997-01-03T00:00,1997-01-03T00:00,0,0,28.958333333333332,0,5\n"), "{by_hour}");
    // Scored, a log is merged as it was for the fit.
    let model = place.name("model.json");
    clv(&["fit", &log, "--observation-end", "1997-01-31", "--merge", "hour", "--spend", "none", "-o", &model]).done();
    let scores = clv(&["score", &log, "--observation-end", "1997-01-31", "--model", &model]).done().stdout;
    assert!(scores.contains("\na,1,"), "{scores}");
}

#[test]
fn the_model_can_be_chosen_by_the_data() {
    let place = Place::new();
    let out = place.name("out");
    let ended = clv(&["run", CDNOW, CUT[0], CUT[1], "--model", "auto", "--out", &out]).done();
    let chosen = ended.stderr.lines().find_map(|line| line.trim().strip_prefix("chosen: ")).unwrap().split(',').next().unwrap();
    assert_eq!(json(&place.read("out/model.json"))["purchases"]["model"], chosen);
    for model in clv::AnyPurchaseModel::NAMES {
        assert!(ended.stderr.contains(model), "{model} is not in: {}", ended.stderr);
    }
}

#[test]
fn skipped_rows_are_told_by_every_command() {
    let place = Place::new();
    let model = place.name("model.json");
    clv(&["fit", CDNOW, CUT[0], CUT[1], "-o", &model]).done();
    let log = place.file("log.csv", "customer_id,date,amount\na,1997-01-01,5\na,soon,5\na,1997-02-01,7\n");
    let told = clv(&["score", &log, "--model", &model, "--bad-rows", "skip"]).done().stderr;
    assert!(told.contains("1 row skipped"), "{told}");
    let summary = place.file("summary.csv", "customer_id,x,t_x,T,m_x\na,1,5,9,7\nb,1,10,9,7\n");
    let told = clv(&["score", &summary, "--model", &model, "--bad-rows", "skip", "--horizon", "52 weeks"]).done().stderr;
    assert!(told.contains("1 row skipped"), "{told}");
}

#[test]
fn a_model_file_without_any_one_of_its_keys_is_refused() {
    /// Every document that lacks one key, at any depth, of this one.
    fn without_one_key(value: &serde_json::Value) -> Vec<(String, serde_json::Value)> {
        let Some(object) = value.as_object() else { return Vec::new() };
        let mut found = Vec::new();
        for (key, inner) in object {
            let mut smaller = object.clone();
            smaller.remove(key);
            found.push((key.clone(), smaller.into()));
            for (path, changed) in without_one_key(inner) {
                let mut outer = object.clone();
                outer.insert(key.clone(), changed);
                found.push((format!("{key}.{path}"), outer.into()));
            }
        }
        found
    }
    let place = Place::new();
    clv(&["fit", CDNOW, CUT[0], CUT[1], "-o", &place.name("model.json")]).done();
    let whole = json(&place.read("model.json"));
    let mut variants = without_one_key(&whole);
    let mut unsummed = whole.clone();
    unsummed.as_object_mut().unwrap().remove("checksum");
    variants.extend(without_one_key(&unsummed));
    assert!(variants.len() > 120, "only {}", variants.len());
    for (path, changed) in variants {
        // Without its checksum a file is taken as it is: the same model.
        if path == "checksum" || path == "definition_hash" && changed.get("checksum").is_none() {
            assert!(clv::ModelFile::from_json(&changed.to_string()).is_ok());
            continue;
        }
        // Files of before rows were compared, and births were written, lack it.
        if ["data.cleaning.repeated", "births"].contains(&path.as_str()) && changed.get("checksum").is_none() {
            continue;
        }
        assert!(clv::ModelFile::from_json(&changed.to_string()).is_err(), "accepted without {path}");
    }
    assert!(clv::ModelFile::from_json(&whole.to_string()).is_ok());
}

#[test]
fn intervals_priors_and_a_lifetime() {
    let place = Place::new();
    run_cdnow(&place);
    let model = place.name("out/model.json");
    let customers = place.name("out/customers.csv");
    let score = |flags: &[&str]| clv(&[&["score", &customers, CUT[0], CUT[1], "--model", &model], flags].concat());
    let rows = |csv: &str| -> Vec<Vec<String>> { csv.lines().map(|line| line.split(',').map(str::to_owned).collect()).collect() };
    let (wide, narrow) = (rows(&score(&[]).done().stdout), rows(&score(&["--level", "0.5", "--threshold", "20"]).done().stdout));
    assert_eq!(narrow[0][12], "p_clv_above");
    for (wide, narrow) in wide.iter().zip(&narrow).skip(1) {
        let number = |text: &String| text.parse::<f64>().unwrap();
        assert!(
            number(&wide[9]) <= number(&narrow[9]) && number(&narrow[9]) <= number(&narrow[10]) && number(&narrow[10]) <= number(&wide[10])
        );
        let above = number(&narrow[12]);
        // The upper end of a 50 % interval is exceeded in a quarter of the cases.
        assert!((0.0..=1.0).contains(&above) && (above > 0.25 + 1e-9) == (number(&narrow[10]) > 20.0), "{narrow:?}");
    }
    assert!(rows(&score(&["--no-intervals"]).done().stdout).iter().skip(1).all(|row| row[9].is_empty() && row[10].is_empty()));
    // What was seen of the total, whatever the order of the rows.
    let total = |input: &str| clv(&["score", input, CUT[0], CUT[1], "--model", &model, "-o", &place.name("s.csv")]).done().stderr;
    let whole = place.read("out/customers.csv");
    let (header, body) = whole.split_once('\n').unwrap();
    let reversed: Vec<&str> = body.lines().rev().collect();
    let reversed = place.file("reversed.csv", format!("{header}\n{}\n", reversed.join("\n")));
    assert!(total(&customers).split_whitespace().collect::<Vec<_>>().join(" ").contains("between 64,258 and 81,866"));
    assert_eq!(total(&customers), total(&reversed));

    let lifetime = score(&["--horizon", "lifetime"]).done();
    assert!(lifetime.stderr.contains("no intervals for a horizon of lifetime"), "{}", lifetime.stderr);
    assert!(rows(&lifetime.stdout).iter().skip(1).all(|row| row[6].is_empty() && !row[8].is_empty() && row[9].is_empty()));
    score(&["--horizon", "lifetime", "--discount", "0"]).failed(2, "a lifetime horizon needs a discount");
    for (flag, value) in [("--level", "1"), ("--level", "0.99999"), ("--threshold", "-5"), ("--threshold", "nan")] {
        score(&[flag, value]).failed(2, "must be");
    }

    let few: Vec<&str> = whole.lines().take(11).collect();
    let few = place.file("few.csv", few.join("\n"));
    let plain = clv(&["fit", &few, "--spend", "none", "-o", &place.name("plain.json")]).done();
    assert!(plain.stderr.contains("end of its range"), "{}", plain.stderr);
    let held = clv(&["fit", &few, "--spend", "none", "--prior", "weak", "-o", &place.name("held.json")]).done();
    assert!(held.stderr.contains("prior of standard deviation 2") && !held.stderr.contains("end of its range"), "{}", held.stderr);
    assert_eq!(json(&place.read("held.json"))["purchases"]["prior_log_sd"], 2.0);
    clv(&["fit", &few, "--prior", "strong"]).failed(2, "none, weak, or a number");
}

#[test]
fn a_row_may_stand_for_a_million_customers() {
    let place = Place::new();
    run_cdnow(&place);
    let whole = place.read("out/customers.csv");
    let heavy: Vec<String> =
        whole.lines().take(301).enumerate().map(|(i, line)| format!("{line},{}", if i == 0 { "weight" } else { "1000000" })).collect();
    let heavy = place.file("heavy.csv", heavy.join("\n"));
    clv(&["fit", &heavy, "-o", &place.name("heavy.json")]).done();
    clv(&["score", &heavy, CUT[0], CUT[1], "--model", &place.name("heavy.json"), "-o", &place.name("heavy_scores.csv")]).done();
    let light = place.file("light.csv", "customer_id,frequency,recency,age,average_spend,weight\na,1,2,30,10,1\nb,2,3,30,10,\n");
    clv(&["fit", &light]).failed(1, "the weight is empty");
}

#[test]
fn the_readme_shows_what_is_said() {
    let place = Place::new();
    let said = clv(&["run", CDNOW, CUT[0], CUT[1], "--out", &place.name("out")]).done().stderr;
    let readme = std::fs::read_to_string("README.md").unwrap();
    let block = readme.split("```text\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let lines: Vec<&str> = block.lines().skip(1).filter(|line| !line.is_empty() && line.trim() != "...").collect();
    assert!(lines.len() > 8);
    for line in lines {
        assert!(said.contains(line.trim_end()), "{line:?} is not in: {said}");
    }
}
