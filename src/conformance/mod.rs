//! Does a purchase model obey probability theory? The checks that every model of this crate passes, for a model of your own.
//!
//! Implement [`PurchaseModel`] (and [`Estimable`](crate::Estimable), [`Simulate`](crate::Simulate), where you want to fit
//! and to draw), choose histories and horizons that matter to you, and let the checks look at the model there:
//!
//! ```
//! use clv::conformance::{Points, check_purchase_model};
//! use clv::{BgNbd, BgNbdParams, History};
//!
//! let model = BgNbd::new(BgNbdParams { r: 0.243, alpha: 4.414, a: 0.793, b: 2.426 })?;
//! let points = Points::new(&[History::new(2, 30.43, 38.86)?, History::new(0, 0.0, 38.86)?], &[4.0, 39.0])?;
//!
//! let report = check_purchase_model(&model, &points);
//! assert!(report.is_ok(), "{report}");       // in a test: report.assert_conforms()
//! # Ok::<(), clv::Error>(())
//! ```
//!
//! `examples/own_model` is a model made from nothing that passes: a fixed purchase rate and a fixed dropout rate.
//!
//! # What is checked
//! Each [`Rule`] is a sentence of probability theory, or of what the traits ask for. No reference values are needed: a quantity is held against
//! the same quantity from other methods. Sums over counts give the moments, integrals of the likelihood over all purchase times
//! give P(X = n), silence turns one likelihood into another.
//!
//! | check | for | rules |
//! |---|---|---|
//! | [`check_purchase_model`] | [`PurchaseModel`] | [`InDomain`](Rule::InDomain) to [`ExpectationOverHistories`](Rule::ExpectationOverHistories) |
//! | [`check_estimable`] | and [`Estimable`](crate::Estimable) | [`ParametersRoundTrip`](Rule::ParametersRoundTrip) to [`HessianIsCurvature`](Rule::HessianIsCurvature) |
//! | [`check_simulation`] | and [`Simulate`](crate::Simulate) | [`TraitsInDomain`](Rule::TraitsInDomain) to [`SimulatedForecasts`](Rule::SimulatedForecasts) |
//!
//! # What is presupposed
//! What the traits say: customers who are alive buy at random in time (Poisson) at a steady rate of their own, and who has dropped out never comes
//! back. Then x, t_x and T tell all that purchase times can tell, and purchases become rarer with time. Regular buyers, or rates
//! that rise, break rules without being wrong; they do not fit behind this trait.
//!
//! # What is not checked
//! - Whether the model is the one you meant. A model with alpha and beta swapped throughout is a consistent model.
//! - Other parameters and points than those given. Take small and large ones, a of 1, t_x = T, many purchases; random ones by a proptest, as
//!   `tests/identities.rs` does for the models of this crate.
//! - Digits beyond the [`Tolerances`], and whether the numbers fit your customers.
//!
//! Nothing is printed and no check panics of itself; a panic inside the model is not caught. A rule that cannot be looked at at some point is
//! [skipped](Report::skipped) with the reason, never taken as kept.

mod estimable;
mod histories;
mod quantities;
mod report;
mod simulation;

pub use estimable::{check_estimable, check_estimable_by};
pub use histories::check_histories;
pub use quantities::check_quantities;
pub use report::{Expected, Report, Rule, Skip, Violation};
pub use simulation::check_simulation;

use crate::data::History;
use crate::error::{Error, Result};
use crate::models::PurchaseModel;

/// Checks a purchase model at the points given: [`check_quantities`] and [`check_histories`].
///
/// With a few points it takes well under a second in a test build.
pub fn check_purchase_model<M: PurchaseModel>(model: &M, points: &Points) -> Report {
    check_quantities(model, points).and(check_histories(model, points))
}

/// How far numbers may lie apart that should be equal, relative to them.
///
/// The defaults are those of a model whose numbers are good to nearly the last digit, as a service may want them: the models of this crate pass with
/// them. For a model by crude quadrature take what it promises, and mind that what is small against 1 is compared relatively too.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tolerances {
    /// Two ways to ask for one number, such as a new customer and an empty history: a few roundings apart.
    pub same: f64,
    /// P(alive) + P(dead): the sum of two numbers that were calculated together.
    pub complement: f64,
    /// Two ways to calculate a number that is a sum or an integral of positive parts.
    pub rounding: f64,
    /// Sums over many probabilities, and integrals over histories.
    pub summed: f64,
}

