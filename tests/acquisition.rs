//! How births are known: dates of acquisition, a quiet run-in, logs that start in the middle; and what of it reaches the scores.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::float_cmp, reason = "a test panics when it fails, and exact figures are what it is about")]

mod command;

use std::fs;
use std::path::Path;

use clv::{
    AcquiredList, Acquisition, AcquisitionDates, Birth, CensoredFuture, ClvDefinition, Customers, Date, EveryCustomer, Exclusion,
    FirstSeenFlow, KnownBirths, LeftTruncated, ModelFile, Observation, ParetoNbd, ParetoNbdParams, PurchaseModel, Simulate, SummaryOptions,
    TransactionLog, random_stream,
};
use command::{clv, done, refused};
use rand::RngExt;
use tempfile::TempDir;

const CDNOW: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/cdnow_sample.csv");

fn date(text: &str) -> Date {
    text.parse().unwrap()
}

/// Four customers of a log from 5 January to 2 March 2026.
fn small() -> Customers {
    let rows = [
        ("a", "2026-01-05", 10.0),
        ("a", "2026-01-19", 30.0),
        ("b", "2026-02-02", 20.0),
        ("c", "2026-01-26", 5.0),
        ("d", "2026-01-12", 4.0),
        ("d", "2026-01-13", -4.0),
    ];
    let ids: Vec<&str> = rows.iter().map(|row| row.0).collect();
    let dates: Vec<Date> = rows.iter().map(|row| date(row.1)).collect();
    let log = TransactionLog::from_columns(&ids, &dates, &rows.map(|row| row.2)).unwrap();
    log.summarize(&Observation::until(date("2026-03-02")).in_weeks()).unwrap()
}

fn dates(of: &[(&str, &str)]) -> Acquisition {
    Acquisition::Dates(AcquisitionDates::new(of.iter().map(|(id, day)| ((*id).to_owned(), date(day)))).unwrap())
}

#[test]
fn a_birth_before_the_log_moves_the_clock_of_age_alone() {
    // "a" was born 10 weeks before the log, "b" signed up before the first purchase, "e" is silent, "f" has not bought yet.
    let of = [("a", "2025-10-27"), ("b", "2026-01-12"), ("c", "2026-01-26"), ("d", "2026-01-12"), ("e", "2025-12-22"), ("f", "2026-02-02")];
    let (customers, acquired) = dates(&of).apply(small()).unwrap();
    assert_eq!(customers.ids().collect::<Vec<_>>(), ["a", "b", "c", "e"]);
    assert_eq!((acquired.before_first_purchase, acquired.silent, acquired.without_purchase), (1, 1, 1));
    // Both purchases of "a" in the log are repeat purchases, 10 and 12 weeks after birth; the log is 8 weeks long.
    assert_eq!(customers.birth(0), Birth::Before(10.0));
    assert_eq!((customers.frequency()[0], customers.recency()[0], customers.age()[0], customers.average_spend()[0]), (2, 12.0, 18.0, 20.0));
    let row = customers.left_truncated_row::<EveryCustomer>(0).unwrap();
    assert_eq!((row.before(), row.history().frequency(), row.history().recency(), row.history().age()), (10.0, 2, 2.0, 8.0));
    assert_eq!((customers.birth(1), customers.age()[1]), (Birth::InLog, 4.0));
    assert_eq!(
        (customers.birth(3), customers.frequency()[3], customers.age()[3], customers.exposure(3)),
        (Birth::Before(2.0), 0, 10.0, 8.0)
    );
    // With the first purchase of those born in the log, and nothing added for the others.
    let in_log: Vec<u64> = (0..4).map(|row| customers.purchases_in_log(row)).collect();
    let first = [0, 1, 1, 0];
    assert_eq!(in_log, [0, 1, 2, 3].map(|row| u64::from(customers.frequency()[row]) + first[row]));
    let excluded: Vec<_> = customers.excluded().collect();
    assert_eq!(excluded, [("d", Exclusion::NoPurchase), ("f", Exclusion::NotBoughtYet)]);
    assert!(customers.has_silent());
}

/// Two with rows after the observation end alone: one was acquired within the log, of the other there is no date.
#[test]
fn who_has_not_bought_yet_keeps_what_is_spent_after_the_observation_end() {
    let days = ["2026-01-05", "2026-03-09", "2026-03-16", "2026-03-09"].map(date);
    let log = TransactionLog::from_columns(&["a", "later", "later", "unknown"], &days, &[10.0, 70.0, 5.0, 8.0]).unwrap();
    let customers = log.summarize(&Observation::until(date("2026-03-02")).in_weeks()).unwrap();
    let (customers, acquired) = dates(&[("a", "2026-01-05"), ("later", "2026-02-16")]).apply(customers).unwrap();
    assert_eq!(acquired.without_purchase, 1);
    assert_eq!(
        customers.excluded().zip(customers.excluded_revenue_after_end()).collect::<Vec<_>>(),
        [(("later", Exclusion::NotBoughtYet), 75.0), (("unknown", Exclusion::SeenAfterEnd), 8.0)]
    );
}

#[test]
fn dates_of_those_first_bought_in_the_log_change_nothing() {
    let of = [("a", "2026-01-05"), ("b", "2026-02-02"), ("c", "2026-01-26")];
    let (customers, _) = dates(&of).apply(small()).unwrap();
    assert!(!customers.has_births());
    assert_eq!((customers.frequency(), customers.recency(), customers.age()), (small().frequency(), small().recency(), small().age()));
}

#[test]
fn an_acquisition_after_the_first_purchase_is_refused() {
    let error = dates(&[("a", "2026-01-06"), ("b", "2026-02-02"), ("c", "2026-01-26")]).apply(small()).unwrap_err().to_string();
    assert!(error.contains("\"a\" was acquired on 2026-01-06, but the first purchase in the log is of 2026-01-05"), "{error}");
}

#[test]
fn an_acquisition_that_is_missing_for_some_is_refused() {
    let error = dates(&[("a", "2026-01-05"), ("c", "2026-01-26")]).apply(small()).unwrap_err().to_string();
    assert!(error.contains("1 of the 3 customers of the log have no date of acquisition, the first of them \"b\""), "{error}");
}

