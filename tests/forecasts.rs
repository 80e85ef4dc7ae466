//! Intervals of what is predicted: against simulation, against what happened, and against their own definition.
#![allow(clippy::unwrap_used, clippy::float_cmp, reason = "a test panics when it fails, and exact figures are what it is about")]

use std::ops::ControlFlow;

use clv::{
    AcquisitionCohort, AnnualDiscount, AnyPurchaseModel, BgNbd, BgNbdParams, CensoredFuture, ClvDefinition, Customer, Customers, Ensemble,
    ErrorKind, Estimable, EveryCustomer, Fit, Forecaster, GammaGamma, GammaGammaParams, History, LeftTruncated, Level, MbgNbd, Observation,
    ParetoNbd, Population, PurchaseModel, Scorer, Simulate, Source, SpendHistory, SummaryOptions, TimeUnit, TransactionLog, random_stream,
};

const END: &str = "1997-09-30";

fn cdnow() -> Customers {
    let log = TransactionLog::from_csv("examples/data/cdnow_sample.csv").unwrap();
    log.summarize(&Observation::until(END.parse().unwrap()).in_weeks()).unwrap()
}

fn spend_model() -> GammaGamma {
    GammaGamma::new(GammaGammaParams { p: 6.25, q: 3.74, gamma: 15.44 }).unwrap()
}

fn definition(horizon: &str) -> ClvDefinition {
    ClvDefinition { horizon: horizon.parse().unwrap(), ..ClvDefinition::default() }
}

fn forecaster(name: &str, parameters: &[f64], horizon: &str) -> Forecaster<AnyPurchaseModel> {
    let terms = definition(horizon).resolve(TimeUnit::Week, Some(END.parse().unwrap())).unwrap();
    Forecaster::new(Scorer::new(AnyPurchaseModel::from_name(name, parameters).unwrap(), Some(spend_model()), terms))
}

const MODELS: [(&str, [f64; 4]); 4] = [
    ("bg-nbd", [0.243, 4.414, 0.793, 2.426]),
    ("mbg-nbd", [0.525, 6.183, 0.891, 1.614]),
    ("pareto-nbd", [0.553, 10.578, 0.606, 11.669]),
    ("nbd", [0.385, 12.07, 0.0, 0.0]),
];

fn models() -> impl Iterator<Item = (&'static str, Vec<f64>)> {
    MODELS.into_iter().map(|(name, parameters)| (name, parameters[..AnyPurchaseModel::parameters_of(name).unwrap().len()].to_vec()))
}

/// (history, spend): silent, active, very active, new.
fn people() -> [(History, SpendHistory); 4] {
    [
        (History::new(0, 0.0, 38.86).unwrap(), SpendHistory::UNKNOWN),
        (History::new(2, 30.43, 38.86).unwrap(), SpendHistory::new(2, 22.35).unwrap()),
        (History::new(26, 30.86, 31.0).unwrap(), SpendHistory::new(26, 35.0).unwrap()),
        (History::NEW_CUSTOMER, SpendHistory::UNKNOWN),
    ]
}

#[test]
fn a_value_has_the_distribution_of_simulated_ones() {
    for (name, parameters) in models() {
        assert_simulated(name, &parameters, "12 months", 0.01);
    }
    // The longest horizon with intervals at 10 %: by now the average discount is felt.
    assert_simulated("bg-nbd", &MODELS[0].1, "24 months", 0.03);
    assert_simulated("pareto-nbd", &MODELS[2].1, "24 months", 0.03);
}

