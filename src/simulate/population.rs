//! A customer base to be drawn: by which model, who arrives when, and until when they are observed.

use super::customer_traits::MOST_PURCHASES;
use super::simulation::Simulation;
use super::story::Simulate;
use crate::error::{Error, Result};
use crate::models::GammaGamma;
use crate::time::{Date, TimeUnit};

/// Populations whose log is expected to be longer are refused.
const MOST_ROWS: f64 = 1e10;

/// How often a customer beyond [`MOST_PURCHASES`] may be expected before a population is refused.
const HARDLY_EVER: f64 = 1e-6;

/// Customers who make their first purchase over certain days, any moment of which is as likely as any other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AcquisitionCohort {
    /// The first of these days.
    pub first_day: Date,
    /// Their number, from 1.
    pub days: u32,
    /// The number of customers.
    pub customers: usize,
}

impl AcquisitionCohort {
    fn last_day(&self) -> Option<i32> {
        let further = i32::try_from(self.days).ok()?.checked_sub(1).filter(|&further| further >= 0)?;
        self.first_day.days_since_1970().checked_add(further)
    }
}

/// A customer base to be drawn: by which model, who arrives when, and until when they are observed.
///
/// ```
/// use clv::{AcquisitionCohort, Observation, ParetoNbd, ParetoNbdParams, Population, TimeUnit};
///
/// let model = ParetoNbd::new(ParetoNbdParams { r: 0.55, alpha: 10.6, s: 0.61, beta: 11.7 })?;
/// let end = "1997-09-30".parse()?;
/// let simulation = Population::new(model, TimeUnit::Week, end)
///     .cohort(AcquisitionCohort { first_day: "1997-01-01".parse()?, days: 84, customers: 1000 })
///     .seed(42)
///     .simulate()?;
///
/// let log = simulation.log()?;                                      // dates and amounts, as they would be found
/// let customers = log.summarize(&Observation::until(end).in_weeks())?;
/// assert_eq!((customers.len(), simulation.len()), (1000, 1000));
///
/// let truth = simulation.customer(0).truth(39.0);                   // what no log tells
/// assert_eq!(truth.alive_at_end, truth.dropped_out_at.is_none_or(|time| time > simulation.customer(0).age()));
/// # Ok::<(), clv::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Population<M> {
    pub(super) model: M,
    pub(super) spend: Option<GammaGamma>,
    pub(super) unit: TimeUnit,
    pub(super) observation_end: Date,
    pub(super) cohorts: Vec<AcquisitionCohort>,
    pub(super) seed: u64,
}

impl<M: Simulate> Population<M> {
    /// Customers of a model whose times are in `unit`, observed to the end of the day `observation_end`. Nobody is there yet.
    #[must_use]
    pub fn new(model: M, unit: TimeUnit, observation_end: Date) -> Self {
        Population { model, spend: None, unit, observation_end, cohorts: Vec::new(), seed: 0 }
    }

    /// Adds customers. Several cohorts may arrive over the same days.
    #[must_use]
    pub fn cohort(mut self, cohort: AcquisitionCohort) -> Self {
        self.cohorts.push(cohort);
        self
    }

    /// Gives every purchase an amount. Without it all amounts are 0, which says nothing of a price.
    #[must_use]
    pub fn spend(mut self, model: GammaGamma) -> Self {
        self.spend = Some(model);
        self
    }

    /// Chooses among the customer bases that might be drawn; 0 unless told otherwise.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Checks that all of this can be drawn.
    ///
    /// # Errors
    /// When there is no customer, a cohort has no day or arrives after the observation end, more than 1e10 rows are expected, or a customer
    /// with more than 1e8 purchases is: the parameters are then hardly in the unit they should be in.
    pub fn simulate(self) -> Result<Simulation<M>> {
        let mut ends = Vec::with_capacity(self.cohorts.len());
        let (mut customers, mut rows, mut endless) = (0_usize, 0.0, 0.0);
        for cohort in &self.cohorts {
            let AcquisitionCohort { first_day, days, customers: size } = *cohort;
            let fault = |rule: &str| Error::parameter(format!("the cohort of {size} customers from {first_day} over {days} days {rule}"));
            let last_day = cohort.last_day().ok_or_else(|| fault("must arrive over at least 1 day of the calendar"))?;
            if last_day > self.observation_end.days_since_1970() {
                return Err(fault(&format!("arrives after the observation end {} in part; observe it for longer", self.observation_end)));
            }
            customers = customers.checked_add(size).ok_or_else(|| fault("is more than can be counted"))?;
            ends.push(customers);
            let longest = f64::from(self.observation_end.days_since(first_day) + 1) * 24.0 / self.unit.hours();
            rows += size as f64 * (1.0 + self.model.expected_purchases(longest));
            endless += size as f64 * self.model.purchase_sf(MOST_PURCHASES, longest);
        }
        if customers == 0 {
            return Err(Error::parameter("a simulation without a customer; give a number of customers of at least 1"));
        }
        let unit = self.unit;
        if rows > MOST_ROWS {
            return Err(Error::parameter(format!(
                "{rows:.2e} transactions are to be expected of {customers} customers, and no more than {MOST_ROWS:e} are simulated; \
                 check that the parameters are per {unit}, or take fewer customers"
            )));
        }
        if endless > HARDLY_EVER {
            return Err(Error::parameter(format!(
                "{endless:.2e} customers with more than {MOST_PURCHASES} purchases are to be expected, and no more are simulated; \
                 check that the parameters are per {unit}"
            )));
        }
        Ok(Simulation { population: self, ends, part: 0..customers })
    }
}
