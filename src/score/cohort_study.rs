//! Cohorts: who was acquired together, how they bought, what they are worth, and whether telling them apart is earned.

use super::change::InTime;
use super::cohort_curve::{counted, curve};
use super::cohort_fits::{Fits, Pooling};
use super::cohort_report::CohortReport;
use super::definition::ClvDefinition;
use super::estimate::Uncertain;
#[cfg(feature = "serde")]
use super::fit_record::FitRecord;
use crate::data::{Customers, Observation, TransactionLog};
use crate::error::{Error, Result};
use crate::fit::{Estimator, Fitted, Level, Prior, Watch, Work};
use crate::models::{Estimable, GammaGamma, GroupedSample, Retention, Sample};
use crate::simulate::Simulate;
use crate::time::Horizon;

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
        let fits = Fits::asked_for(self.pooling, &estimator, customers, names, cohort_names.len(), &members)?;
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
}

fn listed(names: &[String]) -> String {
    let some: Vec<String> = names.iter().take(5).map(|name| format!("{name:?}")).collect();
    format!("{}{}", some.join(", "), if names.len() > some.len() { ", ..." } else { "" })
}
