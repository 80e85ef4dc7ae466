//! The reading of logs by several threads, whatever they are in, into whatever takes the rows.

use std::mem;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::data::{Batch, Intake, lock};
use crate::error::{Error, Result};
use crate::io::options::ReadOptions;
use crate::io::pieces::{Piece, Pieces};
use crate::io::source::Source;
use crate::parallel::{map_indices, threads};

/// How far the reading of a log has come.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadProgress {
    /// Rows read so far, skipped ones among them.
    pub rows: u64,
    /// Bytes of the files read so far, compressed where they are.
    pub bytes: u64,
}

/// A piece of work, with its number and that of its file.
struct Work {
    number: u64,
    file: usize,
    piece: Piece,
}

/// Hands out the pieces of one file after the other. Only one thread at a time reads from a file; what it has read others take apart.
struct Feeder<'a, 'o, S> {
    sources: S,
    options: &'o ReadOptions,
    current: Option<Pieces<'a>>,
    /// Files begun.
    files: usize,
    /// Pieces handed out.
    pieces: u64,
    /// Bytes of the files before the current one.
    bytes_before: u64,
}

impl<'a, S: Iterator<Item = Result<Source<'a>>>> Feeder<'a, '_, S> {
    fn next(&mut self) -> Result<Option<Work>> {
        loop {
            if let Some(pieces) = &mut self.current {
                if let Some(piece) = pieces.next()? {
                    let number = self.pieces;
                    self.pieces += 1;
                    return Ok(Some(Work { number, file: self.files - 1, piece }));
                }
                self.bytes_before += pieces.bytes();
                self.current = None;
            }
            let Some(source) = self.sources.next() else { return Ok(None) };
            self.files += 1;
            self.current = Some(source?.into_pieces(self.options)?);
        }
    }

    fn bytes(&self) -> u64 {
        self.bytes_before + self.current.as_ref().map_or(0, Pieces::bytes)
    }
}

/// Why the reading ended early: the error of the piece that comes first.
struct Failure {
    piece: u64,
    file: usize,
    error: Error,
}

/// Reads all sources, in this order, into `intake`, and gives the number of rows of each; `watch` is told how far it has come.
///
/// Of several errors the first in the order of the rows is told, whichever thread met one first.
pub(super) fn read_all<'a>(
    sources: impl IntoIterator<Item = Result<Source<'a>>, IntoIter: Send>,
    options: &ReadOptions,
    intake: &dyn Intake,
    watch: &(dyn Fn(ReadProgress) + Sync),
) -> Result<Vec<u64>> {
    let sources = sources.into_iter();
    let feeder = Mutex::new(Feeder { sources, options, current: None, files: 0, pieces: 0, bytes_before: 0 });
    let failure: Mutex<Option<Failure>> = Mutex::new(None);
    let rows = AtomicU64::new(0);
    let rows_of_files = Mutex::new(Vec::<u64>::new());
    let fail = |piece: u64, file: usize, error: Error| {
        let mut failure = lock(&failure);
        if failure.as_ref().is_none_or(|other| piece < other.piece) {
            *failure = Some(Failure { piece, file, error });
        }
    };
    map_indices(threads(), |_| {
        let mut batch = Batch::new(intake);
        loop {
            let (work, bytes) = {
                let mut feeder = lock(&feeder);
                if lock(&failure).is_some() {
                    return;
                }
                match feeder.next() {
                    Ok(Some(work)) => (work, feeder.bytes()),
                    Ok(None) => return,
                    Err(error) => return fail(feeder.pieces, feeder.files.saturating_sub(1), error),
                }
            };
            let mut read = 0;
            batch.begin(work.number);
            let result = work.piece.read(&mut batch, |batch| {
                read += batch.rows_read();
                let taken = intake.take(work.number, batch, false);
                batch.clear();
                taken
            });
            read += batch.rows_read();
            // A piece that failed is ended all the same, since those behind it may wait for its end.
            let ended = intake.take(work.number, &batch, true);
            batch.clear();
            if let Err(error) = result.and(ended) {
                fail(work.number, work.file, error);
            }
            let mut of_files = lock(&rows_of_files);
            if of_files.len() <= work.file {
                of_files.resize(work.file + 1, 0);
            }
            of_files[work.file] += read;
            drop(of_files);
            watch(ReadProgress { rows: rows.fetch_add(read, Ordering::Relaxed) + read, bytes });
        }
    });
    match lock(&failure).take() {
        None => {
            let mut rows = mem::take(&mut *lock(&rows_of_files));
            rows.resize(lock(&feeder).files, 0);
            Ok(rows)
        }
        Some(Failure { file: 0, error, .. }) => Err(error),
        Some(Failure { file, error, .. }) => {
            let rows: u64 = lock(&rows_of_files).iter().take(file).sum();
            let files = if file == 1 { "one file was".to_owned() } else { format!("{file} files were") };
            Err(error.adding(&format!("; before this file, {files} read, with {rows} rows")))
        }
    }
}
