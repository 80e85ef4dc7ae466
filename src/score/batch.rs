//! Scoring customers in columns.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use super::columns::{Asked, ScoreColumns, Sink};
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
    scorer: Scorer<M>,
    /// What threads that are not at work have at hand.
    tasks: Mutex<Vec<Task>>,
}

impl<M: fmt::Debug> fmt::Debug for BatchScorer<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BatchScorer").field("scorer", &self.scorer).finish_non_exhaustive()
    }
}

/// What a thread needs to score a piece, kept for the next one.
#[derive(Default)]
struct Task {
    /// What the futures below were asked for.
    asked: Option<Asked>,
    futures: Remembered<2, Future>,
    seen: SeenHistories,
    // Of the rows that are scored together.
    p_alive: Vec<f64>,
    of_rows: Vec<Future>,
    amounts: Vec<Option<f64>>,
    missing: Vec<usize>,
}

/// Rows that are scored together: what is worked out for them stays in the cache.
const TOGETHER: usize = 1 << 11;

impl<M: PurchaseModel> BatchScorer<M> {
    pub(super) fn new(scorer: Scorer<M>) -> Self {
        BatchScorer { scorer, tasks: Mutex::default() }
    }

    /// The scorer.
    #[must_use]
    pub fn scorer(&self) -> &Scorer<M> {
        &self.scorer
    }

    /// Scores customers into the columns that are there, in their order, on all threads.
    ///
    /// Memory is taken per thread, 8 bytes for each of the rows it works on at a time and some 5 MB, and nothing is allocated per row.
    ///
    /// # Errors
    /// When a column is not as long as there are customers.
    pub fn score(&self, histories: &Histories<'_>, spends: &Spends<'_>, columns: ScoreColumns<'_>) -> Result<()> {
        self.score_into(histories, spends, columns.checked(histories.len())?)
    }

    /// Scores every customer, in their order.
    ///
    /// # Errors
    /// As for [`Scorer::score_all`].
    pub fn score_all(&self, customers: &Customers) -> Result<Vec<Score>> {
        self.scorer.check(customers)?;
        let mut scores = vec![Score::NOTHING; customers.len()];
        self.score_into(&customers.histories(), &customers.spends(), scores.as_mut_slice())?;
        Ok(scores)
    }

    fn score_into(&self, histories: &Histories<'_>, spends: &Spends<'_>, sink: impl Sink) -> Result<()> {
        let rows = histories.len();
        if !spends.is_empty() && spends.len() != rows {
            return Err(Error::data(format!("there are histories of {rows} customers and average spends of {}", spends.len())));
        }
        let pieces = if threads() == 1 { 1 } else { PIECES * threads() };
        let length = rows.div_ceil(pieces).clamp(FEWEST, MOST);
        let (mut rest, mut split) = (sink, Vec::with_capacity(rows.div_ceil(length)));
        for start in (0..rows).step_by(length) {
            let end = rows.min(start + length);
            let (piece, others) = rest.split_at(end - start);
            split.push((start..end, piece));
            rest = others;
        }
        for_each(split, |(rows, sink)| {
            let mut task = self.take_task();
            self.score_piece(&mut task, &histories.rows(rows.clone()), &spends.rows(rows), sink);
            self.tasks.lock().unwrap_or_else(PoisonError::into_inner).push(task);
        });
        Ok(())
    }

    fn score_piece(&self, task: &mut Task, histories: &Histories<'_>, spends: &Spends<'_>, mut sink: impl Sink) {
        let asks = sink.asked();
        if task.asked != Some(asks) {
            (task.asked, task.futures) = (Some(asks), Remembered::default());
        }
        for first in (0..histories.len()).step_by(TOGETHER) {
            let rows = first..histories.len().min(first + TOGETHER);
            self.score_rows(task, rows.start, &histories.rows(rows.clone()), &spends.rows(rows), asks, &mut sink);
        }
    }

    /// Scores rows, the first of which is that of the sink with the number `first`.
    fn score_rows(
        &self,
        task: &mut Task,
        first: usize,
        histories: &Histories<'_>,
        spends: &Spends<'_>,
        asked: Asked,
        sink: &mut impl Sink,
    ) {
        let Task { futures, seen, p_alive, of_rows, amounts, missing, .. } = task;
        let (purchases, spend_model) = self.scorer.models();
        let rows = histories.len();
        p_alive.resize(rows, 0.0);
        of_rows.resize(rows, Future::default());
        amounts.resize(rows, None);
        purchases.p_alive_column_after(seen, histories, p_alive);
        let key = |row: usize| [f64::from(histories.frequency()[row]), histories.age()[row]];
        futures.look_up(key, of_rows, missing);
        for &row in &*missing {
            of_rows[row] = futures.get(key(row), || self.scorer.future(&histories.get(row), asked));
        }
        if let Some(model) = spend_model.filter(|_| asked.spend) {
            amounts.iter_mut().enumerate().for_each(|(row, amount)| *amount = model.expected_average_spend(&spends.get(row)));
        }
        sink.put(first, rows, |row| self.scorer.score_with(p_alive[row], &of_rows[row], amounts[row]));
    }

    fn take_task(&self) -> Task {
        let kept = self.tasks.lock().unwrap_or_else(PoisonError::into_inner).pop();
        kept.unwrap_or_default()
    }
}
