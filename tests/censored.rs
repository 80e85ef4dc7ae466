//! The likelihoods of customers of whom less is known than a history, against tables of 40 digits (tests/reference/*.csv, made by make_censored_tables.py
//! there) and against identities.
#![allow(clippy::unwrap_used, clippy::float_cmp, reason = "a test panics when it fails, and exact figures are what it is about")]

use clv::conformance::{Points, check_purchase_model};
use clv::{
    BgNbd, BgNbdSurvivor, Censored, CensoredCustomers, CensoredFuture, CensoredLikelihood, CrossSection, CustomerList, Estimable,
    EveryCustomer, History, LastCell, LeftTruncated, MbgNbd, OnlySeen, ParetoNbd, PeriodCounts, PurchaseModel, TimeUnit, random_stream,
};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// Log-likelihoods: relative, absolute below 1.
const ACCURACY: f64 = 1e-12;

/// The rows of a table as text by column.
fn table(name: &str, rows: usize) -> Vec<Vec<(String, String)>> {
    let path = format!("{}/tests/reference/{name}.csv", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).unwrap();
    let mut lines = text.lines().map(|line| line.split(',').map(str::to_owned).collect::<Vec<_>>());
    let columns = lines.next().unwrap();
    let table: Vec<Vec<(String, String)>> = lines.map(|fields| columns.iter().cloned().zip(fields).collect()).collect();
    assert_eq!(table.len(), rows, "{name}");
    table
}

fn text<'a>(row: &'a [(String, String)], column: &str) -> &'a str {
    &row.iter().find(|(name, _)| name == column).unwrap().1
}

fn number(row: &[(String, String)], column: &str) -> f64 {
    text(row, column).parse().unwrap()
}

fn parameters(row: &[(String, String)]) -> [f64; 4] {
    ["p1", "p2", "p3", "p4"].map(|name| number(row, name))
}

/// The largest error of the rows of a table, with the rows that exceed the tolerance.
fn check(rows: &[Vec<(String, String)>], evaluate: impl Fn(&[(String, String)]) -> f64) {
    let (mut largest, mut wrong) = (0.0_f64, Vec::new());
    for row in rows {
        let (ours, expected) = (evaluate(row), number(row, "value"));
        let error = (ours - expected).abs() / expected.abs().max(1.0);
        largest = largest.max(error);
        // Written so that NaN is wrong too.
        if !(error <= ACCURACY) {
            wrong.push(format!("{ours} against {expected} ({error:.1e}) in {row:?}"));
        }
    }
    println!("largest error of {} rows: {largest:.1e}", rows.len());
    assert!(wrong.is_empty(), "{} rows\n{}", wrong.len(), wrong[..wrong.len().min(8)].join("\n"));
}

fn truncated<L: CustomerList>(row: &[(String, String)]) -> f64 {
    let history = History::new(text(row, "x").parse().unwrap(), number(row, "t_x"), number(row, "C")).unwrap();
    let customer = LeftTruncated::<L>::born_before(number(row, "w"), history).unwrap();
    let p = parameters(row);
    match text(row, "model") {
        "pareto-nbd" => ParetoNbd::from_parameters(&p).unwrap().censored_ln_likelihood(&customer),
        "bg-nbd" => BgNbd::from_parameters(&p).unwrap().censored_ln_likelihood(&customer),
        _ => MbgNbd::from_parameters(&p).unwrap().censored_ln_likelihood(&customer),
    }
}

#[test]
fn left_truncated_table() {
    check(&table("left_truncated", 180), |row| {
        if text(row, "list") == "seen" { truncated::<OnlySeen>(row) } else { truncated::<EveryCustomer>(row) }
    });
}

#[test]
fn period_counts_table() {
    check(&table("period_counts", 180), |row| {
        let numbers = |column| text(row, column).split(' ').map(|field| field.parse().unwrap()).collect::<Vec<f64>>();
        let counts: Vec<u32> = numbers("counts").into_iter().map(|count| count as u32).collect();
        let customer = PeriodCounts::new(&numbers("ends"), &counts).unwrap();
        let p = parameters(row);
        match text(row, "model") {
            "pareto-nbd" => ParetoNbd::from_parameters(&p).unwrap().censored_ln_likelihood(&customer),
            "bg-nbd" => BgNbd::from_parameters(&p).unwrap().censored_ln_likelihood(&customer),
            _ => MbgNbd::from_parameters(&p).unwrap().censored_ln_likelihood(&customer),
        }
    });
}

