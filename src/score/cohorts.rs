//! Cohorts: who was acquired together, how they bought, what they are worth, and whether telling them apart is earned.

use super::change::{Change, InTime};
use super::cohort_curve::{CurvePoint, counted, curve};
use super::cohort_value::{NewCustomers, Payback};
use super::definition::ClvDefinition;
use super::estimate::{Estimate, Uncertain};
#[cfg(feature = "serde")]
use super::fit_record::FitRecord;
use super::forecast::Forecaster;
use super::totals::Totals;
use crate::data::{Customers, Observation, TransactionLog};
use crate::error::{Error, ErrorKind, Result};
use crate::fit::{Estimator, Fitted, GroupFits, Level, Prior, Watch, Work};
use crate::models::{Estimable, GammaGamma, GroupedSample, PurchaseModel, Retention, Sample};
use crate::parallel::map_indices;
use crate::simulate::Simulate;
use crate::time::{Date, Horizon, TimeUnit};

/// Replications of the simulation of a cohort that is too small to be drawn at once.
const REPLICATIONS: u32 = 500;

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

/// How cohorts are looked at.
///
/// ```
/// # #[cfg(feature = "csv")] {
/// use clv::{ClvDefinition, CohortStudy, FirstPurchase, Fit, GammaGamma, Level, Nbd, Observation, Pooling, TransactionLog};
/// let log = TransactionLog::from_csv("examples/data/cdnow_sample.csv")?;
/// let observation = Observation::until("1997-09-30".parse()?).in_weeks();
/// let customers = log.summarize(&observation)?;
/// // By month of the first purchase.
/// let names: Vec<String> = customers.purchases().iter().map(|record| record.first.date().to_string()[..7].to_owned()).collect();
/// let spend = GammaGamma::fit(&customers)?;
/// let study = CohortStudy {
///     definition: ClvDefinition { first_purchase: FirstPurchase::Out, ..ClvDefinition::default() },
///     spend: Some(&spend),
///     pooling: Pooling::default(),
///     period: "13 weeks".parse()?,
///     costs: vec![("1997-01".to_owned(), 7810.0)],
///     in_time: true,
///     level: Level::default(),
///     prior: None,
///     seed: 1,
/// };
/// let report = study.run::<Nbd>(&log, &observation, &customers, &names)?;
///
/// assert_eq!((report.model, report.level), ("nbd", 0.9));
/// // How likely it is to gain as much by telling the months apart if their customers are all alike.
/// assert!(report.p_all_alike.is_some_and(|p| (0.0..=1.0).contains(&p)));
/// let sizes: Vec<(&str, f64)> = report.cohorts.iter().map(|cohort| (cohort.name.as_str(), cohort.customers)).collect();
/// assert_eq!(sizes, [("1997-01", 781.0), ("1997-02", 857.0), ("1997-03", 719.0)]);
/// # #[cfg(feature = "serde")]
/// assert_eq!(report.cohorts[0].fit_record.as_ref().unwrap().parameters().count(), 2);   // for a model file of this cohort
/// // Every repeat purchase of the 2,457 is one of some cohort.
/// assert_eq!(report.cohorts.iter().map(|cohort| cohort.observed_purchases).sum::<f64>(), 2457.0);
///
/// let january = &report.cohorts[0];
/// assert_eq!(january.born_from, Some("1997-01-01".parse()?));
/// assert_eq!(january.total_value, Some(january.value_to_date + january.residual_value.unwrap()));
/// assert_eq!(january.acquisition_cost, Some(10.0));                              // 7,810 for 781 customers
/// let expected = january.expected_purchases;
/// assert!(expected.lower < expected.value && expected.value < expected.upper);
/// // All who were born in January were 26 weeks old by the end of September.
/// let half_a_year = january.curve[1];
/// assert_eq!((half_a_year.age, half_a_year.customers), (26.0, 781.0));
/// assert!(half_a_year.observed > january.curve[0].observed && half_a_year.active < 1.0);
/// // A customer cost 10, and is worth more within a year: it takes weeks.
/// let (value, payback) = (january.new_customer_value.unwrap(), january.payback.unwrap());
/// assert!(value.value > 10.0);
/// let [earliest, time, latest] = [payback.lower, payback.time, payback.upper].map(Option::unwrap);
/// assert!(0.0 < earliest && earliest < time && time < latest && latest < 52.0);
///
/// // Three months are one window of three cohorts, which holds everybody.
/// let change = report.change.unwrap();
/// assert!(change.p_no_change.is_some() && change.verdict.starts_with("Customers acquired"));
/// assert_eq!((change.cohorts.len(), change.windows.len()), (3, 1));
/// let window = &change.windows[0];
/// assert_eq!((window.from.as_str(), window.until.as_str(), window.customers), ("1997-01", "1997-03", 2357.0));
/// // 2,457 purchases in 77,111 weeks of customers; by NBD nobody leaves.
/// assert!((window.purchase_rate.value - 2457.0 / 77_111.3).abs() < 1e-3);
/// assert_eq!(window.gone, None);
/// # }
/// # Ok::<(), clv::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct CohortStudy<'a> {
    /// What value means.
    pub definition: ClvDefinition,
    /// The model of spend; without one there are no values.
    pub spend: Option<&'a Fitted<GammaGamma>>,
    /// Which fit speaks for a cohort.
    pub pooling: Pooling,
    /// The length between points of the curves.
    pub period: Horizon,
    /// What the acquisition of a cohort cost, all its customers together.
    pub costs: Vec<(String, f64)>,
    /// Whether the order of the names is that of time.
    pub in_time: bool,
    /// The share of cases that intervals are to cover.
    pub level: Level,
    /// A prior of the pooled and the separate fits.
    pub prior: Option<Prior>,
    /// The seed of what is simulated.
    pub seed: u64,
}

