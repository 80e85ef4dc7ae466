//! Scoring customers in columns.

use std::fmt;
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use super::columns::{Asked, ScoreColumns, Sink};
use super::definition::ClvTerms;
use super::scorer::{Future, Score, Scorer};
use crate::data::{Customers, Histories, Spends};
use crate::error::{Error, Result};
use crate::models::{PurchaseModel, SeenHistories};
use crate::numeric::remembered::Remembered;
use crate::parallel::{for_each, threads};

/// Rows of a piece that one thread works on: fewer are not worth a thread, and more would only need more memory.
const FEWEST: usize = 1 << 11;
const MOST: usize = 1 << 20;

/// Pieces per thread, so that one that is held up does not hold up the others.
const PIECES: usize = 4;

/// Scores customers batch after batch, and remembers what customers of one frequency and age have in common.
///
/// A score is the same, bit for bit, as that of [`Scorer::score`], whoever else is in the batch or was in an earlier one, and whatever the number of threads.
///
/// ```
/// use clv::{BgNbd, BgNbdParams, ClvDefinition, GammaGamma, GammaGammaParams, Histories, ScoreColumns, Scorer, SpendBasis, Spends, TimeUnit};
///
/// let purchases = BgNbd::new(BgNbdParams { r: 0.243, alpha: 4.414, a: 0.793, b: 2.426 })?;
/// let spend = GammaGamma::new(GammaGammaParams { p: 6.25, q: 3.74, gamma: 15.44 })?;
/// let terms = ClvDefinition::default().resolve(TimeUnit::Week, Some("1997-09-30".parse()?))?;
/// let batches = Scorer::new(purchases, Some(spend), terms).in_batches();
///
/// let (frequency, average_spend) = ([2, 0], [22.35, 0.0]);
/// let histories = Histories::new(&frequency, &[30.43, 0.0], &[38.86, 38.86])?;
/// let spends = Spends::new(&frequency, &average_spend, SpendBasis::RepeatPurchases)?;
/// let (mut p_alive, mut clv) = ([0.0; 2], [0.0; 2]);
/// batches.score(&histories, &spends, ScoreColumns { p_alive: Some(&mut p_alive), clv: Some(&mut clv), ..ScoreColumns::default() })?;
/// assert_eq!(format!("{:.4} {:.2}", p_alive[0], clv[0]), "0.7266 36.88");
/// # Ok::<(), clv::Error>(())
/// ```
pub struct BatchScorer<M> {
    /// By each of the terms; the first is always there.
    scorers: Vec<Scorer<M>>,
    /// What threads that are not at work have at hand.
    tasks: Mutex<Vec<Task>>,
}

impl<M: fmt::Debug> fmt::Debug for BatchScorer<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BatchScorer").field("scorers", &self.scorers).finish_non_exhaustive()
    }
}

/// What a thread needs to score a piece, kept for the next one.
#[derive(Default)]
struct Task {
    seen: SeenHistories,
    known: Vec<Known>,
    // Of the rows that are scored together.
    p_alive: Vec<f64>,
    of_rows: Vec<Future>,
    amounts: Vec<Option<f64>>,
    missing: Vec<usize>,
}

/// What a horizon holds for customers who are alive.
#[derive(Default)]
struct Known {
    asked: Option<Asked>,
    futures: Remembered<Future>,
}

/// Rows that are scored together: what is worked out for them stays in the cache.
const TOGETHER: usize = 1 << 12;

impl<M: PurchaseModel> BatchScorer<M> {
    pub(super) fn new(scorer: Scorer<M>) -> Self {
        BatchScorer { scorers: vec![scorer], tasks: Mutex::default() }
    }