/// The cell of n purchases, or of n or more.
fn cell(n: usize, or_more: bool, since: f64, length: f64) -> CrossSection {
    let mut cells = vec![0; n + 1];
    cells[n] = 1;
    let mut table = CensoredCustomers::new(TimeUnit::Week);
    table.push_histogram(since, length, &cells, if or_more { LastCell::OrMore } else { LastCell::Exactly }, 1).unwrap();
    *table.row(0)
}

#[test]
fn cross_sections_table() {
    check(&table("cross_sections", 120), |row| {
        let cell = cell(number(row, "n") as usize, text(row, "cell") == "or more", number(row, "since"), number(row, "length"));
        ParetoNbd::from_parameters(&parameters(row)).unwrap().censored_ln_likelihood(&cell)
    });
}

/// Moderate models, and some whose parameters make trouble: s = 1 or a = 1, alpha = beta, tiny and large shapes.
const PARAMETERS: [[f64; 4]; 7] = [
    [0.553, 10.578, 0.606, 11.669],
    [0.243, 4.414, 0.793, 2.426],
    [1.0, 10.0, 1.0, 10.0],
    [0.3, 0.05, 0.4, 0.55],
    [40.0, 900.0, 0.01, 30.0],
    [0.02, 8.0, 50.0, 200.0],
    [3.0, 1e3, 1.0, 0.7],
];

/// Histories with x = 0, t_x = C, t_x = 0, few and very many purchases.
const HISTORIES: [(u32, f64, f64); 7] = [
    (0, 0.0, 38.86),
    (1, 0.0, 30.0),
    (2, 30.43, 38.86),
    (7, 20.0, 20.0),
    (40, 51.9, 52.0),
    (1000, 900.0, 1000.0),
    (100_000, 999.0, 1000.0),
];

fn models(of: impl Fn(&dyn Fn(&History, f64) -> (f64, f64))) {
    for p in PARAMETERS {
        macro_rules! with {
            ($model:ident) => {
                let model = $model::from_parameters(&p).unwrap();
                of(&|history, w| {
                    let row = if w == 0.0 {
                        LeftTruncated::<EveryCustomer>::born_within(*history)
                    } else {
                        LeftTruncated::<EveryCustomer>::born_before(w, *history).unwrap()
                    };
                    (model.censored_ln_likelihood(&row), model.ln_likelihood(history))
                });
            };
        }
        with!(ParetoNbd);
        with!(BgNbd);
        with!(MbgNbd);
    }
}

#[test]
fn born_within_the_log_is_the_ordinary_likelihood() {
    models(|both| {
        for (x, t_x, age) in HISTORIES {
            let (ours, ordinary) = both(&History::new(x, t_x, age).unwrap(), 0.0);
            // The same terms, added up in another order.
            assert!((ours - ordinary).abs() <= 1e-14 * ordinary.abs().max(1.0), "{ours} against {ordinary}");
        }
    });
}

#[test]
fn born_just_before_the_log_is_nearly_the_ordinary_likelihood() {
    models(|both| {
        for (x, t_x, age) in HISTORIES {
            // A power of w/alpha times n is what it may differ by.
            let (ours, ordinary) = both(&History::new(x, t_x, age).unwrap(), 1e-22);
            assert!((ours - ordinary).abs() <= ACCURACY * ordinary.abs().max(1.0), "{ours} against {ordinary} at {x}, {t_x}, {age}");
        }
    });
}

/// The sum over all counts of up to `most` purchases in each of three periods.
fn sum_of_counts<M: CensoredLikelihood<PeriodCounts>>(model: &M, most: u32) -> f64 {
    let mut sum = 0.0;
    for i in 0..=most {
        for j in 0..=most {
            for k in 0..=most {
                sum += model.censored_ln_likelihood(&PeriodCounts::new(&[2.0, 2.5, 7.0], &[i, j, k]).unwrap()).exp();
            }
        }
    }
    sum
}

