//! Files in and out: CSV (plain, gzip), Parquet and Arrow, transaction logs and summaries, and tables of results.

#[cfg(feature = "parquet")]
mod arrow;
mod atomic;
#[cfg(feature = "csv")]
mod blocks;
mod counts;
#[cfg(feature = "csv")]
mod csv;
#[cfg(feature = "cli")]
mod excluded;
mod fields;
mod files;
mod histograms;
mod intake;
mod numbers;
mod options;
#[cfg(feature = "parquet")]
mod parquet;
mod pieces;
#[cfg(feature = "csv")]
mod quotes;
mod repeats;
mod rows;
#[cfg(feature = "parquet")]
mod score_table;
#[cfg(feature = "parquet")]
mod shared_file;
mod source;
mod state_file;
mod summary;
mod table;
mod table_writer;
#[cfg(feature = "csv")]
mod text_log;

#[cfg(feature = "cli")]
pub(crate) use atomic::Draft;
pub use atomic::write_atomically;
pub use counts::CountsRead;
#[cfg(feature = "cli")]
pub(crate) use excluded::{ExcludedRows, excluded_table};
pub use files::LogFiles;
pub use intake::ReadProgress;
#[cfg(feature = "cli")]
pub(crate) use numbers::check_decimal;
pub use options::{BadRows, DecimalMark, InputKind, LogColumns, ReadOptions, SummaryOptions};
#[cfg(feature = "cli")]
pub(crate) use parquet::panics_are_caught;
#[cfg(feature = "cli")]
pub(crate) use rows::read_costs;
#[cfg(feature = "cli")]
pub(crate) use score_table::{counted_score_table, score_table};
pub use source::Source;
pub use summary::SummaryRead;
#[cfg(feature = "csv")]
pub use table::write_customers_csv;
pub use table::{Column, Table, TableFormat, Values};
pub use table_writer::TableWriter;
