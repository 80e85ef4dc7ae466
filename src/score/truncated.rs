//! Distributions and intervals of customers of whom less is known than a history: born before the log, or known by counts.

use super::forecast::{BATCH, Forecaster, ValueInterval};
use super::predictive::{PurchaseDistribution, ValueDistribution};
use crate::data::{Birth, Censored, Customers, EveryCustomer, LeftTruncated, SpendHistory};
use crate::error::Result;
use crate::fit::{Level, Watch, Work};
use crate::models::{AnyPurchaseModel, BgNbd, CensoredFuture, MbgNbd, ParetoNbd, PurchaseModel};
use crate::parallel::map_indices;

impl<M: PurchaseModel> Forecaster<M> {
    /// The distribution of the number of purchases within the horizon, as [`purchases`](Self::purchases), of a customer of whom less is known than a history.
    ///
    /// ```
    /// use clv::{ClvDefinition, EveryCustomer, Forecaster, History, LeftTruncated, ParetoNbd, ParetoNbdParams, Scorer, TimeUnit};
    ///
    /// let model = ParetoNbd::new(ParetoNbdParams { r: 0.553, alpha: 10.578, s: 0.606, beta: 11.669 })?;
    /// let definition = ClvDefinition { horizon: "52 weeks".parse()?, ..ClvDefinition::default() };
    /// let forecaster = Forecaster::new(Scorer::new(model, None, definition.resolve(TimeUnit::Week, None)?));
    /// // Acquired two years before the log, and silent for all of its 39 weeks.
    /// let silent = LeftTruncated::<EveryCustomer>::born_before(104.0, History::new(0, 0.0, 39.0)?)?;
    /// let purchases = forecaster.purchases_left_truncated(&silent).unwrap();
    /// assert!((purchases.sf(0) - 0.031_234).abs() < 1e-6 && purchases.quantile(0.97) == 1);
    /// # Ok::<(), clv::Error>(())
    /// ```
    #[must_use]
    pub fn purchases_left_truncated<D: Censored>(&self, row: &D) -> Option<PurchaseDistribution<<M as CensoredFuture<D>>::Alive>>
    where
        M: CensoredFuture<D>,
    {
        let horizon = self.scorer.terms().horizon();
        let future = |model: &M| (model.censored_p_alive(row), model.censored_given_alive(row));
        horizon.is_finite().then(|| PurchaseDistribution::new(self.purchases.points().iter().map(future).collect(), horizon))
    }

    /// The distribution of the value within the horizon, as [`value`](Self::value), of a customer of whom less is known than a history.
    ///
    /// ```
    /// use clv::{
    ///     ClvDefinition, EveryCustomer, Forecaster, GammaGamma, GammaGammaParams, History, LeftTruncated, ParetoNbd, ParetoNbdParams, Scorer, SpendHistory,
    /// TimeUnit, };
    ///
    /// let model = ParetoNbd::new(ParetoNbdParams { r: 0.553, alpha: 10.578, s: 0.606, beta: 11.669 })?;
    /// let spend = GammaGamma::new(GammaGammaParams { p: 6.25, q: 3.74, gamma: 15.44 })?;
    /// let definition = ClvDefinition { horizon: "52 weeks".parse()?, ..ClvDefinition::default() };
    /// let forecaster = Forecaster::new(Scorer::new(model, Some(spend), definition.resolve(TimeUnit::Week, None)?));
    /// // Acquired two years before the log, and silent for all of its 39 weeks: there is a value when there is a purchase.
    /// let silent = LeftTruncated::<EveryCustomer>::born_before(104.0, History::new(0, 0.0, 39.0)?)?;
    /// let value = forecaster.value_left_truncated(&silent, &SpendHistory::UNKNOWN).unwrap();
    /// assert!((value.sf(0.0) - 0.031_234).abs() < 1e-6 && value.quantile(0.95) == 0.0 && value.quantile(0.99) > 10.0);
    /// # Ok::<(), clv::Error>(())
    /// ```
    #[must_use]
    pub fn value_left_truncated<D: Censored>(&self, row: &D, spend: &SpendHistory) -> Option<ValueDistribution>
    where
        M: CensoredFuture<D>,
    {
        self.values_if_alike(&[(*row, *spend)]).pop().flatten()
    }