#[test]
fn intervals_of_a_handful_of_customers_have_ends_within_reason() {
    // The likelihood of a few customers' spend is nearly flat: standard errors of the logarithms of parameters come to 20 and more.
    const LARGEST: f64 = 100.0;
    let end = END.parse().unwrap();
    let truth = BgNbd::new(BgNbdParams { r: 0.243, alpha: 4.414, a: 0.793, b: 2.426 }).unwrap();
    let mut fits = 0;
    for seed in 0..60 {
        let cohort = AcquisitionCohort { first_day: "1997-01-01".parse().unwrap(), days: 84, customers: 20 };
        let population = Population::new(truth, TimeUnit::Week, end).cohort(cohort).spend(spend_model()).seed(seed);
        let log = population.simulate().unwrap().log().unwrap();
        let customers = log.into_summary(&Observation::until(end).in_weeks()).unwrap();
        let (Ok(purchases), Ok(spend)) = (BgNbd::fit(&customers), GammaGamma::fit(&customers)) else { continue };
        fits += 1;
        let forecaster = Forecaster::from_fits(&purchases, Some(&spend), &definition("12 months"), Some(end)).unwrap();
        let intervals = forecaster.value_intervals(&customers, Level::default(), None, None).unwrap();
        let scores = forecaster.scorer().score_all(&customers).unwrap();
        for (score, interval) in scores.iter().zip(&intervals) {
            let (Some(clv), Some(interval)) = (score.clv, interval) else { continue };
            assert!(interval.upper <= LARGEST * clv, "seed {seed}: {clv} and up to {}", interval.upper);
        }
    }
    assert!(fits > 30, "{fits}");
}

/// Every purchase at its own time and with its own amount, each discounted from its day: what the closed form averages. Values agree within `share`.
fn assert_simulated(name: &str, parameters: &[f64], horizon: &str, share: f64) {
    let draws = 40_000;
    {
        let forecaster = forecaster(name, parameters, horizon);
        let model = AnyPurchaseModel::from_name(name, parameters).unwrap();
        let (t, delta) = (forecaster.scorer().terms().horizon(), forecaster.scorer().terms().discount_rate());
        for (k, (history, spend)) in people().into_iter().enumerate() {
            let mut rng = random_stream(23, k as u64);
            let future = model.future_of(&history);
            let mut values: Vec<f64> = (0..draws)
                .map(|_| {
                    let spender = spend_model().given(&spend).draw_spender(&mut rng);
                    let Some(traits) = future.draw_traits(&mut rng) else { return 0.0 };
                    let times: Vec<f64> = traits.purchase_times(t, &mut rng).collect();
                    times.iter().map(|time| (-delta * time).exp() * spender.draw_amount(&mut rng)).sum()
                })
                .collect();
            values.sort_by(f64::total_cmp);
            let value = forecaster.value(&history, &spend).unwrap();
            for q in [0.05, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99] {
                // An empty sum is -0.
                let v = values[(q * f64::from(draws)) as usize].max(0.0);
                if v == 0.0 {
                    let none = value.cdf(0.0);
                    assert!(q <= none + 4.0 * (none * (1.0 - none) / f64::from(draws)).sqrt(), "{name}, customer {k}: P(V = 0) is {none}");
                    continue;
                }
                // Four standard errors, and what averaging the discount may do.
                let (low, high) = (value.cdf((1.0 - share) * v), value.cdf((1.0 + share) * v));
                let error = 4.0 * (q * (1.0 - q) / f64::from(draws)).sqrt();
                assert!(
                    low <= q + error && q - error <= high,
                    "{name}, customer {k}: P(V <= {v:.3}) is {low:.4} to {high:.4}, simulated {q}"
                );
            }
        }
    }
}

#[test]
fn quantiles_invert_the_distribution() {
    for (name, parameters) in models() {
        for (history, spend) in people() {
            let forecaster = forecaster(name, &parameters, "52 weeks");
            let score = forecaster.scorer().score(&history, &spend);
            let value = forecaster.value(&history, &spend).unwrap();
            assert!((value.sf(0.0) - score.p_active).abs() < 1e-12);
            assert_eq!((value.sf(-1.0), value.cdf(f64::INFINITY)), (1.0, 1.0));
            let mut last = 0.0;
            for q in [0.001, 0.05, 0.3, 0.5, 0.8, 0.95, 0.999, 0.999_999] {
                let v = value.quantile(q);
                assert!(v >= last && v.is_finite());
                if v == 0.0 {
                    assert!(value.sf(0.0) <= 1.0 - q);
                } else {
                    assert!((value.sf(v) / (1.0 - q) - 1.0).abs() < 1e-5, "{name}: {q}: {}", value.cdf(v));
                }
                last = v;
            }
            let purchases = forecaster.purchases(&history).unwrap();
            assert!((purchases.sf(0) - score.p_active).abs() < 1e-12);
            let (mut sum, mut mean) = (0.0, 0.0);
            for n in 0..4000 {
                sum += purchases.pmf(n);
                mean += n as f64 * purchases.pmf(n);
            }
            assert!((sum - 1.0).abs() < 1e-9 && (mean / score.expected_purchases.unwrap() - 1.0).abs() < 1e-6, "{name}: {sum} {mean}");
            let n = purchases.quantile(0.95);
            assert!(purchases.sf(n) <= 0.05 && (n == 0 || purchases.sf(n - 1) > 0.05));
        }
    }
}

