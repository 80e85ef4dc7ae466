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
        "by the best rule of thumb, own-rate, it was 46 %. Its forecast of spend was off by -19.5 %;",
        "No rule of thumb came closer in total. The hiatus rule does worse on the total, squared errors and who buys at all.",
        "Against mbg-nbd speaks: its total is off by -16.2 %, more than chance does;",
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
    failed(&["backtest", "no such.csv", "--cut", "1997-09-30", "--window", "52 weeks"], 2, "--window is for several cuts");
    failed(&["backtest", "no such.csv", "--holdout", "13 weeks,26 weeks"], 2, "need one --cut");
    failed(&["backtest", "no such.csv", "--born-until", "1997-02-15", "--origins", "4"], 2, "--origins, --holdout and --window do not go");
    failed(&["backtest", "no such.csv", "--fail-if", "bais>0.2"], 2, "names no figure");
    failed(&["backtest", "no such.csv", "--fail-if", "bias=0.2"], 2, "compares nothing");
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
    failed(&["backtest", CDNOW, "--cut", "1997-09-30", "--holdout", "13 weeks,52 weeks"], 1, "1 to 273 days");
    failed(&["backtest", CDNOW, "--origins", "2", "--holdout", "13 weeks", "--window", "2 years"], 1, "it can be up to");
    failed(&["backtest", CDNOW, "--born-until", "1996-12-31"], 1, "born until 1997-01-01 to 1998-06-29");
    failed(&["backtest", CDNOW, "--born-until", "1997-04-30"], 1, "no customer is born after 1997-04-30");
    failed(&["backtest", CDNOW, "--observation-end", "1997-02-01"], 1, "the log covers 31 days");
    failed(&["backtest", "no such.csv", "--cut", "1997-09-30"], 1, "no such.csv");
}

/// Without anything said there are four cuts over the second half of the time.
#[test]
fn four_origins_are_the_default() {
    let output = done(&["backtest", CDNOW, "--models", "mbg-nbd", "--samples", "0"]);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let mut cuts: Vec<&str> = report["runs"].as_array().unwrap().iter().map(|run| run["cut"].as_str().unwrap()).collect();
    cuts.dedup();
    assert_eq!(cuts, ["1997-10-21", "1997-12-23", "1998-02-24", "1998-04-28"]);
    assert_eq!(report["shocks"].as_array().unwrap().len(), 2);
    let said = stderr(&output);
    for words in ["Totals: a shock that all customers share", "Spend", "The hiatus rule does worse on"] {
        assert!(said.contains(words), "{words:?} is not in: {said}");
    }
    let tables = said.lines().filter(|line| !line.starts_with("note: "));
    assert!(tables.map(|line| line.chars().count()).max() <= Some(80), "{said}");
}

#[test]
fn newer_cohorts_are_forecast_from_birth() {
    let output = done(&["backtest", CDNOW, "--models", "pareto-nbd", "--born-until", "1997-02-15", "--samples", "0"]);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(report["runs"].as_array().unwrap().iter().all(|run| run["scheme"] == "cohort" && run["group"] == "acquired_in_holdout"));
    let said = stderr(&output).split_whitespace().collect::<Vec<_>>().join(" ");
    for words in [
        "born until 1997-02-15, held against those born later until 1998-06-30",
        "of the newer cohorts made",
        "Over the lives of the newer customers",
    ] {
        assert!(said.contains(words), "{words:?} is not in: {said}");
    }
}

