//! The customer whose score is explained: found in the log, with what the score is made from.

use super::acquiring::Acquiring;
use super::console::Console;
use super::input::Input;
use crate::data::{Birth, Customers, DataReport, Exclusion, Observation, Purchase, TransactionLog};
use crate::error::{Error, Result};
use crate::time::Date;

/// What there is to say of a customer who was asked for.
pub(super) enum Found<'a> {
    Scored(Box<Subject<'a>>),
    /// Seen, and without a score.
    Excluded(Exclusion, Observation),
}

/// The customer who is explained.
pub(super) struct Subject<'a> {
    pub(super) id: &'a str,
    pub(super) log: &'a TransactionLog,
    pub(super) observation: Observation,
    /// This one alone.
    pub(super) customers: Customers,
    pub(super) purchases: Vec<Purchase>,
    /// How the customer's rows were cleaned; none where there is no row.
    pub(super) cleaning: Option<DataReport>,
    /// The first day of the log.
    pub(super) start: Option<Date>,
}

impl<'a> Subject<'a> {
    pub(super) fn of(
        id: &'a str,
        acquiring: &Acquiring,
        log: &'a TransactionLog,
        input: &Input<'_>,
        console: &Console,
    ) -> Result<Found<'a>> {
        let rows = log.transactions_of(id);
        let by_births = acquiring.for_a_log().next().is_some();
        if rows.is_empty() && !by_births {
            return Err(unknown(id, log).at(input.name()));
        }
        let alone = |observation: &Observation| {
            TransactionLog::from_events(log.transactions_of(id))?
                .summarize(observation)
                .map_err(|error| error.at(format!("customer {id:?}")))
        };
        let (customers, observation, cleaning, start) = if by_births {
            // When the log starts, and who has a date of acquisition, all rows say together.
            let (all, observation) = input.summarize(log, console)?;
            let Some(row) = all.find(id) else {
                let excluded = all.excluded().find(|(other, _)| *other == id);
                return excluded.map(|(_, why)| Found::Excluded(why, observation)).ok_or_else(|| unknown(id, log).at(input.name()));
            };
            let start = all.report().and_then(|report| report.first_date);
            // Of somebody who bought nothing within the log there is nothing to clean.
            let cleaning = match log.purchases_of(id, &observation)?.is_empty() {
                true => None,
                false => alone(&observation)?.report().cloned(),
            };
            (all.where_row(|other| other == row)?, observation, cleaning, start)
        } else {
            // Nobody's score depends on other customers, so a log of this one alone says the same; only the last day is that of the whole log.
            input.judge_skipped(&log.into(), console)?;
            let observation = input.observation(log, console)?;
            let is_seen = rows.iter().any(|row| row.time.date() <= observation.end);
            if log.purchases_of(id, &observation)?.is_empty() {
                let why = if is_seen { Exclusion::NoPurchase } else { Exclusion::SeenAfterEnd };
                return Ok(Found::Excluded(why, observation));
            }
            let customers = alone(&observation)?;
            let cleaning = customers.report().cloned();
            (customers, observation, cleaning, log.first_date())
        };
        let purchases = log.purchases_of(id, &observation)?;
        Ok(Found::Scored(Box::new(Subject { id, log, observation, customers, purchases, cleaning, start })))
    }

    /// What is to be known of the birth before the numbers are read; nothing of one in the log.
    pub(super) fn birth(&self) -> Option<String> {
        let (start, record) = (self.start?, self.customers.purchases().first()?);
        match self.customers.birth(0) {
            Birth::InLog => None,
            Birth::Before(_) => Some(format!(
                "Acquired on {}, before the log starts on {start}: what was bought until then is not known, and the score is that of the left-truncated likelihood",
                record.first
            )),
            Birth::Unknown => Some(format!(
                "First seen on {}, within the run-in from {start}: purchases before may be missing, and the score is that of somebody who was new then",
                record.first
            )),
        }
    }
}

/// The ids most like one that is not there: the same but for leading zeros, case or spaces.
fn unknown(id: &str, log: &TransactionLog) -> Error {
    let core = |id: &str| id.trim().trim_start_matches('0').to_lowercase();
    let wanted = core(id);
    let like: Vec<String> = {
        let mut like: Vec<&str> = log.customer_ids().filter(|other| core(other) == wanted).collect();
        like.sort_unstable();
        like.iter().take(3).map(|id| format!("{id:?}")).collect()
    };
    let hint = match like.as_slice() {
        [] => format!("the log has {} customers, among them {:?}", log.customer_count(), log.customer_ids().min().unwrap_or_default()),
        like => format!("ids are text; did you mean {}?", like.join(" or ")),
    };
    Error::data(format!("there is no customer {id:?}; {hint}"))
}
