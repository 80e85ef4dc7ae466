//! Tables and text for people: arrangement only, the numbers come from elsewhere.

pub(crate) mod backtest;
pub(crate) mod explanation;
pub(crate) mod format;
pub(crate) mod terminal;
