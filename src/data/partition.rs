//! A part of a log: the customers whose ids have the same few bits in their hash, and all their rows.

use crate::data::ids::Interner;
use crate::error::Result;

/// Partitions of a log. Enough for the cores of a large machine to work side by side, and for one of them to lie in its cache.
pub(crate) const PARTITIONS: usize = 64;

/// The partition of an id, by bits of its hash that the interner of the partition makes no use of.
#[inline]
pub(crate) fn partition_of(hash: u64) -> usize {
    (hash >> 32) as usize % PARTITIONS
}

/// One event of 16 bytes; `customer` is the number of an id in the partition.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Event {
    pub(crate) customer: u32,
    pub(crate) hour: i32,
    pub(crate) amount: f64,
}

/// Events in a piece of memory: what a log grows by, so that nothing is copied and little lies idle.
const PIECE: usize = 16 * 1024;

/// Customers and their events in order of arrival.
#[derive(Debug, Clone, Default)]
pub(crate) struct Partition {
    customers: Interner,
    pieces: Vec<Vec<Event>>,
    len: usize,
    /// The first and the last hour.
    span: Option<(i32, i32)>,
}

impl Partition {
    /// The number of the customer `id`, whose hash is given.
    #[inline]
    pub(crate) fn number(&mut self, id: &str, hash: u64) -> Result<u32> {
        Ok(self.customers.intern(id, hash)?.0)
    }

    /// Adds an event of a customer who has a number.
    #[inline]
    pub(crate) fn push(&mut self, event: Event) {
        match self.pieces.last_mut() {
            Some(piece) if piece.len() < piece.capacity() => piece.push(event),
            _ => {
                let mut piece = Vec::with_capacity(self.len.clamp(4, PIECE));
                piece.push(event);
                self.pieces.push(piece);
            }
        }
        self.len += 1;
        self.span = Some(self.span.map_or((event.hour, event.hour), |(first, last)| (first.min(event.hour), last.max(event.hour))));
    }

    pub(crate) fn customers(&self) -> &Interner {
        &self.customers
    }

    pub(crate) fn events(&self) -> impl Iterator<Item = &Event> {
        self.pieces.iter().flatten()
    }

    /// The events of one customer.
    pub(crate) fn events_of(&self, customer: u32) -> impl Iterator<Item = &Event> {
        self.events().filter(move |event| event.customer == customer)
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn span(&self) -> Option<(i32, i32)> {
        self.span
    }

    /// `of` each event, those of one customer together: a counting sort.
    pub(crate) fn by_customer<T: Copy + Default>(&self, of: impl Fn(&Event) -> T) -> ByCustomer<T> {
        let mut next = vec![0; self.customers.ids().len() + 1];
        for event in self.events() {
            next[event.customer as usize + 1] += 1;
        }
        for number in 1..next.len() {
            next[number] += next[number - 1];
        }
        let mut sorted = vec![T::default(); self.len];
        for event in self.events() {
            let place = &mut next[event.customer as usize];
            sorted[*place] = of(event);
            *place += 1;
        }
        // Every start has moved to the end of its customer's events.
        next.pop();
        ByCustomer { rows: sorted, ends: next }
    }
}

/// Rows, those of one customer together.
#[derive(Debug)]
pub(crate) struct ByCustomer<T> {
    rows: Vec<T>,
    /// Where the rows of each customer end.
    ends: Vec<usize>,
}

impl<T> ByCustomer<T> {
    pub(crate) fn rows_of(&mut self, customer: usize) -> &mut [T] {
        let start = if customer == 0 { 0 } else { self.ends[customer - 1] };
        &mut self.rows[start..self.ends[customer]]
    }
}
