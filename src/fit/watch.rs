//! Long work that can be watched and stopped.

use std::ops::ControlFlow;

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