#[test]
fn customers_who_buy_by_the_thousand_have_intervals_too() {
    let forecaster = forecaster("bg-nbd", &MODELS[0].1, "12 months");
    let (history, spend) = (History::new(100_000, 38.86, 38.86).unwrap(), SpendHistory::new(100_000, 20.0).unwrap());
    let (value, score) = (forecaster.value(&history, &spend).unwrap(), forecaster.scorer().score(&history, &spend));
    assert!(value.quantile(0.05) < score.clv.unwrap() && score.clv.unwrap() < value.quantile(0.99));
    // Whatever may happen: counts in classes of 3 % lose hardly anything.
    assert!((value.sf(0.0) - score.p_active).abs() < 1e-12);
}

#[test]
fn nine_of_ten_customers_of_cdnow_end_within_their_interval() {
    let customers = cdnow();
    let end = END.parse().unwrap();
    // What they bought and spent in the 39 weeks after the cut.
    let log = TransactionLog::from_csv("examples/data/cdnow_sample.csv").unwrap();
    let whole = log.summarize(&Observation::until("1998-06-30".parse().unwrap()).in_weeks()).unwrap();
    let definition = ClvDefinition { annual_discount: clv::AnnualDiscount::new(0.0).unwrap(), ..definition("39 weeks") };
    let spend = GammaGamma::fit(&customers).unwrap();
    let later = |i: usize| {
        let j = whole.find(customers.id(i)).unwrap();
        let purchases = whole.frequency()[j] - customers.frequency()[i];
        (purchases, whole.purchases()[j].total_spend - customers.purchases()[i].total_spend)
    };
    let check = |name: &str, intervals: Vec<Option<clv::ValueInterval>>, counts: Vec<(u64, u64)>| {
        let n = customers.len() as f64;
        let values = (0..customers.len()).filter(|&i| {
            let (interval, (_, spent)) = (intervals[i].unwrap(), later(i));
            interval.lower <= spent && spent <= interval.upper
        });
        let of_values = values.count() as f64 / n;
        let of_counts = (0..customers.len()).filter(|&i| (counts[i].0..=counts[i].1).contains(&u64::from(later(i).0))).count() as f64 / n;
        println!(
            "{name}: 90 % intervals hold the value of {:.1} % and the purchases of {:.1} % of the customers",
            100.0 * of_values,
            100.0 * of_counts
        );
        assert!(of_values >= 0.9 && of_counts >= 0.9);
    };
    let level = Level::default();
    let bg = Forecaster::from_fits(&BgNbd::fit(&customers).unwrap(), Some(&spend), &definition, Some(end)).unwrap();
    let pareto = Forecaster::from_fits(&ParetoNbd::fit(&customers).unwrap(), Some(&spend), &definition, Some(end)).unwrap();
    let of_bg = bg.value_intervals(&customers, level, None, None).unwrap();
    let of_pareto = pareto.value_intervals(&customers, level, None, None).unwrap();
    let ends =
        |i: usize| bg.purchases(&customers.history(i)).map(|purchases| (purchases.quantile(0.05), purchases.quantile(0.95))).unwrap();
    check("BG/NBD", of_bg, (0..customers.len()).map(ends).collect());
    let ends =
        |i: usize| pareto.purchases(&customers.history(i)).map(|purchases| (purchases.quantile(0.05), purchases.quantile(0.95))).unwrap();
    check("Pareto/NBD", of_pareto, (0..customers.len()).map(ends).collect());
}

