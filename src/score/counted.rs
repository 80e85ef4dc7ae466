//! Scores of customers known by counts per period: exact, since what they will do if alive depends on their number of purchases and age alone.

use super::forecast::{Forecaster, ValueInterval};
use super::scorer::{Score, Scorer};
use super::standing::{ScoreStatus, score_status};
use crate::data::{Birth, Censored, CountedCustomers, PeriodCounts, SpendHistory};
use crate::error::{Error, Result};
use crate::fit::{Level, Watch};
use crate::models::AnyPurchaseModel;
use crate::parallel::map_indices;

impl Scorer<AnyPurchaseModel> {
    /// Scores customers known by counts per period, in their order. What they spent is not known, so that they are expected to spend what customers do on
    /// average.
    ///
    /// ```
    /// use clv::{AnyPurchaseModel, ClvDefinition, CountedCustomers, PeriodCounts, Scorer, TimeUnit};
    ///
    /// let model = AnyPurchaseModel::from_name("pareto-nbd", &[0.553, 10.578, 0.606, 11.669])?;
    /// let terms = ClvDefinition { horizon: "52 weeks".parse()?, ..ClvDefinition::default() }.resolve(TimeUnit::Week, None)?;
    /// let mut counted = CountedCustomers::new(TimeUnit::Week);
    /// counted.push("0001", PeriodCounts::new(&[6.0, 10.0, 14.5, 19.0], &[2, 0, 1, 0])?)?;
    /// let scores = Scorer::new(model, None, terms).score_counted(&counted)?;
    /// assert!((scores[0].p_alive - 0.778_940).abs() < 1e-6);
    /// # Ok::<(), clv::Error>(())
    /// ```
    ///
    /// # Errors
    /// When the customers are measured in another unit than the model.
    pub fn score_counted(&self, counted: &CountedCustomers) -> Result<Vec<Score>> {
        self.check_unit(counted)?;
        Ok(map_indices(counted.customers().len(), |row| self.score_counts(counted.customers().row(row))))
    }

    fn score_counts(&self, row: &PeriodCounts) -> Score {
        match *self.models().0 {
            AnyPurchaseModel::BgNbd(model) => self.by(model).score_left_truncated(row, &SpendHistory::UNKNOWN),
            AnyPurchaseModel::MbgNbd(model) => self.by(model).score_left_truncated(row, &SpendHistory::UNKNOWN),
            AnyPurchaseModel::ParetoNbd(model) => self.by(model).score_left_truncated(row, &SpendHistory::UNKNOWN),
            // Without dropout it does not matter when the last purchase was.
            AnyPurchaseModel::Nbd(model) => self.by(model).score(&row.approximately(), &SpendHistory::UNKNOWN),
        }
    }

    fn check_unit(&self, counted: &CountedCustomers) -> Result<()> {
        let (own, other) = (self.terms().unit(), counted.customers().unit());
        if own == other {
            return Ok(());
        }
        Err(Error::data(format!(
            "the customers are measured in {other}s and the model in {own}s; read the counts in {own}s, or fit a model to them"
        )))
    }
}

impl Forecaster<AnyPurchaseModel> {
    /// The central intervals of the value of customers known by counts per period, as [`value_intervals`](Self::value_intervals).
    ///
    /// ```
    /// use clv::{AnyPurchaseModel, ClvDefinition, CountedCustomers, Forecaster, GammaGamma, GammaGammaParams, Level, PeriodCounts, Scorer, TimeUnit};
    ///
    /// let model = AnyPurchaseModel::from_name("pareto-nbd", &[0.553, 10.578, 0.606, 11.669])?;
    /// let spend = GammaGamma::new(GammaGammaParams { p: 6.25, q: 3.74, gamma: 15.44 })?;
    /// let terms = ClvDefinition { horizon: "52 weeks".parse()?, ..ClvDefinition::default() }.resolve(TimeUnit::Week, None)?;
    /// let forecaster = Forecaster::new(Scorer::new(model, Some(spend), terms));
    /// let mut counted = CountedCustomers::new(TimeUnit::Week);
    /// counted.push("0001", PeriodCounts::new(&[6.0, 10.0, 14.5, 19.0], &[2, 0, 1, 0])?)?;
    /// let value = forecaster.value_intervals_counted(&counted, Level::default(), Some(100.0), None)?[0].unwrap();
    /// assert_eq!(format!("{:.0} to {:.0}; {:.3} for more than 100", value.lower, value.upper, value.p_above.unwrap()), "0 to 444; 0.367 for more than 100");
    /// # Ok::<(), clv::Error>(())
    /// ```
    ///
    /// # Errors
    /// When the customers are measured in another unit than the model, or the work was stopped.
    pub fn value_intervals_counted(
        &self,
        counted: &CountedCustomers,
        level: Level,
        threshold: Option<f64>,
        watch: Option<&Watch<'_>>,
    ) -> Result<Vec<Option<ValueInterval>>> {
        self.scorer().check_unit(counted)?;
        let rows: Vec<(PeriodCounts, SpendHistory)> = counted.customers().rows().map(|(row, _)| (*row, SpendHistory::UNKNOWN)).collect();
        let by_recency = |row: &PeriodCounts, spend: &SpendHistory| self.value(&row.approximately(), spend);
        self.intervals_of_kind(&rows, by_recency, level, threshold, watch)
    }
}

impl AnyPurchaseModel {
    /// The status of customers known by counts per period, whose scores are in the same order.
    ///
    /// ```
    /// use clv::{AnyPurchaseModel, ClvDefinition, CountedCustomers, PeriodCounts, ScoreStatus, Scorer, TimeUnit};
    ///
    /// let model = AnyPurchaseModel::from_name("pareto-nbd", &[0.553, 10.578, 0.606, 11.669])?;
    /// let terms = ClvDefinition { horizon: "52 weeks".parse()?, ..ClvDefinition::default() }.resolve(TimeUnit::Week, None)?;
    /// let mut counted = CountedCustomers::new(TimeUnit::Week);
    /// counted.push("0001", PeriodCounts::new(&[6.0, 10.0], &[2, 0])?)?;
    /// counted.push("0002", PeriodCounts::new(&[1.0], &[0])?)?;                      // one week old: nine tenths of the rate are that of all
    /// let mut scores = Scorer::new(model, None, terms).score_counted(&counted)?;
    /// assert_eq!(model.counted_statuses(&counted, &scores), [ScoreStatus::NoSpendEstimate; 2]);
    /// scores.iter_mut().for_each(|score| score.clv = Some(36.88));                  // as with a model of spend
    /// assert_eq!(model.counted_statuses(&counted, &scores), [ScoreStatus::Scored, ScoreStatus::PriorDominated]);
    /// # Ok::<(), clv::Error>(())
    /// ```
    #[must_use]
    pub fn counted_statuses(&self, counted: &CountedCustomers, scores: &[Score]) -> Vec<ScoreStatus> {
        let rows = counted.customers().rows().zip(scores);
        rows.map(|((row, _), score)| score_status(score, Birth::InLog, self.is_prior_dominated(row.age()))).collect()
    }
}