#[test]
fn tables_are_written_as_csv() {
    let folder = TempDir::new().unwrap();
    let (tables, file) = (folder.path().join("tables"), folder.path().join("backtest.json"));
    let arguments = ["backtest", CDNOW, "--models", "pareto-nbd", "--samples", "20", "--seed", "3"];
    let to = ["--tables", tables.to_str().unwrap(), "-o", file.to_str().unwrap(), "--quiet"];
    done(&[&arguments[..], &HOLDOUT[..], &to[..]].concat());
    let read = |name: &str| fs::read_to_string(tables.join(name)).unwrap();
    let figures = read("figures.csv");
    assert!(figures.starts_with(
        "cut,holdout_end,model,group,of,figure,value,lower,upper\n1997-09-30,1998-06-30,pareto-nbd,known_at_cut,purchases,bias,-0.115"
    ));
    for of in [",purchases,coverage_0.95,", ",gamma-gamma,bias,", ",own-average,mae,"] {
        assert!(figures.contains(of), "{of}");
    }
    let deciles = read("deciles.csv");
    assert!(deciles.starts_with("cut,holdout_end,model,group,of,decile,customers,actual,predicted,actual_lower,actual_upper\n1997-09-30,1998-06-30,pareto-nbd,known_at_cut,purchases,1,235.7,"), "{deciles}");
    // 39 weeks of purchases and of two kinds of revenue; 78 weeks of tracking in purchases and in revenue.
    assert_eq!(read("by_period.csv").lines().filter(|line| line.contains(",pareto-nbd,known_at_cut,")).count(), 3 * 39);
    assert_eq!(read("tracking.csv").lines().count(), 1 + 2 * 78);
    for name in ["by_frequency.csv", "by_recency.csv", "reliability.csv", "pit.csv", "differences.csv", "totals.csv"] {
        assert!(read(name).lines().count() > 1, "{name}");
    }
    let report: Value = serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
    let run = run_of(&report, "1997-09-30", "pareto-nbd", "known_at_cut");
    for key in ["intervals", "skill", "pit", "reliability", "by_recency", "deciles", "by_period", "revenue", "calibration_slope", "width"] {
        assert!(!run[key].is_null(), "{key}");
    }
    assert_eq!(run["revenue"][0]["spend"], "gamma-gamma");
}

#[test]
fn a_limit_that_is_crossed_has_an_exit_code_of_its_own() {
    let backtest = |limits: &[&str]| {
        let limits: Vec<&str> = limits.iter().flat_map(|limit| ["--fail-if", limit]).collect();
        clv(&[&["backtest", CDNOW, "--models", "pareto-nbd,bg-nbd", "--samples", "0", "--quiet"], &HOLDOUT[..], &limits].concat())
    };
    let kept = backtest(&["bias>0.2", "auc<0.7", "revenue_gini<0.3"]);
    assert_eq!((kept.status.code(), stderr(&kept).as_str()), (Some(0), ""));
    let crossed = backtest(&["bias > 0.12", "auc<0.7"]);
    assert_eq!(crossed.status.code(), Some(3));
    assert_eq!(stderr(&crossed), "crossed: bias>0.12: 0.1215 of bg-nbd at the cut 1997-09-30, until 1998-06-30\n");
    // The result is there all the same.
    assert_eq!(kept.stdout, crossed.stdout);
}

#[test]
fn a_stored_model_is_held_against_what_came_since() {
    let folder = TempDir::new().unwrap();
    let (model, file) = (folder.path().join("model.json"), folder.path().join("audit.json"));
    let (model, file) = (model.to_str().unwrap(), file.to_str().unwrap());
    done(&["fit", CDNOW, "--model", "pareto-nbd", "--observation-end", "1997-09-30", "-o", model, "--quiet"]);
    let audit = ["audit", CDNOW, "--model", model, "--observation-end", "1998-06-30", "-o", file];
    let output = done(&audit);
    let report: Value = serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
    let run = run_of(&report, "1997-09-30", "pareto-nbd", "known_at_cut");
    assert_eq!((&run["scheme"], &run["holdout_end"]), (&"audit".into(), &"1998-06-30".into()));
    close(&run["predicted_purchases"], 1665.5, 1.6);
    close(&run["bias"], -0.115, 1e-3);
    assert_eq!(report["cohorts"].as_array().unwrap().len(), 3);
    // The total of the run and that of the cohorts are one.
    assert_eq!((&report["together"]["actual_purchases"], &report["together"]["drift"]), (&run["actual_purchases"], &"above".into()));
    close(&report["together"]["bias"], -0.115, 1e-3);
    assert_eq!(report["cohorts"][0]["born_from"], "1997-01-01");
    let said = stderr(&output);
    for words in ["Cohorts, by month of the first purchase", "1997-01", "cohorts drifted", "Together they bought 1,882 times"] {
        assert!(said.contains(words), "{words:?} is not in: {said}");
    }
    assert!(said.lines().map(|line| line.chars().count()).max() <= Some(80), "{said}");
    // A stored model has no other cut to be looked at.
    assert!(!said.contains("One cut can mislead"), "{said}");
    let drifted = clv(&[&audit[..], &["--fail-on-drift", "--quiet"]].concat());
    assert_eq!(drifted.status.code(), Some(3));
    assert!(stderr(&drifted).starts_with("crossed: drift: all cohorts together "), "{}", stderr(&drifted));
    let crossed = clv(&[&audit[..], &["--fail-if", "bias>0.1", "--quiet"]].concat());
    assert_eq!((crossed.status.code(), stderr(&crossed).contains("pareto-nbd at the cut 1997-09-30")), (Some(3), true));
    failed(&["audit", CDNOW, "--model", model, "--observation-end", "1997-09-30"], 1, "observation end of 1997-10-01 or later");
    failed(&["audit", CDNOW, "--model", "no such.json"], 1, "no such.json");
}