#[test]
fn an_acquisition_in_the_future_is_refused() {
    let of = [("a", "2026-01-05"), ("b", "2026-02-02"), ("c", "2026-01-26"), ("z", "2026-03-03")];
    let error = dates(&of).apply(small()).unwrap_err().to_string();
    assert!(error.contains("\"z\" was acquired on 2026-03-03, after the observation end 2026-03-02"), "{error}");
}

#[test]
fn a_customer_with_two_dates_of_acquisition_is_refused() {
    let twice = [("a".to_owned(), date("2026-01-05")), ("a".to_owned(), date("2026-01-06"))];
    assert!(AcquisitionDates::new(twice).unwrap_err().to_string().contains("\"a\" was acquired on 2026-01-05 and on 2026-01-06"));
}

#[test]
fn a_run_in_that_is_longer_than_the_log_is_refused() {
    let run_in = |span: &str| Acquisition::RunIn(span.parse().unwrap()).apply(small());
    let error = run_in("9 weeks").unwrap_err().to_string();
    assert!(error.contains("a run-in of 9 weeks is not shorter than the log, which covers 57 days"), "{error}");
    assert!(run_in("5 weeks").unwrap_err().to_string().contains("all 3 customers are first seen within the run-in"));
    assert!(run_in("lifetime").is_err());
}

#[test]
fn a_run_in_marks_and_leaves_out_who_is_first_seen_in_it() {
    let (customers, _) = Acquisition::RunIn("3 weeks".parse().unwrap()).apply(small()).unwrap();
    let births: Vec<Birth> = (0..3).map(|row| customers.birth(row)).collect();
    // The day three weeks after the start is the first one after the run-in.
    assert_eq!(births, [Birth::Unknown, Birth::InLog, Birth::InLog]);
    let counts = customers.births();
    assert_eq!((counts.unknown.count, counts.unknown.value, counts.in_log.count, counts.in_log.value), (1, 40.0, 2, 25.0));
    assert_eq!(customers.of_known_birth().unwrap().ids().collect::<Vec<_>>(), ["b", "c"]);
    // A likelihood of complete histories takes no others.
    use clv::Fit;
    assert!(clv::BgNbd::fit(&customers).unwrap_err().to_string().contains("of_known_birth"));
}

/// A log of 52 weeks of customers born at random over this many years before its end, as CSV, with the birth of each as a column; and all births as a list.
fn middle(place: &Path, years: f64, customers: usize, seed: u64) {
    let model = ParetoNbd::new(ParetoNbdParams { r: 3.0, alpha: 4.0, s: 0.5, beta: 40.0 }).unwrap();
    let start = date("2025-01-01").days_since_1970();
    let (mut log, mut list) = ("customer_id,date,amount,born\n".to_owned(), "customer_id,acquired\n".to_owned());
    let day = |week: f64| Date::from_days_since_1970(start + (week * 7.0).floor() as i32).unwrap();
    for i in 0..customers {
        let mut rng = random_stream(seed, i as u64);
        let born = 52.0 - 52.0 * years * rng.random::<f64>();
        let amount = 10.0 + 40.0 * rng.random::<f64>();
        let traits = model.draw_traits(&mut rng);
        let times = std::iter::once(born).chain(traits.purchase_times(52.0 - born, rng).map(|time| born + time));
        let id = format!("c{i:06}");
        list += &format!("{id},{}\n", day(born));
        for time in times.filter(|time| (0.0..52.0).contains(time)) {
            log += &format!("{id},{},{amount:.2},{}\n", day(time), day(born));
        }
    }
    fs::write(place.join("log.csv"), log).unwrap();
    fs::write(place.join("births.csv"), list).unwrap();
}

#[test]
fn a_log_that_plainly_starts_in_the_middle_is_refused_unless_told_otherwise() {
    let place = TempDir::new().unwrap();
    middle(place.path(), 6.0, 6_000, 1);
    let refused_by = ["the log starts in the middle", "--acquired", "--run-in", "--first-seen-is-new"];
    for command in
        [&["fit", "log.csv", "-o", "model.json"][..], &["run", "log.csv", "--out", "out"], &["backtest", "log.csv", "-o", "backtest.json"]]
    {
        refused(&clv(place.path(), command), 1, &refused_by);
    }
    assert_eq!(fs::read_dir(place.path()).unwrap().count(), 2);
    let fit = ["fit", "log.csv", "--model", "pareto-nbd", "--spend", "none", "-o", "model.json"];
    for way in [&["--first-seen-is-new"][..], &["--run-in", "26 weeks"], &["--acquired", "born"]] {
        done(&clv(place.path(), &[&fit[..], way].concat()));
    }
    // A summary and a score make no model.
    done(&clv(place.path(), &["summarize", "log.csv", "-o", "customers.csv"]));
    done(&clv(place.path(), &["score", "log.csv", "--model", "model.json", "--no-intervals", "-o", "scores.csv"]));
}

#[test]
fn logs_whose_acquisitions_end_are_not_refused() {
    let place = TempDir::new().unwrap();
    // Acquired on one day, within twelve weeks of five years, or steadily; rare buyers and weekly ones.
    for (acquisition, params) in [
        ("1 day", "r=0.55,alpha=10.6,s=0.61,beta=11.7"),
        ("84 days", "r=0.55,alpha=10.6,s=0.61,beta=11.7"),
        ("84 days", "r=3,alpha=3,s=0.6,beta=50"),
    ] {
        for (horizon, customers) in [("39 weeks", "2000"), ("260 weeks", "1000")] {
            let simulate = [
                "simulate",
                "--model",
                "pareto-nbd",
                "--params",
                params,
                "--customers",
                customers,
                "--start",
                "2020-01-01",
                "--horizon",
                horizon,
            ];
            done(&clv(place.path(), &[&simulate[..], &["--acquisition", acquisition, "--seed", "3", "-o", "log.csv"]].concat()));
            let log = TransactionLog::from_csv(place.path().join("log.csv")).unwrap();
            let flow = FirstSeenFlow::of_log(&log, &Observation::until(log.last_date().unwrap())).unwrap();
            assert!(!flow.starts_in_the_middle_beyond_doubt(), "{acquisition}, {params}, {horizon}: {flow:?}");
        }
    }
    let whole = TransactionLog::from_csv(CDNOW).unwrap();
    for end in ["1997-03-31", "1997-09-30", "1998-06-30"] {
        let flow = FirstSeenFlow::of_log(&whole, &Observation::until(date(end))).unwrap();
        assert!(!flow.starts_in_the_middle(), "{flow:?}");
    }
}

