//! The suite for models of one's own: a correct one passes, and for every rule there is a broken one that it catches.
#![allow(clippy::unwrap_used, clippy::float_cmp, reason = "a test panics when it fails, and exact figures are what it is about")]

use std::collections::BTreeSet;

use clv::conformance::{
    Expected, Points, Report, Rule, Tolerances, check_estimable, check_estimable_by, check_purchase_model, check_quantities,
    check_simulation,
};
use clv::{
    AnyPurchaseModel, Customer, CustomerTraits, Customers, ErrorKind, Estimable, Evaluation, Fit, History, ParameterInfo, PurchaseModel,
    Simulate, TimeUnit,
};
use ndarray::Array1;
use own_model::{FixedRates, Rows};
use rand::Rng;

/// The example, as users see it.
#[path = "../examples/own_model/main.rs"]
#[allow(dead_code, reason = "the example's main function runs elsewhere")]
pub mod own_model;

const RATES: FixedRates = FixedRates { lambda: 0.1, mu: 0.02 };

fn history(x: u32, t_x: f64, age: f64) -> History {
    History::new(x, t_x, age).unwrap()
}

fn points() -> Points {
    Points::new(&[history(2, 30.43, 38.86), history(0, 0.0, 38.86), history(7, 12.0, 12.0)], &[4.0, 39.0]).unwrap()
}

fn customers(rows: &[(History, f64)]) -> Customers {
    let mut customers = Customers::new(TimeUnit::Week);
    for (row, &(history, weight)) in rows.iter().enumerate() {
        customers.push(Customer { id: &row.to_string(), history, average_spend: 0.0, weight, purchases: None }).unwrap();
    }
    customers
}

fn sample() -> Customers {
    customers(&[
        (history(2, 30.43, 38.86), 1.0),
        (history(0, 0.0, 38.86), 3.0),
        (history(7, 12.0, 38.0), 1.0),
        (history(1, 5.0, 20.0), 0.5),
    ])
}

#[test]
fn a_model_of_ones_own_passes() {
    for model in [RATES, FixedRates { lambda: 2.0, mu: 1e-3 }, FixedRates { lambda: 0.01, mu: 3.0 }] {
        let report = check_purchase_model(&model, &points());
        report.assert_conforms();
        assert!(report.skipped().is_empty(), "{report}");
        check_simulation(&model, &points(), 5_000, 1).assert_conforms();
        check_estimable(&model, &sample()).assert_conforms();
    }
    assert!(FixedRates::fit(&sample()).is_ok());
}

#[test]
fn the_models_of_this_crate_draw_what_they_say() {
    for (name, parameters) in [
        ("bg-nbd", &[0.243, 4.414, 0.793, 2.426][..]),
        ("mbg-nbd", &[0.525, 6.183, 0.891, 1.614]),
        ("pareto-nbd", &[0.553, 10.578, 0.606, 11.669]),
        ("nbd", &[0.385, 12.07]),
    ] {
        let model = AnyPurchaseModel::from_name(name, parameters).unwrap();
        check_purchase_model(&model, &points()).assert_conforms();
        check_simulation(&model, &points(), 5_000, 7).assert_conforms();
    }
}

/// What is wrong with a model.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fault {
    Nothing,
    NanWithoutPurchase,
    VarianceOfDifference,
    NegativeTimeCounts,
    DeadIsNotTheRest,
    PmfOffByAMillionth,
    ActiveIgnoresDropout,
    SomeAreDeadAtOnce,
    PurchaseInNoTime,
    ExpectationIgnoresDropout,
    SquareForFactorialMoment,
    VarianceOfPoisson,
    QuantileOneTooHigh,
    QuantileOneTooLow,
    NextPurchaseIgnoresDropout,
    NextPurchaseNever,
    RateAtTheEnd,
    RatesRise,
    DiscountUpwards,
    NotDiscounted,
    DertOfUndiscounted,
    EmptyHistoryIsDoubted,
    ForgetsPAlive,
    FutureKnowsRecency,
    AliveAndDeadSwapped,
    LikelihoodWithConstant,
    LikelihoodOfTheLiving,
    LikelihoodOfCounts,
    NanRates,
    RatesDrawnTooHigh,
    LivesDrawnTooLong,
}

