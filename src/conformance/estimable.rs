//! What a fit relies on: parameters there and back, sums over samples, derivatives that are those of the value.

use ndarray::Array1;

use super::Tolerances;
use super::report::{Recorder, Report, Rule};
use crate::data::{Customer, Customers};
use crate::fit::Fit;
use crate::models::{Evaluation, PurchaseModel, Sample};

/// Derivatives against differences, relative to the sum of the absolute log-likelihoods: five-point differences with the steps below come within
/// 1e-10 for the models of this crate, where every digit of the likelihood is right.
const DIFFERENCES: f64 = 1e-9;

/// The relative step of a difference is this over [`FEW_PURCHASES`] and the most purchases of a customer: a likelihood bends the more the more
/// there are.
const STEP: f64 = 1e-2;

/// See [`STEP`].
const FEW_PURCHASES: f64 = 10.0;

/// Checks what the fit of a purchase model relies on, at the model's parameters and for a sample of customers.
///
/// Parameters there and back; parameters that make no model; the start values; the log-likelihood of the sample against the sum of
/// [`PurchaseModel::ln_likelihood`] over the customers; weights; gradient and Hessian against central differences of the value and of
/// the gradient, relative to the sum of the absolute log-likelihoods of the customers, to 1e-9.
///
/// ```
/// use clv::{BgNbd, BgNbdParams, Customer, Customers, History, TimeUnit, conformance};
///
/// let mut customers = Customers::new(TimeUnit::Week);
/// for (id, history) in [("a", History::new(2, 30.43, 38.86)?), ("b", History::new(0, 0.0, 38.86)?), ("c", History::new(7, 12.0, 38.0)?)] {
///     customers.push(Customer { id, history, average_spend: 0.0, weight: 1.0, purchases: None })?;
/// }
/// let model = BgNbd::new(BgNbdParams { r: 0.243, alpha: 4.414, a: 0.793, b: 2.426 })?;
/// conformance::check_estimable(&model, &customers).assert_conforms();
/// # Ok::<(), clv::Error>(())
/// ```
pub fn check_estimable<M: Fit + PurchaseModel>(model: &M, customers: &Customers) -> Report {
    check_estimable_by(model, customers, |customers, row| model.ln_likelihood(&customers.history(row)))
}

/// The same for a model of something else, such as spend, whose log-likelihood of a row of the customers is `ln_likelihood`: 0 for one that tells
/// it nothing.
pub fn check_estimable_by<M: Fit>(model: &M, customers: &Customers, ln_likelihood: impl Fn(&Customers, usize) -> f64) -> Report {
    let tolerances = Tolerances::default();
    let mut rec = Recorder::new(model, tolerances);
    rec.subject = "the sample";
    parameters(&mut rec, model);
    let sample = match M::Sample::new(customers) {
        Ok(sample) => sample,
        Err(error) => {
            for rule in [Rule::StartIsAModel, Rule::SumOverSample, Rule::WeightsCount, Rule::GradientIsSlope, Rule::HessianIsCurvature] {
                rec.skip(rule, error.to_string());
            }
            return rec.into_report();
        }
    };
    start::<M>(&mut rec, &sample);
    let evaluation = model.ln_likelihood_sum(&sample);
    if !shapes(&mut rec, model, &evaluation) {
        return rec.into_report();
    }
    let (mut sum, mut magnitude) = (0.0, 0.0);
    for row in 0..customers.len() {
        let (weight, ln_likelihood) = (customers.weight(row), ln_likelihood(customers, row));
        sum += weight * ln_likelihood;
        magnitude += weight * (1.0 + ln_likelihood.abs());
    }
    let most = customers.frequency().iter().copied().max().unwrap_or(0);
    let steps = model.parameters() * (STEP / (FEW_PURCHASES + f64::from(most)));
    sums(&mut rec, model, customers, &evaluation, sum, magnitude);
    derivatives(&mut rec, model, &sample, &evaluation, &steps, magnitude);
    rec.into_report()
}