#[test]
fn cdnow_cut_to_start_in_march_is_noticed() {
    let place = TempDir::new().unwrap();
    let text = fs::read_to_string(CDNOW).unwrap();
    let cut = text.lines().filter(|line| line.starts_with("sample_id") || line.split(',').nth(2).unwrap() >= "1997-03-01");
    fs::write(place.path().join("march.csv"), cut.collect::<Vec<_>>().join("\n") + "\n").unwrap();
    let words = done(&clv(place.path(), &["fit", "march.csv", "-o", "model.json"]));
    assert!(
        words.contains(
            "the log may start in the middle: 969 customers are first seen in its first 37 days and 107 in as many days after them"
        ),
        "{words}"
    );
    let words = done(&clv(place.path(), &["fit", "march.csv", "--first-seen-is-new", "-o", "model.json"]));
    assert!(!words.contains("start in the middle"), "{words}");
    let words = done(&clv(place.path(), &["run", "march.csv", "--run-in", "12 weeks", "--out", "out"]));
    assert!(words.contains("1,095 customers (77.1 %; 84.2 % of revenue) are first seen in the run-in"), "{words}");
    assert!(
        words.contains("fitted to 325 customers")
            && words.contains("left_truncated: 1,095 (77.1 % of the customers, 84.2 % of the revenue so far)"),
        "{words}"
    );
    let words =
        done(&clv(place.path(), &["backtest", "march.csv", "--run-in", "12 weeks", "--models", "pareto-nbd", "-o", "backtest.json"]));
    assert!(words.contains("for the 325 customers who are known to be new in the log"), "{words}");
}

#[test]
fn a_column_a_list_and_a_summary_with_births_agree() {
    let place = TempDir::new().unwrap();
    middle(place.path(), 3.0, 3_000, 2);
    let path = place.path();
    let model = ["--model", "pareto-nbd", "--spend", "none"];
    // The column knows those seen, the list everybody.
    for (given, births) in [("born", "are new in the log"), ("births.csv", "bought nothing during it")] {
        let words = done(&clv(path, &[&["fit", "log.csv", "--acquired", given, "-o", "of_log.json"], &model[..]].concat()));
        assert!(words.contains(births) && words.contains("were acquired before it"), "{words}");
        done(&clv(path, &["summarize", "log.csv", "--acquired", given, "-o", "customers.csv"]));
        done(&clv(path, &["summarize", "log.csv", "--acquired", given, "-o", "customers.parquet"]));
        for summary in ["customers.csv", "customers.parquet"] {
            done(&clv(path, &[&["fit", summary, "-o", "of_summary.json"], &model[..]].concat()));
            let parameters = |name: &str| {
                let file = ModelFile::from_json(&fs::read_to_string(path.join(name)).unwrap()).unwrap();
                (file.purchases().clone(), file.data().fingerprint.clone())
            };
            assert_eq!(parameters("of_log.json"), parameters("of_summary.json"));
            done(&clv(path, &["score", summary, "--model", "of_log.json", "-o", "scores_of_summary.csv"]));
            done(&clv(path, &["score", "log.csv", "--acquired", given, "--model", "of_log.json", "-o", "scores_of_log.csv"]));
            assert_eq!(fs::read(path.join("scores_of_summary.csv")).unwrap(), fs::read(path.join("scores_of_log.csv")).unwrap());
        }
    }
    // The score of one born before the log is that of the left-truncated likelihood.
    let file = ModelFile::from_json(&fs::read_to_string(path.join("of_log.json")).unwrap()).unwrap();
    let customers = Customers::from_csv(path.join("customers.csv"), &SummaryOptions::default()).unwrap();
    let row = (0..customers.len()).find(|&row| matches!(customers.birth(row), Birth::Before(_)) && customers.frequency()[row] > 1).unwrap();
    let parameters: Vec<f64> = file.purchases().parameters().map(|(_, value)| value).collect();
    let model = ParetoNbd::new(ParetoNbdParams { r: parameters[0], alpha: parameters[1], s: parameters[2], beta: parameters[3] }).unwrap();
    let known: LeftTruncated<EveryCustomer> = customers.left_truncated_row(row).unwrap();
    let score = file.forecaster_by(&ClvDefinition::default(), customers.observation_end()).unwrap().scorer().score_row(&customers, row);
    assert_eq!(score.p_alive, model.censored_p_alive(&known));
    // Who survived a time before the log is one of the loyal: more likely alive than one born when it starts.
    assert!(score.p_alive > model.p_alive(known.history()));
    // A model without a likelihood for such customers says so.
    refused(
        &clv(path, &["fit", "log.csv", "--acquired", "born", "--model", "nbd", "--spend", "none"]),
        1,
        &["nbd cannot be fitted", "pareto-nbd"],
    );
    refused(&clv(path, &["fit", "log.csv", "--acquired", "nowhere"]), 1, &["there is no column \"nowhere\"", "--acquired"]);
    refused(&clv(path, &["fit", "log.csv", "--acquired", "born", "--run-in", "1 week"]), 2, &["cannot be used with"]);
    refused(
        &clv(path, &["fit", "log.csv", "--acquired", "born", "--spend-basis", "all"]),
        1,
        &["what the first purchase was worth is not known"],
    );
}