#[test]
fn a_few_points_stand_for_many_draws() {
    // Two hundred customers leave enough open for it to show.
    let all = cdnow();
    let mut customers = Customers::new(TimeUnit::Week);
    for i in 0..200 {
        let customer =
            Customer { id: all.id(i), history: all.history(i), average_spend: all.average_spend()[i], weight: 1.0, purchases: None };
        customers.push(customer).unwrap();
    }
    let end = END.parse().unwrap();
    let (purchases, spend) = (MbgNbd::fit(&customers).unwrap(), GammaGamma::fit(&customers).unwrap());
    let by_points = Forecaster::from_fits(&purchases, Some(&spend), &ClvDefinition::default(), Some(end)).unwrap();
    let known = Forecaster::new(*by_points.scorer());
    let mut rng = random_stream(3, 0);
    let (of_purchases, of_spend) = (purchases.parameter_distribution().unwrap(), spend.parameter_distribution().unwrap());
    let models: Vec<MbgNbd> = (0..400).map(|_| clv::Estimable::from_parameters(&of_purchases.draw(&mut rng)).unwrap()).collect();
    let spends: Vec<GammaGamma> = (0..400).map(|_| clv::Estimable::from_parameters(&of_spend.draw(&mut rng)).unwrap()).collect();
    let by_draws = by_points.clone().with_purchases(Ensemble::of(&models).unwrap()).with_spend(Ensemble::of(&spends).unwrap()).unwrap();
    let (mut of_points, mut of_centre) = (0.0, 0.0);
    for (history, spend) in people() {
        let [points, draws, centre] = [&by_points, &by_draws, &known].map(|forecaster| forecaster.value(&history, &spend).unwrap());
        for v in [0.0, 10.0, 40.0, 150.0, 600.0, 1500.0] {
            of_points += (points.sf(v) - draws.sf(v)).powi(2);
            of_centre += (centre.sf(v) - draws.sf(v)).powi(2);
        }
    }
    println!("root of the squared differences to the draws: points {:.4}, centre {:.4}", of_points.sqrt(), of_centre.sqrt());
    assert!(of_points.sqrt() < 0.5 * of_centre.sqrt());
}

#[test]
fn the_two_models_are_drawn_apart() {
    // Three free parameters in either: the same normals would make the same pattern.
    let customers = cdnow();
    let end = END.parse().unwrap();
    let (purchases, spend) = (BgNbd::fit(&customers).unwrap(), GammaGamma::fit(&customers).unwrap());
    let forecaster = Forecaster::from_fits(&purchases, Some(&spend), &ClvDefinition::default(), Some(end)).unwrap();
    // If a high draw of purchases came with a high draw of spend, the total would vary more than its parts allow.
    let total = &forecaster.groups(&customers, &vec![0; customers.len()], Level::default(), 1000, 3, None).unwrap()[0];
    let relative = |interval: clv::Interval| (interval.upper / interval.lower).ln() / (2.0 * 1.645);
    let (of_purchases, of_value) = (relative(total.purchases), relative(total.clv.unwrap()));
    let of_spend = spend.standard_error(1).unwrap() / spend.model().params().q;
    assert!(of_value < (of_purchases * of_purchases + of_spend * of_spend).sqrt() * 1.1, "{of_value} from {of_purchases} and {of_spend}");
}