const FAULTS: [(Fault, &[Rule]); 30] = [
    (Fault::NanWithoutPurchase, &[Rule::InDomain, Rule::AliveOrDead, Rule::LikelihoodOfNobody]),
    (Fault::VarianceOfDifference, &[Rule::InDomain]),
    (Fault::NegativeTimeCounts, &[Rule::OddArguments]),
    (Fault::DeadIsNotTheRest, &[Rule::AliveOrDead]),
    (Fault::PmfOffByAMillionth, &[Rule::ActiveOrNone, Rule::CountsAddUp, Rule::LikelihoodIsDensity, Rule::LikelihoodOfNobody]),
    (Fault::ActiveIgnoresDropout, &[Rule::ActiveIsSome]),
    (Fault::SomeAreDeadAtOnce, &[Rule::AliveAtTheStart]),
    (Fault::PurchaseInNoTime, &[Rule::NothingInNoTime]),
    (Fault::ExpectationIgnoresDropout, &[Rule::MeanOfCounts]),
    (Fault::SquareForFactorialMoment, &[Rule::SecondFactorialMoment]),
    (Fault::VarianceOfPoisson, &[Rule::VarianceOfCounts]),
    (Fault::QuantileOneTooHigh, &[Rule::QuantileOfCounts]),
    (Fault::QuantileOneTooLow, &[Rule::QuantileOfCounts]),
    (Fault::NextPurchaseIgnoresDropout, &[Rule::QuantileOfNextPurchase]),
    (Fault::NextPurchaseNever, &[Rule::QuantileOfNextPurchase]),
    (Fault::RateAtTheEnd, &[Rule::MoreTimeBringsMore]),
    (Fault::RatesRise, &[Rule::PurchasesBecomeRarer]),
    (Fault::DiscountUpwards, &[Rule::DiscountWithinBounds]),
    (Fault::NotDiscounted, &[Rule::WholeLife]),
    (Fault::DertOfUndiscounted, &[Rule::WholeLife, Rule::ExpectationOverHistories]),
    (Fault::EmptyHistoryIsDoubted, &[Rule::NewCustomerIsEmptyHistory]),
    (Fault::ForgetsPAlive, &[Rule::PAliveTimesFuture, Rule::MeanOfCounts, Rule::ExpectationOverHistories, Rule::SimulatedForecasts]),
    (Fault::FutureKnowsRecency, &[Rule::FutureIgnoresRecency]),
    (Fault::AliveAndDeadSwapped, &[Rule::SilenceMeansDeath, Rule::LikelihoodOfSilence, Rule::SimulatedForecasts]),
    (Fault::LikelihoodWithConstant, &[Rule::LikelihoodOfNobody, Rule::ExpectationOverHistories]),
    (Fault::LikelihoodOfTheLiving, &[Rule::LikelihoodOfSilence]),
    (Fault::LikelihoodOfCounts, &[Rule::LikelihoodIsDensity, Rule::HistoriesThenCounts]),
    (Fault::NanRates, &[Rule::TraitsInDomain]),
    (Fault::RatesDrawnTooHigh, &[Rule::SimulatedPurchases, Rule::SimulatedActivity]),
    (Fault::LivesDrawnTooLong, &[Rule::SimulatedSurvival, Rule::SimulatedForecasts]),
];

/// The example's model with a fault.
#[derive(Debug, Clone, Copy)]
struct Broken {
    model: FixedRates,
    fault: Fault,
}