    /// Scores also by these terms, so that several horizons, or rates of discount, are scored in one pass by [`score_each`](Self::score_each).
    ///
    /// ```
    /// use clv::{AnnualDiscount, BgNbd, BgNbdParams, ClvDefinition, Histories, ScoreColumns, Scorer, Spends, TimeUnit};
    ///
    /// let model = BgNbd::new(BgNbdParams { r: 0.243, alpha: 4.414, a: 0.793, b: 2.426 })?;
    /// let definition = ClvDefinition { horizon: "39 weeks".parse()?, ..ClvDefinition::default() };
    /// let undiscounted = ClvDefinition { annual_discount: AnnualDiscount::new(0.0)?, ..definition };
    /// let batches = Scorer::new(model, None, definition.resolve(TimeUnit::Week, None)?).in_batches();
    /// let batches = batches.also_by(undiscounted.resolve(TimeUnit::Week, None)?)?;
    ///
    /// let (mut worth, mut number) = ([0.0], [0.0]);
    /// let columns = [&mut worth, &mut number].map(|column| ScoreColumns { discounted_purchases: Some(column), ..ScoreColumns::default() });
    /// batches.score_each(&Histories::new(&[2], &[30.43], &[38.86])?, &Spends::UNKNOWN, columns.into())?;
    /// assert_eq!(format!("{:.4} {:.4}", worth[0], number[0]), "1.1858 1.2260");
    /// # Ok::<(), clv::Error>(())
    /// ```
    ///
    /// # Errors
    /// When the terms are in another unit of time than the first.
    pub fn also_by(mut self, terms: ClvTerms) -> Result<Self> {
        let unit = self.scorer().terms().unit();
        if terms.unit() != unit {
            return Err(Error::parameter(format!(
                "the terms are in {}s and those before in {unit}s; resolve the definition for {unit}s",
                terms.unit()
            )));
        }
        self.scorers.push(self.scorer().over(terms));
        Ok(self)
    }

    /// The scorer; of several, the first.
    #[must_use]
    pub fn scorer(&self) -> &Scorer<M> {
        &self.scorers[0]
    }

    /// Scores customers into the columns that are there, in their order, on all threads.
    ///
    /// Memory is taken per thread: tables of what comes again, which grow up to 16 MB, and up to 32 MB for each of the terms. Nothing is allocated per row.
    ///
    /// # Errors
    /// When a column, or the spends, are not as long as there are customers, or the spends are over other purchases than the spend model's.
    pub fn score(&self, histories: &Histories<'_>, spends: &Spends<'_>, columns: ScoreColumns<'_>) -> Result<()> {
        self.score_into(histories, spends, vec![columns.checked(histories.len())?])
    }

    /// Scores customers by all terms in one pass, into columns for each, in the order of the terms: P(alive) and the expected spend, which do not depend on the terms, are
    /// worked out once.
    ///
    /// ```
    /// use clv::{ClvDefinition, Histories, ParetoNbd, ParetoNbdParams, ScoreColumns, Scorer, Spends, TimeUnit};
    ///
    /// let model = ParetoNbd::new(ParetoNbdParams { r: 0.553, alpha: 10.578, s: 0.606, beta: 11.669 })?;
    /// let over = |horizon: &str| ClvDefinition { horizon: horizon.parse()?, ..ClvDefinition::default() }.resolve(TimeUnit::Week, None);
    /// let batches = Scorer::new(model, None, over("13 weeks")?).in_batches().also_by(over("39 weeks")?)?;
    ///
    /// let histories = Histories::new(&[7], &[29.43], &[38.86])?;
    /// let (mut quarter, mut whole) = ([0.0], [0.0]);
    /// let columns = [&mut quarter, &mut whole].map(|column| ScoreColumns { expected_purchases: Some(column), ..ScoreColumns::default() });
    /// batches.score_each(&histories, &Spends::UNKNOWN, columns.into())?;
    /// assert_eq!(format!("{:.4} {:.4}", quarter[0], whole[0]), "1.3863 3.7123");
    /// # Ok::<(), clv::Error>(())
    /// ```
    ///
    /// # Errors
    /// When there are not columns for each terms, and as for [`score`](Self::score).
    pub fn score_each(&self, histories: &Histories<'_>, spends: &Spends<'_>, columns: Vec<ScoreColumns<'_>>) -> Result<()> {
        if columns.len() != self.scorers.len() {
            return Err(Error::parameter(format!(
                "there are columns for {} terms, and {} terms to score by",
                columns.len(),
                self.scorers.len()
            )));
        }
        let columns = columns.into_iter().map(|columns| columns.checked(histories.len())).collect::<Result<_>>()?;
        self.score_into(histories, spends, columns)
    }

