//! The only place that prints: results to a file or standard output, everything else to standard error.

use std::fs;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use terminal_size::{Width, terminal_size_of};

use super::failure::{Failure, Outcome};
use crate::data::grouped;
use crate::error::{Error, Result};
use crate::fit::Progress;
use crate::io::{Draft, LogFiles, ReadProgress, Table, TableFormat, write_atomically};
use crate::report::format::{WIDTH, columns, fitted, printable, set_columns};

/// Standard error: what the user may want to know.
#[derive(Debug, Clone, Copy)]
pub(super) struct Console {
    quiet: bool,
}

impl Console {
    pub(super) fn new(quiet: bool) -> Self {
        // What is read through a pipe has the usual width.
        if let Some((Width(columns), _)) = terminal_size_of(io::stderr()).filter(|_| io::stderr().is_terminal()) {
            set_columns(columns.into());
        }
        Console { quiet }
    }

    /// Before it is known whether the user wants quiet.
    pub(super) fn stderr() -> Self {
        Console { quiet: false }
    }

    /// A line or more, unless the user wants quiet.
    pub(super) fn say(&self, text: &str) {
        if !self.quiet {
            self.always(text);
        }
    }

    /// A line that must be said.
    pub(super) fn always(&self, text: &str) {
        let fitted = fitted(text.trim_end_matches('\n'), if columns() < WIDTH { columns() } else { usize::MAX });
        // A name from the data must not steer the terminal.
        let lines: Vec<String> = fitted.lines().map(printable).collect();
        // When standard error is closed there is nobody to tell.
        let _ = writeln!(io::stderr(), "{}", lines.join("\n"));
    }

    /// Shows what is being done until the guard is dropped, on a terminal only.
    pub(super) fn busy(&self, what: &str) -> Busy {
        let bar = self.bar(None).with_style(ProgressStyle::default_spinner()).with_message(what.to_owned());
        if !bar.is_hidden() {
            bar.enable_steady_tick(Duration::from_millis(100));
        }
        Busy(bar)
    }

    /// Shows how the reading of files goes on until it is dropped, on a terminal only.
    pub(super) fn reading(&self, files: &LogFiles) -> Reading {
        let what = match files.paths() {
            [only] => format!("reading {}", only.display()),
            paths => format!("reading {} files", paths.len()),
        };
        // How long it will take is known of what has a length.
        let template = if files.bytes().is_some() { READING } else { READING_ON };
        let style = ProgressStyle::with_template(template).expect("the template is well-formed");
        let bar = self.bar(files.bytes()).with_style(style).with_prefix(what).with_message("no rows yet");
        Reading { bar, begun: Instant::now() }
    }

    fn bar(&self, length: Option<u64>) -> ProgressBar {
        let target = if self.quiet || !io::stderr().is_terminal() { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
        ProgressBar::with_draw_target(length, target)
    }
}

/// A spinner, or a bar once the work says how much there is; gone when dropped.
#[derive(Debug)]
pub(super) struct Busy(ProgressBar);

impl Busy {
    /// Shows how far the work has come; never stops it.
    pub(super) fn watch(&self) -> impl Fn(Progress) -> ControlFlow<()> + Sync + '_ {
        |progress| {
            if let Progress::Replication { done, of } = progress {
                if self.0.length().is_none() {
                    self.0.set_style(ProgressStyle::with_template(BAR).expect("the template is well-formed"));
                    self.0.set_length(of);
                }
                // Reports come from several threads and not in order.
                self.0.set_position(self.0.position().max(done));
            }
            ControlFlow::Continue(())
        }
    }
}

/// The reading of files: rows, rate, and by their bytes the time that is left.
#[derive(Debug)]
pub(super) struct Reading {
    bar: ProgressBar,
    begun: Instant,
}

const READING: &str = "{prefix} [{bar:30}] {percent} %, {msg}, {eta} left";
const READING_ON: &str = "{prefix}: {msg}";

