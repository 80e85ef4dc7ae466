//! What a new customer of a cohort is worth, and when that pays for the acquisition.

use super::definition::ClvTerms;
use super::estimate::{Estimate, Uncertain};
use crate::data::SpendHistory;
use crate::fit::Level;
use crate::models::{Estimable, GammaGamma, PurchaseModel};

/// Years after which nobody waits for money any more.
const LONGEST_YEARS: f64 = 20.0;

/// When the value of a new customer reaches the cost of acquisition; [`CohortStudy`](crate::CohortStudy) has an example.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Payback {
    /// The time from the first purchase, in the unit of the summary; `None` where it does not come within 20 years.
    pub time: Option<f64>,
    /// The earliest time that the interval of the value leaves open.
    pub lower: Option<f64>,
    /// The latest one.
    pub upper: Option<f64>,
}

/// The value of new customers of a cohort.
pub(super) struct NewCustomers<'a, M> {
    pub(super) purchases: &'a Uncertain<M>,
    pub(super) spend: &'a Uncertain<GammaGamma>,
    pub(super) terms: &'a ClvTerms,
    /// Whether the first purchase is part of the value.
    pub(super) with_first: bool,
    pub(super) level: Level,
}

impl<M: PurchaseModel + Estimable> NewCustomers<'_, M> {
    /// Margin x expected spend x discounted purchases up to a time from birth; `None` where spend has no mean.
    pub(super) fn value_until(&self, t: f64) -> Option<Estimate> {
        let unknown = SpendHistory::new(0, 0.0).ok()?;
        let amount = |model: &GammaGamma| model.expected_average_spend(&unknown);
        let spend = self.terms.margin().share() * amount(&self.spend.centre)?;
        let of_spend = self.spend.variance_of_log(|model| amount(model).unwrap_or(0.0));
        let first = f64::from(u8::from(self.with_first));
        let purchases = |model: &M| first + model.discounted_expected_purchases(t, self.terms.discount_rate());
        if purchases(&self.purchases.centre) * spend <= 0.0 {
            return Some(Estimate { value: 0.0, lower: 0.0, upper: 0.0 });
        }
        Some(self.purchases.positive(|model| spend * purchases(model), of_spend, self.level))
    }

    /// The value over the horizon.
    pub(super) fn value(&self) -> Option<Estimate> {
        self.value_until(self.terms.horizon())
    }

    /// When the value reaches this cost.
    pub(super) fn payback(&self, cost: f64) -> Payback {
        let when = |side: fn(&Estimate) -> f64| {
            let reached = |t: f64| self.value_until(t).is_some_and(|value| side(&value) >= cost);
            let (mut early, mut late) = (0.0, LONGEST_YEARS * self.terms.unit().per_year());
            if reached(early) {
                return Some(0.0);
            }
            if !reached(late) {
                return None;
            }
            while late - early > 1e-6 * late {
                let middle = 0.5 * (early + late);
                if reached(middle) { late = middle } else { early = middle }
            }
            Some(late)
        };
        Payback { time: when(|value| value.value), lower: when(|value| value.upper), upper: when(|value| value.lower) }
    }
}
