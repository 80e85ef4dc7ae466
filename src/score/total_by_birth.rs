//! The total of customers some of whom were born before the log.

use super::cumulants::Moments;
use super::forecast::Forecaster;
use super::groups::GroupForecast;
use super::large_group::{Members, Places, Sums};
use crate::data::{Birth, Censored, Customers, EveryCustomer, LeftTruncated, SpendHistory};
use crate::error::Result;
use crate::fit::Level;
use crate::models::{AnyPurchaseModel, CensoredFuture, GammaGamma, PurchaseModel};
use crate::parallel::map_indices;

/// A customer born before the log.
struct BornBefore {
    row: LeftTruncated<EveryCustomer>,
    weight: f64,
    /// The value of a unit of money, and what is known of the spend; none without a CLV.
    worth: Option<(f64, SpendHistory)>,
}

impl Forecaster<AnyPurchaseModel> {
    /// What all customers may come to, those born before the log included: as [`groups`](Self::groups) tells of one large group. The sums of those born
    /// before the log are added to those of the others, place by place of the parameters, which they share.
    ///
    /// `None` where the total is not nearly normal given the parameters, being that of a few, or the models are lists of models; a value of which that holds
    /// is `None` alone.
    ///
    /// ```
    /// # #[cfg(feature = "csv")] {
    /// use clv::{AnyPurchaseModel, ClvDefinition, Forecaster, Level, Observation, Scorer, TimeUnit, TransactionLog};
    ///
    /// let end = "1997-09-30".parse()?;
    /// let customers = TransactionLog::from_csv("examples/data/cdnow_sample.csv")?.summarize(&Observation::until(end).in_weeks())?;
    /// let model = AnyPurchaseModel::from_name("pareto-nbd", &[0.553, 10.578, 0.606, 11.669])?;
    /// let terms = ClvDefinition { horizon: "39 weeks".parse()?, ..ClvDefinition::default() }.resolve(TimeUnit::Week, Some(end))?;
    /// let forecaster = Forecaster::new(Scorer::new(model, None, terms));
    /// let total = forecaster.total_by_birth(&customers, Level::default(), 1)?.unwrap();
    /// // Without anybody born before the log it is that of the one group of all.
    /// assert_eq!(total, forecaster.groups(&customers, &vec![0; customers.len()], Level::default(), 200, 1, None)?[0]);
    /// let expected: f64 = forecaster.scorer().score_all(&customers)?.iter().filter_map(|score| score.expected_purchases).sum();
    /// assert!(total.purchases.lower < expected && expected < total.purchases.upper);
    /// assert!(total.purchases.upper - total.purchases.lower < 0.15 * expected);
    /// # }
    /// # Ok::<(), clv::Error>(())
    /// ```
    ///
    /// # Errors
    /// As for [`groups`](Self::groups).
    pub fn total_by_birth(&self, customers: &Customers, level: Level, seed: u64) -> Result<Option<GroupForecast>> {
        let is_before = |birth| matches!(birth, Birth::Before(_));
        let complete = customers.where_birth(|birth| !is_before(birth))?;
        let base = self.base(&complete, &vec![0; complete.len()], 2)?;
        let born: Vec<usize> = (0..customers.len()).filter(|&row| is_before(customers.birth(row))).collect();
        let mut before = map_indices(born.len(), |k| self.born_before(customers, born[k])).into_iter().collect::<Result<Vec<_>>>()?;
        // Sums in an order of their own, equal ones one after the other.
        before.sort_by(|one, other| {
            one.key()
                .iter()
                .zip(&other.key())
                .map(|(one, other)| one.total_cmp(other))
                .find(|order| order.is_ne())
                .unwrap_or(std::cmp::Ordering::Equal)
        });
        let Some(places) = self.places() else { return Ok(None) };
        let rows = base.members.first().map_or(&[][..], Vec::as_slice);
        let members = Members { customers: &complete, rows, scales: &base.scales };
        let weight = rows.iter().map(|&row| complete.weight(row)).sum::<f64>() + before.iter().map(|customer| customer.weight).sum::<f64>();
        let has_value = base.scales.iter().any(Option::is_some) || before.iter().any(|customer| customer.worth.is_some());
        let sums = |places: &Places<'_, AnyPurchaseModel>| {
            let sums = places.sums(&members);
            if before.is_empty() { sums } else { sums.plus(&places.sums_before(&before)) }
        };
        let told = places.told(sums, weight, has_value, level, seed, 0);
        Ok(told.map(|told| if told.lacks_value { GroupForecast { clv: None, ..told.forecast } } else { told.forecast }))
    }

    fn born_before(&self, customers: &Customers, index: usize) -> Result<BornBefore> {
        let (row, spend) = (customers.left_truncated_row::<EveryCustomer>(index)?, customers.spend(index));
        let scorer = self.scorer();
        let has_value = self.has_value_intervals() && scorer.models().1.is_some_and(|model| model.expected_average_spend(&spend).is_some());
        let discount = |row: &LeftTruncated<EveryCustomer>| match *scorer.models().0 {
            AnyPurchaseModel::BgNbd(model) => scorer.average_discount_of(&model.censored_given_alive(row)),
            AnyPurchaseModel::MbgNbd(model) => scorer.average_discount_of(&model.censored_given_alive(row)),
            AnyPurchaseModel::ParetoNbd(model) => scorer.average_discount_of(&model.censored_given_alive(row)),
            AnyPurchaseModel::Nbd(model) => scorer.average_discount_of(&model.given_alive(row.history())),
        };
        let worth = has_value.then(|| (scorer.terms().margin().share() * discount(&row), spend));
        Ok(BornBefore { row, weight: customers.weight(index), worth })
    }
}