/// What is in the column of rows after the observation end is not known at that end: neither that somebody was acquired long ago nor that somebody will be.
#[test]
fn rows_after_the_observation_end_say_nothing_of_acquisition() {
    let place = TempDir::new().unwrap();
    middle(place.path(), 3.0, 1_000, 3);
    let path = place.path();
    let until = "2025-09-30";
    let all = fs::read_to_string(path.join("log.csv")).unwrap();
    let known = |row: &&str| row.starts_with("customer_id") || row.split(',').nth(1).unwrap() <= until;
    let past: String = all.lines().filter(known).map(|row| format!("{row}\n")).collect();
    assert!(past.len() < all.len());
    fs::write(path.join("past.csv"), past).unwrap();
    let given = ["--acquired", "born", "--observation-end", until];
    for log in ["log", "past"] {
        let (file, model, scores) = (format!("{log}.csv"), format!("{log}.json"), format!("{log}_scores.csv"));
        let words = done(&clv(path, &[&["fit", &file, "--model", "pareto-nbd", "--spend", "none", "-o", &model], &given[..]].concat()));
        assert!(words.contains("were acquired before it"), "{words}");
        done(&clv(path, &[&["score", &file, "--model", &model, "-o", &scores], &given[..]].concat()));
    }
    let fit = |name: &str| {
        let file = ModelFile::from_json(&fs::read_to_string(path.join(name)).unwrap()).unwrap();
        (file.purchases().clone(), file.data().fingerprint.clone())
    };
    assert_eq!(fit("log.json"), fit("past.json"));
    // Those who are first seen later have rows without a figure, below all others.
    let scores = fs::read_to_string(path.join("log_scores.csv")).unwrap();
    let later = |row: &&str| row.contains(",,,excluded: first seen after the observation end");
    assert!(scores.lines().filter(later).count() > 10);
    let known: Vec<&str> = scores.lines().filter(|row| !later(row)).collect();
    assert_eq!(known, fs::read_to_string(path.join("past_scores.csv")).unwrap().lines().collect::<Vec<_>>());
    // The page scores those born before the log as well.
    done(&clv(path, &[&["report", "log.csv", "--model", "log.json", "-o", "page.html"], &given[..]].concat()));
    assert!(path.join("page.html").exists());
}

/// What `clv explain` comes to is the row of `clv score`, of whichever birth.
#[test]
fn an_explanation_of_one_born_before_the_log_is_the_score() {
    let place = TempDir::new().unwrap();
    middle(place.path(), 3.0, 1_500, 4);
    let path = place.path();
    let given = ["--acquired", "births.csv"];
    done(&clv(path, &[&["summarize", "log.csv", "-o", "customers.csv"], &given[..]].concat()));
    let customers = Customers::from_csv(path.join("customers.csv"), &SummaryOptions::default()).unwrap();
    let first = |chosen: &dyn Fn(usize) -> bool| customers.id((0..customers.len()).find(|&row| chosen(row)).unwrap()).to_owned();
    let is_old = |row: usize| matches!(customers.birth(row), Birth::Before(_));
    let old = first(&|row| is_old(row) && customers.frequency()[row] > 1);
    let silent = first(&|row| is_old(row) && customers.frequency()[row] == 0);
    let new = first(&|row| !is_old(row) && customers.frequency()[row] > 1);
    for model in ["pareto-nbd", "bg-nbd", "mbg-nbd"] {
        let file = format!("{model}.json");
        done(&clv(path, &[&["fit", "log.csv", "--model", model, "-o", &file], &given[..]].concat()));
        done(&clv(path, &[&["score", "log.csv", "--model", &file, "--cost-per-year", "2", "-o", "scores.csv"], &given[..]].concat()));
        let scores = fs::read_to_string(path.join("scores.csv")).unwrap();
        for id in [&old, &silent, &new] {
            let explain = ["explain", "log.csv", "--customer", id, "--model", &file, "--cost-per-year", "2"];
            let output = clv(path, &[&explain[..], &["--format", "json"], &given].concat());
            done(&output);
            let told: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
            let of = |list: &str, name: &str| {
                told[list].as_array().unwrap().iter().find(|step| step["name"] == name).unwrap_or_else(|| panic!("{name}: {told}"))["result"].as_f64()
            };
            let row: Vec<&str> = scores.lines().find(|line| line.starts_with(&format!("{id},"))).unwrap().split(',').collect();
            for (list, name, column) in [
                ("history", "x", 1),
                ("history", "t_x", 2),
                ("history", "T", 3),
                ("steps", "P(alive)", 4),
                ("steps", "p_active", 5),
                ("steps", "expected_purchases", 6),
                ("steps", "expected_average_spend", 7),
                ("steps", "clv", 8),
            ] {
                assert_eq!(of(list, name), row[column].parse().ok(), "{model}, {id}: {name}");
            }
            assert_eq!(told["birth"].is_string(), *id != new, "{told}");
            // The same as text, within the width of a terminal.
            let text = clv(path, &[&explain[..], &given].concat());
            done(&text);
            let text = String::from_utf8(text.stdout).unwrap();
            assert!(text.lines().all(|line| line.chars().count() <= 80) && text.contains(" w   = ") == (*id != new), "{text}");
        }
        // Taken for new the same customer would be another.
        let naive = clv(path, &["explain", "log.csv", "--customer", &old, "--model", &file, "--format", "json"]);
        done(&naive);
        let naive: serde_json::Value = serde_json::from_slice(&naive.stdout).unwrap();
        let expected =
            naive["steps"].as_array().unwrap().iter().find(|step| step["name"] == "expected_purchases").unwrap()["result"].as_f64();
        let row = scores.lines().find(|line| line.starts_with(&format!("{old},"))).unwrap();
        assert_ne!(expected, row.split(',').nth(6).unwrap().parse().ok());
    }
    // The interval is that of the score, too; with a cost there is none.
    done(&clv(path, &[&["score", "log.csv", "--model", "pareto-nbd.json", "-o", "with_intervals.csv"], &given[..]].concat()));
    let scores = fs::read_to_string(path.join("with_intervals.csv")).unwrap();
    for id in [&old, &silent, &new] {
        let explain = ["explain", "log.csv", "--customer", id, "--model", "pareto-nbd.json", "--format", "json"];
        let output = clv(path, &[&explain[..], &given].concat());
        done(&output);
        let told: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let row: Vec<&str> = scores.lines().find(|line| line.starts_with(&format!("{id},"))).unwrap().split(',').collect();
        for (name, column) in [("clv_lower", 9), ("clv_upper", 10)] {
            let step = told["steps"].as_array().unwrap().iter().find(|step| step["name"] == name);
            let result = step.unwrap_or_else(|| panic!("{id} has no {name}"))["result"].as_f64();
            assert_eq!(result, row[column].parse().ok(), "{id}: {name}");
        }
    }
    // A run-in changes no figure, and is told of.
    let explain = ["explain", "log.csv", "--model", "bg-nbd.json", "--customer"];
    let log = fs::read_to_string(path.join("log.csv")).unwrap();
    let early = log.lines().find(|line| line.split(',').nth(1).unwrap() < "2025-03-01").unwrap().split(',').next().unwrap();
    let told = |more: &[&str]| {
        let output = clv(path, &[&explain[..], &[early, "--format", "json"], more].concat());
        done(&output);
        serde_json::from_slice::<serde_json::Value>(&output.stdout).unwrap()
    };
    let (plain, marked) = (told(&[]), told(&["--run-in", "26 weeks"]));
    assert_eq!((&plain["history"], &plain["steps"]), (&marked["history"], &marked["steps"]));
    assert!(plain["birth"].is_null() && marked["birth"].as_str().unwrap().contains("within the run-in from 2025-01-01"), "{marked}");
    // A customer who has not bought yet has no score, and hears why.
    fs::write(path.join("more.csv"), fs::read_to_string(path.join("births.csv")).unwrap() + "late,2025-12-20\n").unwrap();
    let unscored = clv(path, &[&explain[..], &["late", "--acquired", "more.csv"]].concat());
    done(&unscored);
    assert!(String::from_utf8_lossy(&unscored.stdout).contains("excluded: has not bought yet"), "{unscored:?}");
    refused(&clv(path, &[&explain[..], &["nobody", "--acquired", "births.csv"]].concat()), 1, &["there is no customer \"nobody\""]);
}