#[test]
fn probabilities_of_counts_add_up_to_one() {
    // So few purchases are expected that more than 16 in a period have a probability below 1e-13.
    let p = [0.8, 20.0, 1.0, 9.0];
    let tolerance = 2e-13;
    assert!((sum_of_counts(&ParetoNbd::from_parameters(&p).unwrap(), 16) - 1.0).abs() < tolerance);
    assert!((sum_of_counts(&BgNbd::from_parameters(&p).unwrap(), 16) - 1.0).abs() < tolerance);
    assert!((sum_of_counts(&MbgNbd::from_parameters(&p).unwrap(), 16) - 1.0).abs() < tolerance);
}

#[test]
fn cells_of_a_histogram_add_up_to_one() {
    for p in PARAMETERS {
        let model = ParetoNbd::from_parameters(&p).unwrap();
        for (since, length) in [(0.0, 13.0), (26.0, 13.0), (500.0, 0.1), (3.0, 2000.0)] {
            for last in [1, 2, 9] {
                let below: f64 = (0..last).map(|n| model.censored_ln_likelihood(&cell(n, false, since, length)).exp()).sum();
                let above = model.censored_ln_likelihood(&cell(last, true, since, length)).exp();
                assert!((below + above - 1.0).abs() < ACCURACY, "{below} and {above} at {p:?}, {since}, {length}, {last}");
            }
        }
    }
}

#[test]
fn a_histogram_of_new_customers_is_their_distribution() {
    for p in PARAMETERS {
        let model = ParetoNbd::from_parameters(&p).unwrap();
        for n in [0, 1, 2, 5, 30] {
            let ours = model.censored_ln_likelihood(&cell(n, false, 0.0, 20.0));
            let expected = model.purchase_pmf(n as u64, 20.0).ln();
            assert!((ours - expected).abs() < 10.0 * ACCURACY * expected.abs().max(1.0), "{ours} against {expected} at {p:?}, {n}");
        }
    }
}

#[test]
fn short_periods_tend_to_the_exact_likelihood() {
    // Purchases at these times; in periods of length h the density is P / h^x, and it differs by what happens within h.
    let times = [3.2, 4.9, 17.3];
    let (x, age) = (times.len() as u32, 40.0);
    let history = History::new(x, times[2], age).unwrap();
    let gap = |of: &dyn Fn(&PeriodCounts) -> f64, exact: f64, h: f64| {
        let count = (age / h).round() as usize;
        let ends: Vec<f64> = (1..=count).map(|k| age * k as f64 / count as f64).collect();
        let mut counts = vec![0; count];
        for time in times {
            counts[(time / h) as usize] += 1;
        }
        of(&PeriodCounts::new(&ends, &counts).unwrap()) - f64::from(x) * h.ln() - exact
    };
    for p in &PARAMETERS[..4] {
        macro_rules! assert_tends {
            ($model:ident) => {
                let model = $model::from_parameters(p).unwrap();
                let gaps =
                    [1.0, 0.1, 0.01, 0.001].map(|h| gap(&|row| model.censored_ln_likelihood(row), model.ln_likelihood(&history), h).abs());
                // Of first order in h.
                assert!(gaps[3] < 2e-3 && gaps[3] < 0.2 * gaps[1], "{}: {gaps:?}", $model::NAME);
            };
        }
        assert_tends!(ParetoNbd);
        assert_tends!(BgNbd);
        assert_tends!(MbgNbd);
    }
}

