//! Simulation: customers, histories and transaction logs drawn from a model.
//!
//! Two levels. [`Simulate`] is a model's story itself, in continuous time and with any generator of random numbers: draw what sets a
//! customer apart ([`CustomerTraits`]), then the purchases that follow. [`Population`] puts such customers on the calendar: cohorts that
//! arrive over certain days, dates, amounts, an observation end.
//!
//! # Same seed, same customers
//! Every customer has two generators of their own, streams 2i and 2i + 1 of one ChaCha8 key: for the purchases and for the amounts. So the
//! result depends neither on threads nor on the order in which customers are looked at; a later observation end continues the same
//! purchases; and adding a spend model, or more customers, changes no date. Only a new release of `rand_distr` or of the platform's `exp`
//! and `ln` may change the numbers.
//!
//! # Extremes
//! Gamma variates are drawn as logarithms, because those of shape 1e-3 underflow. What is still 0 means what it says: a purchase rate of 0
//! never buys, a dropout rate of 0 never leaves.

mod redraw;

use std::ops::Range;

use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Exp1, Gamma, Poisson};

use crate::data::{Customer, Customers, History, Transaction, TransactionLog};
use crate::error::{Error, Result};
use crate::models::{
    AnyPurchaseModel, BgNbd, BgNbdParams, GammaGamma, GammaGammaParams, MbgNbd, MbgNbdParams, Nbd, NbdParams, ParetoNbd, ParetoNbdParams,
    PurchaseModel,
};
use crate::parallel::map_indices;
use crate::time::{Date, Moment, TimeUnit};

pub use redraw::Redraw;

/// More purchases of one customer are not simulated: it would take seconds for one row of a summary.
const MOST_PURCHASES: u64 = 100_000_000;

/// Populations whose log is expected to be longer are refused.
const MOST_ROWS: f64 = 1e10;

/// How often a customer beyond [`MOST_PURCHASES`] may be expected before a population is refused.
const HARDLY_EVER: f64 = 1e-6;

/// Cents are lost above; with q < 1 some customer spends more than any bound.
const LARGEST_AMOUNT: f64 = 1e13;

/// Sums of totals must not overflow.
const LARGEST_TOTAL: f64 = 1e300;

/// Amounts below are nothing: with p near 0 most are, and no summary takes their mean.
const SMALLEST_AMOUNT: f64 = 1e-200;

/// What sets a customer apart: how often they buy, and when they drop out. Drawn from a model, and then fixed for life.
///
/// Times are counted from the moment of the first purchase, or from T for a customer with a history, in the unit of the model.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CustomerTraits {
    /// lambda: purchases per unit of time while alive.
    pub purchase_rate: f64,
    /// The time at which the customer drops out; infinite where dropout goes by purchases, or never happens.
    pub lifetime: f64,
    /// The number of purchases after which the customer drops out; `u64::MAX` where dropout goes by time, or never happens.
    pub lifetime_purchases: u64,
}

impl CustomerTraits {
    /// The times of the purchases in (0, t], in order.
    ///
    /// There is no end of them when `t` and the lifetime are infinite.
    pub fn purchase_times<R: Rng>(&self, t: f64, rng: R) -> PurchaseTimes<R> {
        PurchaseTimes { rate: self.purchase_rate, end: t.min(self.lifetime), left: self.lifetime_purchases, now: 0.0, rng }
    }

    /// The number of purchases in (0, t], drawn at once: takes no longer when there are many.
    ///
    /// A random number of its own: not the length of [`purchase_times`](Self::purchase_times) with the same generator.
    pub fn draw_purchase_count<R: Rng>(&self, t: f64, rng: &mut R) -> u64 {
        let mean = self.purchase_rate * t.min(self.lifetime);
        if self.purchase_rate == 0.0 || mean <= 0.0 {
            return 0;
        }
        let poisson = Poisson::new(mean.min(Poisson::<f64>::MAX_LAMBDA)).expect("the mean is positive and below the limit");
        (poisson.sample(rng) as u64).min(self.lifetime_purchases)
    }
}

/// The purchase times of one customer: exponential gaps until time or purchases are up.
#[derive(Debug, Clone)]
pub struct PurchaseTimes<R> {
    rate: f64,
    end: f64,
    left: u64,
    now: f64,
    rng: R,
}

impl<R: Rng> Iterator for PurchaseTimes<R> {
    type Item = f64;

    fn next(&mut self) -> Option<f64> {
        if self.left == 0 {
            return None;
        }
        let gap: f64 = Exp1.sample(&mut self.rng);
        self.now += gap / self.rate;
        // A rate of 0 leads to infinity, which is never.
        if self.now <= self.end && self.now < f64::INFINITY {
            self.left -= 1;
            Some(self.now)
        } else {
            self.left = 0;
            None
        }
    }
}