#[test]
fn rows_stand_for_any_number_of_customers() {
    let forecaster = forecaster("pareto-nbd", &MODELS[2].1, "39 weeks");
    let model = AnyPurchaseModel::from_name("pareto-nbd", &MODELS[2].1).unwrap();
    for weight in [0.25, 2.5, 900.0, 1e5, 1e12] {
        let mut customers = Customers::new(TimeUnit::Week);
        for (i, (history, spend)) in people().into_iter().enumerate() {
            customers.push(Customer { id: &i.to_string(), history, average_spend: spend.mean(), weight, purchases: None }).unwrap();
        }
        let total = &forecaster.groups(&customers, &[0; 4], Level::default(), 400, 2, None).unwrap()[0];
        let sum = |of: &dyn Fn(&History) -> f64| -> f64 { (0..4).map(|i| weight * of(&customers.history(i))).sum() };
        let mean = sum(&|history| model.conditional_expected_purchases(history, 39.0));
        let variance = sum(&|history| model.conditional_purchase_variance(history, 39.0));
        if weight >= 900.0 {
            for (ours, exact) in
                [(total.purchases.lower, mean - 1.645 * variance.sqrt()), (total.purchases.upper, mean + 1.645 * variance.sqrt())]
            {
                // Of 400 replications an end is uncertain by 0.11 standard deviations.
                assert!((ours - exact).abs() < 0.45 * variance.sqrt(), "{weight}: {ours} against {exact}");
            }
        }
        assert!(total.purchases.lower <= mean && mean <= total.purchases.upper);
        let value = total.clv.unwrap();
        let expected: f64 =
            (0..4).map(|i| weight * forecaster.scorer().score(&customers.history(i), &customers.spend(i)).clv.unwrap()).sum();
        assert!(value.lower < expected && expected < 1.05 * value.upper, "{weight}: {value:?} {expected}");
    }
}

#[test]
fn who_has_no_clv_adds_nothing_to_that_of_the_group() {
    let heavy = GammaGamma::new(GammaGammaParams { p: 6.25, q: 0.8, gamma: 15.44 }).unwrap();
    let terms = definition("39 weeks").resolve(TimeUnit::Week, None).unwrap();
    let model = AnyPurchaseModel::from_name("bg-nbd", &MODELS[0].1).unwrap();
    let forecaster = Forecaster::new(Scorer::new(model, Some(heavy), terms));
    let customers = cdnow();
    let groups: Vec<usize> = customers.frequency().iter().map(|&x| usize::from(x > 0)).collect();
    let of = |groups: &[usize]| forecaster.groups(&customers, groups, Level::default(), 50, 2, None).unwrap();
    let apart = of(&groups);
    assert!(apart[0].clv.is_none() && apart[1].clv.is_some());
    let (one_time, repeat) = (History::new(0, 0.0, 30.0).unwrap(), SpendHistory::new(3, 20.0).unwrap());
    assert!(forecaster.value(&one_time, &SpendHistory::UNKNOWN).is_none());
    assert!(forecaster.value(&people()[1].0, &repeat).is_some());
    assert!(of(&vec![0; customers.len()])[0].clv.unwrap().upper < 1.2 * apart[1].clv.unwrap().upper);
    let beyond = vec![customers.len(); customers.len()];
    assert_eq!(forecaster.groups(&customers, &beyond, Level::default(), 50, 2, None).unwrap_err().kind(), ErrorKind::Parameter);
}

#[test]
fn a_batch_equals_single_customers_and_thresholds_are_survival() {
    let customers = cdnow();
    let forecaster = forecaster("mbg-nbd", &MODELS[1].1, "26 weeks");
    let intervals = forecaster.value_intervals(&customers, Level::new(0.8).unwrap(), Some(50.0), None).unwrap();
    for i in (0..customers.len()).step_by(97) {
        let value = forecaster.value(&customers.history(i), &customers.spend(i)).unwrap();
        let interval = intervals[i].unwrap();
        assert_eq!((interval.lower, interval.upper, interval.p_above), (value.quantile(0.1), value.quantile(0.9), Some(value.sf(50.0))));
    }
    // One who paid nothing among customers alike: how they spend is not known.
    let mut alike = Customers::new(TimeUnit::Week);
    for (id, average_spend) in [("a", 20.0), ("b", 0.0), ("c", 30.0)] {
        alike.push(Customer { id, history: people()[1].0, average_spend, weight: 1.0, purchases: None }).unwrap();
    }
    for (i, interval) in forecaster.value_intervals(&alike, Level::default(), None, None).unwrap().iter().enumerate() {
        let value = forecaster.value(&alike.history(i), &alike.spend(i)).unwrap();
        assert_eq!(interval.unwrap().upper, value.quantile(0.95));
    }
    // Without spend, or for life, there is no interval to give.
    let terms = definition("lifetime").resolve(TimeUnit::Week, None).unwrap();
    let model = AnyPurchaseModel::from_name("nbd", &[0.385, 12.07]).unwrap();
    let for_life = Forecaster::new(Scorer::new(model, Some(spend_model()), terms));
    assert!(for_life.value_intervals(&customers, Level::default(), None, None).unwrap().iter().all(Option::is_none));
    assert!(for_life.purchases(&History::NEW_CUSTOMER).is_none());
    let zeros = vec![0; customers.len()];
    assert_eq!(for_life.groups(&customers, &zeros, Level::default(), 10, 1, None).unwrap_err().kind(), ErrorKind::Parameter);
    // A lifetime is worth more than its first hundred years, if hardly.
    let score = for_life.scorer().score(&History::NEW_CUSTOMER, &SpendHistory::UNKNOWN);
    assert_eq!(score.expected_purchases, None);
    assert_eq!(score.discounted_purchases, model.dert(terms.discount_rate()).unwrap());
    assert!(
        ClvDefinition { annual_discount: clv::AnnualDiscount::new(0.0).unwrap(), ..definition("lifetime") }
            .resolve(TimeUnit::Week, None)
            .is_err()
    );
}

