//! The files of a log: named one by one, by patterns, or as a directory of Parquet files.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::data::{CustomerStates, Customers, Observation, OrderedLog, SharedLog, TakenIn, TransactionLog};
use crate::error::{Error, Result};
use crate::io::intake::{self, ReadProgress};
use crate::io::options::{InputKind, ReadOptions};
use crate::io::source::{Source, no_rows};

/// The files of a log, in the order in which they are read.
///
/// Each of them has a header or schema of its own, so the order of the columns may differ. The rows count as those of one log; their order, and
/// that of the files, has no influence.
///
/// ```
/// use clv::{LogFiles, ReadOptions};
///
/// let files = LogFiles::find(["examples/data/cdnow_s*.csv"])?;
/// let log = files.read(&ReadOptions::default())?;
/// assert_eq!((files.paths().len(), log.len()), (1, 6919));
/// # Ok::<(), clv::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogFiles {
    paths: Vec<PathBuf>,
}

impl LogFiles {
    /// The files of these names. A name that is no file may be a pattern (`logs/*.csv.gz`, `**` for directories at any depth) or a directory,
    /// which stands for all `*.parquet` in it at any depth; names such as `year=2026` of the directories within are not looked at. What a
    /// pattern or a directory stands for is sorted by name; `-` is standard input.
    ///
    /// # Errors
    /// When a name stands for nothing, or a file is there twice: its rows would count twice.
    pub fn find(names: impl IntoIterator<Item = impl AsRef<Path>>) -> Result<Self> {
        let mut paths = Vec::new();
        for name in names {
            let name = name.as_ref();
            if is_stdin(name) || name.is_file() {
                paths.push(name.to_owned());
            } else if name.is_dir() {
                let before = paths.len();
                find_parquet(name, &mut paths)?;
                if paths.len() == before {
                    return Err(Error::file(format!(
                        "cannot read {}: it is a directory without a *.parquet file; CSV files are named one by one, or by a pattern such as \
                         {}",
                        name.display(),
                        name.join("*.csv").display()
                    )));
                }
            } else {
                find_by_pattern(name, &mut paths)?;
            }
        }
        let mut seen = HashSet::new();
        for path in &paths {
            let whole = if is_stdin(path) { path.clone() } else { fs::canonicalize(path).map_err(|error| unreadable(path, &error))? };
            if !seen.insert(whole) {
                return Err(Error::file(format!("{} is there twice, and its rows would count twice; name it once", path.display())));
            }
        }
        Ok(LogFiles { paths })
    }

    /// The files in the order in which they are read.
    #[must_use]
    pub fn paths(&self) -> &[PathBuf] {
        &self.paths
    }

    /// Whether it is standard input, alone or among others.
    #[must_use]
    pub fn is_stdin(&self) -> bool {
        self.paths.iter().any(|path| is_stdin(path))
    }

    /// The bytes of all files; none when one of them is no regular file and has no length.
    #[must_use]
    pub fn bytes(&self) -> Option<u64> {
        let length = |path: &PathBuf| fs::metadata(path).ok().filter(fs::Metadata::is_file).map(|metadata| metadata.len());
        self.paths.iter().map(length).sum()
    }

    /// Reads the log.
    ///
    /// # Errors
    /// When there is no row in any of the files, or one cannot be read: see [`Source::read_log`]. The message names the file, and says how many files
    /// and rows were read before.
    pub fn read(&self, options: &ReadOptions) -> Result<TransactionLog> {
        self.read_watched(options, &|_| {})
    }