impl Broken {
    fn or(&self, fault: Fault, broken: impl FnOnce(&FixedRates) -> f64, right: f64) -> f64 {
        if self.fault == fault { broken(&self.model) } else { right }
    }
}

impl PurchaseModel for Broken {
    type Alive = Broken;

    fn ln_likelihood(&self, history: &History) -> f64 {
        let (x, right) = (history.frequency(), self.model.ln_likelihood(history));
        match self.fault {
            Fault::NanWithoutPurchase if x == 0 => f64::NAN,
            Fault::LikelihoodWithConstant => right + 0.1,
            Fault::LikelihoodOfTheLiving => f64::from(x) * self.model.lambda.ln() - (self.model.lambda + self.model.mu) * history.age(),
            Fault::LikelihoodOfCounts => right - (1..=x).map(|i| f64::from(i).ln()).sum::<f64>(),
            _ => right,
        }
    }

    fn p_alive(&self, history: &History) -> f64 {
        let right = self.model.p_alive(history);
        match self.fault {
            Fault::NanWithoutPurchase if history.frequency() == 0 => f64::NAN,
            Fault::EmptyHistoryIsDoubted => 0.999 * right,
            Fault::AliveAndDeadSwapped => self.model.p_dead(history),
            _ => right,
        }
    }

    fn p_dead(&self, history: &History) -> f64 {
        let right = self.model.p_dead(history);
        match self.fault {
            Fault::DeadIsNotTheRest => 1.0 - self.model.p_alive(history) + 1e-3,
            Fault::EmptyHistoryIsDoubted => 1.0 - 0.999 * self.model.p_alive(history),
            Fault::AliveAndDeadSwapped => self.model.p_alive(history),
            _ => right,
        }
    }

    fn given_alive(&self, history: &History) -> Broken {
        let lambda = self.or(Fault::FutureKnowsRecency, |model| model.lambda * (1.0 + 1e-6 * history.recency()), self.model.lambda);
        Broken { model: FixedRates { lambda, ..self.model }, ..*self }
    }

    fn expected_purchases(&self, t: f64) -> f64 {
        let FixedRates { lambda, mu } = self.model;
        match self.fault {
            Fault::NegativeTimeCounts => -lambda / mu * (-mu * t).exp_m1(),
            Fault::PurchaseInNoTime => self.model.expected_purchases(t) + 1e-9,
            Fault::ExpectationIgnoresDropout => lambda * t.max(0.0),
            Fault::RateAtTheEnd => lambda * t.max(0.0) * (-mu * t.max(0.0)).exp(),
            Fault::RatesRise => lambda / mu * (mu * t.max(0.0)).exp_m1(),
            _ => self.model.expected_purchases(t),
        }
    }

    fn second_factorial_moment(&self, t: f64) -> f64 {
        let right = self.model.second_factorial_moment(t);
        self.or(Fault::SquareForFactorialMoment, |model| right + model.expected_purchases(t), right)
    }

    fn purchase_variance(&self, t: f64) -> f64 {
        let right = self.model.purchase_variance(t);
        match self.fault {
            Fault::VarianceOfPoisson => self.model.expected_purchases(t),
            Fault::VarianceOfDifference => right - 0.5,
            _ => right,
        }
    }

    fn purchase_pmf(&self, n: u64, t: f64) -> f64 {
        let right = self.model.purchase_pmf(n, t);
        self.or(Fault::PmfOffByAMillionth, |_| right * (1.0 + 1e-6), right)
    }

    fn purchase_sf(&self, n: u64, t: f64) -> f64 {
        self.model.purchase_sf(n, t)
    }

    fn p_active(&self, t: f64) -> f64 {
        self.or(Fault::ActiveIgnoresDropout, |model| -(-model.lambda * t.max(0.0)).exp_m1(), self.model.p_active(t))
    }

