//! Back-tests of the CDNOW sample against published and independently computed figures, and that nothing after the cut has any influence before it.
#![allow(
    clippy::unwrap_used,
    clippy::float_cmp,
    clippy::approx_constant,
    reason = "a test panics when it fails, and exact figures are what it is about"
)]
#![cfg(feature = "csv")]

use clv::{
    AcquisitionCohort, AnyPurchaseModel, Audit, BackTest, BackTestReport, Baseline, BgNbd, BgNbdParams, Choice, Date, Drift, ErrorKind,
    Finding, Fit, GammaGamma, GammaGammaParams, Group, MbgNbd, MbgNbdParams, Nbd, NbdParams, Observation, ParetoNbd, ParetoNbdParams,
    Population, Prior, Role, Run, Scheme, Simulate, TimeUnit, Total, Transaction, TransactionLog,
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

/// Everything that was said of the customers held out, as bits.
fn said(run: &Run) -> Vec<u64> {
    let parameters = run.parameters.values().copied();
    let rows = run.tables.by_frequency.iter().filter_map(|row| row.predicted);
    let weeks = run.tables.by_period.iter().map(|row| row.predicted);
    let revenue = run.revenue.iter().flat_map(|revenue| [Some(revenue.predicted), revenue.predicted_variance]).flatten();
    let reliability = run.reliability.iter().filter_map(|row| row.predicted);
    let numbers = parameters.chain(rows).chain(weeks).chain(revenue).chain(reliability);
    numbers.chain(run.predicted_purchases).chain(run.predicted_variance).map(f64::to_bits).collect()
}

/// Purchases, days, customers, refunds dated later, spend means, what cleaning finds, thresholds: whatever comes after the cut, every model and rule, with the
/// spend model and without, is calibrated and forecasts to the bit as before.
#[test]
fn nothing_after_the_cut_changes_a_bit_before_it() {
    let cut = day("1997-09-30");
    let span = |text: &str| text.parse().unwrap();
    let schemes = [scheme(), Scheme::Nested { cut, horizons: vec![span("13 weeks"), span("39 weeks")] }];
    // A prior is centred on the scale of the customers it is for: of the calibration.
    let tests = schemes.map(|scheme| [BackTest::new(scheme.clone()), BackTest::new(scheme).prior(Prior::weak())]);
    for test in tests.into_iter().flatten() {
        let test = test.samples(0, 0);
        let (one, other) = (test.run(&cdnow(), &observation()).unwrap(), test.run(&altered(cut), &observation()).unwrap());
        let known =
            |report: &BackTestReport| -> Vec<Run> { report.runs.iter().filter(|run| run.group == Group::KnownAtCut).cloned().collect() };
        let (before, after) = (known(&one), known(&other));
        assert_eq!(before.len(), after.len());
        assert_eq!(before.len() % (AnyPurchaseModel::NAMES.len() + Baseline::ALL.len()), 0);
        for (before, after) in before.iter().zip(&after) {
            assert_eq!((before.model, before.customers), (after.model, after.customers));
            let ways: Vec<&str> = before.revenue.iter().map(|revenue| revenue.spend).collect();
            assert_eq!(ways, if before.role == Role::Model { vec!["gamma-gamma", "own-average"] } else { vec!["own-average"] });
            assert_eq!(said(before), said(after), "{}", before.model);
            // That it was another world shows in what came.
            assert_ne!(before.actual_purchases, after.actual_purchases);
        }
        assert_eq!(other.find("bg-nbd", Group::AcquiredInHoldout).next().unwrap().customers, 2357);
    }
}

#[test]
fn a_sliding_window_knows_nothing_later_and_nobody_earlier() {
    let truth = BgNbd::new(BgNbdParams { r: 0.8, alpha: 8.0, a: 0.8, b: 2.5 }).unwrap();
    let cohort = AcquisitionCohort { first_day: day("2024-01-01"), days: 600, customers: 1500 };
    let simulation = Population::new(truth, TimeUnit::Week, day(LAST_DAY)).cohort(cohort).seed(2).simulate().unwrap();
    let (log, observation) = (simulation.log().unwrap(), Observation::until(day(LAST_DAY)));
    let scheme = Scheme::Sliding { origins: 2, horizon: "13 weeks".parse().unwrap(), window: "52 weeks".parse().unwrap() };
    let splits = scheme.splits(log.first_date().unwrap(), day(LAST_DAY)).unwrap();
    let everybody = log.summarize(&observation).unwrap();
    let mut altered = TransactionLog::new();
    for id in everybody.ids() {
        for row in log.transactions_of(id) {
            let amount = if row.time.date() > splits[0].cut() { -1.0 } else { row.amount };
            altered.push(Transaction { amount, ..row }).unwrap();
        }
    }
    let test = BackTest::new(scheme).models(&["bg-nbd"]).unwrap().with_spend_model(false).samples(0, 0);
    let (one, other) = (test.run(&log, &observation).unwrap(), test.run(&altered, &observation).unwrap());
    for (before, after) in one.runs.iter().zip(&other.runs).filter(|(run, _)| run.split == splits[0] && run.group == Group::KnownAtCut) {
        assert_eq!((said(before), before.model), (said(after), after.model));
        assert!(before.actual_purchases > after.actual_purchases);
    }
    for (run, split) in one.find("bg-nbd", Group::KnownAtCut).zip(&splits) {
        let births = everybody.purchases().iter().map(|record| record.first.date());
        let within = births.filter(|born| split.born_from().unwrap() <= *born && *born <= split.cut()).count();
        assert_eq!((run.scheme, run.customers), ("sliding", within as u64));
    }
}

/// What the newer cohorts did, and what the older ones did after the cut, changes nothing in the fit.
#[test]
fn a_cohort_holdout_knows_nothing_of_the_newer_ones() {
    let (born_until, cut) = (day("1997-02-15"), day("1997-12-31"));
    let test = BackTest::new(Scheme::Cohort { born_until, cut }).models(&["pareto-nbd"]).unwrap().samples(0, 0);
    let log = cdnow();
    let one = test.run(&log, &observation()).unwrap();
    let run = one.find("pareto-nbd", Group::AcquiredInHoldout).next().unwrap();
    assert_eq!((run.scheme, run.split.born_until(), one.held_out()), ("cohort", Some(born_until), Group::AcquiredInHoldout));
    assert!(one.runs.iter().all(|run| run.group == Group::AcquiredInHoldout));
    // The whole curve of the newer cohorts from their births, purchases of 1997 included.
    assert!(run.customers > 500 && run.actual_purchases > 900.0, "{run:?}");
    close(run.metrics.bias, 0.0, 0.15);
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/cdnow_sample.csv")).unwrap();
    let mut ids: Vec<&str> = text.lines().skip(1).map(|line| line.split(',').nth(1).unwrap()).collect();
    ids.sort_unstable();
    ids.dedup();
    let mut altered = TransactionLog::new();
    for id in ids {
        let rows = log.transactions_of(id);
        let is_newer = rows[0].time.date() > born_until;
        for (number, row) in rows.into_iter().enumerate() {
            let changed = row.time.date() > cut || is_newer && number > 0;
            altered.push(if changed { Transaction { amount: -row.amount, ..row } } else { row }).unwrap();
        }
    }
    let other = test.run(&altered, &observation()).unwrap();
    let parameters = |report: &BackTestReport| -> Vec<u64> {
        report.runs.iter().flat_map(|run| run.parameters.values().map(|value| value.to_bits()).collect::<Vec<_>>()).collect()
    };
    assert_eq!(parameters(&one), parameters(&other));
    let error = BackTest::new(Scheme::Cohort { born_until: day("1997-05-01"), cut }).run(&log, &observation()).unwrap_err().to_string();
    assert!(error.contains("no customer is born after 1997-05-01") && error.contains("1997-01-01 to 1997-03-"), "{error}");
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

const LAST_DAY: &str = "2025-12-31";

/// 4,000 customers of the first quarter of 2025, observed to its end.
fn simulated(model: impl Simulate + Copy, seed: u64) -> TransactionLog {
    let spend = GammaGamma::new(GammaGammaParams { p: 6.25, q: 3.74, gamma: 15.44 }).unwrap();
    let cohort = AcquisitionCohort { first_day: day("2025-01-01"), days: 90, customers: 4000 };
    let population = Population::new(model, TimeUnit::Week, day(LAST_DAY)).cohort(cohort).spend(spend).seed(seed);
    population.simulate().unwrap().log().unwrap()
}

/// Calibrated on the first half of the year.
fn half_year(log: &TransactionLog, models: &[&str]) -> BackTestReport {
    let scheme = Scheme::Holdout { cut: day("2025-07-02"), horizon: "26 weeks".parse().unwrap() };
    BackTest::new(scheme).models(models).unwrap().run(log, &Observation::until(day(LAST_DAY))).unwrap()
}

fn findings(report: &BackTestReport, model: &str) -> Vec<Finding> {
    report.verdicts.iter().find(|verdict| verdict.model == model).unwrap().findings.clone()
}

/// A total of 4,000 customers is off by chance and by estimated parameters, each about 3 %.
const OFF_BY_CHANCE: f64 = 0.08;

#[track_caller]
fn comes_true(name: &str, model: impl Simulate + Copy) {
    let report = half_year(&simulated(model, 7), &[name]);
    let run = known(&report, name);
    close(run.metrics.bias, 0.0, OFF_BY_CHANCE);
    // The slope hangs on the few who buy most; three standard deviations by its own interval, of which 90 % is 1.645.
    let (slope, [lower, upper]) = (run.metrics.calibration_slope.unwrap(), run.intervals["calibration_slope"]);
    let three = 3.0 / 1.645 * if slope < 1.0 { upper - slope } else { slope - lower };
    assert!((slope - 1.0).abs() < three, "{name}: {slope}, within {lower} to {upper}");
    let pit = run.pit.as_ref().unwrap();
    assert!(pit.is_uniform(), "{pit:?}");
    // Counts are whole, so that intervals hold for at least their share.
    let coverage = run.metrics.coverage;
    for (level, share) in [(0.5, coverage.level_50), (0.8, coverage.level_80), (0.9, coverage.level_90), (0.95, coverage.level_95)] {
        assert!(share.unwrap() >= level - 0.015, "{level}: {share:?}");
    }
    // P(active) in tenths: within four standard errors of a share, and the rounding of few customers.
    for row in run.reliability.iter().filter(|row| row.customers >= 50) {
        let (predicted, actual) = (row.predicted.unwrap(), row.actual.unwrap());
        let error = (predicted * (1.0 - predicted) / row.customers as f64).sqrt();
        assert!((actual - predicted).abs() < 4.0 * error + 0.02, "{row:?}");
    }
    // Spend has a heavier tail than purchases: its total is off by chance as the model says, and by the parameters of two models about as much again.
    let revenue = &run.revenue[0];
    let off = (run.actual_spend - revenue.predicted) / revenue.predicted_variance.unwrap().sqrt();
    assert!(off.abs() < 4.0, "{name}: {off} standard deviations of chance");
    assert_eq!(findings(&report, name), [], "{name}");
}

#[test]
fn where_the_model_is_right_its_forecasts_come_true() {
    comes_true("pareto-nbd", ParetoNbd::new(ParetoNbdParams { r: 0.8, alpha: 8.0, s: 0.6, beta: 12.0 }).unwrap());
    comes_true("bg-nbd", BgNbd::new(BgNbdParams { r: 0.8, alpha: 8.0, a: 0.8, b: 2.5 }).unwrap());
    comes_true("mbg-nbd", MbgNbd::new(MbgNbdParams { r: 0.8, alpha: 8.0, a: 0.8, b: 2.5 }).unwrap());
    comes_true("nbd", Nbd::new(NbdParams { r: 0.8, alpha: 8.0 }).unwrap());
}

#[test]
fn where_dropout_is_ignored_the_verdict_says_so() {
    let truth = ParetoNbd::new(ParetoNbdParams { r: 0.8, alpha: 8.0, s: 0.6, beta: 12.0 }).unwrap();
    let report = half_year(&simulated(truth, 7), &["pareto-nbd", "nbd"]);
    let (right, wrong) = (known(&report, "pareto-nbd"), known(&report, "nbd"));
    assert!(wrong.metrics.bias.unwrap() > 0.2, "{:?}", wrong.metrics.bias);
    assert!(wrong.metrics.log_score > right.metrics.log_score && wrong.metrics.crps > right.metrics.crps);
    assert!(wrong.metrics.brier > right.metrics.brier);
    let against_nbd = findings(&report, "nbd");
    assert!(against_nbd.iter().any(|finding| matches!(finding, Finding::TotalsOff { lowest, .. } if *lowest > 0.2)), "{against_nbd:?}");
    assert!(against_nbd.iter().any(|finding| matches!(finding, Finding::ProbabilitiesOff { .. })), "{against_nbd:?}");
    // On the same samples of the customers, its log score is worse beyond chance.
    let difference =
        report.differences.iter().find(|row| (row.model, row.against, row.metric) == ("pareto-nbd", "nbd", "log_score")).unwrap();
    assert!(difference.interval[1] < 0.0 && difference.interval[0] < difference.difference, "{difference:?}");
}

/// Half buy seldom and for ever, half often and for a short time: rate and dropout go together, which the model denies.
#[test]
fn of_two_mixed_populations_the_verdict_says_so() {
    let seldom = simulated(ParetoNbd::new(ParetoNbdParams { r: 2.0, alpha: 40.0, s: 0.01, beta: 100.0 }).unwrap(), 3);
    let often = simulated(ParetoNbd::new(ParetoNbdParams { r: 4.0, alpha: 4.0, s: 4.0, beta: 60.0 }).unwrap(), 4);
    let mut mixed = TransactionLog::new();
    for (name, log) in [("seldom", seldom), ("often", often)] {
        let customers = log.summarize(&Observation::until(day(LAST_DAY))).unwrap();
        for id in customers.ids() {
            for row in log.transactions_of(id) {
                mixed.push(Transaction { customer: &format!("{name} {id}"), ..row }).unwrap();
            }
        }
    }
    let report = half_year(&mixed, &["pareto-nbd", "bg-nbd"]);
    for model in ["pareto-nbd", "bg-nbd"] {
        let against = findings(&report, model);
        assert!(!against.is_empty(), "{model}: {:?}", known(&report, model).metrics);
    }
}

/// Four quarters of CDNOW: the model's own interval of the total misses, the one with the shock of the other quarters does not.
#[test]
fn totals_of_cdnow_before_and_after_the_common_shock() {
    let scheme = Scheme::Rolling { origins: 4, horizon: "13 weeks".parse().unwrap() };
    let report = BackTest::new(scheme).models(&["pareto-nbd"]).unwrap().samples(0, 0).run(&cdnow(), &observation()).unwrap();
    let shock = report.shocks.iter().find(|shock| (shock.model, shock.total) == ("pareto-nbd", Total::Purchases)).unwrap();
    assert_eq!(shock.origins, 4);
    assert_eq!(shock.coverage_plug_in.level_95, Some(0.5));
    assert_eq!(shock.coverage_with_shock.level_95, Some(1.0));
    // The root of the mean squared log error is 0.150, of which chance takes a little.
    assert!((0.12..0.15).contains(&shock.size), "{shock:?}");
    assert!(shock.factors_90[0] < 0.8 && shock.factors_90[1] > 1.25, "{shock:?}");
}

#[test]
fn the_plug_in_total_of_cdnow_misses_as_it_is_known_to() {
    let report = BackTest::new(scheme()).models(&["pareto-nbd"]).unwrap().samples(0, 0).run(&cdnow(), &observation()).unwrap();
    let total = report.totals.iter().find(|total| total.total == Total::Purchases).unwrap();
    // [1529, 1804] against 1,882, by simulation; ours is a normal interval without it.
    let [lower, upper] = total.plug_in.level_95;
    assert!((lower - 1529.0).abs() < 15.0 && (upper - 1804.0).abs() < 15.0, "{lower} {upper}");
    assert!(total.with_shock.is_none() && report.shocks.is_empty());
}

/// The tracking of the calibration adds up to what the customers did, and in the end to all purchases of the log.
#[test]
fn tracking_follows_cdnow_from_its_births() {
    let report = BackTest::new(scheme()).models(&["pareto-nbd"]).unwrap().samples(0, 0).run(&cdnow(), &observation()).unwrap();
    let tracking = &report.tracking[0];
    assert_eq!((tracking.model, tracking.spend, tracking.weeks.len()), ("pareto-nbd", "gamma-gamma", 78));
    let cut = tracking.weeks.iter().rfind(|week| !week.held_out).unwrap();
    assert_eq!((cut.end, cut.cumulative_purchases.actual), (day("1997-09-30"), 2457.0));
    let last = tracking.weeks[77].cumulative_purchases;
    assert_eq!((tracking.weeks[77].end, last.actual), (day(END), 2457.0 + 1882.0));
    // Fader, Hardie & Lee (2005), figure 2: the model tracks the cumulative curve to within a few per cent.
    close(Some(cut.cumulative_purchases.expected / cut.cumulative_purchases.actual), 1.0, 0.03);
    close(Some(last.expected / last.actual), 1.0, 0.07);
    let own: f64 = tracking.weeks.iter().map(|week| week.purchases.expected).sum();
    close(Some(own), last.expected, 1e-6);
    let [lower, upper] = last.interval.unwrap();
    assert!(lower < last.expected && last.expected < upper && upper < 1.2 * lower);
}

#[test]
fn samples_give_the_same_intervals_again_and_differences_are_paired() {
    let test = |samples, seed| BackTest::new(scheme()).models(&["pareto-nbd", "bg-nbd"]).unwrap().samples(samples, seed);
    let run = |samples, seed| test(samples, seed).run(&cdnow(), &observation()).unwrap();
    let (one, again, other) = (run(50, 1), run(50, 1), run(50, 2));
    assert_eq!(one, again);
    assert_ne!(one.runs[0].intervals, other.runs[0].intervals);
    let pareto = known(&one, "pareto-nbd");
    for name in
        ["bias", "mae", "rmse", "wape", "spearman", "gini", "top_decile_capture", "calibration_slope", "log_score", "crps", "brier", "auc"]
    {
        let ([lower, upper], value) = (pareto.intervals[name], pareto.metrics.get(name).unwrap());
        assert!(lower < upper && lower < value + (upper - lower) && value < upper + (upper - lower), "{name}: {lower} {value} {upper}");
    }
    let width = |[lower, upper]: [f64; 2]| upper - lower;
    let difference = one.differences.iter().find(|row| (row.against, row.metric) == ("bg-nbd", "log_score")).unwrap();
    close(Some(difference.difference), 0.9872 - 0.9845, 1e-3);
    // What both have in common cancels.
    assert!(width(difference.interval) < 0.3 * width(pareto.intervals["log_score"]), "{difference:?}");
    assert!(run(0, 1).differences.is_empty() && known(&run(0, 1), "bg-nbd").intervals.is_empty());
}

#[test]
fn every_model_has_skill_against_every_rule() {
    let report = BackTest::new(scheme()).models(&["pareto-nbd"]).unwrap().samples(0, 0).run(&cdnow(), &observation()).unwrap();
    let skill = &known(&report, "pareto-nbd").skill;
    let mut rules: Vec<&str> = Baseline::ALL.iter().map(|baseline| baseline.name()).chain(["nbd"]).collect();
    rules.sort_unstable();
    assert_eq!(skill.keys().copied().collect::<Vec<_>>(), rules);
    // 1 - 0.7545 / 1.0410, 1 - 1.6028 / 1.8595, 1 - 0.5107 / 0.6036.
    close(skill["nbd"].mae, 0.2752, 1e-3);
    close(skill["nbd"].rmse, 0.1380, 1e-3);
    close(skill["nbd"].crps, 0.1539, 1e-3);
    assert_eq!(skill["own-rate"].log_score, None);
    assert!(skill["hiatus"].brier.unwrap() > 0.0);
}

#[test]
fn errors_grow_with_the_horizon() {
    let horizons = ["13 weeks", "26 weeks", "39 weeks"].map(|text| text.parse().unwrap()).to_vec();
    let scheme = Scheme::Nested { cut: day("1997-09-30"), horizons };
    let report = BackTest::new(scheme).models(&["pareto-nbd"]).unwrap().samples(0, 0).run(&cdnow(), &observation()).unwrap();
    let runs: Vec<&Run> = report.find("pareto-nbd", Group::KnownAtCut).collect();
    assert_eq!(runs.iter().map(|run| run.actual_purchases).collect::<Vec<_>>(), [726.0, 1387.0, 1882.0]);
    assert!(runs.windows(2).all(|pair| pair[0].parameters == pair[1].parameters && pair[0].metrics.mae < pair[1].metrics.mae));
}

/// The same forecast as a holdout that begins where the fit ended.
#[test]
fn an_audit_is_a_holdout_without_a_fit() {
    let cut = day("1997-09-30");
    let customers = cdnow().summarize(&Observation::until(cut).in_weeks()).unwrap();
    let (purchases, spend) = (ParetoNbd::fit(&customers).unwrap(), GammaGamma::fit(&customers).unwrap());
    let audited = Audit::new(*purchases.model(), cut).spend(*spend.model()).samples(20, 5).run(&cdnow(), &observation()).unwrap();
    let test = BackTest::new(scheme()).models(&["pareto-nbd"]).unwrap().samples(20, 5).run(&cdnow(), &observation()).unwrap();
    let (audit, holdout) = (known(&audited.report, "pareto-nbd"), known(&test, "pareto-nbd"));
    assert_eq!((audit.scheme, audit.metrics, &audit.revenue), ("audit", holdout.metrics, &holdout.revenue));
    assert_eq!(audited.cohorts.iter().map(|cohort| cohort.customers).sum::<u64>(), 2357);
    assert_eq!(audited.cohorts.iter().map(|cohort| cohort.actual_purchases).sum::<f64>(), 1882.0);
    let predicted = audited.cohorts.iter().map(|cohort| cohort.predicted_purchases).sum::<f64>();
    close(Some(predicted), 1665.5, 1.7);
    assert!(audited.drifted().all(|cohort| cohort.drift == Drift::Below || cohort.drift == Drift::Above));
    let error = Audit::new(*purchases.model(), day(END)).run(&cdnow(), &observation()).unwrap_err().to_string();
    assert!(error.contains("fitted until 1998-06-30") && error.contains("1998-07-01 or later"), "{error}");
}

#[test]
fn a_model_can_be_chosen_by_its_forecasts() {
    let choice = Choice::by_log_score(&cdnow(), &observation(), None).unwrap();
    assert_eq!((choice.cuts, choice.days, choice.log_scores.len()), (4, 63, 4));
    assert!(choice.log_scores.is_sorted_by(|one, other| one.1 <= other.1) && choice.model == choice.log_scores[0].0);
    let early = Observation::until(day("1997-02-10")).in_weeks();
    let error = Choice::by_log_score(&cdnow(), &early, None).unwrap_err().to_string();
    assert!(error.contains("the log covers 40 days"), "{error}");
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
