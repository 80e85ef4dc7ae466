//! `clv` on the files of somebody who tries it first: wrong dates, tables from elsewhere, files given twice, ids that steer a terminal.
#![allow(clippy::unwrap_used, reason = "a test panics when it fails")]
#![cfg(feature = "cli")]

use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use clv::Date;
use tempfile::TempDir;

fn clv(directory: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_clv")).current_dir(directory).args(arguments).output().unwrap()
}

/// Standard output and standard error of a call that does its work.
#[track_caller]
fn done(directory: &Path, arguments: &[&str]) -> (String, String) {
    let output = clv(directory, arguments);
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{stderr}");
    (String::from_utf8(output.stdout).unwrap(), stderr)
}

#[track_caller]
fn failed(directory: &Path, arguments: &[&str], code: i32, words: &str) -> String {
    let output = clv(directory, arguments);
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(code), "{stderr}");
    assert!(stderr.contains(words), "{words:?} is not in: {stderr}");
    stderr
}

/// The page of a run, its days as they stand in a sentence.
fn page_in(path: &Path) -> String {
    fs::read_to_string(path.join("out/report.html")).unwrap().replace("<span class=\"whole\">", "").replace("</span>", "")
}

/// A text however its lines are broken.
fn unbroken(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Rows of 60 customers over two years, `separator` between the fields: id, date, amount, channel.
fn rows(separator: char) -> String {
    let mut text = String::new();
    for customer in 0..60_u32 {
        for purchase in 0..=customer % 7 {
            let day = (customer * 5 + purchase * purchase * (9 + customer % 11)) % 700;
            let (year, month) = (2023 + day / 336, day / 28 % 12 + 1);
            let fields =
                [format!("c{customer:03}"), format!("{year}-{month:02}-{:02}", day % 28 + 1), format!("{}", 10 + customer % 9 + purchase)];
            let channel = if customer % 2 == 0 { "Web" } else { "App" };
            writeln!(text, "{}", [&fields[0], &fields[1], &fields[2], channel].join(&separator.to_string())).unwrap();
        }
    }
    text
}

fn place() -> TempDir {
    let place = TempDir::new().unwrap();
    fs::write(place.path().join("ok.csv"), format!("customer_id,date,amount,channel\n{}", rows(','))).unwrap();
    fs::write(place.path().join("shop.csv"), format!("Nr;Tag;Betrag;Kanal\n{}", rows(';'))).unwrap();
    place
}

const SHOP: [&str; 9] = ["shop.csv", "--delimiter", ";", "--customer", "Nr", "--date", "Tag", "--amount", "Betrag"];

/// A shop with `customers` who buy something on every day of 2024 and 2025.
fn daily(customers: u64) -> String {
    let first: Date = "2024-01-01".parse().unwrap();
    let mut text = "customer_id,date,amount\n".to_owned();
    for day in 0..731 {
        let date = Date::from_days_since_1970(first.days_since_1970() + day).unwrap();
        // Two a day, spread over all: an own step for each round.
        for n in [u64::try_from(day).unwrap() * 7, u64::try_from(day * day).unwrap()] {
            writeln!(text, "c{:03},{date},{}.5", (n + n / customers) % customers, 5 + n % 40).unwrap();
        }
    }
    text
}

#[test]
fn a_gap_unlike_all_others_of_the_log_is_named_on_the_terminal_and_on_the_page() {
    let place = TempDir::new().unwrap();
    let path = place.path();
    fs::write(path.join("far.csv"), daily(150) + "c000,2026-06-30,5\n").unwrap();
    let said = unbroken(&done(path, &["run", "far.csv", "--out", "out"]).1);
    let words = "last day, 2026-06-30 (customer c000), lies 181 days after the one before it, 2025-12-31; if that is a mistake, correct the row, or give --observation-end 2025-12-31";
    assert!(said.contains(&format!("note: the {words}")), "{said}");
    let page = || page_in(path);
    assert!(page().contains(&format!("The {words}")), "{said}");
    let said = unbroken(&done(path, &["run", "far.csv", "--observation-end", "2025-12-31", "--out", "out"]).1);
    assert!(!said.contains("lies") && !page().contains("lies 181 days"), "{said}");
    // An end that was given is held against the last row; of it no ratio can be told, and no infinity.
    let end = ["--observation-end", "2030-01-01"];
    let said = unbroken(&done(path, &[&["run", "far.csv", "--out", "out"][..], &end].concat()).1);
    let words = "observation end, 2030-01-01, lies 4 years after the last row";
    fs::write(path.join("ok.csv"), daily(150)).unwrap();
    assert!(said.contains("last day, 2026-06-30"), "{said}");
    let said = unbroken(&done(path, &[&["run", "ok.csv", "--out", "out"][..], &end].concat()).1);
    assert!(said.contains(&format!("note: the {words}")) && page().contains(&format!("The {words}")), "{said}");
    assert!(said.contains("Nobody bought in the holdout") && !said.contains("inf %"), "{said}");
}

#[test]
fn many_skipped_rows_are_no_footnote() {
    let place = TempDir::new().unwrap();
    let path = place.path();
    let log = daily(150);
    // Every tenth row in another order of the day.
    let other = |(k, row): (usize, &str)| if k % 10 == 3 { row.replacen("-", "/", 2) } else { row.to_owned() };
    fs::write(path.join("mixed.csv"), log.lines().enumerate().map(other).collect::<Vec<_>>().join("\n")).unwrap();
    let (_, said) = done(path, &["run", "mixed.csv", "--bad-rows", "skip", "--out", "out"]);
    let said = unbroken(&said);
    let words = "146 of 1,462 rows (10 %) were skipped because they cannot be used, and all results are those of the others; the first is mixed.csv:4: column \"date\": \"2024/01/02\" is no date";
    assert!(said.contains(&format!("warning: {words}")) && said.contains("the first of the rows skipped: mixed.csv:4:"), "{said}");
    let page = page_in(path);
    assert!(page.contains("146 of 1,462 rows") && page.contains("mixed.csv:4:"));
    // A pipeline stops.
    failed(
        path,
        &["run", "mixed.csv", "--bad-rows", "skip", "--max-skipped", "9%", "--out", "out"],
        1,
        "146 of 1,462 rows cannot be used, and --max-skipped allows 9 %",
    );
    let said = failed(
        path,
        &["summarize", "mixed.csv", "--bad-rows", "skip", "--max-skipped", "0.001%", "-o", "no.csv"],
        1,
        "--max-skipped allows 0.001 %; the first is mixed.csv:4:",
    );
    assert!(said.contains(". Correct the rows, or raise the limit"), "{said}");
    failed(
        path,
        &["summarize", "mixed.csv", "--bad-rows", "skip", "--max-skipped", "145", "-o", "no.csv"],
        1,
        "--max-skipped allows 145; the first is mixed.csv:4:",
    );
    assert!(!path.join("no.csv").exists());
    done(path, &["summarize", "mixed.csv", "--bad-rows", "skip", "--max-skipped", "10%", "-o", "customers.csv"]);
    failed(path, &["summarize", "mixed.csv", "--max-skipped", "half", "-o", "customers.csv"], 2, "\"half\" is no number of rows");
    // Without rows that are skipped a limit says nothing, and whoever gave it would wait for it in vain.
    failed(path, &["summarize", "mixed.csv", "--max-skipped", "5%", "-o", "no.csv"], 2, "add --bad-rows skip, or leave --max-skipped out");
    fs::write(path.join("k.toml"), "unit = \"week\"\nmax_skipped = \"5%\"\n").unwrap();
    let words_of_file = "k.toml:2: max_skipped = \"5%\": --max-skipped limits rows that are skipped";
    failed(path, &["summarize", "mixed.csv", "--definition", "k.toml", "-o", "no.csv"], 2, words_of_file);
    // One customer is explained by the same log.
    let explain = ["explain", "mixed.csv", "--model", "out/model.json", "--customer", "c000", "--bad-rows", "skip"];
    let (_, said) = done(path, &explain);
    assert!(unbroken(&said).contains(&format!("warning: {words}")), "{said}");
    failed(path, &[&explain[..], &["--max-skipped", "9%"]].concat(), 1, "146 of 1,462 rows cannot be used, and --max-skipped allows 9 %");
    // The model file holds no row of the data.
    assert!(!fs::read_to_string(path.join("out/model.json")).unwrap().contains("2024/01/02"));
    // A few are counted and named, and no more; whichever thread meets them.
    let few = log.replacen("2024-03-05", "05.03.2024", 1).replacen("2025-11-09", "", 1);
    fs::write(path.join("few.csv"), few).unwrap();
    for threads in ["1", "3"] {
        let said = unbroken(&done(path, &["summarize", "few.csv", "--bad-rows", "skip", "--threads", threads, "-o", "customers.csv"]).1);
        assert!(
            !said.contains("warning")
                && said.contains("the first of the rows skipped: few.csv:130: column \"date\": \"05.03.2024\" is no date"),
            "{said}"
        );
    }
}

#[test]
fn a_format_that_cannot_be_written_and_no_number_are_told_so() {
    let place = place();
    let path = place.path();
    failed(
        path,
        &["summarize", "ok.csv", "-o", "x.xlsx"],
        2,
        "x.xlsx does not end in a format that can be written; name it .csv, .json or .parquet",
    );
    assert!(!path.join("x.xlsx").exists());
    done(path, &["summarize", "ok.csv", "-o", "x.xlsx", "--format", "csv"]);
    // What is there by this name is no reason either.
    failed(path, &["summarize", "ok.csv", "-o", "x.xlsx"], 2, "does not end in a format");
    done(path, &["summarize", "ok.csv", "-o", "customers"]);
    failed(path, &["summarize", "ok.csv", "--threads", "abc", "-o", "x.csv"], 2, "\"abc\" is no whole number; it is one from 0 to 1024");
    failed(path, &["backtest", "ok.csv", "--samples", "many", "-o", "x.json"], 2, "\"many\" is no whole number");
}

#[test]
fn a_day_far_from_all_others_is_named_and_does_not_hold_up_the_work() {
    let place = place();
    let path = place.path();
    for (date, words) in [
        ("2999-01-01", "note: the last day, 2999-01-01 (customer c000), lies 97"),
        ("2100-01-01", "or give --observation-end 202"),
        (
            "0001-01-01",
            "note: the first day, 0001-01-01 (customer c000), lies 2022 years before the one after it, 2023-01-01; if that is a mistake, correct the row or take it out",
        ),
    ] {
        fs::write(path.join("far.csv"), format!("customer_id,date,amount,channel\n{}c000,{date},5,Web\n", rows(','))).unwrap();
        let said = unbroken(&done(path, &["run", "far.csv", "--out", "out"]).1);
        assert!(said.contains(words) && said.contains("does not tell them week by week"), "{said}");
        let written = fs::read_to_string(path.join("out/backtest.json")).unwrap();
        assert!(!written.contains("cumulative_purchases"), "{date} is told week by week");
    }
    let (_, said) = done(path, &["run", "ok.csv", "--out", "out"]);
    assert!(!said.contains("note: the last day") && !said.contains("note: the first day") && !said.contains("week by week"), "{said}");
    assert!(said.contains("out/report/"), "{said}");
    assert!(fs::read_to_string(path.join("out/backtest.json")).unwrap().contains("cumulative_purchases"));
}

#[test]
fn tables_beside_a_log_have_a_delimiter_and_names_of_their_own() {
    let place = place();
    let path = place.path();
    let cohorts = |costs: &str| {
        fs::write(path.join("costs.csv"), costs).unwrap();
        done(path, &[&["cohorts"], &SHOP[..], &["--by", "Kanal", "--costs", "costs.csv", "--spend", "none", "-o", "cohorts.json"]].concat())
            .1
    };
    for costs in ["cohort,cost\nWeb,100.5\nApp,80\n", "cohort;cost\nWeb;100.5\nApp;80\n", "cohort\tcost\nWeb\t100.5\nApp\t80\n"] {
        assert!(!cohorts(costs).contains("the cost table has no cost"), "{costs}");
    }
    assert!(cohorts("cohort,cost\nWeb,100\n").contains("note: the cost table has no cost of App:"));
    fs::write(path.join("costs.csv"), "name,cost\nWeb,100\n").unwrap();
    let words = "give it a header such as cohort,cost";
    failed(path, &[&["cohorts"], &SHOP[..], &["--by", "Kanal", "--costs", "costs.csv"]].concat(), 1, words);

    let dates: String = (0..60).map(|customer| format!("c{customer:03},2022-05-01\n")).collect();
    for header in ["customer_id,acquired\n", "Nr,acquired\n"] {
        fs::write(path.join("acquired.csv"), format!("{header}{dates}")).unwrap();
        let (_, said) = done(path, &[&["summarize"], &SHOP[..], &["--acquired", "acquired.csv"]].concat());
        assert!(said.contains("were acquired before it"), "{said}");
    }
}

#[test]
fn rows_that_repeat_others_are_counted_and_kept() {
    let place = place();
    let path = place.path();
    fs::copy(path.join("ok.csv"), path.join("copy.csv")).unwrap();
    let end = ["--observation-end", "2025-01-31"];
    let (_, said) = done(path, &["summarize", "ok.csv", "copy.csv", end[0], end[1]]);
    let rows = rows(',').lines().count();
    assert!(said.contains(&format!("note: {rows} of {} rows repeat another one", 2 * rows)), "{said}");
    assert!(said.contains("was a file given twice"), "{said}");
    assert!(said.contains(&format!("{rows} rows repeat another (customer, time, amount), kept, worth")), "{said}");
    assert!(said.contains("merged into another purchase of the same day"), "{said}");
    let (once, _) = done(path, &["summarize", "ok.csv", end[0], end[1]]);
    let (left, said) = done(path, &["summarize", "ok.csv", "copy.csv", end[0], end[1], "--duplicates", "drop"]);
    assert!(left == once && !said.contains("note:"), "{said}");
    assert!(said.contains(&format!("{rows} rows repeat another (customer, time, amount), dropped, worth")), "{said}");
    let (_, said) = done(path, &["summarize", "ok.csv", end[0], end[1]]);
    assert!(!said.contains("repeat"), "{said}");
}

#[test]
fn ids_do_not_steer_the_terminal() {
    let place = place();
    let path = place.path();
    let evil = "\"e\u{1b}[2J\u{202e}\nx\"";
    let own: String = (1..=12).map(|month| format!("{evil},2024-{month:02}-01,99,\u{1b}]0;x\n")).collect();
    fs::write(path.join("evil.csv"), format!("customer_id,date,amount,channel\n{}{own}", rows(','))).unwrap();
    let (_, said) = done(path, &["run", "evil.csv", "--out", "out"]);
    assert!(said.contains("e\\u{1b}[2J\\u{202e}\\nx") && !said.contains('\u{1b}') && !said.contains('\u{202e}'), "{said}");
    assert!(fs::read_to_string(path.join("out/scores.csv")).unwrap().contains("e\u{1b}[2J\u{202e}\nx"));
    let explain = ["explain", "evil.csv", "--model", "out/model.json", "--customer", &evil.replace('"', "")];
    let (text, _) = done(path, &explain);
    assert!(text.starts_with("Customer e\\u{1b}[2J\\u{202e}\\nx, observed"), "{text}");
    let (_, said) = done(path, &["cohorts", "evil.csv", "--by", "channel", "--spend", "none", "-o", "cohorts.json"]);
    assert!(said.contains("\\u{1b}]0;x") && !said.contains('\u{1b}'), "{said}");
}

#[test]
fn a_column_that_tells_all_customers_apart_makes_no_groups() {
    let place = place();
    let said = failed(place.path(), &[&["cohorts"], &SHOP[..], &["--by", "Nr"]].concat(), 1, "--by Nr makes 60 groups of 60 customers");
    assert!(said.lines().count() < 5 && said.contains("such as a channel"), "{said}");
}

#[test]
fn who_has_no_score_is_explained_too_and_days_are_those_of_the_log() {
    let place = place();
    let path = place.path();
    done(path, &["fit", "ok.csv", "-o", "model.json"]);
    let text = format!(
        "customer_id,date,amount,channel\n{}back,2024-03-01T14:31:07+01:00,20,Web\nback,2024-03-02T00:20:00+01:00,-20,Web\nlate,2024-03-01T14:31:07,20,Web\n",
        rows(',')
    );
    fs::write(path.join("back.csv"), text).unwrap();
    let explain = ["explain", "back.csv", "--model", "model.json", "--customer"];
    let (text, _) = done(path, &[&explain[..], &["back"]].concat());
    assert!(text.contains("No score: excluded") && text.contains("2024-03-01     20.00") && text.contains("refund"), "{text}");
    let (json, _) = done(path, &[&explain[..], &["back", "--format", "json"]].concat());
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((json["events"][1]["time"].as_str(), json["events"].as_array().unwrap().len()), (Some("2024-03-02"), 2));
    let (text, _) = done(path, &[&explain[..], &["late"]].concat());
    assert!(text.contains("2024-03-01") && !text.contains("14:"), "{text}");
    let (text, _) = done(path, &[&explain[..], &["late", "--merge", "hour"]].concat());
    assert!(text.contains("2024-03-01T14 "), "{text}");
}

#[test]
fn lines_that_end_with_cr_alone_are_said_to_do_so() {
    let place = place();
    let path = place.path();
    fs::write(path.join("cr.csv"), fs::read_to_string(path.join("ok.csv")).unwrap().replace('\n', "\r")).unwrap();
    let said = failed(path, &["summarize", "cr.csv"], 1, "its lines end with CR alone");
    assert!(said.len() < 400, "{said}");
    let many: Vec<String> = (0..100).map(|column| format!("column {column}")).collect();
    fs::write(path.join("wide.csv"), format!("{}\n", many.join(","))).unwrap();
    let said = failed(path, &["summarize", "wide.csv"], 1, "and 80 more");
    assert!(said.contains("\"column 19\"") && !said.contains("\"column 20\""), "{said}");
}

#[test]
fn slips_are_answered_in_plain_words() {
    let place = place();
    let path = place.path();
    done(path, &["fit", "ok.csv", "-o", "model.json"]);
    let early = ["score", "ok.csv", "--model", "model.json", "--no-intervals", "-o", "scores.csv", "--observation-end", "2024-03-31"];
    let (_, said) = done(path, &early);
    assert!(said.contains("note: the customers are seen until 2024-03-31, and the model was fitted to data until"), "{said}");
    failed(path, &["run", "ok.csv", "--out", "out", "--horizon", "-3 months"], 2, "horizon \"-3 months\" is not known");
    let said = failed(path, &["run", "ok.csv", "--out", "out", "--horizon", "99999 years"], 2, "leaves the calendar");
    assert!(!said.contains("note:"), "{said}");
    for (settings, words) in [
        ("# settings\nbands = [\"a\", \"a\"]\nband_limits = [0.5]\n", "k.toml:2: bands = [\"a\", \"a\"]: band \"a\" is named twice"),
        ("out = \"x\"\n", "k.toml:1: out is no setting; clv definition --init"),
        ("margin = 1.5\n", "k.toml:1: margin = 1.5"),
        ("discount = nan\n", "k.toml:1: discount = nan"),
        ("horizon = 12\n", "k.toml:1: horizon = 12"),
    ] {
        fs::write(path.join("k.toml"), settings).unwrap();
        failed(path, &["definition", "--check", "k.toml"], 2, words);
        let command = if settings.contains("bands") { "fit" } else { "summarize" };
        failed(path, &[command, "ok.csv", "--definition", "k.toml"], 2, words);
    }
    let report = ["report", "ok.csv", "--model", "model.json", "-o", "nowhere/r.html"];
    failed(path, &report, 1, "there is no directory nowhere");
    assert!(!path.join("nowhere").exists());
    let model = fs::read_to_string(path.join("model.json")).unwrap();
    let score = ["score", "ok.csv", "--model", "m.json", "--no-intervals", "-o", "scores.csv"];
    for (text, words) in [
        ("[]".to_owned(), "it is no JSON object"),
        (model[..model.len() / 2].to_owned(), "it ends in the middle"),
        (model.replacen("\"log_likelihood\": ", "\"log_likelihood\": NaN", 1), "has NaN in place of a number"),
    ] {
        fs::write(path.join("m.json"), text).unwrap();
        let said = failed(path, &score, 1, words);
        assert!(!said.contains("Envelope") && !said.contains("caused by"), "{said}");
    }
    fs::write(path.join("m.json"), format!("\u{feff}{model}")).unwrap();
    done(path, &score);
}

/// /dev/full takes nothing.
#[test]
#[cfg(target_os = "linux")]
fn help_that_cannot_be_written_is_an_error() {
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_clv")).arg("--help").stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
}