impl BornBefore {
    fn key(&self) -> [f64; 9] {
        let [x, before, age, recency, fifth, sixth] = self.row.key();
        let (scale, spend) = self.worth.unwrap_or((0.0, SpendHistory::UNKNOWN));
        [x, before, age, recency, fifth, sixth, f64::from(spend.purchases()), spend.mean(), scale + self.weight]
    }
}

impl Places<'_, AnyPurchaseModel> {
    /// Adds up customers born before the log, equal ones of whom stand together.
    fn sums_before(&self, before: &[BornBefore]) -> Sums {
        self.in_pieces(before, |none, piece| self.piece_before(none, piece))
    }

    fn piece_before(&self, mut sums: Sums, piece: &[BornBefore]) -> Sums {
        let (models, spends): (&[AnyPurchaseModel], &[GammaGamma]) =
            (&self.purchases.models, self.spend.map_or(&[], |spend| &spend.models));
        let mut last: Option<(LeftTruncated<EveryCustomer>, Moments, Vec<f64>)> = None;
        for BornBefore { row, weight, worth } in piece {
            let (_, moments, means) = match &mut last {
                Some(known) if known.0 == *row => known,
                other => other.insert((
                    *row,
                    moments(&models[0], row, self.horizon),
                    models.iter().map(|model| mean(model, row, self.horizon)).collect(),
                )),
            };
            sums.add_customer(*weight, *moments, means, spends, *worth);
        }
        sums
    }
}

/// The moments of the purchases within `horizon`.
fn moments(model: &AnyPurchaseModel, row: &LeftTruncated<EveryCustomer>, horizon: f64) -> Moments {
    fn of<M: CensoredFuture<LeftTruncated<EveryCustomer>>>(model: &M, row: &LeftTruncated<EveryCustomer>, horizon: f64) -> Moments {
        Moments::of_purchases(&model.censored_given_alive(row), horizon).with_probability(model.censored_p_alive(row))
    }
    match model {
        AnyPurchaseModel::BgNbd(model) => of(model, row, horizon),
        AnyPurchaseModel::MbgNbd(model) => of(model, row, horizon),
        AnyPurchaseModel::ParetoNbd(model) => of(model, row, horizon),
        // Without dropout the time before the log says nothing.
        AnyPurchaseModel::Nbd(model) => Moments::of_purchases(&model.given_alive(row.history()), horizon),
    }
}

/// Expected purchases within `horizon`.
fn mean(model: &AnyPurchaseModel, row: &LeftTruncated<EveryCustomer>, horizon: f64) -> f64 {
    match model {
        AnyPurchaseModel::BgNbd(model) => model.censored_expected_purchases(row, horizon),
        AnyPurchaseModel::MbgNbd(model) => model.censored_expected_purchases(row, horizon),
        AnyPurchaseModel::ParetoNbd(model) => model.censored_expected_purchases(row, horizon),
        AnyPurchaseModel::Nbd(model) => model.conditional_expected_purchases(row.history(), horizon),
    }
}
