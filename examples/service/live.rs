//! The model in use: read from model.json, replaced while requests go on.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, RwLock, TryLockError};

use clv::Date;

use crate::model::Model;

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
