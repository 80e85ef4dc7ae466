//! placeholder front page
pub mod placeholder {}
mod data;
mod error;
mod fit;
mod models;
mod numeric;
mod time;
pub use data::*;
pub use error::{Error, ErrorKind, Result};
pub use fit::*;
pub use models::*;
pub use time::*;
