//! Maximum-likelihood fitting: from customers to a model with the evidence of how well it is known.
//!
//! There is no unfitted model and no silent failure. [`Fit::fit`] gives a [`Fitted`] model whose [`FitStatus`] says *converged* or *at a boundary*, or an
//! error that carries what was tried.

mod comparison;
mod fitted;
mod inference;
mod newton;
mod objective;

use argmin::core::{Executor, State, TerminationReason};
use ndarray::Array1;

use crate::data::Customers;
use crate::error::{Error, Result};
use crate::models::{Estimable, Sample};

pub use comparison::ComparisonLine;
pub use fitted::{FitStatus, Fitted};

use fitted::Measured;
pub use inference::{Level, ParameterDraws};

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
    /// When the customers hold nothing to fit ([`Sample::new`]), or when no optimum was found; the message then carries the evidence.
    fn fit(customers: &Customers) -> Result<Fitted<Self>> {
        let sample = Self::Sample::new(customers)?;
        let start = Self::start(&sample);
        fit_from(&sample, &start, Measured::of(customers))
    }
}

impl<M: Estimable> Fit for M {}

/// Fits from a given start.
fn fit_from<M: Estimable>(sample: &M::Sample, start: &M, measured: Measured) -> Result<Fitted<M>> {
    let (lower, upper) = LogLikelihood::<M>::bounds(sample);
    let solver = TrustRegionNewton::new(lower, upper, sample.customers(), sample.magnitude());
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
        let gradient = run.solver().evaluation().map_or(f64::NAN, |at| run.solver().scaled_gradient(&point, &at.gradient));
        Error::fit(format!(
            "fitting {} did not converge: {why} after {} iterations, at {} with log-likelihood {} and a gradient of {:.1e} per customer; look at the data \
             for outliers, and please report it",
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
    Fitted::at_optimum(sample, &point, run.solver(), measured, state.get_iter(), evaluations)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Customer, History};
    use crate::models::{BgNbd, GammaGamma, MbgNbd, Nbd, ParetoNbd};
    use crate::time::TimeUnit;
    use rand::{RngExt, SeedableRng};

    /// The published summary of the CDNOW sample.
    fn cdnow() -> Customers {
        let mut customers = Customers::new(TimeUnit::Week);
        for line in include_str!("../../tests/data/cdnow_sample_summary_published.csv").lines().skip(1) {
            let fields: Vec<&str> = line.split(',').collect();
            let number = |i: usize| fields[i].parse::<f64>().unwrap();
            let history = History::new(number(1) as u32, number(2), number(3)).unwrap();
            customers.push(Customer { id: fields[0], history, average_spend: number(4), weight: 1.0, purchases: None }).unwrap();
        }
        customers
    }

    /// Every start within a factor of 100 of `centre` ends at the optimum, or says that it did not.
    fn assert_all_starts_agree<M: Estimable>(centre: &[f64]) {
        let (sample, measured) = (M::Sample::new(&cdnow()).unwrap(), Measured::of(&cdnow()));
        let best = fit_from(&sample, &M::start(&sample), measured).unwrap().log_likelihood();
        let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(11);
        let mut most = 0;
        for _ in 0..100 {
            let start: Vec<f64> = centre.iter().map(|c| c * 10_f64.powf(random.random_range(-2.0..2.0))).collect();
            let fitted = fit_from(&sample, &M::from_parameters(&start).unwrap(), measured).unwrap();
            assert_eq!(fitted.status(), FitStatus::Converged, "{} from {start:?}: {:?}", M::NAME, fitted.model());
            assert!((fitted.log_likelihood() - best).abs() < 1e-6, "{} from {start:?}: {}", M::NAME, fitted.log_likelihood());
            most = most.max(fitted.evaluations());
        }
        assert!(most <= 60, "{}: {most} passes over the data", M::NAME);
    }

    #[test]
    fn all_starts_lead_to_the_same_optimum() {
        assert_all_starts_agree::<BgNbd>(&[1.0, 20.0, 1.0, 20.0]);
        assert_all_starts_agree::<MbgNbd>(&[1.0, 20.0, 1.0, 20.0]);
        assert_all_starts_agree::<ParetoNbd>(&[1.0, 20.0, 1.0, 20.0]);
        assert_all_starts_agree::<Nbd>(&[1.0, 20.0]);
        assert_all_starts_agree::<GammaGamma>(&[2.0, 3.0, 30.0]);
    }
}
