//! Rows on their way into a log: gathered by partition, so that threads can fill one log side by side.

use std::mem;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::data::ids::IdHasher;
use crate::data::log::{Transaction, TransactionLog};
use crate::data::ordered::out_of_order;
use crate::data::partition::{Event, PARTITIONS, Partition, partition_of};
use crate::data::report::Skipped;
use crate::error::{Error, Result};
use crate::parallel::map_indices;

/// A row; its id follows that of the row before in the text of the part.
#[derive(Debug, Clone, Copy)]
struct Staged {
    hash: u64,
    amount: f64,
    hour: i32,
    id_length: u32,
}

/// The rows of a batch that belong to one partition.
#[derive(Debug, Default)]
pub(crate) struct Part {
    text: String,
    rows: Vec<Staged>,
}

impl Part {
    /// Adds the rows of another part.
    fn append(&mut self, other: &Part) {
        self.text.push_str(&other.text);
        self.rows.extend_from_slice(&other.rows);
    }

    fn clear(&mut self) {
        self.text.clear();
        self.rows.clear();
    }

    /// Hands over id, hash, hour and amount of each row.
    pub(crate) fn for_each(&self, mut each: impl FnMut(&str, u64, i32, f64) -> Result<()>) -> Result<()> {
        let mut start = 0;
        for row in &self.rows {
            let end = start + row.id_length as usize;
            each(&self.text[start..end], row.hash, row.hour, row.amount)?;
            start = end;
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
            self.keep_order(transaction.time.hours_since_1970().div_euclid(hours), hours, &place)?;
        }
        let hash = self.hasher.hash(transaction.customer);
        let part = &mut self.parts[partition_of(hash)];
        part.text.push_str(transaction.customer);
        let id_length = u32::try_from(transaction.customer.len()).map_err(|_| Error::data("the customer id is too long").at(place()))?;
        part.rows.push(Staged { hash, amount: transaction.unsigned_zero(), hour: transaction.time.hours_since_1970(), id_length });
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

    /// The rows to come are those of this piece of the files.
    #[cfg(any(feature = "csv", feature = "parquet"))]
    pub(crate) fn begin(&mut self, piece: u64) {
        self.skipped = Skipped::of_piece(piece);
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
        self.parts.iter_mut().for_each(Part::clear);
        self.rows = 0;
        self.skipped = Skipped::of_piece(self.skipped.piece());
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
    partitions: Vec<Mutex<Filling>>,
    skipped: Mutex<Skipped>,
    batches: AtomicUsize,
}

/// A partition, and rows that wait for it.
///
/// To look an id up is to wait for memory, unless the partition is in the cache. So rows wait until there are enough of them to bring it there.
#[derive(Debug, Default)]
struct Filling {
    partition: Partition,
    waiting: Part,
}

/// Rows that wait at least.
const WAITING: usize = 1024;

impl Filling {
    fn add(&mut self, part: &Part) -> Result<()> {
        self.waiting.append(part);
        if self.waiting.rows.len() >= WAITING.max(self.partition.customers().ids().len() / 3) { self.let_in() } else { Ok(()) }
    }

    fn let_in(&mut self) -> Result<()> {
        let Filling { partition, waiting } = self;
        waiting.for_each(|id, hash, hour, amount| {
            let customer = partition.number(id, hash)?;
            partition.push(Event { customer, hour, amount });
            Ok(())
        })?;
        waiting.clear();
        Ok(())
    }
}

impl Intake for SharedLog {
    fn hasher(&self) -> &IdHasher {
        &self.hasher
    }

    fn take(&self, _: u64, batch: &Batch, _: bool) -> Result<()> {
        // Each batch begins elsewhere, so that threads do not walk behind one another.
        let first = self.batches.fetch_add(1, Ordering::Relaxed) % PARTITIONS * 29;
        for index in (first..first + PARTITIONS).map(|index| index % PARTITIONS) {
            lock(&self.partitions[index]).add(&batch.parts[index])?;
        }
        lock(&self.skipped).add_all(&batch.skipped);
        Ok(())
    }
}

impl Default for SharedLog {
    fn default() -> Self {
        TransactionLog::new().into()
    }
}

impl From<TransactionLog> for SharedLog {
    fn from(log: TransactionLog) -> Self {
        let (hasher, partitions, skipped) = log.into_parts();
        let filling = |partition| Mutex::new(Filling { partition, waiting: Part::default() });
        let partitions = partitions.into_iter().map(filling).collect();
        SharedLog { hasher, partitions, skipped: Mutex::new(skipped), batches: AtomicUsize::new(0) }
    }
}

impl SharedLog {
    /// The log, when all rows have been taken in.
    pub(crate) fn into_log(self) -> Result<TransactionLog> {
        let partitions = map_indices(self.partitions.len(), |index| {
            let mut filling = mem::take(&mut *lock(&self.partitions[index]));
            filling.let_in().map(|()| filling.partition)
        });
        let partitions = partitions.into_iter().collect::<Result<_>>()?;
        let skipped = mem::take(&mut *lock(&self.skipped));
        Ok(TransactionLog::from_parts(self.hasher, partitions, skipped))
    }
}

/// A thread that panicked has ended the work anyway.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
