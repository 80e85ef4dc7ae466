//! A model as it was fitted, and what it answers of a customer.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use clv::{AnyPurchaseModel, CustomerState, Date, ModelFile, Observation, Score, Scorer};
use serde::Serialize;

/// A model and how it scores. A request takes one and keeps it to its end, whatever is loaded meanwhile.
pub(crate) struct Model {
    pub(crate) file: ModelFile,
    scorer: Scorer<AnyPurchaseModel>,
    pub(crate) as_of: Option<Date>, // the day of the scores; `None` is today
}

/// What is answered of a customer.
#[derive(Debug, Serialize)]
pub(crate) struct Answer<'a> {
    pub(crate) customer: &'a str,
    pub(crate) p_alive: f64,
    pub(crate) p_active: f64,
    pub(crate) expected_purchases: Option<f64>,
    pub(crate) clv: Option<f64>,
    pub(crate) band: Option<&'a str>,
}

/// A score, or why there is none.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum OneOfMany<'a> {
    Score(Answer<'a>),
    Fault { customer: &'a str, error: String },
}

impl Model {
    pub(crate) fn read(path: &Path, as_of: Option<Date>) -> Result<Self, String> {
        let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
        let file = ModelFile::from_json(&text).map_err(|error| format!("{}: {error}", path.display()))?;
        let scorer = file.scorer(Some(as_of.unwrap_or_else(today))).map_err(|error| error.to_string())?;
        Ok(Model { file, scorer, as_of })
    }

    pub(crate) fn health(&self, customers: usize) -> serde_json::Value {
        let (model, definition) = (self.file.purchases().model(), self.file.definition_in_force().hash());
        serde_json::json!({"status": "ok", "model": model, "definition": definition, "customers": customers})
    }

    /// Scores a customer; `None` before the first purchase. It fails where the model's rules refuse what is known of the customer, such as refunds.
    pub(crate) fn score<'a>(&'a self, customer: &'a str, state: Option<&CustomerState>) -> clv::Result<Option<Answer<'a>>> {
        let Some(state) = state else { return Ok(None) };
        let seen = Observation::until(self.as_of.unwrap_or_else(today)).unit(self.file.unit()).spend_over(self.file.spend_basis());
        let observation =
            self.file.data().cleaning.as_ref().map_or(seen, |by| seen.refunds(by.refunds).duplicates(by.duplicates).merge(by.merge));
        let Some((history, spend)) = state.history(&observation)? else { return Ok(None) };
        let Score { p_alive, p_active, expected_purchases, clv, .. } = self.scorer.score(&history, &spend);
        let band = clv.zip(self.file.bands()).map(|(clv, bands)| bands.band(clv));
        Ok(Some(Answer { customer, p_alive, p_active, expected_purchases, clv, band }))
    }

    /// The same as one answer of many.
    pub(crate) fn one_of_many<'a>(&'a self, customer: &'a str, state: Option<&CustomerState>) -> Option<OneOfMany<'a>> {
        match self.score(customer, state) {
            Ok(answer) => answer.map(OneOfMany::Score),
            Err(error) => Some(OneOfMany::Fault { customer, error: error.to_string() }),
        }
    }
}

/// The day in UTC.
fn today() -> Date {
    let days = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs() / 86_400);
    Date::from_days_since_1970(days as i32).expect("a clock between the years -9999 and 9999")
}
