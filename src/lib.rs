//! Predictive customer lifetime value: from a transaction log to one documented, defensible number per customer.
#![cfg_attr(docsrs, feature(doc_cfg))]

mod data;
mod error;
mod fit;
#[cfg(any(feature = "csv", feature = "parquet"))]
mod io;
mod models;
mod numeric;
mod score;
mod time;

pub use data::*;
pub use error::{Error, ErrorKind, Result};
pub use fit::{Fit, FitStatus, Fitted, Notice, NoticeKind};
#[cfg(any(feature = "csv", feature = "parquet"))]
pub use io::*;
pub use models::*;
pub use numeric::jet::Jet;
pub use score::*;
pub use time::{AnnualDiscount, Date, Horizon, Moment, TimeUnit};