fn parameters<M: Fit>(rec: &mut Recorder, model: &M) {
    let parameters = model.parameters();
    let n = M::PARAMETERS.len();
    rec.close(Rule::ParametersRoundTrip, "the number of parameters", parameters.len() as f64, n as f64, 0.0);
    let again = M::from_parameters(&parameters.to_vec()).map(|model| model.parameters());
    for (index, &parameter) in parameters.iter().enumerate() {
        // One that is not there, or that makes no model, shows as NaN.
        let found = again.as_ref().ok().and_then(|again| again.get(index)).copied().unwrap_or(f64::NAN);
        rec.close(Rule::ParametersRoundTrip, format_args!("parameter {}, there and back,", name::<M>(index)), found, parameter, 0.0);
    }
    let mut refused = |what: &str, parameters: &[f64]| {
        let accepted = f64::from(u8::from(M::from_parameters(parameters).is_ok()));
        rec.close(Rule::ParametersRefused, format_args!("the number of models made from {what}"), accepted, 0.0, 0.0);
    };
    let parameters = parameters.to_vec();
    refused("one parameter too many", &[&parameters[..], &[1.0]].concat());
    refused("one parameter too few", parameters.split_last().map_or(&[], |(_, rest)| rest));
    for index in 0..parameters.len() {
        let mut parameters = parameters.clone();
        parameters[index] = f64::NAN;
        refused(&format!("a parameter {} of NaN", name::<M>(index)), &parameters);
    }
}

fn name<M: Fit>(index: usize) -> &'static str {
    M::PARAMETERS.get(index).map_or("without a name", |parameter| parameter.name)
}

fn start<M: Fit>(rec: &mut Recorder, sample: &M::Sample) {
    let start = M::start(sample);
    for (index, &parameter) in start.parameters().iter().enumerate() {
        // A fit works on their logarithms.
        rec.between(Rule::StartIsAModel, format_args!("the start value of {}", name::<M>(index)), parameter, f64::MIN_POSITIVE, f64::MAX);
    }
    let made = f64::from(u8::from(M::from_parameters(&start.parameters().to_vec()).is_ok()));
    rec.close(Rule::StartIsAModel, "the number of models made from the start values", made, 1.0, 0.0);
    rec.between(Rule::StartIsAModel, "ln L at the start values", start.ln_likelihood_sum(sample).value, f64::MIN, f64::MAX);
}

/// Whether gradient and Hessian have an entry for each parameter.
fn shapes<M: Fit>(rec: &mut Recorder, model: &M, evaluation: &Evaluation) -> bool {
    let n = model.parameters().len();
    rec.close(Rule::GradientIsSlope, "the length of the gradient", evaluation.gradient.len() as f64, n as f64, 0.0);
    for length in evaluation.hessian.shape() {
        rec.close(Rule::HessianIsCurvature, "the length of a side of the Hessian", *length as f64, n as f64, 0.0);
    }
    evaluation.gradient.len() == n && evaluation.hessian.shape() == [n, n]
}

/// The rows in another order, or with other weights.
fn rows(customers: &Customers, order: impl Iterator<Item = usize>, weight: f64) -> Option<Customers> {
    let mut rows = Customers::new(customers.unit()).spend_over(customers.spend_basis()).merged_by(customers.merge());
    for (index, row) in order.enumerate() {
        let (history, average_spend) = (customers.history(row), customers.average_spend()[row]);
        let id = format!("{index} of {}", customers.id(row));
        rows.push(Customer { id: &id, history, average_spend, weight: weight * customers.weight(row), purchases: None }).ok()?;
    }
    Some(rows)
}

