//! Maximum-likelihood fitting: from customers to a model with the evidence of how well it is known.
//!
//! There is no unfitted model and no silent failure. [`Fit::fit`] gives a [`Fitted`] model whose [`FitStatus`] says *converged* or *at a boundary*, or an
//! error that carries what was tried.

mod fitted;
mod newton;
mod notice;
mod objective;

use argmin::core::{Executor, State, TerminationReason};
use ndarray::Array1;

use crate::data::Customers;
use crate::error::{Error, Result};
use crate::models::Estimable;

pub use fitted::{FitStatus, Fitted};
pub use notice::{Notice, NoticeKind};

use newton::TrustRegionNewton;
use objective::LogLikelihood;

/// More iterations than any fit has needed; one more is a sign of a broken likelihood, not of a hard one.
const MAX_ITERATIONS: u64 = 200;

/// Models that can be fitted to customers.
pub trait Fit: Estimable {
    /// The maximum-likelihood estimate, found by Newton's method from a moment start.
    ///
    /// ```no_run
    /// use clv::{BgNbd, Customers, Fit, TimeUnit};
    ///
    /// let customers = Customers::new(TimeUnit::Week); // one `push` per customer
    /// let fitted = BgNbd::fit(&customers)?;
    /// println!("{:?} at {}", fitted.status(), fitted.log_likelihood());
    /// # Ok::<(), clv::Error>(())
    /// ```
    ///
    /// # Errors
    /// When the customers hold nothing to fit ([`Estimable::sample`]), or when no optimum was found; the message then carries the evidence.
    fn fit(customers: &Customers) -> Result<Fitted<Self>> {
        let sample = Self::sample(customers)?;
        let start = Self::start(&sample);
        fit_from(&sample, &start)
    }
}

impl<M: Estimable> Fit for M {}

/// Fits from a given start.
fn fit_from<M: Estimable>(sample: &M::Sample, start: &M) -> Result<Fitted<M>> {
    let (lower, upper) = LogLikelihood::<M>::bounds(sample);
    let solver = TrustRegionNewton::new(lower, upper, M::customers(sample));
    let logs = start.parameters().mapv(f64::ln);
    let run = Executor::new(LogLikelihood::<M>::new(sample), solver)
        .configure(|state| state.param(logs).max_iters(MAX_ITERATIONS))
        .timer(false)
        .run()
        .map_err(|error| Error::fit(format!("fitting {}: {error}", M::NAME)))?;
    let state = run.state();
    let reason = state.get_termination_reason().cloned();
    let point: Array1<f64> = state.get_param().cloned().unwrap_or_default();
    let not_converged = |why: &str| {
        let parameters: Vec<String> =
            M::PARAMETERS.iter().zip(&point).map(|(parameter, log)| format!("{} = {:.6}", parameter.name, log.exp())).collect();
        let gradient = state.get_gradient().map_or(f64::NAN, |g| g.iter().fold(0.0, |most: f64, entry| most.max(entry.abs())));
        Error::fit(format!(
            "fitting {} did not converge: {why} after {} iterations, at {} with log-likelihood {} and a gradient of {:.1e}; this is a defect of the \
             data or of the fit, please look at the data for outliers and report it",
            M::NAME,
            state.get_iter(),
            parameters.join(", "),
            -state.get_cost(),
            gradient
        ))
    };
    match reason {
        Some(TerminationReason::SolverConverged) => {}
        Some(TerminationReason::SolverExit(why)) => return Err(not_converged(&why)),
        Some(other) => return Err(not_converged(other.text())),
        None => return Err(not_converged("stopped for no reason")),
    }
    let evaluations = run.problem().counts.get("evaluations").copied().unwrap_or_default();
    Fitted::at_optimum(sample, &point, run.solver(), state.get_iter(), evaluations)
}
