//! The customers' states: taken from events, written whole to a file, read again at the next start.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Mutex, PoisonError, RwLock};

use clv::{CustomerState, CustomerStates, Moment, Transaction};
use serde::Deserialize;

/// A purchase, or a refund when the amount is negative, as a client sends it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Event {
    customer: String,
    date: String,
    amount: f64,
}

const LARGEST: f64 = 1e12; // amounts beyond it are a mistake, and their sums would have no end

/// Two locks, neither held over an `await`. `known` is taken within handlers, on the threads that serve all requests, for no longer than the events of one request take. Saving
/// takes as long as there are customers: it has states of its own, behind a lock waited for on threads for blocking work alone, and catches up with the events since.
#[derive(Default)]
pub(crate) struct Book {
    known: RwLock<Known>,
    saved: Mutex<CustomerStates>,
}

#[derive(Default)]
struct Known {
    states: HashMap<String, CustomerState>,
    unsaved: Vec<(String, Moment, f64)>, // events since the last save
}

impl Book {
    /// The states that were saved; a file that is not there yet is an empty book.
    pub(crate) fn load(path: &Path) -> clv::Result<Self> {
        let saved = if path.exists() { CustomerStates::load(path)? } else { CustomerStates::new() };
        let known = Known { states: saved.states().into_iter().collect(), unsaved: Vec::new() };
        Ok(Book { known: RwLock::new(known), saved: Mutex::new(saved) })
    }

    /// Writes all states beside the file and puts that in its place: whoever reads it finds all of one moment. Saves come one after the other. What one could not
    /// write is in the next.
    pub(crate) fn save(&self, path: &Path) -> clv::Result<()> {
        let mut saved = self.saved.lock().unwrap_or_else(PoisonError::into_inner);
        let unsaved = std::mem::take(&mut self.known.write().unwrap_or_else(PoisonError::into_inner).unsaved);
        // It fails for what `take` has refused, and beyond the four billion customers of a file.
        unsaved.iter().try_for_each(|(customer, time, amount)| saved.take(Transaction { customer, time: *time, amount: *amount }))?;
        saved.save(path)
    }

    /// Takes all of the events or, when one of them cannot be used, none.
    pub(crate) fn take(&self, events: Vec<Event>) -> Result<usize, String> {
        let mut checked = Vec::with_capacity(events.len());
        for (number, Event { customer, date, amount }) in events.into_iter().enumerate() {
            let time: Moment = date.parse().map_err(|error| format!("event {number}: {error}"))?;
            // What a log would refuse, a blank customer or an endless amount, is refused here.
            let event = Transaction { customer: &customer, time, amount };
            CustomerStates::new().take(event).map_err(|error| format!("event {number}: {error}"))?;
            if amount.abs() > LARGEST {
                return Err(format!("event {number}: amount {amount:e} is beyond {LARGEST:e}"));
            }
            checked.push((customer, time, amount));
        }
        let count = checked.len();
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner); // what was checked above cannot fail below
        for (customer, time, amount) in &checked {
            known.states.entry(customer.clone()).or_default().take(*time, *amount).map_err(|error| error.to_string())?;
        }
        known.unsaved.append(&mut checked);
        Ok(count)
    }

    /// Looks at the states, while events wait: for a few customers at a time.
    pub(crate) fn read<T>(&self, look: impl FnOnce(&HashMap<String, CustomerState>) -> T) -> T {
        look(&self.known.read().unwrap_or_else(PoisonError::into_inner).states)
    }
}