/// Of customers born before the log by this model: how many are worth more than some amounts in the half year after it, and how many are said to be.
fn assert_born_before<M: Simulate + CensoredFuture<LeftTruncated<EveryCustomer>>>(model: M, seed: u64) {
    const CUSTOMERS: usize = 2_000;
    let undiscounted = ClvDefinition { annual_discount: AnnualDiscount::new(0.0).unwrap(), ..definition("26 weeks") };
    let forecaster = Forecaster::new(Scorer::new(model, Some(spend_model()), undiscounted.resolve(TimeUnit::Week, None).unwrap()));
    let amounts = [0.0, 30.0, 100.0];
    let (mut came, mut said, mut variance) = ([0.0; 3], [0.0; 3], [0.0; 3]);
    for i in 0..CUSTOMERS {
        let mut rng = random_stream(seed, i as u64);
        let (before, length) = (if i % 2 == 0 { 10.0 } else { 60.0 }, 39.0);
        let times: Vec<f64> =
            model.draw_traits(&mut rng).purchase_times(before + length + 26.0, &mut rng).map(|time| time - before).collect();
        let seen: Vec<f64> = times.iter().copied().filter(|time| (0.0..=length).contains(time)).collect();
        let history = History::new(seen.len() as u32, seen.last().copied().unwrap_or(0.0), length).unwrap();
        let spender = spend_model().draw_spender(&mut rng);
        let worth: f64 = times.iter().filter(|time| **time > length).map(|_| spender.draw_amount(&mut rng)).sum();
        let row = LeftTruncated::born_before(before, history).unwrap();
        let value = forecaster.value_left_truncated(&row, &SpendHistory::UNKNOWN).unwrap();
        let active = forecaster.purchases_left_truncated(&row).unwrap().sf(0);
        assert!((value.sf(0.0) - active).abs() < 1e-9);
        for (k, &amount) in amounts.iter().enumerate() {
            let p = value.sf(amount);
            came[k] += f64::from(u8::from(worth > amount));
            said[k] += p;
            variance[k] += p * (1.0 - p);
        }
    }
    for k in 0..3 {
        println!("above {}: {} came, {:.1} were said to, sd {:.1}", amounts[k], came[k], said[k], variance[k].sqrt());
        assert!((came[k] - said[k]).abs() < 4.0 * f64::sqrt(variance[k]), "above {}: {} for {}", amounts[k], came[k], said[k]);
    }
}

#[test]
fn born_before_the_log_customers_have_the_values_of_simulated_ones() {
    assert_born_before(ParetoNbd::from_parameters(&MODELS[2].1).unwrap(), 31);
    assert_born_before(BgNbd::from_parameters(&MODELS[0].1).unwrap(), 32);
    assert_born_before(MbgNbd::from_parameters(&MODELS[1].1).unwrap(), 33);
}

