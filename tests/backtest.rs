//! Back-tests of the CDNOW sample against published and independently computed figures, and that nothing after the cut has any influence before it.
#![allow(
    clippy::unwrap_used,
    clippy::float_cmp,
    clippy::approx_constant,
    reason = "a test panics when it fails, and exact figures are what it is about"
)]
#![cfg(feature = "csv")]

use clv::{
    AcquisitionCohort, BackTest, BackTestReport, Date, ErrorKind, Group, Observation, ParetoNbd, ParetoNbdParams, Population, Run, Scheme,
    TimeUnit, Transaction, TransactionLog,
};

const END: &str = "1998-06-30";

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

fn cdnow() -> TransactionLog {
    TransactionLog::from_csv(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/cdnow_sample.csv")).unwrap()
}

fn observation() -> Observation {
    Observation::until(day(END)).in_weeks()
}

fn scheme() -> Scheme {
    Scheme::Holdout { cut: day("1997-09-30"), horizon: "39 weeks".parse().unwrap() }
}

fn known<'a>(report: &'a BackTestReport, model: &'a str) -> &'a Run {
    report.find(model, Group::KnownAtCut).next().unwrap()
}

#[track_caller]
fn close(ours: Option<f64>, expected: f64, tolerance: f64) {
    let ours = ours.unwrap();
    assert!((ours - expected).abs() <= tolerance, "{ours} against {expected}");
}

/// Predicted total to 0.1 %, all else to half a unit of the third digit.
#[track_caller]
fn assert_run(run: &Run, predicted: f64, bias: f64, [mae, rmse, correlation]: [f64; 3]) {
    assert_eq!((run.customers, run.actual_purchases), (2357, 1882.0));
    close(run.predicted_purchases, predicted, 1e-3 * predicted);
    close(run.metrics.bias, bias, 1e-3 * (1.0 + bias));
    close(run.metrics.mae, mae, 5e-4);
    close(run.metrics.rmse, rmse, 5e-4);
    close(run.metrics.correlation, correlation, 5e-4);
}

#[track_caller]
fn assert_scores(run: &Run, [log_score, crps, coverage_90, brier, auc]: [f64; 5]) {
    close(run.metrics.log_score, log_score, 5e-4);
    close(run.metrics.crps, crps, 5e-4);
    close(run.metrics.coverage.level_90, coverage_90, 5e-4);
    close(run.metrics.brier, brier, 5e-4);
    close(run.metrics.auc, auc, 5e-4);
}

#[test]
fn the_39_week_holdout_of_cdnow() {
    let report = BackTest::new(scheme()).run(&cdnow(), &observation()).unwrap();
    assert!(report.failures.is_empty(), "{:?}", report.failures);
    assert_run(known(&report, "nbd"), 2929.8, 0.557, [1.0410, 1.8595, 0.5834]);
    assert_scores(known(&report, "nbd"), [1.0636, 0.6036, 0.9618, 0.1821, 0.7739]);
    assert_run(known(&report, "pareto-nbd"), 1665.5, -0.115, [0.7545, 1.6028, 0.6302]);
    assert_scores(known(&report, "pareto-nbd"), [0.9872, 0.5107, 0.9512, 0.1619, 0.7712]);
    assert_run(known(&report, "bg-nbd"), 1653.4, -0.121, [0.7854, 1.6080, 0.6257]);
    assert_scores(known(&report, "bg-nbd"), [0.9845, 0.5104, 0.9465, 0.1612, 0.7569]);
    assert_run(known(&report, "mbg-nbd"), 1576.7, -0.162, [0.7648, 1.6072, 0.6273]);
    assert_scores(known(&report, "mbg-nbd"), [0.9821, 0.5100, 0.9457, 0.1614, 0.7601]);
    assert_run(known(&report, "own-rate"), 2930.0, 0.557, [1.024, 2.212, 0.584]);
}

#[test]
fn the_39_week_holdout_of_cdnow_by_calibration_frequency() {
    let report = BackTest::new(scheme()).models(&["pareto-nbd", "bg-nbd"]).unwrap().run(&cdnow(), &observation()).unwrap();
    let customers = [1411, 439, 214, 100, 62, 38, 29, 64];
    let actual = [0.237, 0.697, 1.393, 1.560, 2.532, 2.947, 3.862, 6.359];
    let predicted = [
        ("pareto-nbd", [0.138, 0.600, 1.196, 1.714, 2.399, 2.907, 3.819, 6.403]),
        ("bg-nbd", [0.225, 0.523, 1.044, 1.520, 2.164, 2.654, 3.504, 6.157]),
    ];
    for (model, predicted) in predicted {
        let rows = &known(&report, model).tables.by_frequency;
        assert_eq!(rows.iter().map(|row| row.customers).collect::<Vec<_>>(), customers);
        for ((row, actual), predicted) in rows.iter().zip(actual).zip(predicted) {
            close(row.actual, actual, 5e-4);
            close(row.predicted, predicted, 2e-3);
        }
    }
}

#[test]
fn rolling_quarters_of_cdnow() {
    let scheme = Scheme::Rolling { origins: 4, horizon: "13 weeks".parse().unwrap() };
    let report = BackTest::new(scheme).models(&["pareto-nbd"]).unwrap().run(&cdnow(), &observation()).unwrap();
    let runs: Vec<&Run> = report.find("pareto-nbd", Group::KnownAtCut).collect();
    let cuts: Vec<String> = runs.iter().map(|run| run.split.cut().to_string()).collect();
    assert_eq!(cuts, ["1997-07-01", "1997-09-30", "1997-12-30", "1998-03-31"]);
    assert_eq!(runs.iter().map(|run| run.actual_purchases).collect::<Vec<_>>(), [711.0, 726.0, 661.0, 495.0]);
    for (run, (predicted, bias)) in runs.iter().zip([(758.1, 0.066), (629.3, -0.133), (625.2, -0.054), (636.3, 0.285)]) {
        close(run.predicted_purchases, predicted, 1e-3 * predicted);
        close(run.metrics.bias, bias, 1e-3 * (1.0 + bias));
    }
}

/// The CDNOW sample with another world after the cut: other amounts, days and customers, refunds, and some who never came back.
fn altered(cut: Date) -> TransactionLog {
    let log = cdnow();
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/cdnow_sample.csv")).unwrap();
    let mut ids: Vec<&str> = text.lines().skip(1).map(|line| line.split(',').nth(1).unwrap()).collect();
    ids.sort_unstable();
    ids.dedup();
    let mut altered = TransactionLog::new();
    for (number, id) in ids.iter().enumerate() {
        // A stranger who comes after the cut and sorts before everybody or among them.
        let stranger = format!("{id}-new");
        let later = Date::from_days_since_1970(cut.days_since_1970() + 1 + number as i32 % 90).unwrap();
        altered.push(Transaction { customer: &stranger, time: later.into(), amount: 1e6 }).unwrap();
        for row in log.transactions_of(id) {
            if row.time.date() <= cut {
                altered.push(row).unwrap();
            } else if number % 3 == 0 {
                altered.push(Transaction { amount: -1000.0 * row.amount, ..row }).unwrap();
            }
        }
        if number % 2 == 0 {
            altered.push(Transaction { customer: id, time: later.into(), amount: 0.0 }).unwrap();
        }
    }
    altered
}

#[test]
fn nothing_after_the_cut_changes_a_bit_before_it() {
    let cut = day("1997-09-30");
    let test = BackTest::new(scheme());
    let (one, other) = (test.run(&cdnow(), &observation()).unwrap(), test.run(&altered(cut), &observation()).unwrap());
    let before: Vec<&Run> = one.runs.iter().filter(|run| run.group == Group::KnownAtCut).collect();
    let after: Vec<&Run> = other.runs.iter().filter(|run| run.group == Group::KnownAtCut).collect();
    assert_eq!((before.len(), after.len()), (10, 10));
    for (before, after) in before.iter().zip(after) {
        assert_eq!((before.model, before.customers), (after.model, after.customers));
        let bits = |run: &Run| run.parameters.values().map(|value| value.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(before), bits(after), "{}", before.model);
        assert_eq!(before.predicted_purchases.unwrap().to_bits(), after.predicted_purchases.unwrap().to_bits(), "{}", before.model);
        let predicted = |run: &Run| run.tables.by_frequency.iter().map(|row| row.predicted.unwrap().to_bits()).collect::<Vec<_>>();
        assert_eq!(predicted(before), predicted(after), "{}", before.model);
        // That it was another world shows in what came.
        assert_ne!(before.actual_purchases, after.actual_purchases);
    }
    assert_eq!(other.find("bg-nbd", Group::AcquiredInHoldout).next().unwrap().customers, 2357);
}

#[test]
fn the_three_groups_add_up() {
    // All customers of CDNOW came before April: cut in February, many are still to come.
    let scheme = Scheme::Holdout { cut: day("1997-02-28"), horizon: "26 weeks".parse().unwrap() };
    let report = BackTest::new(scheme).models(&["bg-nbd", "nbd"]).unwrap().run(&cdnow(), &observation()).unwrap();
    for model in ["bg-nbd", "nbd", "always-zero", "mean-rate"] {
        let of = |group| report.find(model, group).next().unwrap();
        let (known, acquired, all) = (of(Group::KnownAtCut), of(Group::AcquiredInHoldout), of(Group::All));
        assert!(acquired.customers > 0);
        assert_eq!((known.customers + acquired.customers, all.customers), (2357, 2357));
        assert_eq!(known.actual_purchases + acquired.actual_purchases, all.actual_purchases);
        close(all.predicted_purchases, known.predicted_purchases.unwrap() + acquired.predicted_purchases.unwrap(), 1e-9);
        assert!(!known.tables.by_frequency.is_empty() && acquired.tables.by_frequency.is_empty() && all.tables.by_frequency.is_empty());
    }
    // Who has no history has no rate of their own.
    for model in ["own-rate", "last-period", "hiatus"] {
        let acquired = report.find(model, Group::AcquiredInHoldout).next().unwrap();
        assert_eq!((acquired.predicted_purchases, acquired.metrics.mae), (None, None));
        assert!(acquired.actual_purchases > 0.0);
    }
}

#[test]
fn where_the_model_is_right_its_forecasts_come_true() {
    let truth = ParetoNbd::new(ParetoNbdParams { r: 0.8, alpha: 8.0, s: 0.6, beta: 12.0 }).unwrap();
    let cohort = AcquisitionCohort { first_day: day("2025-01-01"), days: 90, customers: 4000 };
    let simulation = Population::new(truth, TimeUnit::Week, day("2025-12-31")).cohort(cohort).seed(7).simulate().unwrap();
    let scheme = Scheme::Holdout { cut: day("2025-07-02"), horizon: "26 weeks".parse().unwrap() };
    let test = BackTest::new(scheme).models(&["pareto-nbd", "nbd"]).unwrap();
    let report = test.run(&simulation.log().unwrap(), &Observation::until(day("2025-12-31"))).unwrap();
    let (right, wrong) = (known(&report, "pareto-nbd"), known(&report, "nbd"));
    close(right.metrics.bias, 0.0, 0.08);
    // Counts are whole, so that intervals hold for at least their share.
    let coverage = right.metrics.coverage;
    for (level, share) in [(0.5, coverage.level_50), (0.8, coverage.level_80), (0.9, coverage.level_90), (0.95, coverage.level_95)] {
        assert!(share.unwrap() >= level - 0.015, "{level}: {share:?}");
    }
    // Without dropout too much is expected, and every score of probabilities says so.
    assert!(wrong.metrics.bias.unwrap() > 0.2, "{:?}", wrong.metrics.bias);
    assert!(wrong.metrics.log_score > right.metrics.log_score && wrong.metrics.crps > right.metrics.crps);
    assert!(wrong.metrics.brier > right.metrics.brier);
}

#[test]
fn settings_that_make_no_sense_are_refused() {
    let refused = |names: &[&str]| BackTest::new(scheme()).models(names).unwrap_err().to_string();
    assert!(refused(&["bg-nbd", "pareto"]).contains("bg-nbd, mbg-nbd, pareto-nbd, nbd"));
    assert!(refused(&["bg-nbd", "bg-nbd"]).contains("twice"));
    assert!(refused(&[]).contains("no model is named"));
    let error = BackTest::new(scheme()).run(&TransactionLog::new(), &observation()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Data);
    // On the first day nobody has come back: there is nothing to fit.
    let scheme = Scheme::Holdout { cut: day("1997-01-01"), horizon: "39 weeks".parse().unwrap() };
    let error = BackTest::new(scheme).run(&cdnow(), &observation()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Fit);
    assert!(error.to_string().contains("cut 1997-01-01"), "{error}");
}

#[cfg(feature = "serde")]
#[test]
fn the_file_has_the_agreed_shape() {
    let report = BackTest::new(scheme()).models(&["bg-nbd"]).unwrap().run(&cdnow(), &observation()).unwrap();
    let json: serde_json::Value = serde_json::from_str(&report.to_json()).unwrap();
    assert_eq!(json["format"], 1);
    let run = &json["runs"][0];
    let expected =
        [("scheme", "holdout"), ("cut", "1997-09-30"), ("holdout_end", "1998-06-30"), ("model", "bg-nbd"), ("group", "known_at_cut")];
    for (key, value) in expected {
        assert_eq!(run[key], value);
    }
    assert_eq!((run["customers"].as_u64(), run["actual_purchases"].as_f64()), (Some(2357), Some(1882.0)));
    for key in ["predicted_purchases", "bias", "mae", "rmse", "correlation", "log_score", "crps", "brier", "auc"] {
        assert!(run[key].is_f64(), "{key}: {}", run[key]);
    }
    for level in ["0.5", "0.8", "0.9", "0.95"] {
        assert!(run["coverage"][level].is_f64());
    }
    // Nobody was acquired: a total of 0, and no ratio.
    let acquired = &json["runs"][1];
    assert_eq!((&acquired["group"], &acquired["customers"]), (&"acquired_in_holdout".into(), &0.into()));
    assert!(acquired["bias"].is_null() && acquired["coverage"]["0.9"].is_null());
    assert_eq!(acquired["predicted_purchases"], 0.0);
}
