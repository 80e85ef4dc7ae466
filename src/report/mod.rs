//! Tables and text for people: arrangement only, the numbers come from elsewhere.

pub(crate) mod account;
pub(crate) mod audit;
pub(crate) mod backtest;
pub(crate) mod banding;
pub(crate) mod cohorts;
pub(crate) mod explanation;
pub(crate) mod format;
pub(crate) mod methods;
pub(crate) mod remarks;
pub(crate) mod terminal;
mod totals;
mod verdict;

pub(crate) use verdict::{shock, shock_in_short};
