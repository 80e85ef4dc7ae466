//! Figures against numpy, scipy and scikit-learn: `tests/reference/backtest_metrics.py` makes the values.

use approx::assert_relative_eq;
use serde_json::Value;

use super::calibration::Pit;
use super::counts::{CountForecast, CountTable};
use super::matched::{Actual, Matched};
use crate::models::AnyPurchaseModel;

/// Both sides are doubles that add up some hundred numbers: what is left is rounding.
const ROUNDING: f64 = 1e-12;

/// Below this the survival function of a count is not tabulated, so that CRPS and PIT lack as much.
const NEGLIGIBLE: f64 = 1e-9;

fn reference() -> Value {
    serde_json::from_str(include_str!("../../tests/data/backtest_metrics.json")).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

#[test]
fn metrics_of_ties_zeros_a_single_customer_and_an_empty_group() {
    let reference = reference();
    let cases = reference["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 8);
    for case in cases {
        let actual = Actual::new(numbers(&case["actual"]));
        let matched = Matched::of_numbers(&numbers(&case["predicted"])).with_activity(&numbers(&case["p_active"]), &actual);
        let metrics = matched.metrics(&actual, &actual.sampled(&vec![1.0; actual.values.len()]));
        for (name, expected) in case["figures"].as_object().unwrap() {
            let ours = metrics.get(name);
            assert_eq!(ours.is_some(), expected.is_f64(), "{}: {name}", case["name"]);
            if let (Some(ours), Some(expected)) = (ours, expected.as_f64()) {
                assert_relative_eq!(ours, expected, max_relative = ROUNDING, epsilon = ROUNDING);
            }
        }
    }
}

fn forecasts(reference: &Value) -> Vec<(CountForecast, &Value)> {
    let of = |count: &Value| {
        let number = |name: &str| count[name].as_f64().unwrap();
        let model = AnyPurchaseModel::from_name("nbd", &[number("r"), number("alpha")]).unwrap();
        CountTable::new(model, number("t")).against(number("p_alive"), count["count"].as_u64().unwrap())
    };
    reference["counts"].as_array().unwrap().iter().map(|count| (of(count), count)).collect()
}

#[test]
fn scores_of_counts() {
    for (ours, expected) in forecasts(&reference()) {
        let number = |name: &str| expected[name].as_f64().unwrap();
        assert_relative_eq!(ours.expected, number("expected"), max_relative = ROUNDING);
        assert_relative_eq!(ours.variance, number("variance"), max_relative = ROUNDING);
        assert_relative_eq!(ours.p_active, number("p_active"), max_relative = ROUNDING);
        assert_relative_eq!(ours.log_score, number("log_score"), max_relative = 1e-9);
        assert_relative_eq!(ours.crps, number("crps"), max_relative = NEGLIGIBLE, epsilon = NEGLIGIBLE);
        for (ours, expected) in ours.cdf.into_iter().zip(numbers(&expected["cdf"])) {
            assert_relative_eq!(ours, expected, epsilon = NEGLIGIBLE);
        }
        for (level, (lower, upper)) in ours.lower.into_iter().zip(ours.upper).enumerate() {
            let ends = (expected["lower"][level].as_u64(), expected["upper"][level].as_u64());
            assert_eq!((Some(lower), Some(upper)), ends, "{expected}");
        }
    }
}

#[test]
fn the_probability_integral_transform() {
    let reference = reference();
    let ours = Pit::of(&forecasts(&reference).into_iter().map(|(forecast, _)| forecast).collect::<Vec<_>>()).unwrap();
    for (ours, expected) in ours.shares.into_iter().zip(numbers(&reference["pit"]["shares"])) {
        assert_relative_eq!(ours, expected, epsilon = NEGLIGIBLE);
    }
    assert_relative_eq!(ours.distance, reference["pit"]["distance"].as_f64().unwrap(), epsilon = NEGLIGIBLE);
}