    /// The distributions of customers who have the same future if they are alive.
    fn values_if_alike<D: Censored>(&self, rows: &[(D, SpendHistory)]) -> Vec<Option<ValueDistribution>>
    where
        M: CensoredFuture<D>,
    {
        let Some((first, spend)) = rows.first().filter(|_| self.has_value_intervals()) else { return vec![None; rows.len()] };
        let points = self.purchases.points();
        let average_discount = self.scorer.average_discount_of(&self.scorer.models().0.censored_given_alive(first));
        let outlook = self.outlook_of(points.iter().map(|model| model.censored_given_alive(first)), average_discount, spend);
        let value =
            |(row, spend): &(D, SpendHistory)| self.value_if_alive(points.iter().map(|model| model.censored_p_alive(row)), spend, &outlook);
        rows.iter().map(value).collect()
    }

    /// The same customers by a forecaster of the one model that all parameter sets are of.
    fn by<N: PurchaseModel>(&self, model: N, of: impl Fn(&M) -> Option<N>) -> Option<Forecaster<N>> {
        Some(Forecaster { scorer: self.scorer.by(model), purchases: self.purchases.points_as(of)?, spend: self.spend.clone() })
    }
}

/// What the row is told apart by, of which the first three hold all that the future of a customer who is alive depends on; then the spend.
fn key<D: Censored>((row, spend): &(D, SpendHistory)) -> [f64; 8] {
    let [x, second, third, fourth, fifth, sixth] = row.key();
    [x, second, third, fourth, fifth, sixth, f64::from(spend.purchases()), spend.mean()]
}

/// What the forecaster of the one model that all parameter sets are of has to say; `None` when they are of several.
macro_rules! by_one_model {
    ($any:expr, $variant:ident, $model:expr, |$forecaster:ident| $says:expr) => {
        $any.by(*$model, |model| if let AnyPurchaseModel::$variant(model) = model { Some(*model) } else { None }).map(|$forecaster| $says)
    };
}

impl Forecaster<AnyPurchaseModel> {
    /// The distribution of the value of row `index`, whatever is known of its birth, as [`Scorer::score_row`](crate::Scorer::score_row) scores it.
    ///
    /// ```
    /// use clv::{Acquisition, AnyPurchaseModel, ClvDefinition, Forecaster, GammaGamma, GammaGammaParams, Scorer, TimeUnit};
    ///
    /// # let log = clv::TransactionLog::from_columns(&["a", "b"], &["2026-01-05".parse()?, "2026-01-26".parse()?], &[20.0, 30.0])?;
    /// # let customers = log.summarize(&clv::Observation::until("2026-03-02".parse()?).in_weeks())?;
    /// # let dates = [("a", "2025-01-06"), ("b", "2026-01-26")].map(|(id, date)| Ok((id.to_owned(), date.parse()?)));
    /// # let dates = clv::AcquisitionDates::new(dates.into_iter().collect::<clv::Result<Vec<_>>>()?)?;
    /// // "a" was acquired a year before the log, and bought once in it; "b" is new in it.
    /// let (customers, _) = Acquisition::Dates(dates).apply(customers)?;
    /// let model = AnyPurchaseModel::from_name("pareto-nbd", &[0.553, 10.578, 0.606, 11.669])?;
    /// let spend = GammaGamma::new(GammaGammaParams { p: 6.25, q: 3.74, gamma: 15.44 })?;
    /// let definition = ClvDefinition { horizon: "52 weeks".parse()?, ..ClvDefinition::default() };
    /// let forecaster = Forecaster::new(Scorer::new(model, Some(spend), definition.resolve(TimeUnit::Week, None)?));
    /// let (old, new) = (forecaster.value_row(&customers, 0).unwrap(), forecaster.value_row(&customers, 1).unwrap());
    /// // Who still buys after a year is likely to stay.
    /// assert!((old.sf(0.0) - 0.716_854).abs() < 1e-6 && (new.sf(0.0) - 0.311_783).abs() < 1e-6);
    /// assert_eq!(new.sf(0.0), forecaster.value(&customers.history(1), &customers.spend(1)).unwrap().sf(0.0));
    /// # Ok::<(), clv::Error>(())
    /// ```
    ///
    /// # Panics
    /// When there is no such row.
    #[must_use]
    pub fn value_row(&self, customers: &Customers, index: usize) -> Option<ValueDistribution> {
        let spend = customers.spend(index);
        let row = match customers.left_truncated_row::<EveryCustomer>(index) {
            Ok(row) if row.before() > 0.0 => row,
            _ => return self.value(&customers.history(index), &spend),
        };
        match self.scorer.models().0 {
            AnyPurchaseModel::BgNbd(model) => by_one_model!(self, BgNbd, model, |of| of.value_left_truncated(&row, &spend)).flatten(),
            AnyPurchaseModel::MbgNbd(model) => by_one_model!(self, MbgNbd, model, |of| of.value_left_truncated(&row, &spend)).flatten(),
            AnyPurchaseModel::ParetoNbd(model) => {
                by_one_model!(self, ParetoNbd, model, |of| of.value_left_truncated(&row, &spend)).flatten()
            }
            AnyPurchaseModel::Nbd(_) => self.value(row.history(), &spend),
        }
    }

