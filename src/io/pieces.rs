//! A log in pieces that threads read side by side: blocks of text, row groups of Parquet.

#[cfg(feature = "csv")]
use std::io::Read;
#[cfg(feature = "parquet")]
use std::marker::PhantomData;
use std::sync::Arc;
#[cfg(feature = "csv")]
use std::sync::atomic::{AtomicU64, Ordering};

use crate::data::Batch;
use crate::error::Result;
#[cfg(feature = "csv")]
use crate::io::blocks::{Block, Blocks};
#[cfg(feature = "parquet")]
use crate::io::parquet::ParquetLog;
#[cfg(feature = "csv")]
use crate::io::text_log::TextLog;

/// The pieces of a file, in order.
pub(super) enum Pieces<'a> {
    #[cfg(feature = "csv")]
    Text {
        log: Arc<TextLog>,
        /// The rest of the block that begins with the header.
        first: Option<Block>,
        blocks: Blocks<Box<dyn Read + Send + 'a>>,
        taken: Arc<AtomicU64>,
    },
    #[cfg(feature = "parquet")]
    Parquet { log: Arc<ParquetLog>, next: usize, source: PhantomData<&'a ()> },
}

/// A part of a file, ready to be read by any thread.
pub(super) enum Piece {
    #[cfg(feature = "csv")]
    Text(Arc<TextLog>, Block),
    #[cfg(feature = "parquet")]
    Parquet(Arc<ParquetLog>, usize),
}

impl Pieces<'_> {
    /// The next piece; none at the end.
    pub(super) fn next(&mut self) -> Result<Option<Piece>> {
        match self {
            #[cfg(feature = "csv")]
            Pieces::Text { log, first, blocks, .. } => {
                let block = first.take().map_or_else(|| blocks.next(), |block| Ok(Some(block)))?;
                Ok(block.map(|block| Piece::Text(Arc::clone(log), block)))
            }
            #[cfg(feature = "parquet")]
            Pieces::Parquet { log, next, .. } => {
                let group = *next;
                *next += 1;
                Ok((group < log.groups()).then(|| Piece::Parquet(Arc::clone(log), group)))
            }
        }
    }

    /// How many bytes of the file the pieces so far make up.
    pub(super) fn bytes(&self) -> u64 {
        match self {
            #[cfg(feature = "csv")]
            Pieces::Text { taken, .. } => taken.load(Ordering::Relaxed),
            #[cfg(feature = "parquet")]
            Pieces::Parquet { log, next, .. } => log.bytes_before(*next),
        }
    }
}

impl Piece {
    /// Adds the rows to a batch, which is handed over whenever there are many.
    pub(super) fn read(&self, batch: &mut Batch, hand_over: impl FnMut(&mut Batch) -> Result<()>) -> Result<()> {
        match self {
            #[cfg(feature = "csv")]
            Piece::Text(log, block) => {
                // A block is no larger than what is handed over at once.
                drop(hand_over);
                log.read(block, batch)
            }
            #[cfg(feature = "parquet")]
            Piece::Parquet(log, group) => log.read(*group, batch, hand_over),
        }
    }
}
