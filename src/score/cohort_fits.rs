//! Which fit speaks for a cohort, and the fits that this takes.

use crate::data::Customers;
use crate::error::{ErrorKind, Result};
use crate::fit::{Estimator, Fitted, GroupFits};
use crate::models::{Estimable, GroupedSample, Sample};
use crate::parallel::map_indices;

/// Which fit speaks for a cohort.
///
/// ```
/// assert_eq!(clv::Pooling::default(), clv::Pooling::Partial);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Pooling {
    /// One fit for all.
    Pooled,
    /// Each cohort on its own, where it can be fitted; the others borrow.
    Separate,
    /// Each cohort borrows from the others as much as it needs.
    #[default]
    Partial,
}

/// The fits that were made.
pub(super) enum Fits<M> {
    Groups(Box<GroupFits<M>>),
    /// There is one cohort, none needs to borrow, or there is no partially pooled fit.
    Ungrouped(Box<Ungrouped<M>>),
}

/// One fit for all, and those of single cohorts where they were asked for.
pub(super) struct Ungrouped<M> {
    pooled: Fitted<M>,
    separate: Vec<Result<Fitted<M>>>,
    /// Why there is no partially pooled fit, where it was tried.
    why: Option<String>,
}

impl<M: Estimable<Sample: GroupedSample + Sample<Source = Customers>>> Fits<M> {
    /// The fits that the cohorts ask for, and no others.
    pub(super) fn asked_for(
        pooling: Pooling,
        estimator: &Estimator<'_, M>,
        customers: &Customers,
        names: &[String],
        cohorts: usize,
        members: &(impl Fn(usize) -> Result<Customers> + Sync),
    ) -> Result<Self> {
        let alone = |pooled, separate, why| Fits::Ungrouped(Box::new(Ungrouped { pooled, separate, why }));
        if cohorts == 1 || pooling == Pooling::Pooled {
            return Ok(alone(estimator.fit(customers)?, Vec::new(), None));
        }
        let mut separate = Vec::new();
        if pooling == Pooling::Separate {
            separate = map_indices(cohorts, |c| estimator.fit(&members(c)?));
            if separate.iter().all(Result::is_ok) {
                return Ok(alone(estimator.fit(customers)?, separate, None));
            }
        }
        match estimator.fit_groups(customers, names) {
            Ok(fits) => Ok(Fits::Groups(Box::new(fits))),
            Err(error) if error.kind() == ErrorKind::Fit => Ok(alone(estimator.fit(customers)?, separate, Some(error.to_string()))),
            Err(error) => Err(error),
        }
    }
}

impl<M: Estimable> Fits<M> {
    pub(super) fn pooled(&self) -> &Fitted<M> {
        match self {
            Fits::Groups(fits) => fits.pooled(),
            Fits::Ungrouped(fits) => &fits.pooled,
        }
    }

    /// The fit that speaks for a cohort, which it is, and why it is not the one that was asked for.
    pub(super) fn of(&self, cohort: usize, wanted: Pooling) -> (&Fitted<M>, Pooling, Option<String>) {
        let fits = match self {
            Fits::Groups(fits) => fits,
            Fits::Ungrouped(fits) => return fits.of(cohort, wanted),
        };
        let group = &fits.groups()[cohort];
        match wanted {
            Pooling::Pooled => (fits.pooled(), Pooling::Pooled, None),
            Pooling::Partial => (group.partial(), Pooling::Partial, None),
            Pooling::Separate => match group.separate() {
                Ok(fitted) => (fitted, Pooling::Separate, None),
                Err(error) => (group.partial(), Pooling::Partial, Some(error.to_string())),
            },
        }
    }
}

impl<M: Estimable> Ungrouped<M> {
    fn of(&self, cohort: usize, wanted: Pooling) -> (&Fitted<M>, Pooling, Option<String>) {
        match (wanted, self.separate.get(cohort)) {
            (Pooling::Pooled, _) => (&self.pooled, Pooling::Pooled, None),
            (Pooling::Separate, Some(Ok(fitted))) => (fitted, Pooling::Separate, None),
            (Pooling::Separate, Some(Err(error))) => (&self.pooled, Pooling::Pooled, Some(error.to_string())),
            // That there is no partially pooled fit holds for all and is said once.
            _ => (&self.pooled, Pooling::Pooled, None),
        }
    }

    /// Why there is no partially pooled fit, and what there is.
    pub(super) fn notice(&self) -> Option<String> {
        let instead = if self.separate.is_empty() { "all cohorts have" } else { "a cohort without a fit of its own has" };
        self.why.as_ref().map(|why| format!("{why}; {instead} the one fit for all"))
    }
}