fn sums<M: Fit>(rec: &mut Recorder, model: &M, customers: &Customers, evaluation: &Evaluation, sum: f64, magnitude: f64) {
    let rounding = rec.tolerances.rounding;
    rec.within(Rule::SumOverSample, "ln L", evaluation.value, sum, rounding * magnitude);
    let evaluate = |rows: Option<Customers>| Some(model.ln_likelihood_sum(&M::Sample::new(&rows?).ok()?));
    let n = customers.len();
    let reversed = evaluate(rows(customers, (0..n).rev(), 1.0));
    let (twice, heavy) = (evaluate(rows(customers, (0..n).chain(0..n), 1.0)), evaluate(rows(customers, 0..n, 2.0)));
    let (Some(reversed), Some(twice), Some(heavy)) = (reversed, twice, heavy) else {
        return rec.skip(Rule::WeightsCount, "the customers with other weights make no sample");
    };
    rec.within(Rule::SumOverSample, "ln L of the rows in reverse order", reversed.value, evaluation.value, rounding * magnitude);
    for (what, other) in [("of every customer twice", &twice), ("of every customer with twice the weight", &heavy)] {
        let rule = Rule::WeightsCount;
        rec.within(rule, format_args!("ln L {what}"), other.value, 2.0 * evaluation.value, 2.0 * rounding * magnitude);
        let parameters = model.parameters();
        for (i, (&found, &once)) in other.gradient.iter().zip(&evaluation.gradient).enumerate() {
            let tolerance = rounding * (magnitude / parameters[i].abs() + 2.0 * once.abs());
            rec.within(rule, format_args!("the slope in {} {what}", name::<M>(i)), found, 2.0 * once, tolerance);
        }
        for (((i, j), &found), &once) in other.hessian.indexed_iter().zip(&evaluation.hessian) {
            let tolerance = rounding * (magnitude / (parameters[i] * parameters[j]).abs() + 2.0 * once.abs());
            rec.within(rule, format_args!("the curvature in {}, {} {what}", name::<M>(i), name::<M>(j)), found, 2.0 * once, tolerance);
        }
    }
}

fn derivatives<M: Fit>(rec: &mut Recorder, model: &M, sample: &M::Sample, evaluation: &Evaluation, steps: &Array1<f64>, magnitude: f64) {
    let parameters = model.parameters();
    for (j, &step) in steps.iter().enumerate() {
        let at = |steps: f64| {
            let mut parameters = parameters.to_vec();
            parameters[j] += steps * step;
            M::from_parameters(&parameters).ok().map(|model| model.ln_likelihood_sum(sample))
        };
        let (Some(left2), Some(left), Some(right), Some(right2)) = (at(-2.0), at(-1.0), at(1.0), at(2.0)) else {
            for rule in [Rule::GradientIsSlope, Rule::HessianIsCurvature] {
                rec.skip(rule, format!("{} is so near the edge of its domain that no step can be made there", name::<M>(j)));
            }
            continue;
        };
        // Exact for polynomials of degree 4.
        let slope = |f: &dyn Fn(&Evaluation) -> f64| (8.0 * (f(&right) - f(&left)) - (f(&right2) - f(&left2))) / (12.0 * step);
        let (scale, found) = (magnitude / parameters[j].abs(), evaluation.gradient[j]);
        let expected = slope(&|at| at.value);
        let tolerance = DIFFERENCES * (scale + found.abs());
        rec.within(Rule::GradientIsSlope, format_args!("the slope in {}", name::<M>(j)), found, expected, tolerance);
        for i in 0..parameters.len() {
            let found = evaluation.hessian[[i, j]];
            let expected = slope(&|at| at.gradient[i]);
            let tolerance = DIFFERENCES * (scale / parameters[i].abs() + found.abs());
            let quantity = format_args!("the curvature in {}, {}", name::<M>(i), name::<M>(j));
            rec.within(Rule::HessianIsCurvature, quantity, found, expected, tolerance);
            let quantity = format_args!("the curvature in {}, {}, against that in {1}, {0},", name::<M>(i), name::<M>(j));
            rec.close(Rule::HessianIsCurvature, quantity, found, evaluation.hessian[[j, i]], rec.tolerances.rounding);
        }
    }
}