/// A cohort; [`CohortStudy`] has an example.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct CohortFigures {
    /// Its name.
    pub name: String,
    /// Customers.
    pub customers: f64,
    /// The day of the earliest first purchase.
    pub born_from: Option<Date>,
    /// The day of the latest one.
    pub born_until: Option<Date>,
    /// The sum of their ages.
    pub exposure: f64,
    /// Which fit speaks for it.
    pub fit: Pooling,
    /// Why it is not the one that was asked for.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub fallback: Option<String>,
    /// How much of the partially pooled fit is that of all cohorts; none where there is no such fit.
    pub prior_weight: Option<f64>,
    /// The parameters, with intervals where they are known.
    pub parameters: Vec<(&'static str, Estimate)>,
    /// The fit that speaks for it, as a model file keeps it: parameters with standard errors and covariance, and how it ended.
    #[cfg(feature = "serde")]
    pub fit_record: Option<FitRecord>,
    /// Repeat purchases so far.
    pub observed_purchases: f64,
    /// The same as the model has it of customers of whom nothing is known but their age.
    pub expected_purchases: Estimate,
    /// By age.
    pub curve: Vec<CurvePoint>,
    /// Expected purchases within the horizon; none for a lifetime in which they add up for ever.
    pub residual_purchases: Option<f64>,
    /// Their interval; none for a lifetime.
    pub residual_purchases_between: Option<(f64, f64)>,
    /// Margin x spend so far.
    pub value_to_date: f64,
    /// The sum of the CLV; none without a spend model.
    pub residual_value: Option<f64>,
    /// Its interval; none where values have none.
    pub residual_value_between: Option<(f64, f64)>,
    /// Value so far and value to come.
    pub total_value: Option<f64>,
    /// What a new customer of this cohort is worth over the horizon, on average; none without a spend model, and none with a cost to serve.
    pub new_customer_value: Option<Estimate>,
    /// Cost of acquisition per customer, where it is known.
    pub acquisition_cost: Option<f64>,
    /// New customer's value over cost.
    pub value_to_cost: Option<Estimate>,
    /// When the value pays for the cost.
    pub payback: Option<Payback>,
}