    /// Reads the log; `watch` is told from time to time how far the reading has come, by any thread.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn read_watched(&self, options: &ReadOptions, watch: &(dyn Fn(ReadProgress) + Sync)) -> Result<TransactionLog> {
        let (log, rows) = self.read_counted(options, watch)?;
        match self.paths.as_slice() {
            [only] if rows == [0] => Err(no_rows(&only.display().to_string())),
            _ => Ok(log),
        }
    }

    /// Summarises a log whose rows, file after file, are in order of time: by days, or by hours when purchases are merged by the hour. Memory
    /// grows with the customers and not with the rows: an id, and some 50 bytes.
    ///
    /// The summary is that of [`TransactionLog::summarize`], to the bit. Refunds that are to be netted reduce earlier purchases, which are not
    /// kept: the files are then read a second time, for the rows of the customers who have refunds, and these rows are held in memory.
    ///
    /// ```
    /// use clv::{LogFiles, Observation, ReadOptions};
    ///
    /// # let directory = tempfile::tempdir().unwrap();
    /// # let path = directory.path().join("orders.csv");
    /// std::fs::write(&path, "customer_id,date,amount\n7,2026-01-05,20\n8,2026-01-05,5\n7,2026-01-12,30\n").unwrap();
    /// let observation = Observation::until("2026-01-19".parse()?).in_weeks();
    /// let customers = LogFiles::find([&path])?.summarize_in_order(&ReadOptions::default(), &observation, &|_| {})?;
    /// assert_eq!((customers.frequency(), customers.recency()), (&[1, 0][..], &[1.0, 0.0][..]));
    /// # Ok::<(), clv::Error>(())
    /// ```
    ///
    /// # Errors
    /// When a row is dated before one that comes before it, with its place; when standard input, which cannot be read again, holds a refund to be
    /// netted; otherwise as [`read`](Self::read) and [`TransactionLog::summarize`].
    pub fn summarize_in_order(
        &self,
        options: &ReadOptions,
        observation: &Observation,
        watch: &(dyn Fn(ReadProgress) + Sync),
    ) -> Result<Customers> {
        let mut ordered = OrderedLog::new(observation);
        intake::read_all(self.sources(options), options, &ordered, watch)?;
        if !ordered.close()? {
            return ordered.into_summary(None);
        }
        if self.is_stdin() {
            return Err(Error::data(
                "there are refunds, for which the rows of their customers have to be read a second time, and standard input cannot be; give a \
                 file, or leave --time-ordered out",
            ));
        }
        let marked = ordered.marked_rows();
        intake::read_all(self.sources(options), options, &marked, watch)?;
        let again = marked.into_log();
        ordered.into_summary(Some(again))
    }

    /// The log, and the number of rows of each file.
    fn read_counted(&self, options: &ReadOptions, watch: &(dyn Fn(ReadProgress) + Sync)) -> Result<(TransactionLog, Vec<u64>)> {
        let shared = SharedLog::default();
        let rows = intake::read_all(self.sources(options), options, &shared, watch)?;
        Ok((shared.into_log()?, rows))
    }

    /// The files, opened when their turn comes.
    fn sources(&self, options: &ReadOptions) -> impl Iterator<Item = Result<Source<'static>>> + Send {
        self.paths.iter().map(move |path| {
            let source = Source::open(path)?;
            match source.kind(options)? {
                InputKind::Log => Ok(source),
                InputKind::Summary => Err(Error::data(
                    "this is a summary, one row per customer, and a transaction log is needed, one row per transaction; `clv fit` and \
                     `clv score` take a summary",
                )
                .at(source.name())),
            }
        })
    }
}

impl CustomerStates {
    /// Adds the rows of files: today's. Either all of them are added, or, when something is wrong with one, none.
    ///
    /// # Errors
    /// When a file has been taken in before, by whatever name: its rows would count twice. Standard input cannot be told from what was read before
    /// and is refused. Otherwise as [`LogFiles::read`].
    pub fn take_files(&mut self, files: &LogFiles, options: &ReadOptions, watch: &(dyn Fn(ReadProgress) + Sync)) -> Result<()> {
        let mut today = CustomerStates::new();
        for path in &files.paths {
            let name = path.display().to_string();
            if is_stdin(path) {
                return Err(Error::file("standard input cannot be told from what was taken in before; give a file"));
            }
            let fingerprint = fingerprint(path).map_err(|error| unreadable(path, &error))?;
            self.refuse_again(&name, &fingerprint)?;
            today.refuse_again(&name, &fingerprint)?;
            today.note(TakenIn { name, rows: 0, fingerprint });
        }
        let (log, rows) = files.read_counted(options, watch)?;
        today.count_rows(&rows);
        today.take_log(log)?;
        self.merge(today)
    }
}

/// SHA-256 of a file.
fn fingerprint(path: &Path) -> std::io::Result<[u8; 32]> {
    let mut hash = Sha256::new();
    std::io::copy(&mut fs::File::open(path)?, &mut hash)?;
    Ok(hash.finalize().into())
}

fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == "-"
}

fn unreadable(path: &Path, error: &dyn std::fmt::Display) -> Error {
    Error::file(format!("cannot read {}: {error}", path.display()))
}

/// Adds all `*.parquet` below a directory, sorted. Hidden files and those that begin with `_` are notes of the programs that wrote the others.
fn find_parquet(directory: &Path, paths: &mut Vec<PathBuf>) -> Result<()> {
    let failed = |error: std::io::Error| unreadable(directory, &error);
    let mut entries = fs::read_dir(directory).map_err(failed)?.collect::<std::io::Result<Vec<_>>>().map_err(failed)?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let (path, name) = (entry.path(), entry.file_name());
        if name.to_string_lossy().starts_with(['.', '_']) {
            continue;
        }
        // A link to a directory could lead round in a circle.
        if entry.file_type().map_err(failed)?.is_dir() {
            find_parquet(&path, paths)?;
        } else if path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("parquet")) {
            paths.push(path);
        }
    }
    Ok(())
}

fn find_by_pattern(name: &Path, paths: &mut Vec<PathBuf>) -> Result<()> {
    let pattern = name.to_str().filter(|text| text.contains(['*', '?', '[']));
    let Some(pattern) = pattern else {
        // No pattern, then: the file itself says what is wrong.
        return fs::metadata(name).map(|_| paths.push(name.to_owned())).map_err(|error| unreadable(name, &error));
    };
    let found = glob::glob(pattern).map_err(|error| Error::file(format!("{pattern:?} is no pattern of file names: {error}")))?;
    let before = paths.len();
    for path in found {
        let path = path.map_err(|error| unreadable(error.path(), error.error()))?;
        if path.is_file() {
            paths.push(path);
        }
    }
    if paths.len() == before {
        return Err(Error::file(format!("cannot read {pattern}: there is no file whose name fits this pattern")));
    }
    Ok(())
}