impl Tolerances {
    /// The default of [`same`](Self::same): products of three numbers in another order.
    pub const SAME: f64 = 1e-14;
    /// The default of [`complement`](Self::complement): four roundings of 1.
    pub const COMPLEMENT: f64 = 1e-15;
    /// The default of [`rounding`](Self::rounding): thousands of roundings, of which a good quadrature has tens.
    pub const ROUNDING: f64 = 1e-12;
    /// The default of [`summed`](Self::summed): hundreds of terms, each with such an error.
    pub const SUMMED: f64 = 1e-11;
}

impl Default for Tolerances {
    fn default() -> Self {
        Tolerances { same: Self::SAME, complement: Self::COMPLEMENT, rounding: Self::ROUNDING, summed: Self::SUMMED }
    }
}

/// Where a model is looked at.
#[derive(Debug, Clone, PartialEq)]
pub struct Points {
    histories: Vec<History>,
    horizons: Vec<f64>,
    discount_rates: Vec<f64>,
    levels: Vec<f64>,
    tolerances: Tolerances,
}

impl Points {
    /// Each history with each horizon t; the horizons also serve as ages T of new customers. Times are in the unit of the model.
    ///
    /// Discount rates take a thousandth and a third off at the longest horizon, roughly, and quantiles are of levels 0.01, 0.5 and 0.99, unless told
    /// otherwise. Sums over counts want horizons with no more than some thousand purchases.
    ///
    /// # Errors
    /// When there is no horizon, or one is not within 1e-50 to 1e50.
    pub fn new(histories: &[History], horizons: &[f64]) -> Result<Self> {
        check("horizon", horizons, |t| (1e-50..=1e50).contains(&t), "a positive length of time from 1e-50 to 1e50")?;
        let longest = horizons.iter().copied().fold(0.0, f64::max);
        Ok(Points {
            histories: histories.to_vec(),
            horizons: horizons.to_vec(),
            discount_rates: vec![1e-3 / longest, 0.3 / longest],
            levels: vec![0.01, 0.5, 0.99],
            tolerances: Tolerances::default(),
        })
    }

    /// Discounts at these continuous rates, per unit of time.
    ///
    /// # Errors
    /// When there is none, or one is not within 1e-100 to 1e100.
    pub fn discounted_at(self, discount_rates: &[f64]) -> Result<Self> {
        check("discount rate", discount_rates, |delta| (1e-100..=1e100).contains(&delta), "a positive rate from 1e-100 to 1e100")?;
        Ok(Points { discount_rates: discount_rates.to_vec(), ..self })
    }

    /// Asks for the quantiles of these levels.
    ///
    /// # Errors
    /// When there is none, or one is not above 0 and below 1.
    pub fn at_levels(self, levels: &[f64]) -> Result<Self> {
        check("level", levels, |q| q > 0.0 && q < 1.0, "a probability above 0 and below 1")?;
        Ok(Points { levels: levels.to_vec(), ..self })
    }

    /// Compares as closely as this.
    #[must_use]
    pub fn to_within(self, tolerances: Tolerances) -> Self {
        Points { tolerances, ..self }
    }

    fn largest_rate(&self) -> f64 {
        self.discount_rates.iter().copied().fold(0.0, f64::max)
    }
}

fn check(name: &str, values: &[f64], valid: impl Fn(f64) -> bool, rule: &str) -> Result<()> {
    if values.is_empty() {
        return Err(Error::parameter(format!("no {name}; give one at least")));
    }
    match values.iter().find(|&&value| !valid(value)) {
        Some(value) => Err(Error::parameter(format!("{name} {value:?} must be {rule}"))),
        None => Ok(()),
    }
}

/// An answer that may be "there is none" as a number that can be compared.
fn or_infinite(value: Option<f64>) -> f64 {
    value.unwrap_or(f64::INFINITY)
}
