//! Where a result goes: to a file, whole or not at all, or to standard output.

use std::fs;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};

use super::failure::{Failure, Outcome};
use crate::error::{Error, Result};
use crate::io::{Draft, Table, TableFormat, write_atomically};

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
