//! The model in use: read from model.json, replaced while requests go on.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock, TryLockError};
use std::time::{SystemTime, UNIX_EPOCH};

use clv::{AnyPurchaseModel, CustomerState, Date, ModelFile, Observation, Score, Scorer};
use serde::Serialize;

/// A model and how it scores. A request takes one and keeps it to its end, whatever is loaded meanwhile.
pub(crate) struct Model {
    pub(crate) file: ModelFile,
    scorer: Scorer<AnyPurchaseModel>,
    as_of: Option<Date>, // the day of the scores; `None` is today
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

impl Model {
    fn read(path: &Path, as_of: Option<Date>) -> Result<Self, String> {
        let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
        let file = ModelFile::from_json(&text).map_err(|error| format!("{}: {error}", path.display()))?;
        let scorer = file.scorer(Some(as_of.unwrap_or_else(today))).map_err(|error| error.to_string())?;
        Ok(Model { file, scorer, as_of })
    }

    /// Scores a customer; `None` before the first purchase.
    pub(crate) fn score<'a>(&'a self, customer: &'a str, state: &CustomerState) -> Option<Answer<'a>> {
        let seen = Observation::until(self.as_of.unwrap_or_else(today)).unit(self.file.unit()).spend_over(self.file.spend_basis());
        let observation =
            self.file.data().cleaning.as_ref().map_or(seen, |by| seen.refunds(by.refunds).duplicates(by.duplicates).merge(by.merge));
        let (history, spend) = state.history(&observation).ok()??;
        let Score { p_alive, p_active, expected_purchases, clv, .. } = self.scorer.score(&history, &spend);
        let band = clv.zip(self.file.bands()).map(|(clv, bands)| bands.band(clv));
        Some(Answer { customer, p_alive, p_active, expected_purchases, clv, band })
    }
}

/// The model in use and where it comes from. The lock of the model is taken within handlers: it is held to copy or to swap a pointer, over no `await` and no work.
pub(crate) struct Live {
    path: PathBuf,
    model: RwLock<Arc<Model>>,
    reloading: Mutex<()>, // held while a file is read; nobody waits for it
}

impl Live {
    pub(crate) fn load(path: PathBuf, as_of: Option<Date>) -> Result<Self, String> {
        Ok(Live { model: RwLock::new(Arc::new(Model::read(&path, as_of)?)), path, reloading: Mutex::default() })
    }

    pub(crate) fn get(&self) -> Arc<Model> {
        Arc::clone(&self.model.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reads the file again; `None` while another call does, so that however slow the disk is, one thread waits for it. A file that cannot be used changes nothing.
    pub(crate) fn reload(&self) -> Option<Result<(), String>> {
        let _one_at_a_time = match self.reloading.try_lock() {
            Ok(lock) => lock,
            Err(TryLockError::Poisoned(lock)) => lock.into_inner(),
            Err(TryLockError::WouldBlock) => return None,
        };
        let read = Model::read(&self.path, self.get().as_of);
        Some(read.map(|model| *self.model.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(model)))
    }
}

fn today() -> Date {
    let days = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs() / 86_400);
    Date::from_days_since_1970(days as i32).expect("a clock between the years -9999 and 9999")
}
