//! One simulated customer: what a log tells of them, and what no log tells.

use rand_chacha::ChaCha8Rng;

use super::customer_traits::{CustomerTraits, MOST_PURCHASES};
use super::spender::Spender;
use crate::data::{History, Transaction};
use crate::time::{Date, Moment, TimeUnit};

/// One simulated customer.
#[derive(Debug, Clone)]
pub struct SimulatedCustomer {
    pub(super) id: String,
    pub(super) unit: TimeUnit,
    /// Hours since 1970 at the first purchase, and at the end of the observation.
    pub(super) first_hour: f64,
    pub(super) end_hour: i32,
    pub(super) age: f64,
    pub(super) traits: CustomerTraits,
    pub(super) spender: Option<Spender>,
    /// The generators, after what sets the customer apart has been drawn.
    pub(super) purchases: ChaCha8Rng,
    pub(super) amounts: ChaCha8Rng,
}

/// What is true of a simulated customer and can not be seen in a log.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Truth {
    /// lambda: purchases per unit of time while alive.
    pub purchase_rate: f64,
    /// The mean amount of this customer's purchases; `None` without a spend model.
    pub mean_spend: Option<f64>,
    /// When the customer dropped out, in units since the first purchase; `None` when not by the end of the horizon.
    pub dropped_out_at: Option<f64>,
    /// Whether the customer had not dropped out by the observation end.
    pub alive_at_end: bool,
    /// The number of purchases within the horizon after the observation end.
    pub future_purchases: u64,
}

/// A purchase after the observation end.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FuturePurchase {
    /// Time since the observation end, in units.
    pub time: f64,
    /// What it comes to, not rounded; 0 without a spend model.
    pub amount: f64,
}

impl SimulatedCustomer {
    /// The number of the customer, from 1, with leading zeros: ids sort as numbers do.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The day of the first purchase.
    #[must_use]
    pub fn first_purchase(&self) -> Date {
        self.moment(0.0).date()
    }

    /// T: time from the first purchase to the end of the last day observed, in units.
    #[must_use]
    pub fn age(&self) -> f64 {
        self.age
    }

    /// What sets the customer apart.
    #[must_use]
    pub fn traits(&self) -> CustomerTraits {
        self.traits
    }

    /// (x, t_x, T) in continuous time.
    #[must_use]
    pub fn history(&self) -> History {
        let (mut x, mut t_x) = (0, 0.0);
        for time in self.times(self.age) {
            (x, t_x) = (x + 1, time);
        }
        History::new(x, t_x, self.age).expect("purchases are in order and none is later than the age")
    }

    /// The purchases up to the observation end, the first included, in order: each on its day, or in its hour when the unit is the hour.
    /// Amounts are rounded to cents.
    pub fn transactions(&self) -> impl Iterator<Item = Transaction<'_>> {
        let mut amounts = self.amounts.clone();
        std::iter::once(0.0).chain(self.times(self.age)).map(move |time| {
            let amount = self.spender.map_or(0.0, |spender| spender.draw_amount(&mut amounts));
            Transaction { customer: &self.id, time: self.moment(time), amount: (amount * 100.0).round() / 100.0 }
        })
    }

    /// What no log tells, and what happens over `horizon` units after the observation end.
    #[must_use]
    pub fn truth(&self, horizon: f64) -> Truth {
        let reach = self.age + horizon.max(0.0);
        let (mut count, mut future, mut last) = (0, 0, 0.0);
        for time in self.times(reach) {
            count += 1;
            future += u64::from(time > self.age);
            last = time;
        }
        let CustomerTraits { purchase_rate, lifetime, lifetime_purchases } = self.traits;
        let dropped_out_at = if count == lifetime_purchases { Some(last) } else { Some(lifetime).filter(|&time| time <= reach) };
        Truth {
            purchase_rate,
            mean_spend: self.spender.map(|spender| spender.mean_spend()),
            dropped_out_at,
            alive_at_end: dropped_out_at.is_none_or(|time| time > self.age),
            future_purchases: future,
        }
    }

    /// The purchases within `horizon` units after the observation end, in order: what a forecast of the spend, discounted or not, is held against.
    ///
    /// They go on where [`history`](Self::history) and [`transactions`](Self::transactions) end, and are as many as
    /// [`Truth::future_purchases`] says.
    ///
    /// ```
    /// use clv::{AcquisitionCohort, AnnualDiscount, GammaGamma, GammaGammaParams, Nbd, NbdParams, Population, TimeUnit};
    ///
    /// let simulation = Population::new(Nbd::new(NbdParams { r: 2.0, alpha: 10.0 })?, TimeUnit::Week, "2025-12-31".parse()?)
    ///     .cohort(AcquisitionCohort { first_day: "2025-01-01".parse()?, days: 90, customers: 100 })
    ///     .spend(GammaGamma::new(GammaGammaParams { p: 6.25, q: 3.74, gamma: 15.44 })?)
    ///     .simulate()?;
    /// let discount_rate = AnnualDiscount::new(0.10)?.rate_per(TimeUnit::Week);
    /// let worth: f64 = simulation.customer(0).future(52.0).map(|next| (-discount_rate * next.time).exp() * next.amount).sum();
    /// assert!(worth >= 0.0);
    /// # Ok::<(), clv::Error>(())
    /// ```
    pub fn future(&self, horizon: f64) -> impl Iterator<Item = FuturePurchase> {
        let mut amounts = self.amounts.clone();
        // The first purchase has an amount, too.
        if let Some(spender) = self.spender {
            spender.draw_amount(&mut amounts);
        }
        let purchases = self.times(self.age + horizon.max(0.0)).map(move |time| {
            let amount = self.spender.map_or(0.0, |spender| spender.draw_amount(&mut amounts));
            FuturePurchase { time: time - self.age, amount }
        });
        purchases.filter(|purchase| purchase.time > 0.0)
    }

    /// Repeat purchases up to time `t`.
    fn times(&self, t: f64) -> impl Iterator<Item = f64> {
        self.traits.purchase_times(t, self.purchases.clone()).take(MOST_PURCHASES as usize)
    }

    /// A row of the summary: id, history and average spend of the repeat purchases.
    pub(super) fn observed(self) -> (String, History, f64) {
        let history = self.history();
        let x = history.frequency();
        let average_spend = self.spender.filter(|_| x > 0).map_or(0.0, |spender| {
            let mut amounts = self.amounts.clone();
            // The first purchase does not count towards the mean.
            spender.draw_amount(&mut amounts);
            let total = (0..x).fold(0.0, |sum, _| sum + spender.draw_amount(&mut amounts));
            total / f64::from(x)
        });
        (self.id, history, average_spend)
    }

    /// The day, or the hour, that a time since the first purchase falls into.
    fn moment(&self, time: f64) -> Moment {
        let hour = (self.first_hour + time * self.unit.hours()).floor() as i32;
        // Rounding must not lead beyond the last day.
        let hour = hour.min(self.end_hour - 1);
        match self.unit {
            TimeUnit::Hour => Moment::from_hours_since_1970(hour),
            TimeUnit::Day | TimeUnit::Week => Moment::from_hours_since_1970(hour.div_euclid(24) * 24),
        }
    }
}