#[test]
fn the_chance_of_being_seen_is_what_silence_leaves() {
    for p in PARAMETERS {
        macro_rules! assert_complement {
            ($model:ident) => {
                let model = $model::from_parameters(&p).unwrap();
                for (w, c) in [(5.0, 40.0), (200.0, 10.0), (0.3, 2.0)] {
                    let history = History::new(3, 0.7 * c, c).unwrap();
                    let all = model.censored_ln_likelihood(&LeftTruncated::<EveryCustomer>::born_before(w, history).unwrap());
                    let seen = model.censored_ln_likelihood(&LeftTruncated::<OnlySeen>::born_before(w, history).unwrap());
                    let silent = LeftTruncated::<EveryCustomer>::born_before(w, History::new(0, 0.0, c).unwrap()).unwrap();
                    // One less a probability near 1 has lost digits; the form in use has not.
                    let (ours, difference) = ((all - seen).exp(), -model.censored_ln_likelihood(&silent).exp_m1());
                    assert!((ours - difference).abs() < 1e-13, "{}: {ours} against {difference} at {p:?}, {w}, {c}", $model::NAME);
                }
            };
        }
        assert_complement!(ParetoNbd);
        assert_complement!(BgNbd);
        assert_complement!(MbgNbd);
    }
}

#[test]
fn rows_that_no_list_can_hold_are_refused() {
    let silent = History::new(0, 0.0, 10.0).unwrap();
    assert!(LeftTruncated::<OnlySeen>::born_before(3.0, silent).is_err());
    for w in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert!(LeftTruncated::<EveryCustomer>::born_before(w, silent).is_err(), "{w}");
    }
    for (ends, counts) in [(&[][..], &[][..]), (&[1.0, 2.0], &[1]), (&[1.0, 1.0], &[0, 1]), (&[0.0, 1.0], &[0, 1]), (&[f64::NAN], &[1])] {
        assert!(PeriodCounts::new(ends, counts).is_err(), "{ends:?} {counts:?}");
    }
    let mut table = CensoredCustomers::<CrossSection>::new(TimeUnit::Week);
    for (since, length, cells, last, customers) in [
        (0.0, 13.0, &[5, 3][..], LastCell::Exactly, 9),
        (-1.0, 13.0, &[5, 3], LastCell::Exactly, 8),
        (0.0, 0.0, &[5, 3], LastCell::Exactly, 8),
        (0.0, 13.0, &[8], LastCell::OrMore, 8),
        (0.0, 13.0, &[], LastCell::Exactly, 0),
    ] {
        let error = table.push_histogram(since, length, cells, last, customers).unwrap_err();
        assert!(error.place().is_some(), "{error}");
    }
    assert_eq!(table.len(), 0);
    assert!(table.push(cell(1, false, 0.0, 13.0), 0.0).is_err());
    // What an approximate history is for must not fail on what a row may be.
    assert_eq!(cell(0, false, 0.0, 13.0).approximately().recency(), 0.0);
}

#[test]
fn the_survivor_of_bg_nbd_obeys_the_rules() {
    let history = |x, t_x, age| History::new(x, t_x, age).unwrap();
    let points = Points::new(&[history(2, 30.43, 38.86), history(0, 0.0, 38.86), history(7, 12.0, 12.0)], &[4.0, 39.0]).unwrap();
    for p in [[0.243, 4.414, 0.793, 2.426], [1.5, 10.0, 1.0, 2.0]] {
        for w in [5.0, 500.0] {
            let survivor = BgNbdSurvivor::new(BgNbd::from_parameters(&p).unwrap(), w);
            check_purchase_model(&survivor, &points).assert_conforms();
        }
    }
}

#[test]
fn who_survived_no_time_is_an_ordinary_customer() {
    for p in PARAMETERS {
        let model = BgNbd::from_parameters(&p).unwrap();
        let survivor = BgNbdSurvivor::new(model, 0.0);
        let same = |ours: f64, expected: f64| {
            assert!((ours - expected).abs() <= 1e-11 * expected.abs().max(1e-300), "{ours} against {expected} at {p:?}");
        };
        for t in [0.5, 40.0, 3000.0] {
            same(survivor.expected_purchases(t), model.expected_purchases(t));
            same(survivor.purchase_variance(t), model.purchase_variance(t));
            same(survivor.p_alive_at(t), model.p_alive_at(t));
            same(survivor.discounted_expected_purchases(t, 0.01), model.discounted_expected_purchases(t, 0.01));
            for n in [0, 1, 4, 60] {
                same(survivor.purchase_pmf(n, t), model.purchase_pmf(n, t));
                same(survivor.purchase_sf(n, t), model.purchase_sf(n, t));
            }
        }
    }
}