    fn next_purchase_quantile(&self, q: f64) -> Option<f64> {
        match self.fault {
            Fault::NextPurchaseIgnoresDropout => Some(-(-q).ln_1p() / self.model.lambda),
            Fault::NextPurchaseNever => None,
            _ => self.model.next_purchase_quantile(q),
        }
    }

    fn p_alive_at(&self, t: f64) -> f64 {
        self.or(Fault::SomeAreDeadAtOnce, |model| 0.9 * model.p_alive_at(t), self.model.p_alive_at(t))
    }

    fn discounted_expected_purchases(&self, t: f64, delta: f64) -> f64 {
        match self.fault {
            Fault::NotDiscounted => self.model.expected_purchases(t),
            Fault::DiscountUpwards if delta > 0.0 => {
                let rate = self.model.mu - delta;
                -self.model.lambda / rate * (-rate * t.clamp(0.0, 1e3)).exp_m1()
            }
            _ => self.model.discounted_expected_purchases(t, delta),
        }
    }

    fn dert(&self, delta: f64) -> Option<f64> {
        if self.fault == Fault::DertOfUndiscounted { self.model.dert(0.0) } else { self.model.dert(delta) }
    }

    fn purchase_quantile(&self, q: f64, t: f64) -> u64 {
        let right = self.model.purchase_quantile(q, t);
        match self.fault {
            Fault::QuantileOneTooHigh => right + 1,
            Fault::QuantileOneTooLow => right.saturating_sub(1),
            _ => right,
        }
    }

    fn conditional_expected_purchases(&self, history: &History, t: f64) -> f64 {
        let alive = self.given_alive(history).expected_purchases(t);
        if self.fault == Fault::ForgetsPAlive { alive } else { self.p_alive(history) * alive }
    }
}

impl Simulate for Broken {
    fn draw_traits<R: Rng>(&self, rng: &mut R) -> CustomerTraits {
        let mut traits = self.model.draw_traits(rng);
        match self.fault {
            Fault::NanRates => traits.purchase_rate = f64::NAN,
            Fault::RatesDrawnTooHigh => traits.purchase_rate *= 1.2,
            Fault::LivesDrawnTooLong => traits.lifetime *= 1.3,
            _ => {}
        }
        traits
    }
}

/// The rules broken by a model with a fault.
fn broken_by(fault: Fault) -> BTreeSet<Rule> {
    let model = Broken { model: RATES, fault };
    let (exact, drawn) = (check_purchase_model(&model, &points()), check_simulation(&model, &points(), 5_000, 1));
    exact.broken().chain(drawn.broken()).collect()
}

/// The example's fit with a fault.
#[derive(Debug, Clone, Copy)]
struct Misfit<const FAULT: usize>(FixedRates);

const SWAPPED: usize = 1;
const ACCEPTS_ALL: usize = 2;
const BAD_START: usize = 3;
const LAST_ROW_LEFT_OUT: usize = 4;
const WEIGHTS_LEFT_OUT: usize = 5;
const GRADIENT_OFF: usize = 6;
const HESSIAN_OFF: usize = 7;
const HESSIAN_NOT_SYMMETRIC: usize = 8;
const GRADIENT_TOO_SHORT: usize = 9;
const GRADIENT_WITHOUT_WEIGHTS: usize = 10;

impl<const FAULT: usize> Estimable for Misfit<FAULT> {
    const NAME: &'static str = "misfit";
    const PARAMETERS: &'static [ParameterInfo] = FixedRates::PARAMETERS;

    type Sample = Rows;

    fn from_parameters(parameters: &[f64]) -> clv::Result<Self> {
        match *parameters {
            [lambda, mu, ..] if FAULT == ACCEPTS_ALL => Ok(Misfit(FixedRates { lambda, mu })),
            _ => FixedRates::from_parameters(parameters).map(Misfit),
        }
    }

    fn parameters(&self) -> Array1<f64> {
        let parameters = self.0.parameters();
        if FAULT == SWAPPED { ndarray::array![parameters[1], parameters[0]] } else { parameters }
    }

