//! A drawn customer base: its customers one by one, and the summary, the truths and the log of them all.

use std::ops::Range;

use rand::RngExt;

use super::population::Population;
use super::simulated_customer::{SimulatedCustomer, Truth};
use super::story::Simulate;
use super::variates::random_stream;
use crate::data::{Customer, Customers, TransactionLog};
use crate::error::{Error, Result};
use crate::parallel::map_indices;

/// A drawn customer base. Customers come to be when they are looked at; nothing is held in memory.
#[derive(Debug, Clone)]
pub struct Simulation<M> {
    pub(super) population: Population<M>,
    /// The number of customers up to and including each cohort.
    pub(super) ends: Vec<usize>,
    /// Those who are looked at.
    pub(super) part: Range<usize>,
}

impl<M: Simulate> Simulation<M> {
    /// Every one of `parts` equal parts of the customers in their order, the one of this number, from 1: all parts together are the whole, to the bit.
    ///
    /// ```
    /// use clv::{AcquisitionCohort, Nbd, NbdParams, Population, TimeUnit};
    ///
    /// let all = Population::new(Nbd::new(NbdParams { r: 0.4, alpha: 4.0 })?, TimeUnit::Week, "1997-09-30".parse()?)
    ///     .cohort(AcquisitionCohort { first_day: "1997-01-01".parse()?, days: 84, customers: 10 })
    ///     .simulate()?;
    /// let third = all.clone().part(3, 4)?;
    /// assert_eq!((third.len(), third.customer(0).id()), (2, "06"));
    /// assert_eq!(third.customer(0).age(), all.customer(5).age());
    /// # Ok::<(), clv::Error>(())
    /// ```
    ///
    /// # Errors
    /// When there is no such part, or nobody in it.
    pub fn part(mut self, part: usize, parts: usize) -> Result<Self> {
        if part < 1 || part > parts {
            return Err(Error::parameter(format!("there is no part {part} of {parts}; parts are counted from 1")));
        }
        let (before, customers) = (self.part.start, self.len());
        // As wide as it must be: customers x parts may be more than can be counted.
        let end = |part: usize| before + (customers as u128 * part as u128 / parts as u128) as usize;
        self.part = end(part - 1)..end(part);
        if self.is_empty() {
            return Err(Error::parameter(format!("part {part} of {parts} has none of the {customers} customers; make fewer parts")));
        }
        Ok(self)
    }

    /// The number of customers.
    #[must_use]
    pub fn len(&self) -> usize {
        self.part.len()
    }

    /// Whether there is no customer: never.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The customers in order, cohort by cohort.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = SimulatedCustomer> {
        (0..self.len()).map(|index| self.customer(index))
    }

    /// Customer number `index`, from 0.
    ///
    /// # Panics
    /// When there are not as many.
    #[must_use]
    pub fn customer(&self, index: usize) -> SimulatedCustomer {
        assert!(index < self.len(), "customer {index} of {}", self.len());
        let index = self.part.start + index;
        let Population { model, spend, unit, observation_end, cohorts, seed } = &self.population;
        let cohort = &cohorts[self.ends.partition_point(|&end| end <= index)];
        let (mut purchases, mut amounts) = (random_stream(*seed, 2 * index as u64), random_stream(*seed, 2 * index as u64 + 1));
        let first_hour = 24.0 * (f64::from(cohort.first_day.days_since_1970()) + purchases.random::<f64>() * f64::from(cohort.days));
        let end_hour = 24 * (observation_end.days_since_1970() + 1);
        SimulatedCustomer {
            id: format!("{:0width$}", index + 1, width = self.digits()),
            unit: *unit,
            first_hour,
            end_hour,
            age: ((f64::from(end_hour) - first_hour) / unit.hours()).max(0.0),
            traits: model.draw_traits(&mut purchases),
            spender: spend.map(|spend| spend.draw_spender(&mut amounts)),
            purchases,
            amounts,
        }
    }

    /// Digits of an id.
    fn digits(&self) -> usize {
        self.ends.last().map_or(1, |customers| customers.to_string().len())
    }

    /// The summary of all customers as the model sees them: in continuous time to the end of the last day, two purchases on one day told
    /// apart, amounts not rounded. What a log of the same customers summarises to is [`log`](Self::log) and then
    /// [`summarize`](TransactionLog::summarize).
    #[must_use]
    pub fn customers(&self) -> Customers {
        let Population { unit, observation_end, .. } = self.population;
        let mut customers = Customers::new(unit).observed_until(observation_end);
        for (id, history, average_spend) in map_indices(self.len(), |index| self.customer(index).observed()) {
            let row = Customer { id: &id, history, average_spend, weight: 1.0, purchases: None };
            customers.push(row).expect("what is drawn obeys the rules");
        }
        customers
    }

    /// What no log tells of the customers, and what becomes of them over `horizon` units after the observation end.
    #[must_use]
    pub fn truths(&self, horizon: f64) -> Vec<Truth> {
        map_indices(self.len(), |index| self.customer(index).truth(horizon))
    }

    /// The transactions of all customers as a log in memory; to write a log of any length, go through [`iter`](Self::iter).
    ///
    /// # Errors
    /// When there are more customers than a log can tell apart.
    pub fn log(&self) -> Result<TransactionLog> {
        let mut log = TransactionLog::new();
        for customer in self.iter() {
            for transaction in customer.transactions() {
                log.push(transaction)?;
            }
        }
        Ok(log)
    }
}