#[test]
fn the_likelihood_is_that_of_surviving_and_of_what_a_survivor_does() {
    // What survived w, and what it does then.
    for p in PARAMETERS {
        let model = BgNbd::from_parameters(&p).unwrap();
        for (w, x, t_x, c) in [(10.0, 3, 20.0, 30.0), (200.0, 1, 5.0, 6.0)] {
            let history = History::new(x, t_x, c).unwrap();
            let row = LeftTruncated::<EveryCustomer>::born_before(w, history).unwrap();
            let silent = LeftTruncated::<EveryCustomer>::born_before(w, History::new(0, 0.0, 1e-9).unwrap()).unwrap();
            let at_start = model.censored_p_alive(&silent);
            let expected = at_start.ln() + BgNbdSurvivor::new(model, w).ln_likelihood(&history);
            let ours = model.censored_ln_likelihood(&row);
            // The silent log is not quite of length 0.
            assert!((ours - expected).abs() < 1e-7 * ours.abs().max(1.0), "{ours} against {expected} at {p:?}");
        }
    }
}

#[test]
fn nothing_is_no_number_anywhere_in_the_domain() {
    let mut rng = random_stream(41, 0);
    let log_uniform = |rng: &mut ChaCha8Rng, low: f64, high: f64| rng.random_range(low.ln()..=high.ln()).exp();
    for i in 0..1500 {
        let p = [(); 4].map(|()| log_uniform(&mut rng, 1e-12, 1e15));
        let p = if i % 2 == 0 { p } else { p.map(|p| p.powf(0.25)) };
        let (w, c) = (log_uniform(&mut rng, 1e-6, 1e6), log_uniform(&mut rng, 1e-6, 1e6));
        let x = if i % 3 == 0 { 0 } else { log_uniform(&mut rng, 1.0, 1e5) as u32 };
        let t_x = if x == 0 { 0.0 } else { c * [1.0, rng.random::<f64>(), 1e-9][i % 3] };
        let history = History::new(x, t_x, c).unwrap();
        let all = LeftTruncated::<EveryCustomer>::born_before(w, history).unwrap();
        let counts = PeriodCounts::new(&[w, w + c, 2.0 * w + c], &[x / 2, x - x / 2, 0]).unwrap();
        let cell = cell((x % 50) as usize, x % 50 > 0 && i % 2 == 0, w, c);
        macro_rules! assert_numbers {
            ($model:ident) => {
                let model = $model::from_parameters(&p).unwrap();
                let mut jets = vec![model.censored_jet(&all), model.censored_jet(&counts)];
                if let Ok(seen) = LeftTruncated::<OnlySeen>::born_before(w, history) {
                    jets.push(model.censored_jet(&seen));
                }
                for (k, jet) in jets.iter().enumerate() {
                    let numbers = jet.gradient.iter().chain(jet.hessian.iter().flatten()).chain([&jet.value]);
                    assert!(numbers.clone().all(|number| number.is_finite()), "{} {k}: {jet:?} at {p:?}, {w}, {history:?}", $model::NAME);
                }
                for p_alive in [model.censored_p_alive(&all), model.censored_p_alive(&counts)] {
                    assert!((0.0..=1.0).contains(&p_alive), "{}: {p_alive} at {p:?}, {w}, {history:?}", $model::NAME);
                }
                let expected = model.censored_expected_purchases(&all, 52.0);
                assert!(expected >= 0.0 && expected.is_finite(), "{}: {expected} at {p:?}, {w}, {history:?}", $model::NAME);
            };
        }
        assert_numbers!(ParetoNbd);
        assert_numbers!(BgNbd);
        assert_numbers!(MbgNbd);
        let jet = ParetoNbd::from_parameters(&p).unwrap().censored_jet(&cell);
        assert!(jet.value.is_finite() && jet.gradient.iter().all(|number| number.is_finite()), "{jet:?} at {p:?}, {cell:?}");
    }
}
