//! Dates, units of time, horizons and discount rates.
//!
//! A model knows time only as a number of *units* ([`TimeUnit`]); a business speaks of dates, "12 months" and 10 % a year. The types here are
//! the only bridge between the two, so that a week never meets a month by accident.

mod date;
mod discount;
mod horizon;
mod moment;
mod unit;

pub use date::Date;
pub use discount::AnnualDiscount;
pub use horizon::Horizon;
pub use moment::Moment;
pub use unit::TimeUnit;