#[test]
fn an_audit_of_a_log_that_starts_in_the_middle_is_of_those_who_are_new() {
    let place = TempDir::new().unwrap();
    middle(place.path(), 3.0, 3_000, 5);
    let path = place.path();
    let fit = ["fit", "log.csv", "--model", "pareto-nbd", "--spend", "none", "--observation-end", "2025-08-31", "-o", "model.json"];
    done(&clv(path, &[&fit[..], &["--acquired", "born"]].concat()));
    let audit = |more: &[&str], name: &str| {
        let words = done(&clv(path, &[&["audit", "log.csv", "--model", "model.json", "-o", name], more].concat()));
        let report: serde_json::Value = serde_json::from_str(&fs::read_to_string(path.join(name)).unwrap()).unwrap();
        let cohorts = report["cohorts"].as_array().unwrap().clone();
        let total = |of: &str| cohorts.iter().map(|cohort| cohort[of].as_f64().unwrap()).sum::<f64>();
        (words, total("customers"), total("predicted_purchases"), total("actual_purchases"))
    };
    let (words, customers, predicted, actual) = audit(&["--acquired", "born"], "audit.json");
    assert!(words.contains("for the") && words.contains("who are known to be new in the log"), "{words}");
    // Those seen by the end of August and born in the year.
    let log = fs::read_to_string(path.join("log.csv")).unwrap();
    let new: std::collections::BTreeSet<&str> = log
        .lines()
        .skip(1)
        .map(|line| line.split(',').collect::<Vec<_>>())
        .filter(|row| row[3] >= "2025-01-01" && row[1] <= "2025-08-31")
        .map(|row| row[0])
        .collect();
    assert_eq!(customers, new.len() as f64);
    // Their purchases are as forecast within what chance allows; with the old ones taken for new the forecast is of more customers.
    println!("{customers} new customers bought {actual} times, {predicted:.0} were forecast");
    assert!((predicted / actual - 1.0).abs() < 0.1, "{predicted} forecast, {actual} bought");
    let (_, everybody, ..) = audit(&[], "naive.json");
    assert!(everybody > customers);
    // A run-in does the same by the time of the first purchase.
    let (_, after, ..) = audit(&["--run-in", "13 weeks"], "run_in.json");
    assert!(after < everybody);
}

#[test]
fn everybody_seen_has_a_row() {
    let place = TempDir::new().unwrap();
    let mut text = "customer_id,date,amount\n".to_owned();
    for i in 0..60 {
        let day = 1 + i % 28;
        text += &format!("{i:02},2026-01-{day:02},20\n{i:02},2026-02-{day:02},{}\n", 10 + i);
    }
    // All refunded; a refund only; seen after the end only; and one of the last day.
    text += "refunded,2026-02-01,9\nrefunded,2026-02-03,-9\nonly,2026-02-03,-5\nlater,2026-04-01,5\nyoung,2026-03-01,5\n";
    fs::write(place.path().join("log.csv"), text).unwrap();
    done(&clv(place.path(), &["fit", "log.csv", "--observation-end", "2026-03-01", "--prior", "weak", "-o", "model.json"]));
    let score = ["score", "log.csv", "--observation-end", "2026-03-01", "--model", "model.json"];
    let words = done(&clv(place.path(), &[&score[..], &["-o", "scores.csv"]].concat()));
    let scores = fs::read_to_string(place.path().join("scores.csv")).unwrap();
    let of = |id: &str| scores.lines().find(|line| line.starts_with(&format!("{id},"))).map(str::to_owned);
    assert_eq!(scores.lines().count(), 1 + 61 + 3);
    let status = |id: &str| of(id).map(|line| line.split(',').nth(11).unwrap().to_owned());
    assert_eq!((status("00").as_deref(), status("young").as_deref()), (Some("scored"), Some("prior_dominated")));
    assert_eq!(of("only").unwrap(), "only,,,,,,,,,,,excluded: no purchase is left after refunds,,,");
    assert!(of("refunded").unwrap().contains("excluded: no purchase"));
    assert_eq!(of("later").unwrap(), "later,,,,,,,,,,,excluded: first seen after the observation end,,,");
    assert_eq!(of("young").unwrap().split(',').nth(12), Some("1"));
    assert!(
        words.contains("excluded: no purchase is left after refunds: 2 (3.1 % of the customers, 0 % of the revenue so far)"),
        "{words}"
    );
    // The same in the other formats: numbers are numbers, what is missing is null.
    for name in ["scores.parquet", "scores.json"] {
        done(&clv(place.path(), &[&score[..], &["-o", name]].concat()));
    }
    let json: serde_json::Value = serde_json::from_str(&fs::read_to_string(place.path().join("scores.json")).unwrap()).unwrap();
    let last = json.as_array().unwrap().last().unwrap();
    assert!(last["frequency"].is_null() && last["clv"].is_null() && last["prior_weight"].is_null());
    assert_eq!(json[0]["frequency"], 1);
}