#[test]
fn intervals_by_birth_are_those_of_single_customers() {
    let summary = "id,x,t_x,T,m_x,before_log\n\
         old,2,40.43,48.86,22.35,10\nsilent,0,0,48.86,0,10\nnew,2,30.43,38.86,22.35,0\nunknown,2,30.43,38.86,22.35,\n\
         hardly,2,30.430001,38.860001,22.35,0.000001\nalike,2,40.43,48.86,22.35,10\n";
    let customers = Source::from_reader(summary.as_bytes(), "s.csv").unwrap().read_summary(&SummaryOptions::default()).unwrap();
    for (name, parameters) in models() {
        let forecaster = forecaster(name, &parameters, "12 months");
        let intervals = forecaster.value_intervals_by_birth(&customers, Level::default(), Some(50.0), None).unwrap();
        let intervals: Vec<_> = intervals.into_iter().map(Option::unwrap).collect();
        let [old, silent, new, unknown, hardly, alike] = intervals[..] else { panic!("one each") };
        let value = forecaster.value(&people()[1].0, &people()[1].1).unwrap();
        assert_eq!((new.lower, new.upper, new.p_above), (value.quantile(0.05), value.quantile(0.95), Some(value.sf(50.0))));
        assert_eq!((unknown, old), (new, alike));
        for (row, interval) in [old, silent, new].iter().enumerate() {
            let value = forecaster.value_row(&customers, row).unwrap();
            assert_eq!((interval.lower, interval.upper), (value.quantile(0.05), value.quantile(0.95)));
        }
        // Who was born a moment before the log is nearly new, but for the purchase that counts as a repeat one there.
        assert!((hardly.upper / new.upper - 1.0).abs() < 1e-4, "{name}: {} {}", hardly.upper, new.upper);
        assert!(silent.p_above < old.p_above && silent.upper <= old.upper);
        if name == "pareto-nbd" {
            let model = ParetoNbd::from_parameters(&parameters).unwrap();
            let of_one = Forecaster::new(Scorer::new(model, Some(spend_model()), *forecaster.scorer().terms()));
            let value = of_one.value_left_truncated(&customers.left_truncated_row::<EveryCustomer>(0).unwrap(), &people()[1].1).unwrap();
            assert_eq!((old.lower, old.upper), (value.quantile(0.05), value.quantile(0.95)));
        }
    }
}

#[test]
fn groups_add_up_what_single_customers_are_expected_to_do() {
    let customers = cdnow();
    let end = END.parse().unwrap();
    let (purchases, spend) = (BgNbd::fit(&customers).unwrap(), GammaGamma::fit(&customers).unwrap());
    let forecaster = Forecaster::from_fits(&purchases, Some(&spend), &ClvDefinition::default(), Some(end)).unwrap();
    let groups: Vec<usize> = customers.frequency().iter().map(|&x| usize::from(x > 0)).collect();
    let of = |seed, watch: Option<&clv::Watch<'_>>| forecaster.groups(&customers, &groups, Level::default(), 300, seed, watch);
    let forecasts = of(5, None).unwrap();
    assert_eq!((forecasts[0].customers, forecasts[1].customers), (1411.0, 946.0));
    let scores = forecaster.scorer().score_all(&customers).unwrap();
    for (group, forecast) in forecasts.iter().enumerate() {
        let members = || (0..customers.len()).filter(|&i| groups[i] == group);
        let expected: f64 = members().map(|i| scores[i].expected_purchases.unwrap()).sum();
        let clv: f64 = members().map(|i| scores[i].clv.unwrap()).sum();
        let value = forecast.clv.unwrap();
        assert!(forecast.purchases.lower < expected && expected < forecast.purchases.upper, "{forecast:?} {expected}");
        assert!(value.lower < clv && clv < value.upper, "{forecast:?} {clv}");
        // Chance alone leaves less open than chance and parameters.
        let chance: f64 = members()
            .map(|i| purchases.model().conditional_purchase_variance(&customers.history(i), forecaster.scorer().terms().horizon()))
            .sum();
        assert!(forecast.purchases.upper - forecast.purchases.lower > 2.0 * 1.645 * chance.sqrt());
    }
    // The same seed gives the same bits on one thread.
    let alone = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap().install(|| of(5, None).unwrap());
    assert_eq!(alone, forecasts);
    assert_ne!(of(6, None).unwrap(), forecasts);
    assert_eq!(of(5, Some(&|_| ControlFlow::Break(()))).unwrap_err().kind(), ErrorKind::Cancelled);
    assert_eq!(forecaster.groups(&customers, &[0], Level::default(), 10, 1, None).unwrap_err().kind(), ErrorKind::Parameter);
}