    /// The central intervals of every customer's value, as [`value_intervals`](Self::value_intervals), those born before the log included.
    ///
    /// ```
    /// use clv::{Acquisition, AnyPurchaseModel, ClvDefinition, Forecaster, GammaGamma, GammaGammaParams, Level, Scorer, TimeUnit};
    ///
    /// # let log = clv::TransactionLog::from_columns(&["a", "b"], &["2026-01-05".parse()?, "2026-01-26".parse()?], &[20.0, 30.0])?;
    /// # let customers = log.summarize(&clv::Observation::until("2026-03-02".parse()?).in_weeks())?;
    /// # let dates = [("a", "2025-01-06"), ("b", "2026-01-26")].map(|(id, date)| Ok((id.to_owned(), date.parse()?)));
    /// # let dates = clv::AcquisitionDates::new(dates.into_iter().collect::<clv::Result<Vec<_>>>()?)?;
    /// // "a" was acquired a year before the log, and bought once in it; "b" is new in it.
    /// let (customers, _) = Acquisition::Dates(dates).apply(customers)?;
    /// let model = AnyPurchaseModel::from_name("pareto-nbd", &[0.553, 10.578, 0.606, 11.669])?;
    /// let spend = GammaGamma::new(GammaGammaParams { p: 6.25, q: 3.74, gamma: 15.44 })?;
    /// let definition = ClvDefinition { horizon: "52 weeks".parse()?, ..ClvDefinition::default() };
    /// let forecaster = Forecaster::new(Scorer::new(model, Some(spend), definition.resolve(TimeUnit::Week, None)?));
    /// let intervals = forecaster.value_intervals_by_birth(&customers, Level::default(), Some(50.0), None)?;
    /// let old = intervals[0].unwrap();
    /// let value = forecaster.value_row(&customers, 0).unwrap();
    /// assert_eq!((old.lower, old.upper, old.p_above), (value.quantile(0.05), value.quantile(0.95), Some(value.sf(50.0))));
    /// # Ok::<(), clv::Error>(())
    /// ```
    ///
    /// # Errors
    /// As for [`value_intervals`](Self::value_intervals).
    pub fn value_intervals_by_birth(
        &self,
        customers: &Customers,
        level: Level,
        threshold: Option<f64>,
        watch: Option<&Watch<'_>>,
    ) -> Result<Vec<Option<ValueInterval>>> {
        if !customers.has_born_before() {
            return self.value_intervals(customers, level, threshold, watch);
        }
        let is_before = |birth| matches!(birth, Birth::Before(_));
        let complete = customers.where_birth(|birth| !is_before(birth))?;
        let mut complete = self.value_intervals(&complete, level, threshold, watch)?.into_iter();
        let mut rows = Vec::new();
        for index in (0..customers.len()).filter(|&index| is_before(customers.birth(index))) {
            rows.push((customers.left_truncated_row(index)?, customers.spend(index)));
        }
        // Without dropout the time before the log says nothing.
        let by_history = |row: &LeftTruncated<EveryCustomer>, spend: &SpendHistory| self.value(row.history(), spend);
        let mut before = self.intervals_of_kind(&rows, by_history, level, threshold, watch)?.into_iter();
        let interval = |index| if is_before(customers.birth(index)) { before.next().flatten() } else { complete.next().flatten() };
        Ok((0..customers.len()).map(interval).collect())
    }