#[test]
fn the_model_is_chosen_by_its_forecasts_where_the_log_allows() {
    let folder = TempDir::new().unwrap();
    let (model, summary) = (folder.path().join("model.json"), folder.path().join("customers.csv"));
    let (model, summary) = (model.to_str().unwrap(), summary.to_str().unwrap());
    let flat = |output: &Output| stderr(output).split_whitespace().collect::<Vec<_>>().join(" ");
    let by_forecasts = done(&["fit", CDNOW, "--model", "auto", "--spend", "none", "-o", model]);
    let said = flat(&by_forecasts);
    assert!(said.contains("which gave what came the highest probability: the lowest log score over 4 holdouts of 63 days each"), "{said}");
    let chosen = said.split("chosen: ").nth(1).unwrap().split(',').next().unwrap().to_owned();
    let file: Value = serde_json::from_str(&fs::read_to_string(model).unwrap()).unwrap();
    assert_eq!(file["purchases"]["model"], chosen.as_str());
    // The main job does the same, tells two kinds of log scores apart, and does not advise what was done.
    let out = folder.path().join("out");
    let said = flat(&done(&["run", CDNOW, "--model", "auto", "--spend", "none", "--no-intervals", "--out", out.to_str().unwrap()]));
    assert!(said.contains("log scores of different holdouts cannot be compared") && !said.contains("--model auto"), "{said}");
    done(&["summarize", CDNOW, "--observation-end", "1997-09-30", "-o", summary, "--quiet"]);
    let said = flat(&done(&["fit", summary, "--model", "auto", "--spend", "none", "-o", model]));
    assert!(said.contains("which has the lowest BIC; forecasts were not compared: a summary cannot be cut"), "{said}");
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
    let mut own: Value = serde_json::from_slice(&fs::read(out.join("backtest.json")).unwrap()).unwrap();
    // Of what is defined as value a back-test on its own knows nothing.
    assert!(own.as_object_mut().unwrap().remove("definition_hash").is_some_and(|hash| hash.is_string()));
    let mut alone: Value = serde_json::from_slice(&alone.stdout).unwrap();
    alone.as_object_mut().unwrap().remove("definition_hash");
    // After it the cuts that the account and the page tell of, as clv backtest has them too; there is one verdict on both.
    let mut several: Value =
        serde_json::from_slice(&done(&["backtest", CDNOW, "--models", "pareto-nbd", "--samples", "0"]).stdout).unwrap();
    for field in ["runs", "differences", "totals", "shocks", "tracking", "failures"] {
        let all: Vec<Value> = [&mut alone, &mut several].iter_mut().flat_map(|report| report[field].as_array().unwrap().clone()).collect();
        assert!(own[field].as_array().unwrap() == &all, "{field}");
    }
    let verdict = &own["verdicts"][0];
    let findings: Vec<&str> = verdict["findings"].as_array().unwrap().iter().map(|finding| finding["finding"].as_str().unwrap()).collect();
    for report in [&alone, &several] {
        let of_each = report["verdicts"][0]["findings"].as_array().unwrap();
        assert!(of_each.iter().all(|finding| findings.contains(&finding["finding"].as_str().unwrap())), "{findings:?}");
    }
    // A program sees what people see.
    let account: Value = serde_json::from_slice(&fs::read(out.join("account.json")).unwrap()).unwrap();
    assert!(account["shocks"] == own["shocks"] && account["shocks"].as_array().unwrap().len() == 2, "{}", account["shocks"]);
    let factors = |total: usize, end: usize| account["shocks"][total]["factors_90"][end].as_f64().unwrap();
    let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
    let words = format!("between {:.2} and {:.2} times its forecast;", factors(0, 0), factors(0, 1));
    assert!(
        said.contains(&words) && said.contains(&format!("{:.2} to {:.2} times.", factors(1, 0), factors(1, 1))),
        "{words} is not in: {said}"
    );
    // Several cuts have been looked at; other models have not.
    assert!(
        !said.contains("One cut can mislead") && said.contains("Other models were not compared in this back-test; --model auto"),
        "{said}"
    );
    // Of cuts without samples nobody is sure of a slope, nor of a rule but by its total.
    assert_eq!(
        several["verdicts"][0]["looked_at"],
        serde_json::json!(["totals", "spend", "probabilities", "intervals", "classes by frequency", "totals of rules of thumb"])
    );
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

/// NBD is there to be beaten: without being named it crosses no limit.
#[test]
fn limits_are_for_models_that_can_be_chosen() {
    let crossed = |flags: &[&str]| {
        let all = clv(&[&["backtest", CDNOW, "--samples", "0", "--quiet", "--fail-if", "bias>0.2"], &HOLDOUT[..], flags].concat());
        (all.status.code(), stderr(&all))
    };
    assert_eq!(crossed(&[]), (Some(0), String::new()));
    let (code, said) = crossed(&["--models", "nbd,bg-nbd"]);
    assert!(code == Some(3) && said.contains(" of nbd at the cut"), "{said}");
}

/// One customer, who buys on time: no rule can come closer, there is no tenth, and no amount is suspicious.
#[test]
fn of_one_customer_nothing_odd_is_said() {
    let folder = TempDir::new().unwrap();
    let log = folder.path().join("one.csv");
    let rows: String = (0..30).map(|k| format!("x,2024-{:02}-{:02},25\n", 1 + k / 4, 1 + 7 * (k % 4))).collect();
    fs::write(&log, "customer_id,date,amount\n".to_owned() + &rows).unwrap();
    let output = done(&["run", log.to_str().unwrap(), "--model", "nbd", "--out", folder.path().join("out").to_str().unwrap()]);
    let said = stderr(&output).split_whitespace().collect::<Vec<_>>().join(" ");
    for words in ["off by 0.0 %.", "(0.000 against 0.000)", "top 10 % of customers", "constant placeholder"] {
        assert!(!said.contains(words), "{words:?} is in: {said}");
    }
    assert!(said.contains("there is one repeat buyer only"), "{said}");
}

/// The same seed gives the same interval of purchases, whatever they are worth.
#[test]
fn what_purchases_are_worth_changes_no_interval_of_them() {
    let folder = TempDir::new().unwrap();
    let out = folder.path().join("out");
    let purchases = |flags: &[&str]| {
        done(&[&["run", CDNOW, "--observation-end", "1997-09-30", "--seed", "5", "--out", out.to_str().unwrap()], flags].concat());
        let page = fs::read_to_string(out.join("report.html")).unwrap();
        page.split("Purchases still to come").nth(1).unwrap().split("</li>").next().unwrap().to_owned()
    };
    let with_spend = purchases(&[]);
    assert!(with_spend.contains(" to "), "{with_spend}");
    for flags in [&["--spend", "none"][..], &["--margin", "0.3"], &["--margin", "0.3", "--cost-per-year", "1"]] {
        assert_eq!(purchases(flags), with_spend, "{flags:?}");
    }
}