    /// Scores every customer, in their order, by the first terms.
    ///
    /// # Errors
    /// As for [`Scorer::score_all`].
    pub fn score_all(&self, customers: &Customers) -> Result<Vec<Score>> {
        self.scorer().check(customers)?;
        let mut scores = vec![Score::NOTHING; customers.len()];
        self.score_into(&customers.histories(), &customers.spends(), vec![scores.as_mut_slice()])?;
        Ok(scores)
    }

    /// Scores by as many of the terms as there are sinks.
    fn score_into<S: Sink>(&self, histories: &Histories<'_>, spends: &Spends<'_>, sinks: Vec<S>) -> Result<()> {
        let rows = histories.len();
        if !spends.is_empty() && spends.len() != rows {
            return Err(Error::data(format!("there are histories of {rows} customers and average spends of {}", spends.len())));
        }
        if !spends.is_empty() {
            self.scorer().check_basis(spends.basis())?;
        }
        let pieces = if threads() == 1 { 1 } else { PIECES * threads() };
        let length = rows.div_ceil(pieces).clamp(FEWEST, MOST);
        let (mut rest, mut split) = (sinks, Vec::with_capacity(rows.div_ceil(length)));
        for start in (0..rows).step_by(length) {
            let end = rows.min(start + length);
            let (piece, others) = rest.into_iter().map(|sink| sink.split_at(end - start)).unzip();
            split.push((start..end, piece));
            rest = others;
        }
        for_each(split, |(rows, sinks): (Range<usize>, Vec<S>)| {
            let mut task = self.take_task();
            self.score_piece(&mut task, &histories.rows(rows.clone()), &spends.rows(rows), sinks);
            self.tasks.lock().unwrap_or_else(PoisonError::into_inner).push(task);
        });
        Ok(())
    }

    fn score_piece(&self, task: &mut Task, histories: &Histories<'_>, spends: &Spends<'_>, mut sinks: Vec<impl Sink>) {
        task.known.resize_with(self.scorers.len(), Known::default);
        for (known, sink) in task.known.iter_mut().zip(&sinks) {
            let asked = Some(sink.asked());
            if known.asked != asked {
                *known = Known { asked, ..Known::default() };
            }
        }
        for first in (0..histories.len()).step_by(TOGETHER) {
            let rows = first..histories.len().min(first + TOGETHER);
            self.score_rows(task, rows.start, &histories.rows(rows.clone()), &spends.rows(rows), &mut sinks);
        }
    }

    /// Scores rows, the first of which is that of the sinks with the number `first`.
    fn score_rows(&self, task: &mut Task, first: usize, histories: &Histories<'_>, spends: &Spends<'_>, sinks: &mut [impl Sink]) {
        let Task { seen, known, p_alive, of_rows, amounts, missing } = task;
        let (purchases, spend_model) = self.scorer().models();
        let rows = histories.len();
        p_alive.resize(rows, 0.0);
        of_rows.resize(rows, Future::default());
        amounts.resize(rows, None);
        purchases.p_alive_column_after(seen, histories, p_alive);
        if let Some(model) = spend_model.filter(|_| sinks.iter().any(|sink| sink.asked().spend)) {
            amounts.iter_mut().enumerate().for_each(|(row, amount)| *amount = model.expected_average_spend(&spends.get(row)));
        }
        for ((scorer, known), sink) in self.scorers.iter().zip(known).zip(sinks) {
            let asked = sink.asked();
            if asked.any_future() {
                let key = |row: usize| [f64::from(histories.frequency()[row]), histories.age()[row]];
                known.futures.look_up(key, of_rows, missing);
                for &row in &*missing {
                    of_rows[row] = known.futures.get(key(row), || scorer.future(&histories.get(row), asked));
                }
            }
            sink.put(first, rows, |row| scorer.score_with(p_alive[row], &of_rows[row], amounts[row]));
        }
    }

    fn take_task(&self) -> Task {
        let kept = self.tasks.lock().unwrap_or_else(PoisonError::into_inner).pop();
        kept.unwrap_or_default()
    }
}