    /// The intervals of customers of whom one kind of data is known; `by_recency` is the value of one to a model without dropout.
    pub(super) fn intervals_of_kind<D: Censored>(
        &self,
        rows: &[(D, SpendHistory)],
        by_recency: impl Fn(&D, &SpendHistory) -> Option<ValueDistribution>,
        level: Level,
        threshold: Option<f64>,
        watch: Option<&Watch<'_>>,
    ) -> Result<Vec<Option<ValueInterval>>>
    where
        BgNbd: CensoredFuture<D>,
        MbgNbd: CensoredFuture<D>,
        ParetoNbd: CensoredFuture<D>,
    {
        let intervals = match self.scorer.models().0 {
            AnyPurchaseModel::BgNbd(model) => by_one_model!(self, BgNbd, model, |of| of.intervals_of(rows, level, threshold, watch)),
            AnyPurchaseModel::MbgNbd(model) => by_one_model!(self, MbgNbd, model, |of| of.intervals_of(rows, level, threshold, watch)),
            AnyPurchaseModel::ParetoNbd(model) => {
                by_one_model!(self, ParetoNbd, model, |of| of.intervals_of(rows, level, threshold, watch))
            }
            AnyPurchaseModel::Nbd(_) => {
                let values = rows.iter().map(|(row, spend)| by_recency(row, spend));
                Some(Ok(values.map(|value| value.map(|value| ValueInterval::of(&value, level, threshold))).collect()))
            }
        };
        intervals.unwrap_or_else(|| Ok(vec![None; rows.len()]))
    }
}

impl<M: PurchaseModel> Forecaster<M> {
    fn intervals_of<D: Censored>(
        &self,
        rows: &[(D, SpendHistory)],
        level: Level,
        threshold: Option<f64>,
        watch: Option<&Watch<'_>>,
    ) -> Result<Vec<Option<ValueInterval>>>
    where
        M: CensoredFuture<D>,
    {
        let mut order: Vec<usize> = (0..rows.len()).collect();
        let by_key = |one: &[f64], other: &[f64]| {
            one.iter().zip(other).map(|(one, other)| one.total_cmp(other)).find(|order| order.is_ne()).unwrap_or(std::cmp::Ordering::Equal)
        };
        order.sort_by(|&i, &j| by_key(&key(&rows[i]), &key(&rows[j])));
        let alike = |&i: &usize, &j: &usize| key(&rows[i])[..3] == key(&rows[j])[..3];
        let batches: Vec<&[usize]> = order.chunk_by(alike).flat_map(|group| group.chunks(BATCH)).collect();
        let work = Work::new(batches.len() as u64, watch);
        let of_batches = map_indices(batches.len(), |b| {
            if work.is_stopped() {
                return Vec::new();
            }
            let batch: Vec<_> = batches[b].iter().map(|&i| rows[i]).collect();
            let values = self.values_if_alike(&batch);
            let intervals = values.iter().map(|value| value.as_ref().map(|value| ValueInterval::of(value, level, threshold)));
            let intervals: Vec<Option<ValueInterval>> = intervals.collect();
            work.done_one();
            intervals
        });
        work.finish("the intervals")?;
        let mut intervals = vec![None; rows.len()];
        for (&i, interval) in order.iter().zip(of_batches.into_iter().flatten()) {
            intervals[i] = interval;
        }
        Ok(intervals)
    }
}