/// The ends of intervals of large groups lie where those of a simulation customer by customer do.
fn assert_as_simulated<M: Simulate<Alive: Simulate> + Fit>(customers: &Customers) {
    // As many draws of the parameters as replications: an end is then uncertain by 0.033 standard deviations of the total, and ours by 0.017.
    const REPLICATIONS: u32 = 4000;
    let (end, level) = (END.parse().unwrap(), Level::default());
    let (purchases, spend) = (M::fit(customers).unwrap(), GammaGamma::fit(customers).unwrap());
    let forecaster = Forecaster::from_fits(&purchases, Some(&spend), &ClvDefinition::default(), Some(end)).unwrap();
    let (of_purchases, of_spend) = (purchases.parameter_distribution().unwrap(), spend.parameter_distribution().unwrap());
    let (mut one, mut other) = (random_stream(3, 0), random_stream(3, 1));
    let models: Vec<M> = (0..REPLICATIONS).map(|_| M::from_parameters(&of_purchases.draw(&mut one)).unwrap()).collect();
    let spends: Vec<GammaGamma> = (0..REPLICATIONS).map(|_| Estimable::from_parameters(&of_spend.draw(&mut other)).unwrap()).collect();
    let by_draws = forecaster.clone().with_purchases(Ensemble::of(&models).unwrap()).with_spend(Ensemble::of(&spends).unwrap()).unwrap();
    let groups: Vec<usize> = customers.frequency().iter().map(|&x| usize::from(x > 1)).collect();
    // Two replications would be far off: these groups are not simulated.
    let ours = forecaster.groups(customers, &groups, level, 2, 1, None).unwrap();
    let simulated = by_draws.simulate_groups(customers, &groups, level, REPLICATIONS, 2, None).unwrap();
    for (ours, simulated) in ours.iter().zip(&simulated) {
        for (ours, simulated) in [(ours.purchases, simulated.purchases), (ours.clv.unwrap(), simulated.clv.unwrap())] {
            let sd = (simulated.upper - simulated.lower) / (2.0 * 1.645);
            let (lower, upper) = ((ours.lower - simulated.lower) / sd, (ours.upper - simulated.upper) / sd);
            println!("{}: {lower:.3} and {upper:.3} standard deviations of {sd:.1}", M::NAME);
            assert!(lower.abs().max(upper.abs()) < 0.12, "three times 0.037, and little else");
        }
    }
}

#[test]
fn large_groups_agree_with_their_simulation() {
    let customers = cdnow();
    assert_as_simulated::<BgNbd>(&customers);
    assert_as_simulated::<MbgNbd>(&customers);
    assert_as_simulated::<ParetoNbd>(&customers);
}

#[test]
fn known_parameters_leave_the_variance_of_chance() {
    // A group's purchases are a sum of independent counts: mean and variance have closed forms.
    let forecaster = forecaster("pareto-nbd", &MODELS[2].1, "39 weeks");
    let model = AnyPurchaseModel::from_name("pareto-nbd", &MODELS[2].1).unwrap();
    let customers = cdnow();
    let moment = |of: &dyn Fn(&History) -> f64| (0..customers.len()).map(|i| of(&customers.history(i))).sum::<f64>();
    let (mean, variance) = (
        moment(&|history| model.conditional_expected_purchases(history, 39.0)),
        moment(&|history| model.conditional_purchase_variance(history, 39.0)),
    );
    let total = &forecaster.groups(&customers, &vec![0; customers.len()], Level::default(), 2000, 9, None).unwrap()[0];
    let half = 1.645 * variance.sqrt();
    // The ends of an interval of 2,000 replications have a standard error of 0.047 standard deviations.
    for (ours, exact) in [(total.purchases.lower, mean - half), (total.purchases.upper, mean + half)] {
        assert!((ours - exact).abs() < 0.2 * variance.sqrt(), "{ours} against {exact}");
    }
}