/// All cohorts: what [`CohortStudy::run`] finds, with an example at [`CohortStudy`].
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct CohortReport {
    /// The version of this report.
    pub format: u32,
    /// The purchase model.
    pub model: &'static str,
    /// The unit of all times.
    pub unit: TimeUnit,
    /// The last day observed.
    pub observation_end: Date,
    /// The share of cases that intervals are to cover.
    pub level: f64,
    /// What value means.
    pub definition: ClvDefinition,
    /// Which fits were asked for.
    pub pooling: Pooling,
    /// Probability of so large a gain from telling the cohorts apart if all were alike; none with one cohort, and where they do not borrow from each other.
    pub p_all_alike: Option<f64>,
    /// What holds for all cohorts and is worth knowing, in sentences: why there is no fit in which they borrow from each other.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Vec::is_empty"))]
    pub notices: Vec<String>,
    /// The standard deviation of the logarithm of each parameter between cohorts.
    pub sd_between: Vec<(&'static str, f64)>,
    /// In the byte order of their names.
    pub cohorts: Vec<CohortFigures>,
    /// How customers change with the time of acquisition, where cohorts follow each other in time.
    pub change: Option<Change>,
}

/// The fits that were made.
enum Fits<M> {
    Groups(Box<GroupFits<M>>),
    /// There is one cohort, none needs to borrow, or there is no partially pooled fit.
    Ungrouped(Box<Ungrouped<M>>),
}

/// One fit for all, and those of single cohorts where they were asked for.
struct Ungrouped<M> {
    pooled: Fitted<M>,
    separate: Vec<Result<Fitted<M>>>,
    /// Why there is no partially pooled fit, where it was tried.
    why: Option<String>,
}

impl<M: Estimable> Fits<M> {
    fn pooled(&self) -> &Fitted<M> {
        match self {
            Fits::Groups(fits) => fits.pooled(),
            Fits::Ungrouped(fits) => &fits.pooled,
        }
    }

    /// The fit that speaks for a cohort, which it is, and why it is not the one that was asked for.
    fn of(&self, cohort: usize, wanted: Pooling) -> (&Fitted<M>, Pooling, Option<String>) {
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
    fn notice(&self) -> Option<String> {
        let instead = if self.separate.is_empty() { "all cohorts have" } else { "a cohort without a fit of its own has" };
        self.why.as_ref().map(|why| format!("{why}; {instead} the one fit for all"))
    }
}

impl CohortStudy<'_> {
    /// Looks at the cohorts of the customers of a log; `names[i]` is the cohort of row i. All customers are new in the log.
    ///
    /// # Errors
    /// When there is not one name for each customer, the customers are not those of the log, are born before it or at an unknown time, costs name a cohort that is
    /// not there or are negative, the period is not one of a fixed length, or the pooled fit has no optimum.
    pub fn run<M>(&self, log: &TransactionLog, observation: &Observation, customers: &Customers, names: &[String]) -> Result<CohortReport>
    where
        M: Retention + Simulate<Alive: Simulate> + Estimable<Sample: GroupedSample + Sample<Source = Customers>>,
    {
        self.run_watched::<M>(log, observation, customers, names, None)
    }

    /// The same, with somebody who watches how far it has come, cohort by cohort, and may stop it.
    ///
    /// # Errors
    /// As for [`run`](Self::run), or when the work was stopped.
    pub fn run_watched<M>(
        &self,
        log: &TransactionLog,
        observation: &Observation,
        customers: &Customers,
        names: &[String],
        watch: Option<&Watch<'_>>,
    ) -> Result<CohortReport>
    where
        M: Retention + Simulate<Alive: Simulate> + Estimable<Sample: GroupedSample + Sample<Source = Customers>>,
    {
        if names.len() != customers.len() {
            return Err(Error::parameter(format!("{} names of cohorts for {} customers", names.len(), customers.len())));
        }
        let mut cohort_names = names.to_vec();
        cohort_names.sort_unstable();
        cohort_names.dedup();
        self.check_costs(&cohort_names)?;
        let Some(period) = self.period.fixed_length(observation.unit).filter(|period| period.is_finite()) else {
            return Err(Error::parameter(format!("a period of {} has no fixed length; give it in days or weeks", self.period)));
        };
        let cohort_of: Vec<usize> = names.iter().map(|name| cohort_names.partition_point(|other| other < name)).collect();
        let estimator = Estimator::<M>::new().prior(self.prior);
        let members = |c: usize| customers.where_row(|row| cohort_of[row] == c);
        let follow_each_other = self.in_time && cohort_names.len() > 1;
        // The fits are a piece of work, each cohort is one, and how they follow each other.
        let work = Work::new(1 + cohort_names.len() as u64 + u64::from(follow_each_other), watch);
        let fits = self.fits(&estimator, customers, names, cohort_names.len(), &members)?;
        work.done_one();
        let counts = counted(log, observation, customers, (&cohort_of, cohort_names.len()), period)?;
        let spend = self.spend.map(Uncertain::of);
        let cohorts = (0..cohort_names.len()).take_while(|_| !work.is_stopped()).map(|c| {
            let members = members(c)?;
            let (fitted, fit, fallback) = fits.of(c, self.pooling);
            let model = Uncertain::of(fitted);
            let mut cohort = self.bought(&cohort_names[c], &members, &model);
            (cohort.fit, cohort.fallback) = (fit, fallback);
            cohort.curve = curve(&counts[c], period, &model, self.level);
            cohort.parameters = self.parameters(fitted);
            #[cfg(feature = "serde")]
            {
                cohort.fit_record = Some(FitRecord::of(fitted));
            }
            if let Fits::Groups(fits) = &fits {
                cohort.prior_weight = Some(fits.groups()[c].prior_weight());
            }
            self.value(&mut cohort, &members, fitted, &model, spend.as_ref())?;
            work.done_one();
            Ok(cohort)
        });
        let cohorts = cohorts.collect::<Result<Vec<_>>>()?;
        let in_time = InTime { customers, cohort_of: &cohort_of, names: &cohort_names, prior: self.prior, level: self.level };
        let speaking: Vec<&Fitted<M>> = (0..cohort_names.len()).map(|c| fits.of(c, self.pooling).0).collect();
        let change = || {
            let change = in_time.change(&speaking, fits.pooled())?;
            work.done_one();
            Ok(change)
        };
        let change = (follow_each_other && !work.is_stopped()).then(change).transpose()?;
        work.finish("the study of cohorts")?;
        let (p_all_alike, sd_between) = match &fits {
            Fits::Groups(fits) => {
                let sd = |(i, parameter): (usize, &crate::models::ParameterInfo)| (parameter.name, fits.sd_between(i).unwrap_or(0.0));
                (Some(fits.p_all_alike()), M::PARAMETERS.iter().enumerate().map(sd).collect())
            }
            Fits::Ungrouped(_) => (None, Vec::new()),
        };
        let notices = match &fits {
            Fits::Groups(_) => Vec::new(),
            Fits::Ungrouped(fits) => fits.notice().into_iter().collect(),
        };
        Ok(CohortReport {
            format: 1,
            model: M::NAME,
            unit: observation.unit,
            observation_end: observation.end,
            level: self.level.share(),
            definition: self.definition,
            pooling: self.pooling,
            p_all_alike,
            notices,
            sd_between,
            cohorts,
            change,
        })
    }

    /// The fits that the cohorts ask for, and no others.
    fn fits<M>(
        &self,
        estimator: &Estimator<'_, M>,
        customers: &Customers,
        names: &[String],
        cohorts: usize,
        members: &(impl Fn(usize) -> Result<Customers> + Sync),
    ) -> Result<Fits<M>>
    where
        M: Estimable<Sample: GroupedSample + Sample<Source = Customers>>,
    {
        let alone = |pooled, separate, why| Fits::Ungrouped(Box::new(Ungrouped { pooled, separate, why }));
        if cohorts == 1 || self.pooling == Pooling::Pooled {
            return Ok(alone(estimator.fit(customers)?, Vec::new(), None));
        }
        let mut separate = Vec::new();
        if self.pooling == Pooling::Separate {
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

    fn check_costs(&self, names: &[String]) -> Result<()> {
        for (name, cost) in &self.costs {
            if names.binary_search(name).is_err() {
                return Err(Error::data(format!("there is a cost of the cohort {name:?}, but no such cohort; they are {}", listed(names))));
            }
            if !(*cost >= 0.0 && cost.is_finite()) {
                return Err(Error::data(format!("the acquisition of the cohort {name:?} cost {cost}; a cost is an amount of at least 0")));
            }
        }
        Ok(())
    }

    /// What a cohort has done so far.
    fn bought<M: PurchaseModel + Estimable>(&self, name: &str, members: &Customers, model: &Uncertain<M>) -> CohortFigures {
        let births = || members.purchases().iter().map(|record| record.first.date());
        let mut ages = members.age().to_vec();
        ages.sort_unstable_by(f64::total_cmp);
        let by_age: Vec<(f64, f64)> = ages.chunk_by(|one, other| one == other).map(|equal| (equal[0], equal.len() as f64)).collect();
        let over = |of: &dyn Fn(f64) -> f64| by_age.iter().map(|&(age, count)| count * of(age)).sum::<f64>();
        let chance = over(&|age| model.centre.purchase_variance(age));
        let spent: f64 = members.purchases().iter().map(|record| record.total_spend).sum();
        CohortFigures {
            name: name.to_owned(),
            customers: members.len() as f64,
            born_from: births().min(),
            born_until: births().max(),
            exposure: over(&|age| age),
            fit: Pooling::Pooled,
            fallback: None,
            prior_weight: None,
            parameters: Vec::new(),
            #[cfg(feature = "serde")]
            fit_record: None,
            observed_purchases: members.frequency().iter().map(|&x| f64::from(x)).sum(),
            expected_purchases: model.count(|model| over(&|age| model.expected_purchases(age)), chance, self.level),
            curve: Vec::new(),
            residual_purchases: None,
            residual_purchases_between: None,
            value_to_date: self.definition.margin.share() * spent,
            residual_value: None,
            residual_value_between: None,
            total_value: None,
            new_customer_value: None,
            acquisition_cost: None,
            value_to_cost: None,
            payback: None,
        }
    }

    fn parameters<M: Estimable>(&self, fitted: &Fitted<M>) -> Vec<(&'static str, Estimate)> {
        let values = fitted.model().parameters();
        let estimate = |i: usize| {
            let (lower, upper) = fitted.interval(i, self.level).unwrap_or((values[i], values[i]));
            (M::PARAMETERS[i].name, Estimate { value: values[i], lower, upper })
        };
        (0..values.len()).map(estimate).collect()
    }

    /// What is to come, and what new customers are worth.
    fn value<M>(
        &self,
        cohort: &mut CohortFigures,
        members: &Customers,
        fitted: &Fitted<M>,
        model: &Uncertain<M>,
        spend: Option<&Uncertain<GammaGamma>>,
    ) -> Result<()>
    where
        M: PurchaseModel + Simulate<Alive: Simulate> + Estimable,
    {
        let forecaster = Forecaster::from_fits(fitted, self.spend, &self.definition, members.observation_end())?;
        let totals = Totals::of(members, &forecaster.scorer().score_all(members)?);
        cohort.residual_purchases = totals.expected_purchases;
        cohort.residual_value = totals.clv;
        cohort.total_value = totals.clv.map(|clv| cohort.value_to_date + clv);
        let terms = *forecaster.scorer().terms();
        if terms.horizon().is_finite() {
            let groups = forecaster.groups(members, &vec![0; members.len()], self.level, REPLICATIONS, self.seed, None)?;
            cohort.residual_purchases_between = groups.first().map(|group| (group.purchases.lower, group.purchases.upper));
            let valued = groups.first().filter(|_| forecaster.has_value_intervals());
            cohort.residual_value_between = valued.and_then(|group| group.clv).map(|clv| (clv.lower, clv.upper));
        }
        let cost = self.costs.iter().find(|(name, _)| *name == cohort.name).map(|(_, cost)| cost / cohort.customers);
        cohort.acquisition_cost = cost;
        // Costs to serve go with the time a customer stays, which these figures do not know; without the costs they would be too high.
        let Some(spend) = spend.filter(|_| !terms.has_costs()) else { return Ok(()) };
        let new =
            NewCustomers { purchases: model, spend, terms: &terms, with_first: self.definition.first_purchase.is_in(), level: self.level };
        cohort.new_customer_value = new.value();
        if let Some(cost) = cost {
            let over = |Estimate { value, lower, upper }| Estimate { value: value / cost, lower: lower / cost, upper: upper / cost };
            cohort.value_to_cost = cohort.new_customer_value.filter(|_| cost > 0.0).map(over);
            cohort.payback = cohort.new_customer_value.map(|_| new.payback(cost));
        }
        Ok(())
    }
}

fn listed(names: &[String]) -> String {
    let some: Vec<String> = names.iter().take(5).map(|name| format!("{name:?}")).collect();
    format!("{}{}", some.join(", "), if names.len() > some.len() { ", ..." } else { "" })
}

impl CohortReport {
    /// The report as indented JSON with a line end.
    #[cfg(feature = "serde")]
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).expect("a report is plain data with text keys");
        text.push('\n');
        text
    }
}
