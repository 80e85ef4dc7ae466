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

#[derive(Default)]
pub(crate) struct Book {
    states: RwLock<HashMap<String, CustomerState>>,
    /// Saves come one after the other.
    saving: Mutex<()>,
}

impl Book {
    /// The states that were saved; a file that is not there yet is an empty book.
    pub(crate) fn load(path: &Path) -> clv::Result<Self> {
        let states = if path.exists() { CustomerStates::load(path)?.states() } else { Vec::new() };
        Ok(Book { states: RwLock::new(states.into_iter().collect()), saving: Mutex::default() })
    }

    /// Writes all states beside the file and puts that in its place: whoever reads it finds all of one moment.
    pub(crate) fn save(&self, path: &Path) -> clv::Result<()> {
        let _one_at_a_time = self.saving.lock().unwrap_or_else(PoisonError::into_inner);
        let mut saved = CustomerStates::new();
        self.read(|states| {
            let events = states.iter().flat_map(|(id, state)| state.events().map(move |(time, amount)| (id, time, amount)));
            events.into_iter().try_for_each(|(id, time, amount)| saved.take(Transaction { customer: id, time, amount }))
        })?;
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
            checked.push((customer, time, amount));
        }
        let count = checked.len();
        let mut states = self.states.write().unwrap_or_else(PoisonError::into_inner);
        for (customer, time, amount) in checked {
            states.entry(customer).or_default().take(time, amount).map_err(|error| error.to_string())?;
        }
        Ok(count)
    }

    /// Looks at the states, while events wait.
    pub(crate) fn read<T>(&self, look: impl FnOnce(&HashMap<String, CustomerState>) -> T) -> T {
        look(&self.states.read().unwrap_or_else(PoisonError::into_inner))
    }
}