    fn start(sample: &Rows) -> Self {
        let start = FixedRates::start(sample);
        Misfit(if FAULT == BAD_START { FixedRates { mu: 0.0, ..start } } else { start })
    }

    fn ln_likelihood_sum(&self, sample: &Rows) -> Evaluation {
        let mut sample = sample.clone();
        let whole = self.0.ln_likelihood_sum(&sample);
        let unweighted = Rows(sample.0.iter().map(|&(history, _)| (history, 1.0)).collect());
        match FAULT {
            LAST_ROW_LEFT_OUT => {
                sample.0.pop();
                return self.0.ln_likelihood_sum(&sample);
            }
            WEIGHTS_LEFT_OUT => return self.0.ln_likelihood_sum(&unweighted),
            GRADIENT_WITHOUT_WEIGHTS => return Evaluation { gradient: self.0.ln_likelihood_sum(&unweighted).gradient, ..whole },
            _ => {}
        }
        let Evaluation { value, mut gradient, mut hessian } = whole;
        match FAULT {
            GRADIENT_OFF => gradient[1] *= 1.0 + 1e-5,
            HESSIAN_OFF => hessian[[0, 0]] *= 1.0 + 1e-5,
            HESSIAN_NOT_SYMMETRIC => hessian[[0, 1]] += 1e-9 * hessian[[0, 1]],
            GRADIENT_TOO_SHORT => gradient = gradient.iter().take(1).copied().collect(),
            _ => {}
        }
        Evaluation { value, gradient, hessian }
    }
}

fn misfit<const FAULT: usize>() -> BTreeSet<Rule> {
    let ln_likelihood = |customers: &Customers, row: usize| RATES.ln_likelihood(&customers.history(row));
    check_estimable_by(&Misfit::<FAULT>(RATES), &sample(), ln_likelihood).broken().collect()
}

#[test]
fn for_every_rule_there_is_a_model_that_breaks_it() {
    assert_eq!((broken_by(Fault::Nothing), misfit::<0>()), Default::default());
    let mut seen = BTreeSet::new();
    let mut broken = |what: String, found: BTreeSet<Rule>, expected: &[Rule]| {
        for rule in expected {
            assert!(found.contains(rule), "{what} is not caught by {rule}; what is broken: {found:?}");
        }
        seen.extend(expected.iter().copied());
    };
    for (fault, expected) in FAULTS {
        broken(format!("{fault:?}"), broken_by(fault), expected);
    }
    broken("swapped parameters".into(), misfit::<SWAPPED>(), &[Rule::ParametersRoundTrip]);
    broken("accepting anything".into(), misfit::<ACCEPTS_ALL>(), &[Rule::ParametersRefused]);
    broken("a bad start".into(), misfit::<BAD_START>(), &[Rule::StartIsAModel]);
    broken("the last row left out".into(), misfit::<LAST_ROW_LEFT_OUT>(), &[Rule::SumOverSample]);
    broken("weights left out".into(), misfit::<WEIGHTS_LEFT_OUT>(), &[Rule::WeightsCount, Rule::SumOverSample]);
    broken("a gradient off by 1e-5".into(), misfit::<GRADIENT_OFF>(), &[Rule::GradientIsSlope]);
    broken("a Hessian off by 1e-5".into(), misfit::<HESSIAN_OFF>(), &[Rule::HessianIsCurvature]);
    broken("an asymmetric Hessian".into(), misfit::<HESSIAN_NOT_SYMMETRIC>(), &[Rule::HessianIsCurvature]);
    broken("a gradient too short".into(), misfit::<GRADIENT_TOO_SHORT>(), &[Rule::GradientIsSlope]);
    broken("a gradient without weights".into(), misfit::<GRADIENT_WITHOUT_WEIGHTS>(), &[Rule::GradientIsSlope, Rule::WeightsCount]);
    let never: Vec<&Rule> = Rule::ALL.iter().filter(|rule| !seen.contains(rule)).collect();
    assert!(never.is_empty(), "nothing breaks {never:?}");
}

