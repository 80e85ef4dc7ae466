//! `clv cohorts`: what it says of cohorts whose truth is known, and what it refuses.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::float_cmp, reason = "a test panics when it fails, and exact figures are what it is about")]

mod command;

use std::fs;
use std::path::Path;

use clv::{
    ClvDefinition, CohortStudy, Date, ErrorKind, Estimable, KnownBirths, Level, ModelFile, Nbd, Observation, ParetoNbd, Pooling, Progress,
    Simulate, TransactionLog, random_stream,
};
use command::{clv, done, refused};
use rand::RngExt;
use serde_json::Value;
use tempfile::TempDir;

/// The least share of points of curves within intervals for 90 % of cases. The points of one cohort come in and go out together: of twelve cohorts a share of 0.9
/// has a standard error of 0.087, and this is 2.3 of them below, one sample in a hundred.
const LEAST_WITHIN: f64 = 0.7;

const CDNOW: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/cdnow_sample.csv");

fn json(path: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// A log of 2025: customers acquired all year round, `per_month` a month, whose dropout is that of `beta_of` their month (Pareto/NBD); channels come in turn.
fn year(place: &Path, per_month: usize, beta_of: impl Fn(usize) -> f64, seed: u64) {
    let start = "2025-01-01".parse::<Date>().unwrap().days_since_1970();
    let mut log = "customer_id,date,amount,channel\n".to_owned();
    for i in 0..12 * per_month {
        let month = i / per_month;
        let mut rng = random_stream(seed, i as u64);
        let model = ParetoNbd::from_parameters(&[1.5, 6.0, 1.0, beta_of(month)]).unwrap();
        // From the third of the month on, so that no birth falls into the next one.
        let born = 30.4 * month as f64 + 3.0 + 25.0 * rng.random::<f64>();
        let amount = 20.0 + 30.0 * rng.random::<f64>();
        let traits = model.draw_traits(&mut rng);
        let times = std::iter::once(born).chain(traits.purchase_times((365.0 - born) / 7.0, rng).map(|time| born + 7.0 * time));
        for day in times.filter(|day| *day < 365.0) {
            let date = Date::from_days_since_1970(start + day as i32).unwrap();
            log += &format!("c{i:06},{date},{amount:.2},{}\n", ["web", "shop"][i % 2]);
        }
    }
    fs::write(place.join("log.csv"), log).unwrap();
}

#[test]
fn cohorts_that_worsen_are_told_apart_and_the_verdict_says_since_when() {
    let place = TempDir::new().unwrap();
    // From June on customers drop out three times as fast.
    year(place.path(), 400, |month| if month < 5 { 45.0 } else { 15.0 }, 11);
    let cohorts =
        ["cohorts", "log.csv", "--model", "pareto-nbd", "--observation-end", "2025-12-31", "--tables", "tables", "-o", "cohorts.json"];
    let words = done(&clv(place.path(), &cohorts));
    assert!(words.contains("Cohorts differ: telling them apart is earned"), "{words}");
    assert!(words.contains("drop out faster"), "{words}");
    let report = json(&place.path().join("cohorts.json"));
    let change = &report["change"];
    let since = change["since"].as_str().unwrap();
    assert!(["2025-05", "2025-06", "2025-07"].contains(&since), "{change}");
    assert!(change["p_no_change"].as_f64().unwrap() < 0.001);
    // The ratio of -ln P(alive) at the mean age t: ln(1 + t/15) over ln(1 + t/45).
    let t = change["by_age"].as_f64().unwrap();
    let truth = (t / 15.0).ln_1p() / (t / 45.0).ln_1p();
    let (lower, upper) = (change["dropout"]["lower"].as_f64().unwrap(), change["dropout"]["upper"].as_f64().unwrap());
    println!("{since}: dropout {} times, {lower} to {upper}; truth {truth}; {}", change["dropout"]["value"], change["verdict"]);
    assert!(lower > 1.2 && lower < truth && truth < upper * 1.3, "{lower} to {upper}, {truth}");
    assert_eq!((change["cohorts"].as_array().unwrap().len(), change["windows"].as_array().unwrap().len()), (12, 10));
    // All cohorts, in order, with their sizes; what they did is within what is expected of most.
    let cohorts = report["cohorts"].as_array().unwrap();
    assert_eq!(cohorts.iter().map(|cohort| cohort["customers"].as_f64().unwrap()).sum::<f64>(), 4800.0);
    let within = |point: &&Value| {
        let (observed, expected) = (point["observed"].as_f64().unwrap(), &point["expected"]);
        (expected["lower"].as_f64().unwrap()..=expected["upper"].as_f64().unwrap()).contains(&observed)
    };
    let curves: Vec<&Value> = cohorts.iter().flat_map(|cohort| cohort["curve"].as_array().unwrap()).collect();
    let share = curves.iter().filter(|point| within(point)).count() as f64 / curves.len() as f64;
    println!("{share} of {} points within", curves.len());
    assert!(share > LEAST_WITHIN, "{share}");
    let retained = |point: &&Value| {
        let (active, expected) = (point["active"].as_f64().unwrap(), &point["expected_active"]);
        (expected["lower"].as_f64().unwrap()..=expected["upper"].as_f64().unwrap()).contains(&active)
    };
    let share = curves.iter().filter(|point| retained(point)).count() as f64 / curves.len() as f64;
    println!("{share} of {} retentions within", curves.len());
    assert!(share > LEAST_WITHIN, "{share}");
    let last = cohorts[0]["curve"].as_array().unwrap().last().unwrap();
    assert!(last["customers"].as_f64().unwrap() <= 400.0 && last["active"].as_f64().unwrap() < 1.0);
    let mut tables: Vec<String> =
        fs::read_dir(place.path().join("tables")).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    tables.sort();
    assert_eq!(tables, ["cohorts.csv", "curves.csv", "parameters.csv", "path.csv"]);
    let curve = fs::read_to_string(place.path().join("tables/curves.csv")).unwrap();
    assert_eq!(curve.lines().count(), 1 + curves.len());
    // The same bits from one thread.
    done(&clv(
        place.path(),
        &["cohorts", "log.csv", "--model", "pareto-nbd", "--observation-end", "2025-12-31", "--threads", "1", "-o", "one.json"],
    ));
    assert_eq!(fs::read(place.path().join("one.json")).unwrap(), fs::read(place.path().join("cohorts.json")).unwrap());
}

#[test]
fn cohorts_that_are_alike_are_left_together() {
    let place = TempDir::new().unwrap();
    year(place.path(), 150, |_| 30.0, 12);
    let words = done(&clv(place.path(), &["cohorts", "log.csv", "--by", "quarter", "--model", "pareto-nbd", "-o", "cohorts.json"]));
    assert!(
        words.contains("Cohorts are not seen to differ") && words.contains("Customers acquired later are not seen to differ"),
        "{words}"
    );
    let report = json(&place.path().join("cohorts.json"));
    let names: Vec<&str> = report["cohorts"].as_array().unwrap().iter().map(|cohort| cohort["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["2025-Q1", "2025-Q2", "2025-Q3", "2025-Q4"]);
}

#[test]
fn a_column_makes_groups_and_costs_make_payback() {
    let place = TempDir::new().unwrap();
    year(place.path(), 100, |_| 30.0, 13);
    // 600 customers a channel: 12 a head, which the first purchase of 35 pays at once; 80 a head, which takes purchases to come.
    fs::write(place.path().join("costs.csv"), "cohort,cost\nweb,7200\nshop,48000\n").unwrap();
    let cohorts = ["cohorts", "log.csv", "--by", "channel", "--costs", "costs.csv"];
    let words = done(&clv(place.path(), &[&cohorts[..], &["-o", "channels.json"]].concat()));
    assert!(words.contains("payback"), "{words}");
    let report = json(&place.path().join("channels.json"));
    let (shop, web) = (&report["cohorts"][0], &report["cohorts"][1]);
    assert_eq!(
        (shop["name"].as_str(), shop["acquisition_cost"].as_f64(), web["acquisition_cost"].as_f64()),
        (Some("shop"), Some(80.0), Some(12.0))
    );
    assert_eq!(web["payback"]["time"].as_f64(), Some(0.0));
    let (time, lower, upper) = (&shop["payback"]["time"], &shop["payback"]["lower"], &shop["payback"]["upper"]);
    let (time, lower, upper) = (time.as_f64().unwrap(), lower.as_f64().unwrap(), upper.as_f64().unwrap());
    assert!(0.0 < lower && lower < time && time < upper && upper < 52.0, "{lower} {time} {upper}");
    let value = shop["new_customer_value"]["value"].as_f64().unwrap();
    assert!((shop["value_to_cost"]["value"].as_f64().unwrap() - value / 80.0).abs() < 1e-12 && report["change"].is_null());
    // By the hash they are of the definition that a model fitted by the same flags is of.
    let hash = |file: &str| json(&place.path().join(file))["definition_hash"].as_str().map(str::to_owned);
    done(&clv(place.path(), &["fit", "log.csv", "-o", "model.json"]));
    assert_eq!(hash("channels.json"), hash("model.json"));
    // The first purchase is worth the mean spend.
    done(&clv(place.path(), &[&cohorts[..], &["--first-purchase", "out", "-o", "without.json"]].concat()));
    assert_ne!(hash("without.json"), hash("model.json"));
    let without = json(&place.path().join("without.json"))["cohorts"][0]["new_customer_value"]["value"].as_f64().unwrap();
    assert!((30.0..40.0).contains(&(value - without)), "{value} {without}");
}

#[test]
fn a_study_tells_how_far_it_has_come_and_can_be_stopped() {
    let log = TransactionLog::from_csv(CDNOW).unwrap();
    let observation = Observation::until("1997-09-30".parse().unwrap()).in_weeks();
    let customers = log.summarize(&observation).unwrap();
    let months: Vec<String> = customers.purchases().iter().map(|record| record.first.date().to_string()[..7].to_owned()).collect();
    let study = CohortStudy {
        definition: ClvDefinition::default(),
        spend: None,
        pooling: Pooling::Partial,
        period: "13 weeks".parse().unwrap(),
        costs: Vec::new(),
        in_time: true,
        level: Level::default(),
        prior: None,
        seed: 1,
    };
    let seen = std::sync::Mutex::new(Vec::new());
    let watch = |progress: Progress| {
        if let Progress::Replication { done, of } = progress {
            seen.lock().unwrap().push((done, of));
        }
        std::ops::ControlFlow::Continue(())
    };
    study.run_watched::<Nbd>(&log, &observation, &customers, &months, Some(&watch)).unwrap();
    // The fits, three cohorts, and how they follow each other.
    assert_eq!(*seen.lock().unwrap(), [(1, 5), (2, 5), (3, 5), (4, 5), (5, 5)]);
    let stop = |_: Progress| std::ops::ControlFlow::Break(());
    let stopped = study.run_watched::<Nbd>(&log, &observation, &customers, &months, Some(&stop)).unwrap_err();
    assert_eq!(stopped.kind(), ErrorKind::Cancelled);
    assert!(stopped.to_string().contains("after 1 of 5 parts"), "{stopped}");
}

#[test]
fn a_cohort_with_one_customer_borrows_and_says_so() {
    let place = TempDir::new().unwrap();
    year(place.path(), 100, |_| 30.0, 14);
    let log = fs::read_to_string(place.path().join("log.csv")).unwrap() + "single,2026-01-05,20.00,web\n";
    fs::write(place.path().join("log.csv"), log).unwrap();
    let cohorts = ["cohorts", "log.csv", "--pooling", "separate", "--observation-end", "2026-01-11", "-o", "cohorts.json"];
    let words = done(&clv(place.path(), &cohorts));
    assert!(words.contains("2026-01 borrows from the others: nobody in this group has come back"), "{words}");
    let report = json(&place.path().join("cohorts.json"));
    let single = report["cohorts"].as_array().unwrap().last().unwrap();
    assert_eq!((single["customers"].as_f64(), single["fit"].as_str()), (Some(1.0), Some("partial")));
    assert!(single["residual_value"].as_f64().unwrap() > 0.0);
}

/// Customers of an NBD never drop out: BG/NBD's a and b then say nothing of a cohort, and a fit over cohorts need not settle.
#[test]
fn cohorts_in_which_nobody_drops_out_are_still_told_of() {
    let place = TempDir::new().unwrap();
    let simulate = ["simulate", "--model", "nbd", "--params", "r=2,alpha=60", "--unit", "day", "--customers", "3000", "--seed", "2"];
    let span = ["--start", "2025-01-01", "--acquisition", "52 weeks", "--until", "2025-12-31", "-o", "log.csv"];
    done(&clv(place.path(), &[&simulate[..], &span].concat()));
    for pooling in ["pooled", "separate", "partial"] {
        let cohorts = ["cohorts", "log.csv", "--by", "quarter", "--unit", "day", "--pooling", pooling, "-o", "cohorts.json"];
        let words = done(&clv(place.path(), &cohorts));
        let report = json(&place.path().join("cohorts.json"));
        assert!(report["p_all_alike"].is_null() && !words.contains("report it"), "{words}");
        // Where cohorts need not borrow, nothing is said of it; else it is said once, with the reason and what was done.
        let sentence = "Groups cannot borrow from each other: in the fit to all a is at the end of its range (no customer ever drops out: this is the NBD \
                        model), so that groups are not seen to differ in it; all cohorts have the one fit for all.";
        assert_eq!(words.matches("Groups cannot borrow").count(), usize::from(pooling == "partial"), "{words}");
        assert_eq!(words.contains(sentence), pooling == "partial", "{words}");
        assert_eq!(report["notices"].as_array().map_or(0, Vec::len), usize::from(pooling == "partial"));
        for cohort in report["cohorts"].as_array().unwrap() {
            assert_eq!(cohort["fit"], if pooling == "separate" { "separate" } else { "pooled" }, "{words}");
            assert!(cohort["fallback"].is_null(), "{words}");
        }
        assert!(report["change"]["dropout"].is_null(), "{}", report["change"]);
    }
}

/// Who is expected to buy in a period, next to who did.
#[test]
fn retention_has_what_is_expected_beside_it() {
    let place = TempDir::new().unwrap();
    // By NBD, which knows no dropout, one period of four weeks is like the other: 1 - (alpha/(alpha + 4))^r.
    let cohorts = ["cohorts", CDNOW, "--by", "quarter", "--pooling", "pooled", "--tables", "tables", "-o", "cohorts.json", "--model"];
    done(&clv(place.path(), &[&cohorts[..], &["nbd"]].concat()));
    let report = json(&place.path().join("cohorts.json"));
    let of = |cohort: &Value, name: &str| {
        let parameters = cohort["parameters"].as_array().unwrap().iter();
        parameters.filter(|parameter| parameter[0] == name).map(|parameter| parameter[1]["value"].as_f64().unwrap()).next().unwrap()
    };
    for cohort in report["cohorts"].as_array().unwrap() {
        let by_hand = 1.0 - (of(cohort, "alpha") / (of(cohort, "alpha") + 4.0)).powf(of(cohort, "r"));
        for point in cohort["curve"].as_array().unwrap() {
            let [value, lower, upper] = ["value", "lower", "upper"].map(|end| point["expected_active"][end].as_f64().unwrap());
            assert!((value - by_hand).abs() < 1e-9 && 0.0 <= lower && lower < value && value < upper && upper <= 1.0, "{point}");
        }
    }
    // A model with dropout expects fewer of the older ones; the table for a terminal and the CSV have it, too.
    let words = done(&clv(place.path(), &[&cohorts[..], &["pareto-nbd"]].concat()));
    assert!(words.contains("Retention: who bought in the period up to this age (weeks), and expected"), "{words}");
    let curves = fs::read_to_string(place.path().join("tables/curves.csv")).unwrap();
    assert!(curves.lines().next().unwrap().ends_with("active,expected_active,expected_active_lower,expected_active_upper"), "{curves}");
    let report = json(&place.path().join("cohorts.json"));
    let curve = report["cohorts"][0]["curve"].as_array().unwrap();
    let expected = |point: &Value| point["expected_active"]["value"].as_f64().unwrap();
    assert!(curve.windows(2).all(|points| expected(&points[1]) < expected(&points[0])));
}

#[test]
fn a_cost_to_serve_leaves_the_worth_of_a_new_customer_open() {
    let place = TempDir::new().unwrap();
    year(place.path(), 50, |_| 30.0, 15);
    fs::write(place.path().join("costs.csv"), "cohort,cost\nweb,7200\nshop,48000\n").unwrap();
    let cohorts = ["cohorts", "log.csv", "--by", "channel", "--costs", "costs.csv", "--cost-per-year", "20", "-o", "cohorts.json"];
    let words = done(&clv(place.path(), &cohorts));
    assert!(words.contains("with a cost to serve it is not said what a new customer is worth"), "{words}");
    for cohort in json(&place.path().join("cohorts.json"))["cohorts"].as_array().unwrap() {
        assert!(["new_customer_value", "value_to_cost", "payback"].iter().all(|name| cohort[name].is_null()));
        assert!(cohort["acquisition_cost"].is_f64() && cohort["residual_value"].is_f64());
    }
}

#[test]
fn what_cannot_be_done_is_refused() {
    let place = TempDir::new().unwrap();
    let path = place.path();
    fs::write(path.join("unknown.csv"), "cohort,cost\n1999-01,5\n").unwrap();
    fs::write(path.join("negative.csv"), "cohort,cost\n1997-01,-5\n").unwrap();
    fs::write(path.join("twice.csv"), "cohort,cost\n1997-01,5\n1997-01,6\n").unwrap();
    let with = |more: &[&str]| clv(path, &[&["cohorts", CDNOW, "-o", "cohorts.json"][..], more].concat());
    refused(&with(&["--costs", "unknown.csv"]), 1, &["\"1999-01\"", "1997-01"]);
    refused(&with(&["--costs", "negative.csv"]), 1, &["negative.csv:2", "at least 0"]);
    refused(&with(&["--costs", "twice.csv"]), 1, &["twice.csv:3", "there twice"]);
    refused(&with(&["--by", "channel"]), 1, &["there is no column \"channel\"", "--by"]);
    refused(&with(&["--period", "1 month"]), 1, &["no fixed length"]);
    refused(&with(&["--model", "auto"]), 2, &["--model"]);
    refused(&with(&["--pooling", "some"]), 2, &["pooled, separate, partial"]);
    // Without a repeat buyer it is the purchases that say too little, before the spend.
    fs::write(path.join("once.csv"), "customer_id,date,amount\na,2026-01-01,5\nb,2026-02-01,6\nc,2026-03-01,7\n").unwrap();
    refused(
        &clv(path, &["cohorts", "once.csv", "-o", "cohorts.json"]),
        1,
        &["none of the 3 customers has a repeat purchase, so neither purchase rates"],
    );
    assert!(!path.join("cohorts.json").exists());
}

/// What speaks for a channel, as a file that scores its customers: with standard errors, and what it borrows.
#[test]
fn every_channel_has_a_model_file() {
    let place = TempDir::new().unwrap();
    year(place.path(), 60, |_| 30.0, 5);
    let cohorts = ["cohorts", "log.csv", "--by", "channel", "--spend", "none", "--model", "pareto-nbd", "--observation-end", "2025-12-31"];
    done(&clv(place.path(), &[&cohorts[..], &["--model-files", "models", "-o", "cohorts.json"]].concat()));
    let report = json(&place.path().join("cohorts.json"));
    let found = report["cohorts"].as_array().unwrap();
    assert!(found.len() > 1);
    let everybody: f64 = found.iter().map(|cohort| cohort["customers"].as_f64().unwrap()).sum();
    for cohort in found {
        let name = format!("models/{}.json", cohort["name"].as_str().unwrap());
        let file = ModelFile::from_json(&fs::read_to_string(place.path().join(&name)).unwrap()).unwrap();
        assert_eq!(cohort["fit"], "partial");
        for (parameter, value) in file.purchases().parameters() {
            assert_eq!(cohort["fit_record"]["parameters"][parameter].as_f64(), Some(value));
            let error = file.purchases().standard_error(parameter);
            assert!(error.is_some() && cohort["fit_record"]["standard_errors"][parameter].as_f64() == error);
        }
        // The data behind it are those of all cohorts.
        assert_eq!((file.data().customers as f64, file.births()), (everybody, Some(KnownBirths::FirstPurchase)));
        let scores = clv(place.path(), &["score", "log.csv", "--model", &name, "--no-intervals", "--observation-end", "2025-12-31"]);
        done(&scores);
        assert!(scores.stdout.len() > 1_000);
    }
    // What another run has left is told, and stays.
    fs::write(place.path().join("models/gone.json"), "{}").unwrap();
    let said = done(&clv(place.path(), &[&cohorts[..], &["--model-files", "models", "-o", "cohorts.json"]].concat()));
    assert!(said.contains("note: 1 of the files *.json in models is not of this run; if an earlier one left"), "{said}");
    // Names that only differ in what a file name cannot hold.
    let log = fs::read_to_string(place.path().join("log.csv")).unwrap();
    let swapped = log.replace(found[0]["name"].as_str().unwrap(), "a/b").replace(found[1]["name"].as_str().unwrap(), "a b");
    fs::write(place.path().join("log.csv"), swapped).unwrap();
    let said = done(&clv(place.path(), &[&cohorts[..], &["--model-files", "others", "-o", "cohorts.json"]].concat()));
    let mut names: Vec<String> =
        fs::read_dir(place.path().join("others")).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    assert_eq!(names.len(), found.len(), "{names:?}");
    assert!(names.iter().all(|name| name.starts_with("a_b-") && name.ends_with(".json")), "{names:?}");
    let note = |cohort: &str| names.iter().any(|name| said.contains(&format!("the model file of the cohort {cohort:?} is others/{name}")));
    assert!(note("a/b") && note("a b"), "{said}");
}