#[test]
fn negative_counts_and_births_that_contradict_the_history_are_refused() {
    let place = TempDir::new().unwrap();
    let read = |row: &str| {
        let path = place.path().join("customers.csv");
        fs::write(&path, format!("customer_id,frequency,recency,age,before_log\na,2,12,18,10\n{row}\n")).unwrap();
        Customers::from_csv(&path, &SummaryOptions::default()).map_err(|error| error.to_string())
    };
    let customers = read("b,0,0,4,").unwrap();
    assert_eq!((customers.birth(0), customers.birth(1)), (Birth::Before(10.0), Birth::Unknown));
    // Fewer purchases than none; a negative time; a purchase before the log; a birth before the log and an age that does not reach back to it.
    for (row, words) in [
        ("b,-1,0,4,0", "frequency -1 must be a whole number from 0"),
        ("b,1,2,4,-3", "a birth -3 before the log must be a length of time of at least 0"),
        ("b,1,2,14,3", "a purchase, or the end, 2 after birth"),
        ("b,0,0,2,3", "a purchase, or the end, 2 after birth"),
    ] {
        let error = read(row).unwrap_err();
        let placed = error.contains("customers.csv:3") || error.contains("customer \"b\"");
        assert!(placed && error.contains(words), "{error}");
    }
}

/// The file and line of the date that is wrong, not the log.
#[test]
fn bad_dates_of_acquisition_are_named_by_their_file_and_line() {
    let place = TempDir::new().unwrap();
    let log = "customer_id,date,amount,since\na,2026-01-05,10,2026-01-05\na,2026-01-19,30,2026-01-05\nb,2026-02-02,20,2026-02-03\n";
    fs::write(place.path().join("log.csv"), log).unwrap();
    let end = ["--observation-end", "2026-03-02", "-o", "customers.csv"];
    let summarize = |acquired: &str| clv(place.path(), &[&["summarize", "log.csv", "--acquired", acquired], &end[..]].concat());
    for (rows, words) in [
        (
            "a,2026-01-05\nb,2026-02-03",
            &["dates.csv:3: customer \"b\" was acquired on 2026-02-03, but the first purchase in the log is of 2026-02-02"][..],
        ),
        (
            "z,2026-03-03\na,2026-01-05\nb,2026-02-02",
            &["dates.csv:2: customer \"z\" was acquired on 2026-03-03, after the observation end"],
        ),
        ("a,2026-01-05", &["dates.csv: 1 of the 2 customers of the log have no date of acquisition, the first of them \"b\""]),
        ("a,2026-01-05\nb,2026-02-02\na,2026-01-04", &["dates.csv:4: ", "a customer has one day of acquisition"]),
        (
            "a,2026-01-05\nb,",
            &["dates.csv:3: column \"acquired\": the date is missing; every customer of the log needs the day of acquisition", "--run-in"],
        ),
        (
            "y,9999-12-31\nz,9999-12-31\na,2026-01-05\nb,2026-02-02",
            &["dates.csv:2: customer \"y\" and 1 more were acquired on 9999-12-31, after the observation end", "is no date"],
        ),
        ("a,2026-01-05\nb,2026-02-30", &["dates.csv:3: ", "2026-02-30"]),
    ] {
        fs::write(place.path().join("dates.csv"), format!("customer_id,acquired\n{rows}\n")).unwrap();
        refused(&summarize("dates.csv"), 1, words);
    }
    fs::write(place.path().join("dates.csv"), "customer_id,acquired\n").unwrap();
    refused(&summarize("dates.csv"), 1, &["dates.csv: there is a header, but no row below it"]);
    let nothing = clv(place.path(), &["summarize", "log.csv", "--run-in", "0 weeks"]);
    refused(&nothing, 2, &["a run-in of 0 weeks leaves nobody out; give a length such as \"26 weeks\", or leave --run-in out"]);
    // A date in a column of the log is in a line of the log.
    refused(&summarize("since"), 1, &["log.csv:4: customer \"b\" was acquired on 2026-02-03"]);
}

/// What stands for a day that is not known would make customers of a great age.
#[test]
fn births_that_many_share_far_before_all_others_are_told() {
    let place = TempDir::new().unwrap();
    fs::write(place.path().join("log.csv"), "customer_id,date,amount\na,2026-01-05,10\nb,2026-02-02,20\n").unwrap();
    let said = |rows: &str| {
        fs::write(place.path().join("dates.csv"), format!("customer_id,acquired\na,2025-03-01\nb,2026-02-02\n{rows}")).unwrap();
        let flags = ["summarize", "log.csv", "--acquired", "dates.csv", "--observation-end", "2026-03-02", "-o", "customers.csv"];
        done(&clv(place.path(), &flags))
    };
    let words = said("c,1970-01-01\nd,1970-01-01\ne,1900-01-01\nf,1900-01-01\ng,1900-01-01\n");
    assert!(
        words.contains(
            "note: 3 customers were acquired on the same day, 1900-01-01, 70 years before all later ones, from 1970-01-01 on; if it"
        ),
        "{words}"
    );
    assert!(
        words.contains(
            "note: 2 customers were acquired on the same day, 1970-01-01, 55 years before all later ones, from 2025-03-01 on; if it"
        ),
        "{words}"
    );
    // One customer may be old, and many may come on one day.
    assert!(!said("c,1970-01-01\nd,2025-01-01\ne,2025-01-01\n").contains("on the same day"));
}

#[test]
fn customers_in_no_cohort_and_a_cohort_that_is_cut_off_are_told() {
    let place = TempDir::new().unwrap();
    let said = |flags: &[&str]| {
        let cohorts = ["cohorts", CDNOW, "--model", "nbd", "--spend", "none", "--observation-end", "1997-09-30", "-o", "cohorts.json"];
        done(&clv(place.path(), &[&cohorts[..], flags].concat()))
    };
    let words = said(&["--run-in", "5 weeks"]);
    assert!(words.contains("note: 912 of the 2,357 customers, first seen in the run-in, are in no cohort"), "{words}");
    assert!(words.contains("note: the cohort 1997-02 is cut off: it has those alone who are first seen from 1997-02-05 on"), "{words}");
    let words = said(&["--run-in", "31 days"]);
    assert!(words.contains("are in no cohort") && !words.contains("cut off"), "{words}");
    assert!(!said(&[]).contains("in no cohort"));
}