impl Reading {
    pub(super) fn show(&self, read: ReadProgress) {
        if self.bar.is_hidden() {
            return;
        }
        let rate = read.rows as f64 / self.begun.elapsed().as_secs_f64().max(1e-3);
        self.bar.set_message(format!("{} rows, {} a second", grouped(read.rows as f64, 0), grouped(rate, 0)));
        // Reports come from several threads and not in order.
        self.bar.set_position(self.bar.position().max(read.bytes));
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// What is done, how far it has come, how long it will take.
const BAR: &str = "{msg} [{bar:30}] {percent} %, {eta} left";

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// Where a result goes. Checked before the work begins.
#[derive(Debug)]
pub(super) enum Destination {
    Stdout,
    File(PathBuf),
}

impl Destination {
    /// The file of `--output`, or standard output.
    pub(super) fn new(output: Option<PathBuf>) -> Result<Self> {
        match output {
            Some(path) if path.as_os_str() != "-" => {
                // A file that cannot be written is better known before the work than after.
                Draft::new(&path)?;
                Ok(Destination::File(path))
            }
            _ => Ok(Destination::Stdout),
        }
    }

    pub(super) fn path(&self) -> Option<&Path> {
        match self {
            Destination::Stdout => None,
            Destination::File(path) => Some(path),
        }
    }

    /// Refuses to write over a file that is read: the result would replace its own source.
    pub(super) fn differs_from(self, inputs: &[impl AsRef<Path>]) -> Outcome<Self> {
        self.path().map_or(Ok(()), |path| refuse_inputs(path, inputs))?;
        Ok(self)
    }

    /// The format of a table: as given, or by the file's ending, or CSV.
    pub(super) fn format(&self, given: Option<TableFormat>) -> Outcome<TableFormat> {
        if self.path().is_some_and(|path| path.extension().is_some_and(|ending| ending == "gz")) {
            return Err(Failure::Usage("results are not compressed; name the file without .gz".to_owned()));
        }
        let is_unknown = |path: &&Path| path.extension().is_some() && TableFormat::of_path(path).is_none();
        if let Some(path) = self.path().filter(|path| given.is_none() && (path.is_file() || !path.exists())).filter(is_unknown) {
            return Err(Failure::Usage(format!(
                "{} does not end in a format that can be written; name it .csv, .json or .parquet, or say by --format which of them it is",
                path.display()
            )));
        }
        let format = given.or_else(|| self.path().and_then(TableFormat::of_path)).unwrap_or(TableFormat::Csv);
        if format == TableFormat::Parquet && matches!(self, Destination::Stdout) && io::stdout().is_terminal() {
            return Err(Failure::Usage("Parquet is not for a terminal; name a file with --output, or redirect standard output".to_owned()));
        }
        Ok(format)
    }

    pub(super) fn write_table(&self, table: &Table<'_>, format: TableFormat) -> Outcome {
        match self {
            Destination::File(path) => Ok(write_atomically(path, |out| table.write(format, out))?),
            Destination::Stdout => to_stdout(|out| table.write(format, out)),
        }
    }

    /// A result that is written as it comes to be.
    pub(super) fn write_with(&self, write: impl FnOnce(&mut (dyn Write + Send)) -> Result<()>) -> Outcome {
        match self {
            Destination::File(path) => Ok(write_atomically(path, |out| write(out))?),
            Destination::Stdout => to_stdout(|out| write(out)),
        }
    }

    pub(super) fn write_text(&self, text: &str) -> Outcome {
        let failed = |error: io::Error| Error::file("cannot write the result").because(error);
        match self {
            Destination::File(path) => Ok(write_atomically(path, |out| out.write_all(text.as_bytes()).map_err(failed))?),
            Destination::Stdout => to_stdout(|out| out.write_all(text.as_bytes()).map_err(failed)),
        }
    }
}

/// Writes tables, and a file beside them that has been drafted, which appear together: all or none.
pub(super) fn write_together(tables: &[(&Destination, Table<'_>, TableFormat)], beside: Option<Draft>) -> Outcome {
    let mut drafts = Vec::with_capacity(tables.len() + 1);
    for (destination, table, format) in tables {
        if let Destination::File(path) = destination {
            let mut draft = Draft::new(path)?;
            draft.write(|out| table.write(*format, out))?;
            drafts.push(draft);
        }
    }
    // What has gone to standard output cannot be taken back: all else is drafted by then.
    let to_stdout = |(destination, table, format): &(&Destination, Table<'_>, TableFormat)| match destination {
        Destination::Stdout => to_stdout(|out| table.write(*format, out)),
        Destination::File(_) => Ok(()),
    };
    let written = tables.iter().try_for_each(to_stdout);
    // The last one: when the machine stops before it, the tables can be made again.
    drafts.extend(beside);
    // A reader that has seen enough of a table leaves the files their places.
    if matches!(written, Ok(()) | Err(Failure::ReaderGone)) {
        match <[Draft; 1]>::try_from(drafts) {
            // In one step, without a moment in which there is no file.
            Ok([only]) => only.place()?,
            Err(drafts) => Draft::place_all(drafts)?,
        }
    }
    written
}

/// Where a result goes that is JSON and nothing else.
pub(super) fn json_destination(output: Option<PathBuf>, what: &str, name: &str) -> Outcome<Destination> {
    let destination = Destination::new(output)?;
    match destination.path().and_then(TableFormat::of_path) {
        Some(format @ (TableFormat::Csv | TableFormat::Parquet)) => {
            Err(Failure::Usage(format!("{what} is JSON and cannot be written as {}; name it {name}", format.name())))
        }
        _ => Ok(destination),
    }
}

/// Refuses an output that is one of the inputs, by whatever name.
pub(super) fn refuse_inputs(output: &Path, inputs: &[impl AsRef<Path>]) -> Outcome {
    let same = |input: &&_| matches!((fs::canonicalize(input), fs::canonicalize(output)), (Ok(one), Ok(other)) if one == other);
    match inputs.iter().find(same) {
        None => Ok(()),
        Some(_) => {
            Err(Failure::Usage(format!("{} is read, and the result would replace it; name another file for the result", output.display())))
        }
    }
}

/// Refuses outputs, each with what it is, that go to the same place by whatever names: one would replace the other.
pub(super) fn refuse_same_place(outputs: &[(&str, Option<&Path>)]) -> Outcome {
    let places: Vec<Option<PathBuf>> = outputs.iter().map(|(_, path)| path.map(resolved)).collect();
    for (later, place) in places.iter().enumerate() {
        if let Some(earlier) = places[..later].iter().position(|other| other == place) {
            return Err(Failure::Usage(format!(
                "{} and {} cannot go to the same place; name another file for one of them",
                outputs[earlier].0, outputs[later].0
            )));
        }
    }
    Ok(())
}

/// A path by which each file has one name only, also one that is not there yet.
fn resolved(path: &Path) -> PathBuf {
    let of_new_file = || {
        let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        Some(fs::canonicalize(folder).ok()?.join(path.file_name()?))
    };
    fs::canonicalize(path).ok().or_else(of_new_file).unwrap_or_else(|| path.to_owned())
}

/// Standard output that remembers whether its reader has gone away: the error of a table writer no longer tells.
struct Stdout {
    inner: io::Stdout,
    reader_gone: bool,
}

impl Stdout {
    fn note<T>(&mut self, result: io::Result<T>) -> io::Result<T> {
        self.reader_gone |= result.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::BrokenPipe);
        result
    }
}

impl Write for Stdout {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes);
        self.note(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        let flushed = self.inner.flush();
        self.note(flushed)
    }
}

fn to_stdout(write: impl FnOnce(&mut BufWriter<Stdout>) -> Result<()>) -> Outcome {
    let mut out = BufWriter::with_capacity(1 << 16, Stdout { inner: io::stdout(), reader_gone: false });
    let written = write(&mut out).and_then(|()| out.flush().map_err(|error| Error::file("cannot write to standard output").because(error)));
    // Taken apart, the buffer does not try once more to write what is left in it.
    let (out, _) = out.into_parts();
    match written {
        Err(_) if out.reader_gone => Err(Failure::ReaderGone),
        written => Ok(written?),
    }
}

/// A file of a [`ResultDirectory`]: its name and what writes it.
pub(super) type NamedFile<'a> = (&'a str, &'a dyn Fn(&mut BufWriter<fs::File>) -> Result<()>);

/// A directory of results that appear together: each file is written aside, and all are moved into place when the last one is whole. When
/// one of them cannot be, those that were there before are put back. Symbolic links and what is no regular file are treated as by
/// [`write_atomically`].
#[derive(Debug)]
pub(super) struct ResultDirectory {
    path: PathBuf,
    /// Directories that were made for it, the innermost first.
    created: Vec<PathBuf>,
}

impl ResultDirectory {
    /// Makes sure, before the work, that there is or can be such a directory with such files, also in folders of it.
    pub(super) fn check(path: &Path, names: &[impl AsRef<Path>]) -> Result<()> {
        names.iter().try_for_each(|name| {
            let file = path.join(name);
            let folder = file.parent().unwrap_or(path);
            if let Some(file) = folder.ancestors().find(|ancestor| ancestor.exists()).filter(|ancestor| !ancestor.is_dir()) {
                return Err(Error::file(format!("cannot write to the directory {}: {} is a file", folder.display(), file.display())));
            }
            // What can have a file of this name can have a directory.
            Draft::new(missing(folder).last().unwrap_or(&file)).map(drop)
        })
    }

    pub(super) fn create(path: &Path) -> Result<Self> {
        let directory = ResultDirectory { path: path.to_owned(), created: missing(path).map(Path::to_owned).collect() };
        match fs::create_dir_all(path) {
            Ok(()) => Ok(directory),
            Err(error) => {
                directory.undo();
                Err(Error::file(format!("cannot create the directory {}", path.display())).because(error))
            }
        }
    }

    /// The same with a folder in it, whose files have its name before theirs.
    pub(super) fn with_folder(mut self, name: &str) -> Result<Self> {
        let folder = self.path.join(name);
        if !folder.exists() {
            self.created.insert(0, folder.clone());
        }
        match fs::create_dir_all(&folder) {
            Ok(()) => Ok(self),
            Err(error) => {
                self.undo();
                Err(Error::file(format!("cannot create the directory {}", folder.display())).because(error))
            }
        }
    }

    /// Writes all files or none.
    pub(super) fn write(self, files: &[NamedFile<'_>]) -> Result<()> {
        let written = self.drafts(files).and_then(Draft::place_all);
        if written.is_err() {
            self.undo();
        }
        written
    }

    fn drafts(&self, files: &[NamedFile<'_>]) -> Result<Vec<Draft>> {
        let mut drafts = Vec::with_capacity(files.len());
        for (name, write) in files {
            let mut draft = Draft::new(&self.path.join(name))?;
            draft.write(|out| write(out))?;
            drafts.push(draft);
        }
        Ok(drafts)
    }

    /// Leaves no empty directory behind. One that has something in it cannot be removed, and stays.
    fn undo(&self) {
        for directory in &self.created {
            let _ = fs::remove_dir(directory);
        }
    }
}

/// The directories of a path that are not there, the innermost first.
fn missing(path: &Path) -> impl Iterator<Item = &Path> {
    path.ancestors().take_while(|ancestor| !ancestor.as_os_str().is_empty() && !ancestor.exists())
}