/// A model whose customers can be drawn.
///
/// ```
/// use clv::{BgNbd, BgNbdParams, PurchaseModel, Simulate, random_stream};
///
/// let model = BgNbd::new(BgNbdParams { r: 0.243, alpha: 4.414, a: 0.793, b: 2.426 })?;
/// let mut rng = random_stream(42, 0);
/// let purchases: usize = (0..10_000).map(|_| model.draw_traits(&mut rng).purchase_times(39.0, &mut rng).count()).sum();
/// let mean = purchases as f64 / 10_000.0;
/// assert!((mean - model.expected_purchases(39.0)).abs() < 0.1);           // 1.08
/// # Ok::<(), clv::Error>(())
/// ```
pub trait Simulate: PurchaseModel {
    /// Draws what sets a new customer apart.
    fn draw_traits<R: Rng>(&self, rng: &mut R) -> CustomerTraits;

    /// What can be drawn of the future of a customer with a history.
    fn future_of(&self, history: &History) -> CustomerFuture<Self::Alive> {
        CustomerFuture { p_alive: self.p_alive(history), given_alive: self.given_alive(history) }
    }
}

/// The future of a customer with a history, to draw from as often as needed: alive with P(alive), and then as the updated model says.
///
/// ```
/// use clv::{History, ParetoNbd, ParetoNbdParams, PurchaseModel, Simulate, random_stream};
///
/// let model = ParetoNbd::new(ParetoNbdParams { r: 0.553, alpha: 10.578, s: 0.606, beta: 11.669 })?;
/// let customer = History::new(2, 30.43, 38.86)?;
/// let (future, mut rng) = (model.future_of(&customer), random_stream(42, 0));
/// let none = (0..10_000).filter(|_| future.draw_purchase_count(39.0, &mut rng) == 0).count();
/// assert!((none as f64 / 10_000.0 - model.conditional_purchase_pmf(&customer, 0, 39.0)).abs() < 0.02);
/// # Ok::<(), clv::Error>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct CustomerFuture<M> {
    p_alive: f64,
    given_alive: M,
}

impl<M: Simulate> CustomerFuture<M> {
    /// Draws what sets this customer apart, times counted from T; `None` for one who has dropped out.
    pub fn draw_traits<R: Rng>(&self, rng: &mut R) -> Option<CustomerTraits> {
        (rng.random::<f64>() < self.p_alive).then(|| self.given_alive.draw_traits(rng))
    }

    /// Draws the number of purchases in (T, T + t].
    pub fn draw_purchase_count<R: Rng>(&self, t: f64, rng: &mut R) -> u64 {
        self.draw_traits(rng).map_or(0, |traits| traits.draw_purchase_count(t, rng))
    }
}

impl Simulate for Nbd {
    fn draw_traits<R: Rng>(&self, rng: &mut R) -> CustomerTraits {
        let NbdParams { r, alpha } = self.params();
        CustomerTraits { purchase_rate: draw_gamma(r, alpha, rng), lifetime: f64::INFINITY, lifetime_purchases: u64::MAX }
    }
}

impl Simulate for ParetoNbd {
    fn draw_traits<R: Rng>(&self, rng: &mut R) -> CustomerTraits {
        let ParetoNbdParams { r, alpha, s, beta } = self.params();
        let purchase_rate = draw_gamma(r, alpha, rng);
        let dropout_rate = draw_gamma(s, beta, rng);
        let lifetime: f64 = Exp1.sample(rng);
        CustomerTraits { purchase_rate, lifetime: lifetime / dropout_rate, lifetime_purchases: u64::MAX }
    }
}

impl Simulate for BgNbd {
    fn draw_traits<R: Rng>(&self, rng: &mut R) -> CustomerTraits {
        let BgNbdParams { r, alpha, a, b } = self.params();
        let purchase_rate = draw_gamma(r, alpha, rng);
        // The first chance comes with the first repeat purchase.
        CustomerTraits { purchase_rate, lifetime: f64::INFINITY, lifetime_purchases: draw_chances_survived(a, b, rng).saturating_add(1) }
    }
}

impl Simulate for MbgNbd {
    fn draw_traits<R: Rng>(&self, rng: &mut R) -> CustomerTraits {
        let MbgNbdParams { r, alpha, a, b } = self.params();
        let purchase_rate = draw_gamma(r, alpha, rng);
        CustomerTraits { purchase_rate, lifetime: f64::INFINITY, lifetime_purchases: draw_chances_survived(a, b, rng) }
    }
}

impl Simulate for AnyPurchaseModel {
    fn draw_traits<R: Rng>(&self, rng: &mut R) -> CustomerTraits {
        match self {
            AnyPurchaseModel::BgNbd(model) => model.draw_traits(rng),
            AnyPurchaseModel::MbgNbd(model) => model.draw_traits(rng),
            AnyPurchaseModel::ParetoNbd(model) => model.draw_traits(rng),
            AnyPurchaseModel::Nbd(model) => model.draw_traits(rng),
        }
    }
}

/// How one customer spends: gamma(shape p) around a mean of their own.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spender {
    p: f64,
    /// ln of the rate of this customer's gamma.
    ln_rate: f64,
}