#[test]
fn every_rule_is_looked_at() {
    let model = AnyPurchaseModel::from_name("mbg-nbd", &[0.525, 6.183, 0.891, 1.614]).unwrap();
    let reports: [Report; 3] =
        [check_purchase_model(&model, &points()), check_simulation(&model, &points(), 100, 7), check_estimable(&RATES, &sample())];
    for &rule in Rule::ALL {
        assert!(reports.iter().any(|report| report.compared(rule) > 0), "nothing is compared for {rule}");
    }
}

#[test]
fn a_report_says_what_where_and_by_how_much() {
    let report = check_quantities(&Broken { model: RATES, fault: Fault::DeadIsNotTheRest }, &points());
    assert!(!report.is_ok());
    let violation =
        report.violations().iter().find(|violation| violation.rule == Rule::AliveOrDead && violation.history.is_some()).unwrap();
    assert_eq!((violation.expected, violation.horizon), (Expected::Equal(1.0), None));
    assert_eq!(violation.tolerance, violation.found * Tolerances::COMPLEMENT);
    let text = report.to_string();
    for part in [
        "AliveOrDead: P(alive) + P(dead) = 1.",
        "P(alive) + P(dead) of a customer with a history is 1.001",
        "not 1.0 to within 1.0e-15, at x = 0, t_x = 0.0, T = 4.0",
        "comparisons disagree",
    ] {
        assert!(text.contains(part), "{part:?} is not in\n{text}");
    }
    let panic = std::panic::catch_unwind(|| report.assert_conforms()).unwrap_err();
    assert_eq!(panic.downcast_ref::<String>(), Some(&text));
}

#[test]
fn what_is_left_out_is_said() {
    // Millions of purchases: their sums are left out, the single counts are not.
    let model = AnyPurchaseModel::from_name("nbd", &[2.0, 1e-6]).unwrap();
    let report = check_quantities(&model, &Points::new(&[], &[39.0]).unwrap());
    assert!(report.skipped().iter().any(|skip| skip.rule == Rule::MeanOfCounts && skip.reason.contains("shorter horizon")), "{report}");
    assert!(report.compared(Rule::CountsAddUp) > 0 && report.compared(Rule::MeanOfCounts) == 0);
    assert!(report.to_string().contains("Not compared"), "{report}");
    // Nothing compared is nothing shown.
    let report = check_simulation(&RATES, &points(), 0, 1);
    assert!(!report.is_ok() && report.to_string().contains("nothing was compared"), "{report}");
    // Nobody bought again: there is no sample.
    let report = check_estimable(&RATES, &customers(&[(history(0, 0.0, 10.0), 1.0)]));
    assert!(report.skipped().iter().any(|skip| skip.rule == Rule::GradientIsSlope), "{report}");
}

#[test]
fn points_are_checked() {
    for points in [
        Points::new(&[], &[]),
        Points::new(&[], &[f64::NAN]),
        Points::new(&[], &[0.0]),
        points().discounted_at(&[0.0]),
        points().discounted_at(&[]),
        points().at_levels(&[1.0]),
        points().at_levels(&[f64::NAN]),
    ] {
        assert_eq!(points.unwrap_err().kind(), ErrorKind::Parameter);
    }
}

#[test]
fn a_cruder_model_is_held_to_what_it_promises() {
    let model = Broken { model: RATES, fault: Fault::PmfOffByAMillionth };
    let promised = Tolerances { same: 1e-5, complement: 1e-5, rounding: 1e-5, summed: 1e-5 };
    assert!(!check_purchase_model(&model, &points()).is_ok());
    check_purchase_model(&model, &points().to_within(promised)).assert_conforms();
}
