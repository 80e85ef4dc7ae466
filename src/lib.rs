//! Predictive customer lifetime value: from a transaction log to one documented, defensible number per customer.
//!
//! For a Rust service that scores a customer per request, and for pipelines (the `clv` command line is built from the same calls). `docs/` of the repository has a
//! guide from a log to a decision, the words with their traps, the formulas, and what was measured.
//!
//! ```
//! use clv::{BgNbd, ClvDefinition, Fit, GammaGamma, Observation, Scorer, TransactionLog};
//!
//! # fn main() -> clv::Result<()> {
//! # #[cfg(feature = "csv")] {
//! let log = TransactionLog::from_csv("examples/data/cdnow_sample.csv")?;       // feature `csv`
//! let end = "1997-09-30".parse()?;
//! let customers = log.summarize(&Observation::until(end).in_weeks())?;          // who bought when: x, t_x, T, mean spend
//!
//! let purchases = BgNbd::fit(&customers)?;                                      // maximum likelihood, with standard errors
//! let spend = GammaGamma::fit(&customers)?;
//! assert_eq!(format!("{:.4}", purchases.log_likelihood()), "-9582.4292");
//!
//! let definition = ClvDefinition::default();                                    // 12 months, 10 % a year, the whole spend
//! let scorer = Scorer::from_fits(&purchases, Some(&spend), &definition, Some(end))?;
//! let scores = scorer.score_all(&customers)?;
//! let total: f64 = scores.iter().filter_map(|score| score.clv).sum();
//! assert_eq!(format!("{total:.0}"), "72656");
//! # }
//! # Ok(())
//! # }
//! ```
//!
//! # One customer per request
//! A service reads the model file once, and then scores without allocating and without anything that can fail:
//!
//! ```
//! # #[cfg(feature = "serde")] {
//! use clv::{History, ModelFile, SpendHistory};
//!
//! let text = std::fs::read_to_string("tests/data/model_format_1.json").expect("readable"); // what `clv fit` wrote
//! let scorer = ModelFile::from_json(&text)?.scorer(Some("1997-09-30".parse()?))?;         // "12 months" from this day
//!
//! let history = History::new(2, 30.43, 38.86)?; // x repeat purchases, the last at t_x, observed up to T: in weeks here
//! let score = scorer.score(&history, &SpendHistory::new(2, 22.35)?);
//! assert_eq!(format!("{:.3} {:.2}", score.p_alive, score.clv.unwrap()), "0.727 36.86");
//! # }
//! # Ok::<(), clv::Error>(())
//! ```
//!
//! Events that come one by one are kept in [`CustomerState`]; a whole service is in `examples/service/`.
//!
//! # The words
//! A **purchase** is all that a customer bought on one day. **Frequency** x counts *repeat* purchases, those after the first. **Recency** t_x is the time from the
//! first purchase to the last; it is *not* the time since the last purchase. **Age** T is the time from the first purchase to the observation end. Times are in
//! one [`TimeUnit`] throughout; calendar spans ([`Horizon`]) are resolved to exact lengths. **CLV** is margin x discounted expected spend over the
//! horizon after the observation end.
//!
//! # The way through the code
//! [`TransactionLog`] → [`Customers`] → [`Fitted`] model → [`Scorer`] → [`Score`]. Each arrow is one method that validates; after it, arithmetic is total and
//! returns plain `f64`. There is no unfitted model: a model *is* a set of valid parameters, and fitting is one way to obtain one.
//!
//! | module | holds |
//! |---|---|
//! | data | [`TransactionLog`], [`Observation`], [`Customers`], [`DataReport`]: cleaning by rules, everything counted; [`CustomerState`], [`CustomerStates`]: carried on event by event, night by night |
//! | data, less than a history | [`CensoredCustomers`] of [`LeftTruncated`], [`PeriodCounts`] or [`CrossSection`] rows, fitted as [`SeenThrough`]; [`CountedCustomers`] with ids |
//! | models | [`BgNbd`], [`MbgNbd`], [`ParetoNbd`], [`Nbd`] behind [`PurchaseModel`], and [`Retention`] for later periods; [`GammaGamma`] for spend |
//! | fit | [`Fit`], [`Estimator`], [`Fitted`], [`FitStatus`], [`Notice`], [`Profile`], [`Bootstrap`], [`GroupFits`]: an optimum with its evidence, or an error |
//! | simulate | [`Population`], [`Simulate`]: customers, histories and logs drawn from a model |
//! | [`conformance`] | the rules of probability theory that every purchase model passes, to run on a model of your own |
//! | score | [`ClvDefinition`], [`DefinitionInForce`], [`ValueBands`], [`Scorer`], [`Forecaster`] for intervals, [`ModelFile`] |
//! | backtest | [`BackTest`], [`Scheme`], [`Baseline`], [`Metrics`], [`Verdict`]: what would have been forecast, against what came; [`Audit`] of a stored model, [`Choice`] among models |
//! | io | CSV and Parquet in and out (features `csv`, `parquet`); [`CountsRead`] for tables of counts |
//!
//! # What it does not do
//! - Subscriptions and other contracts, where leaving is seen: these models are for customers who just stop buying.
//! - Covariates, seasons, price changes: all customers share one set of parameters, and the future resembles the past.
//! - Regular buyers (groceries every Saturday): purchases are taken as random in time.
//! - Intervals ([`Forecaster`]) take the model to be right. Whether it is, a [`BackTest`] says.
//!
//! # Features
//! `serde` (default): model files. `parallel`: all cores, same bits. `csv`, `parquet`: files. `cli`: the command line.
#![cfg_attr(docsrs, feature(doc_cfg))]
#![warn(clippy::print_stdout, clippy::print_stderr)]
#![cfg_attr(not(test), warn(clippy::unwrap_used))]

/// The code of the documents runs as tests. Every document with Rust in it stands here; `tests/documents.rs` holds that.
#[cfg(all(doctest, feature = "csv"))]
mod documents {
    #[doc = include_str!("../README.md")]
    struct Readme;
    #[doc = include_str!("../docs/censoring.md")]
    struct Censoring;
    #[doc = include_str!("../docs/service.md")]
    struct Service;
    #[doc = include_str!("../docs/contributing.md")]
    struct Contributing;
}

mod backtest;
pub mod conformance;
mod data;
mod error;
mod fit;
#[cfg(any(feature = "csv", feature = "parquet"))]
mod io;
mod models;
mod numeric;
#[cfg(feature = "cli")]
mod page;
mod parallel;
#[cfg(feature = "cli")]
mod report;
mod score;
mod simulate;
mod time;

#[cfg(feature = "cli")]
pub mod cli;

pub use backtest::*;
pub use data::*;
pub use error::{Error, ErrorKind, Result};
pub use fit::*;
#[cfg(any(feature = "csv", feature = "parquet"))]
pub use io::*;
pub use models::*;
pub use numeric::dispatch::InstructionSet;
pub use numeric::jet::Jet;
pub use score::*;
pub use simulate::*;
pub use time::{AnnualDiscount, Date, Horizon, Moment, TimeUnit};
