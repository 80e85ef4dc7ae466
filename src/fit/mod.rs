//! Maximum-likelihood fitting: from customers to a model with the evidence of how well it is known.
//!
//! There is no unfitted model and no silent failure. [`Fit::fit`] gives a [`Fitted`] model whose [`FitStatus`] says *converged* or *at a boundary*, or an
//! error that carries what was tried. What else can be asked of the data (another start, a prior, a profile, a bootstrap) is asked of an [`Estimator`].

mod between_groups;
mod bootstrap;
mod comparison;
mod diagnosis;
mod distribution;
mod estimator;
mod fitted;
mod groups;
mod inference;
mod newton;
mod objective;
mod partial_pooling;
mod prior;
mod profile;
mod sandwich;
mod watch;

use crate::data::Customers;
use crate::error::Result;
use crate::models::{Estimable, Sample};

pub use bootstrap::{Bootstrap, Resampling};
pub use comparison::ComparisonLine;
pub use distribution::ParameterDistribution;
pub use estimator::Estimator;
#[cfg(feature = "serde")]
pub(crate) use fitted::Measured;
pub use fitted::{FitStatus, Fitted};
pub use groups::{GroupFit, GroupFits};
pub use inference::Level;
pub use prior::Prior;
pub use profile::Profile;
pub(crate) use watch::Work;
pub use watch::{Progress, Watch};

/// Models that can be fitted to customers with a history each; to others, an [`Estimator`] fits [`SeenThrough`](crate::SeenThrough).
pub trait Fit: Estimable<Sample: Sample<Source = Customers>> {
    /// The maximum-likelihood estimate, found by Newton's method from a moment start: [`Estimator::fit`] with nothing set.
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
    /// When the customers hold nothing to fit ([`Sample::new`](crate::Sample::new)), or when no optimum was found; the message then carries the evidence.
    fn fit(customers: &Customers) -> Result<Fitted<Self>> {
        Estimator::new().fit(customers)
    }
}

impl<M: Estimable<Sample: Sample<Source = Customers>>> Fit for M {}