#[test]
fn the_same_dates_in_rows_of_another_order_are_equal() {
    let place = TempDir::new().unwrap();
    let read = |name: &str, rows: &str| {
        fs::write(place.path().join(name), format!("customer_id,acquired\n{rows}")).unwrap();
        AcquisitionDates::read(place.path().join(name), &clv::ReadOptions::default()).unwrap()
    };
    let (one, other) = (read("one.csv", "a,2026-01-05\nb,2026-01-12\n"), read("other.csv", "b,2026-01-12\na,2026-01-05\na,2026-01-05\n"));
    assert_eq!(one, other);
    assert_eq!(Acquisition::Dates(one.clone()), dates(&[("a", "2026-01-05"), ("b", "2026-01-12")]));
    assert_ne!(one, read("third.csv", "a,2026-01-05\nb,2026-01-13\n"));
    assert_ne!(one, read("fourth.csv", "a,2026-01-05\n"));
}

#[test]
fn a_model_file_says_how_births_were_known() {
    let place = TempDir::new().unwrap();
    let fitted = |more: &[&str]| {
        let fit = ["fit", CDNOW, "--spend", "none", "--observation-end", "1998-06-30", "-o", "model.json", "--quiet"];
        done(&clv(place.path(), &[&fit, more].concat()));
        let text = fs::read_to_string(place.path().join("model.json")).unwrap();
        (ModelFile::from_json(&text).unwrap().births().unwrap(), text)
    };
    assert_eq!(fitted(&[]).0, KnownBirths::FirstPurchase);
    let (births, text) = fitted(&["--run-in", "4 weeks"]);
    assert_eq!(births, KnownBirths::RunIn { length: Some("4 weeks".parse().unwrap()) });
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(json["births"], serde_json::json!({"by": "run_in", "length": "4 weeks"}));
    // A summary keeps who is fitted, and not the length of the run-in.
    let summarize = ["summarize", CDNOW, "--run-in", "4 weeks", "--observation-end", "1998-06-30", "-o", "customers.csv"];
    done(&clv(place.path(), &summarize));
    done(&clv(place.path(), &["fit", "customers.csv", "--spend", "none", "-o", "again.json"]));
    let again = ModelFile::from_json(&fs::read_to_string(place.path().join("again.json")).unwrap()).unwrap();
    assert_eq!(again.births(), Some(KnownBirths::RunIn { length: None }));

    // Of births before the log also whom their list was taken to hold, on which the likelihood depends.
    middle(place.path(), 3.0, 600, 4);
    for (given, list, name) in [("born", AcquiredList::Buyers, "buyers"), ("births.csv", AcquiredList::Everybody, "everybody")] {
        let fit = ["fit", "log.csv", "--acquired", given, "--model", "pareto-nbd", "--spend", "none", "-o", "model.json"];
        done(&clv(place.path(), &fit));
        let text = fs::read_to_string(place.path().join("model.json")).unwrap();
        assert_eq!(ModelFile::from_json(&text).unwrap().births(), Some(KnownBirths::Acquired { list: Some(list) }));
        let mut json: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(json["births"], serde_json::json!({"by": "acquired", "list": name}));
        // A file of before does not say.
        json["births"].as_object_mut().unwrap().remove("list");
        json.as_object_mut().unwrap().remove("checksum");
        assert_eq!(ModelFile::from_json(&json.to_string()).unwrap().births(), Some(KnownBirths::Acquired { list: None }));
    }
}

/// The revenue of the log is not that of the scores alone: who is only seen after the end has a row, and counts beside it.
#[test]
fn every_id_of_the_log_has_a_row_in_the_scores() {
    let place = TempDir::new().unwrap();
    let log = fs::read_to_string(CDNOW).unwrap();
    // Two who are first seen after the end, one who returns all.
    let more =
        "0,late,1997-11-01,1,10.5\n0,late,1997-12-01,1,2\n0,later,1998-01-01,1,30\n0,back,1997-02-01,1,20\n0,back,1997-02-02,1,-20\n";
    fs::write(place.path().join("log.csv"), format!("{}\n{more}", log.trim_end())).unwrap();
    let end = ["--observation-end", "1997-09-30"];
    done(&clv(place.path(), &[&["fit", "log.csv", "--spend", "none", "-o", "model.json", "--quiet"], &end[..]].concat()));
    let note = done(&clv(
        place.path(),
        &[&["score", "log.csv", "--model", "model.json", "-o", "scores.csv", "--account", "a.json"], &end[..]].concat(),
    ));
    assert!(note.contains("excluded: first seen after the observation end: 2 (0.1 % of the customers) those excluded spend 42.50 after the observation end"), "{note}");
    let scores = fs::read_to_string(place.path().join("scores.csv")).unwrap();
    assert_eq!(scores.lines().count(), 1 + 2357 + 3);
    let last: Vec<&str> = scores.lines().rev().take(3).collect();
    assert!(last[0].starts_with("later,,,,") && last[0].contains("excluded: first seen after the observation end"), "{last:?}");
    assert!(last[1].starts_with("late,") && last[2].contains("excluded: no purchase is left after refunds"), "{last:?}");
    let account: serde_json::Value = serde_json::from_str(&fs::read_to_string(place.path().join("a.json")).unwrap()).unwrap();
    assert_eq!(account["revenue_after_end"], 42.5);

    // By way of a summary, in whatever order the log is read, nobody is lost who stands in the table beside it.
    for (how, summary, excluded) in
        [(&[][..], "customers.csv", "excluded.csv"), (&["--time-ordered"], "customers.parquet", "excluded.parquet")]
    {
        let input = if how.is_empty() { "log.csv" } else { "ordered.csv" };
        let mut rows: Vec<Vec<String>> = fs::read_to_string(place.path().join("log.csv"))
            .unwrap()
            .lines()
            .skip(1)
            .map(|line| line.split(',').map(str::to_owned).collect())
            .collect();
        rows.sort_by(|one, other| one[2].cmp(&other[2]));
        let lines: String = rows.iter().map(|row| format!("{},{},{}\n", row[1], row[2], row[4])).collect();
        fs::write(place.path().join("ordered.csv"), format!("customer_id,date,amount\n{lines}")).unwrap();
        let summarize = ["summarize", input, "-o", summary];
        let without = done(&clv(place.path(), &[&summarize, how, &end[..]].concat()));
        assert!(without.contains("3 customers of the log have no row in the summary; --excluded FILE keeps their ids"), "{without}");
        done(&clv(place.path(), &[&summarize, how, &["--excluded", excluded], &end[..]].concat()));
        for output in ["again.csv", "again.parquet"] {
            let score = ["score", summary, "--excluded", excluded, "--model", "model.json", "-o", output];
            let note = done(&clv(place.path(), &[&score[..], &end[..]].concat()));
            assert!(
                note.contains("those excluded spend 42.50 after the observation end")
                    && note.contains("no purchase is left after refunds: 1"),
                "{note}"
            );
        }
        assert_eq!(fs::read_to_string(place.path().join("again.csv")).unwrap(), scores, "{summary}");
        if how.is_empty() {
            assert_eq!(
                fs::read_to_string(place.path().join(excluded)).unwrap(),
                "customer_id,status,revenue_after_end\nback,excluded: no purchase is left after refunds,0\n\
                 late,excluded: first seen after the observation end,12.5\nlater,excluded: first seen after the observation end,30\n"
            );
        }
    }
    let score =
        |input: &str, excluded: &str| clv(place.path(), &["score", input, "--excluded", excluded, "--model", "model.json", "-o", "no.csv"]);
    refused(&score("log.csv", "excluded.csv"), 2, &["--excluded is for a summary"]);
    assert!(!place.path().join("no.csv").exists());
    fs::write(place.path().join("wrong.csv"), "customer_id,status,revenue_after_end\nx,scored,0\n").unwrap();
    refused(&score("customers.csv", "wrong.csv"), 1, &["wrong.csv:2: ", "no reason for which a customer has no row"]);
    // Before anything is scored, and before the log is known for one.
    refused(&score("log.csv", "wrong.csv"), 1, &["wrong.csv:2: "]);
    fs::write(place.path().join("wrong.csv"), "customer_id,status,revenue_after_end\n\" \",excluded: has not bought yet,0\n").unwrap();
    refused(&score("customers.csv", "wrong.csv"), 1, &["wrong.csv:2: column \"customer_id\": the customer is missing; every row belongs"]);
    // Nobody is scored and excluded at once.
    let both = fs::read_to_string(place.path().join("excluded.csv")).unwrap() + "00004,excluded: has not bought yet,0\n";
    fs::write(place.path().join("both.csv"), both).unwrap();
    refused(&score("customers.csv", "both.csv"), 1, &["both.csv:5: customer \"00004\" has a row in the summary as well", "from one run"]);
    assert!(!place.path().join("no.csv").exists());
}