impl Spender {
    /// The mean amount of this customer's purchases, at most 1e13.
    #[must_use]
    pub fn mean_spend(&self) -> f64 {
        (self.p * (-self.ln_rate).exp()).min(LARGEST_AMOUNT)
    }

    /// Draws the amount of a purchase: at most 1e13, and 0 where it would be below 1e-200.
    pub fn draw_amount<R: Rng>(&self, rng: &mut R) -> f64 {
        self.draw_total_amount(1, rng).min(LARGEST_AMOUNT)
    }

    /// Draws the mean amount of a number of purchases, at once: takes no longer when there are many.
    ///
    /// A random number of its own: not the mean of [`draw_amount`](Self::draw_amount) with the same generator.
    pub fn draw_mean_amount<R: Rng>(&self, purchases: u32, rng: &mut R) -> f64 {
        let purchases = u64::from(purchases.max(1));
        self.draw_total_amount(purchases, rng) / purchases as f64
    }

    /// Draws the total of a number of purchases, at once; at most 1e300.
    pub fn draw_total_amount<R: Rng>(&self, purchases: u64, rng: &mut R) -> f64 {
        if purchases == 0 {
            return 0.0;
        }
        let total = (draw_ln_gamma(self.p * purchases as f64, rng) - self.ln_rate).exp().min(LARGEST_TOTAL);
        if total < SMALLEST_AMOUNT { 0.0 } else { total }
    }
}

impl GammaGamma {
    /// Draws a new customer; one with a spend history is drawn from [`given`](Self::given).
    ///
    /// ```
    /// use clv::{GammaGamma, GammaGammaParams, SpendHistory, random_stream};
    ///
    /// let model = GammaGamma::new(GammaGammaParams { p: 6.25, q: 3.74, gamma: 15.44 })?;
    /// let mut rng = random_stream(42, 0);
    /// let total: f64 = (0..10_000).map(|_| model.draw_spender(&mut rng).draw_amount(&mut rng)).sum();
    /// let expected = model.expected_average_spend(&SpendHistory::UNKNOWN).unwrap();
    /// assert!((total / 10_000.0 - expected).abs() < 1.5);               // 35.2
    /// # Ok::<(), clv::Error>(())
    /// ```
    pub fn draw_spender<R: Rng>(&self, rng: &mut R) -> Spender {
        let GammaGammaParams { p, q, gamma } = self.params();
        Spender { p, ln_rate: draw_ln_gamma(q, rng) - gamma.ln() }
    }
}

/// Generator number `stream` of a seed: all of them are independent of each other, and the same for ever.
#[must_use]
pub fn random_stream(seed: u64, stream: u64) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(stream);
    rng
}

/// ln of a gamma variate of scale 1.
fn draw_ln_gamma<R: Rng>(shape: f64, rng: &mut R) -> f64 {
    // gamma(k) = gamma(k + 1) U^(1/k), and -ln U is exponential
    let (above, shift) = if shape < 1.0 {
        let exponential: f64 = Exp1.sample(rng);
        (shape + 1.0, exponential / shape)
    } else {
        (shape, 0.0)
    };
    Gamma::new(above, 1.0).expect("the shape is finite and at least 1").sample(rng).ln() - shift
}

fn draw_gamma<R: Rng>(shape: f64, rate: f64, rng: &mut R) -> f64 {
    draw_ln_gamma(shape, rng).exp() / rate
}

/// How many chances to drop out a customer survives whose dropout probability is beta(a, b).
fn draw_chances_survived<R: Rng>(a: f64, b: f64, rng: &mut R) -> u64 {
    let log_odds = draw_ln_gamma(a, rng) - draw_ln_gamma(b, rng);
    // -ln(1 - p), accurate for p near 0 and near 1
    let hazard = log_odds.max(0.0) + (-log_odds.abs()).exp().ln_1p();
    let exponential: f64 = Exp1.sample(rng);
    // Saturates at u64::MAX, which is never.
    (exponential / hazard) as u64
}

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
    model: M,
    spend: Option<GammaGamma>,
    unit: TimeUnit,
    observation_end: Date,
    cohorts: Vec<AcquisitionCohort>,
    seed: u64,
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

/// A drawn customer base. Customers come to be when they are looked at; nothing is held in memory.
#[derive(Debug, Clone)]
pub struct Simulation<M> {
    population: Population<M>,
    /// The number of customers up to and including each cohort.
    ends: Vec<usize>,
    /// Those who are looked at.
    part: Range<usize>,
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

/// One simulated customer.
#[derive(Debug, Clone)]
pub struct SimulatedCustomer {
    id: String,
    unit: TimeUnit,
    /// Hours since 1970 at the first purchase, and at the end of the observation.
    first_hour: f64,
    end_hour: i32,
    age: f64,
    traits: CustomerTraits,
    spender: Option<Spender>,
    /// The generators, after what sets the customer apart has been drawn.
    purchases: ChaCha8Rng,
    amounts: ChaCha8Rng,
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
    fn observed(self) -> (String, History, f64) {
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
