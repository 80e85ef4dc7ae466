//! Long work that can be watched and stopped.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::error::{Error, Result};

/// How far work has come.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Progress {
    /// A fit took a step.
    Iteration {
        /// Steps so far.
        iteration: u64,
        /// ln L there, with the log-density of the prior when there is one.
        value: f64,
    },
    /// One of many independent pieces of work is done: a replication of a bootstrap, or of a simulation. They finish in any order.
    Replication {
        /// Pieces done.
        done: u64,
        /// Pieces in all.
        of: u64,
    },
}

/// What is called while work goes on, from any thread; [`ControlFlow::Break`] stops the work, which then ends in an error of kind
/// [`Cancelled`](crate::ErrorKind::Cancelled).
pub type Watch<'a> = dyn Fn(Progress) -> ControlFlow<()> + Sync + 'a;

/// Pieces of work that are counted, watched and stopped together.
pub(crate) struct Work<'a> {
    done: AtomicU64,
    of: u64,
    stopped: AtomicBool,
    watch: Option<&'a Watch<'a>>,
}

impl<'a> Work<'a> {
    pub(crate) fn new(of: u64, watch: Option<&'a Watch<'a>>) -> Self {
        Work { done: AtomicU64::new(0), of, stopped: AtomicBool::new(false), watch }
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    pub(crate) fn done_one(&self) {
        let progress = Progress::Replication { done: 1 + self.done.fetch_add(1, Ordering::Relaxed), of: self.of };
        if self.watch.is_some_and(|watch| watch(progress) == ControlFlow::Break(())) {
            self.stopped.store(true, Ordering::Relaxed);
        }
    }

    pub(crate) fn finish(self, what: &str) -> Result<()> {
        if self.is_stopped() {
            return Err(Error::cancelled(format!("{what} was stopped after {} of {} parts", self.done.into_inner(), self.of)));
        }
        Ok(())
    }
}