/// A place with a small log of two customers, one of whom has no purchase left.
fn with_one_excluded() -> TempDir {
    let place = TempDir::new().unwrap();
    let log = "customer_id,date,amount\na,2026-01-05,10\na,2026-01-19,30\nback,2026-01-07,5\nback,2026-01-08,-5\n";
    fs::write(place.path().join("log.csv"), log).unwrap();
    place
}

#[test]
fn no_output_of_a_summary_replaces_another() {
    let place = with_one_excluded();
    let summarize = |more: &[&str]| clv(place.path(), &[&["summarize", "log.csv", "--observation-end", "2026-03-02"], more].concat());
    let (summary, excluded, state) = ("the summary", "the table of those without a row", "the state");
    fs::create_dir(place.path().join("sub")).unwrap();
    // Once when the files are not there yet, and once when they are.
    for _ in 0..2 {
        for (flags, one, other) in [
            (&["-o", "c.csv", "--excluded", "c.csv"][..], summary, excluded),
            (&["-o", "c.csv", "--excluded", "./c.csv"], summary, excluded),
            (&["-o", "c.csv", "--excluded", "sub/../c.csv"], summary, excluded),
            (&["-o", "-", "--excluded", "-"], summary, excluded),
            (&["-o", "c.csv", "--state", "./c.csv"], summary, state),
            (&["-o", "c.csv", "--state", "s.csv", "--excluded", "s.csv"], excluded, state),
            (&["-o", "c.csv", "--state", "s.csv", "--excluded", "./s.csv"], excluded, state),
        ] {
            refused(&summarize(flags), 2, &[&format!("{one} and {other} cannot go to the same place")]);
        }
        fs::write(place.path().join("c.csv"), "").unwrap();
        fs::write(place.path().join("s.csv"), "").unwrap();
    }
    let left: Vec<u64> = ["c.csv", "s.csv"].iter().map(|name| fs::metadata(place.path().join(name)).unwrap().len()).collect();
    assert_eq!(left, [0, 0]);
    refused(&summarize(&["-o", "c.csv", "--excluded", "./log.csv"]), 2, &["log.csv is read, and the result would replace it"]);
    fs::write(place.path().join("dates.csv"), "customer_id,acquired\n").unwrap();
    for flags in [["-o", "dates.csv"], ["-o", "-"]] {
        let more = [&flags[..], &["--acquired", "dates.csv", "--excluded", "./dates.csv"]].concat();
        refused(&summarize(&more), 2, &["dates.csv is read, and the result would replace it"]);
    }
    // The scores and their account as well.
    fs::write(place.path().join("model.json"), "{}").unwrap();
    let score = ["score", "log.csv", "--model", "model.json", "-o", "s.json", "--account", "./s.json"];
    refused(&clv(place.path(), &score), 2, &["the scores and their account cannot go to the same place"]);
}

/// /dev/full takes nothing.
#[cfg(target_os = "linux")]
#[test]
fn a_state_does_not_go_on_without_the_tables_that_go_with_it() {
    let place = with_one_excluded();
    let summarize = |excluded: &str| {
        let end = ["--observation-end", "2026-03-02", "--state", "s.clv", "-o", "c.csv"];
        clv(place.path(), &[&["summarize", "log.csv"], &end[..], &["--excluded", excluded]].concat())
    };
    refused(&summarize("/dev/full"), 1, &["/dev/full"]);
    assert!(!place.path().join("s.clv").exists() && !place.path().join("c.csv").exists());
    // So the run can be repeated.
    done(&summarize("e.csv"));
    assert!(place.path().join("s.clv").exists());
    assert_eq!(fs::read_to_string(place.path().join("c.csv")).unwrap().lines().count(), 2);
    assert!(fs::read_to_string(place.path().join("e.csv")).unwrap().contains("\nback,excluded: no purchase is left after refunds,"));
    assert_eq!(fs::read_dir(place.path()).unwrap().count(), 4);
}
