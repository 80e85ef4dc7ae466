//! Rows on their way into a log: gathered by partition, so that threads can fill one log side by side.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::data::ids::IdHasher;
use crate::data::log::{Transaction, TransactionLog};
use crate::data::ordered::out_of_order;
use crate::data::partition::{Event, PARTITIONS, Partition, partition_of};
use crate::data::report::Skipped;
use crate::error::Result;

/// A row whose id ends at `end` in the text of its part.
#[derive(Debug, Clone, Copy)]
struct Staged {
    hash: u64,
    end: usize,
    hour: i32,
    amount: f64,
}

/// The rows of a batch that belong to one partition.
#[derive(Debug, Default)]
pub(crate) struct Part {
    text: String,
    rows: Vec<Staged>,
}

impl Part {
    /// Hands over id, hash, hour and amount of each row.
    pub(crate) fn for_each(&self, mut each: impl FnMut(&str, u64, i32, f64) -> Result<()>) -> Result<()> {
        let mut start = 0;
        for row in &self.rows {
            each(&self.text[start..row.end], row.hash, row.hour, row.amount)?;
            start = row.end;
        }
        Ok(())
    }
}

/// Rows that one thread has read and not yet handed over.
#[derive(Debug)]
pub(crate) struct Batch {
    hasher: IdHasher,
    parts: Vec<Part>,
    rows: usize,
    skipped: Skipped,
    /// The hours of a period, when rows must come in order of these.
    ordered_by: Option<i32>,
    span: Option<BatchSpan>,
}

/// The first and the last period of the rows of a batch that are in order.
#[derive(Debug)]
pub(crate) struct BatchSpan {
    pub(crate) first: i32,
    pub(crate) last: i32,
    /// Where the first row stands.
    pub(crate) place: String,
}

impl Batch {
    /// No row yet, for the rows that `intake` is to take.
    pub(crate) fn new(intake: &dyn Intake) -> Self {
        Batch {
            hasher: intake.hasher().clone(),
            parts: (0..PARTITIONS).map(|_| Part::default()).collect(),
            rows: 0,
            skipped: Skipped::default(),
            ordered_by: intake.ordered_by(),
            span: None,
        }
    }

    /// Adds a row, by the same rules as [`TransactionLog::push`]; `place` is where it stands.
    #[inline]
    pub(crate) fn push(&mut self, transaction: Transaction<'_>, place: impl Fn() -> String) -> Result<()> {
        transaction.check().map_err(|error| error.at(place()))?;
        if let Some(hours) = self.ordered_by {
            self.keep_order(transaction.time.hours_since_1970().div_euclid(hours), hours, place)?;
        }
        let hash = self.hasher.hash(transaction.customer);
        let part = &mut self.parts[partition_of(hash)];
        part.text.push_str(transaction.customer);
        part.rows.push(Staged {
            hash,
            end: part.text.len(),
            hour: transaction.time.hours_since_1970(),
            amount: transaction.unsigned_zero(),
        });
        self.rows += 1;
        Ok(())
    }

    fn keep_order(&mut self, period: i32, hours: i32, place: impl Fn() -> String) -> Result<()> {
        match &mut self.span {
            Some(span) if period < span.last => return Err(out_of_order(period, span.last, hours).at(place())),
            Some(span) => span.last = period,
            none => *none = Some(BatchSpan { first: period, last: period, place: place() }),
        }
        Ok(())
    }

    pub(crate) fn span(&self) -> Option<&BatchSpan> {
        self.span.as_ref()
    }

    pub(crate) fn skipped_mut(&mut self) -> &mut Skipped {
        &mut self.skipped
    }

    /// Rows that were read, the skipped ones among them.
    pub(crate) fn rows_read(&self) -> u64 {
        self.rows as u64 + self.skipped.rows()
    }

    pub(crate) fn parts(&self) -> &[Part] {
        &self.parts
    }

    pub(crate) fn skipped(&self) -> &Skipped {
        &self.skipped
    }

    /// Forgets the rows and keeps the memory.
    pub(crate) fn clear(&mut self) {
        for part in &mut self.parts {
            part.text.clear();
            part.rows.clear();
        }
        self.rows = 0;
        self.skipped = Skipped::default();
        self.span = None;
    }
}

/// What takes in the rows that several threads read.
///
/// The work of reading is numbered in the order of the rows. Each piece ends with a batch that is its last, whatever happens.
pub(crate) trait Intake: Sync {
    /// The hash function of the ids in its batches.
    fn hasher(&self) -> &IdHasher;

    /// The hours of a period, when rows must come in order of these.
    fn ordered_by(&self) -> Option<i32> {
        None
    }

    /// Takes in the rows of a batch from a piece of work.
    fn take(&self, piece: u64, batch: &Batch, last: bool) -> Result<()>;
}

/// A log that several threads fill, in whatever order.
#[derive(Debug)]
pub(crate) struct SharedLog {
    hasher: IdHasher,
    partitions: Vec<Mutex<Partition>>,
    skipped: Mutex<Skipped>,
    batches: AtomicUsize,
}

impl Intake for SharedLog {
    fn hasher(&self) -> &IdHasher {
        &self.hasher
    }

    fn take(&self, _: u64, batch: &Batch, _: bool) -> Result<()> {
        // Each batch begins elsewhere, so that threads do not walk behind one another.
        let first = self.batches.fetch_add(1, Ordering::Relaxed) % PARTITIONS * 29;
        for index in (first..first + PARTITIONS).map(|index| index % PARTITIONS) {
            let mut partition = lock(&self.partitions[index]);
            batch.parts[index].for_each(|id, hash, hour, amount| {
                let customer = partition.number(id, hash)?;
                partition.push(Event { customer, hour, amount });
                Ok(())
            })?;
        }
        lock(&self.skipped).add_all(&batch.skipped);
        Ok(())
    }
}

impl SharedLog {
    pub(crate) fn with_hasher(hasher: IdHasher) -> Self {
        let log = TransactionLog::from_parts(hasher, vec![Partition::default(); PARTITIONS], Skipped::default());
        log.into()
    }

    pub(crate) fn partition(&self, index: usize) -> MutexGuard<'_, Partition> {
        lock(&self.partitions[index])
    }
}

impl Default for SharedLog {
    fn default() -> Self {
        SharedLog::with_hasher(IdHasher::default())
    }
}

impl From<TransactionLog> for SharedLog {
    fn from(log: TransactionLog) -> Self {
        let (hasher, partitions, skipped) = log.into_parts();
        let partitions = partitions.into_iter().map(Mutex::new).collect();
        SharedLog { hasher, partitions, skipped: Mutex::new(skipped), batches: AtomicUsize::new(0) }
    }
}

impl From<SharedLog> for TransactionLog {
    fn from(shared: SharedLog) -> Self {
        let partitions = shared.partitions.into_iter().map(|partition| partition.into_inner().unwrap_or_else(PoisonError::into_inner));
        let skipped = shared.skipped.into_inner().unwrap_or_else(PoisonError::into_inner);
        TransactionLog::from_parts(shared.hasher, partitions.collect(), skipped)
    }
}

/// A thread that panicked has ended the work anyway.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
