//! Files that appear whole or not at all.

use std::collections::BTreeSet;
use std::fs::{self, File, Permissions};
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tempfile::NamedTempFile;
#[cfg(feature = "cli")]
use tempfile::TempPath;

use crate::error::{Error, Result};

/// Names of files on their way, and of those that make room for them: the latter may be the only copy of a result, and are never swept away.
const PREFIX: &str = ".clv-";
const UNFINISHED: &str = ".part";
#[cfg(feature = "cli")]
const BEFORE: &str = ".before";

/// A file younger than this may belong to a writer who is about to lock it.
const JUST_MADE: Duration = Duration::from_secs(1);

/// Writes a file whole or not at all: to a temporary file in the same directory that takes the place of `path` when `write` has succeeded.
///
/// A file that was there stays as it was until then. A symbolic link stays, and the file it leads to is replaced. What is no regular file
/// (`/dev/null`, a pipe) is written to directly.
///
/// ```
/// use std::io::Write;
///
/// let directory = tempfile::tempdir().unwrap();
/// let path = directory.path().join("out.csv");
/// clv::write_atomically(&path, |out| Ok(out.write_all(b"customer_id\n").unwrap()))?;
/// assert_eq!(std::fs::read(&path).unwrap(), b"customer_id\n");
/// # Ok::<(), clv::Error>(())
/// ```
///
/// # Errors
/// When `write` fails, or the directory is missing, not writable or full.
pub fn write_atomically(path: impl AsRef<Path>, write: impl FnOnce(&mut BufWriter<File>) -> Result<()>) -> Result<()> {
    let mut draft = Draft::new(path.as_ref())?;
    draft.write(write)?;
    draft.place()
}

/// A file on its way: written aside, in the directory where it will be. Dropped before it takes its place, it leaves nothing behind.
#[derive(Debug)]
pub(crate) struct Draft {
    /// As it was given, for messages.
    path: PathBuf,
    /// The file itself, at the end of symbolic links.
    target: PathBuf,
    /// Of the file that is there.
    permissions: Option<Permissions>,
    /// None when the target is no regular file and is written to directly.
    aside: Option<NamedTempFile>,
}

impl Draft {
    /// Makes the temporary file, and so finds out whether there can be one.
    pub(crate) fn new(path: &Path) -> Result<Self> {
        // A new file has no other name.
        let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let existing = fs::metadata(&target).ok();
        let draft = Draft { path: path.to_owned(), target, permissions: existing.as_ref().map(fs::Metadata::permissions), aside: None };
        match existing {
            Some(existing) if existing.is_dir() => Err(draft.cannot("it is a directory")),
            Some(existing) if !existing.is_file() => Ok(draft),
            _ => {
                sweep(directory_of(&draft.target));
                let aside = draft.new_file(UNFINISHED)?;
                // A file system without locks keeps what a killed run leaves.
                drop(aside.as_file().try_lock());
                Ok(Draft { aside: Some(aside), ..draft })
            }
        }
    }

    /// Writes the content. An error of `write` that names no place is one of this file.
    pub(crate) fn write(&mut self, write: impl FnOnce(&mut BufWriter<File>) -> Result<()>) -> Result<()> {
        let file = match &self.aside {
            Some(aside) => aside.reopen(),
            None => File::options().write(true).open(&self.target),
        };
        let mut out = BufWriter::new(file.map_err(|error| self.failed(error))?);
        write(&mut out).map_err(|error| error.at(self.path.display().to_string()))?;
        let file = out.into_inner().map_err(|error| self.failed(error.into_error()))?;
        if self.aside.is_none() {
            return Ok(());
        }
        if let Some(permissions) = &self.permissions {
            file.set_permissions(permissions.clone()).map_err(|error| self.failed(error))?;
        }
        file.sync_all().map_err(|error| self.failed(error))
    }

    /// Takes the place of what is there.
    pub(crate) fn place(mut self) -> Result<()> {
        match self.aside.take() {
            Some(aside) => aside.persist(&self.target).map(drop).map_err(|error| self.failed(error.error)),
            None => Ok(()),
        }
    }

    /// Puts all files in their places or, when one cannot be, leaves all as they were.
    ///
    /// What is written to directly cannot be taken back.
    #[cfg(feature = "cli")]
    pub(crate) fn place_all(drafts: impl IntoIterator<Item = Draft>) -> Result<()> {
        let mut placed = Vec::new();
        for draft in drafts {
            match draft.place_reversibly() {
                Ok(done) => placed.extend(done),
                Err(error) => {
                    placed.into_iter().rev().for_each(Placed::undo);
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    #[cfg(feature = "cli")]
    fn place_reversibly(mut self) -> Result<Option<Placed>> {
        let Some(aside) = self.aside.take() else { return Ok(None) };
        let before = if self.target.is_file() {
            let before = self.new_file(BEFORE)?.into_temp_path();
            fs::rename(&self.target, &before).map_err(|error| self.failed(error))?;
            Some(before)
        } else {
            None
        };
        match aside.persist(&self.target) {
            Ok(_) => Ok(Some(Placed { target: self.target, before })),
            Err(error) => {
                before.into_iter().for_each(|before| restore(before, &self.target));
                Err(self.failed(error.error))
            }
        }
    }

    fn new_file(&self, suffix: &'static str) -> Result<NamedTempFile> {
        let directory = directory_of(&self.target);
        if !directory.is_dir() {
            return Err(self.cannot(&format!("there is no directory {}", directory.display())));
        }
        builder(suffix).tempfile_in(directory).map_err(|error| match error.kind() {
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                self.cannot(&format!("the directory {} is not writable", directory.display())).because(error)
            }
            _ => self.failed(error),
        })
    }

    fn cannot(&self, why: &str) -> Error {
        Error::file(format!("cannot write {}: {why}", self.path.display()))
    }

    fn failed(&self, error: io::Error) -> Error {
        Error::file(format!("cannot write {}", self.path.display())).because(error)
    }
}

/// A file in its place, and the one that was there before, gone when this is dropped.
#[cfg(feature = "cli")]
struct Placed {
    target: PathBuf,
    before: Option<TempPath>,
}

#[cfg(feature = "cli")]
impl Placed {
    fn undo(self) {
        match self.before {
            Some(before) => restore(before, &self.target),
            // What cannot be removed was put there a moment ago, and the error that is under way matters more.
            None => drop(fs::remove_file(&self.target)),
        }
    }
}

/// Puts a file back in its place. One that cannot be put back is kept under the name it has.
#[cfg(feature = "cli")]
fn restore(before: TempPath, target: &Path) {
    if let Err(error) = before.persist(target) {
        drop(error.path.keep());
    }
}

fn directory_of(target: &Path) -> &Path {
    target.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Removes what runs that were killed left half written: files that nobody writes any more, since a writer holds a lock that ends with its process.
///
/// Once for each directory: many files can be written to it. What cannot be removed stays, and does no harm.
fn sweep(directory: &Path) {
    static SWEPT: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());
    if !SWEPT.lock().unwrap_or_else(PoisonError::into_inner).insert(directory.to_owned()) {
        return;
    }
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let is_draft = name.to_str().is_some_and(|name| name.starts_with(PREFIX) && name.ends_with(UNFINISHED));
        let is_settled = || entry.metadata().and_then(|of| of.modified()).is_ok_and(|time| time.elapsed().is_ok_and(|age| age > JUST_MADE));
        if is_draft && is_settled() && File::options().write(true).open(entry.path()).is_ok_and(|file| file.try_lock().is_ok()) {
            drop(fs::remove_file(entry.path()));
        }
    }
}

/// A temporary file that, unlike most, others may read as the umask allows: it will be the result.
fn builder(suffix: &'static str) -> tempfile::Builder<'static, 'static> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(PREFIX).suffix(suffix);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(Permissions::from_mode(0o666));
    }
    builder
}

#[cfg(all(test, feature = "cli"))]
mod tests {
    use std::io::Write;

    use super::*;

    fn draft(path: &Path, content: &str) -> Draft {
        let mut draft = Draft::new(path).unwrap();
        draft.write(|out| out.write_all(content.as_bytes()).map_err(|error| Error::file("cannot write").because(error))).unwrap();
        draft
    }

    #[test]
    fn files_take_their_places_together_or_not_at_all() {
        let directory = tempfile::tempdir().unwrap();
        let [old, new, last] = ["old", "new", "last"].map(|name| directory.path().join(name));
        let names = || fs::read_dir(directory.path()).unwrap().count();
        fs::write(&old, "before").unwrap();
        let drafts = || [draft(&old, "after"), draft(&new, "after"), draft(&last, "after")];

        let stopped = drafts();
        fs::create_dir(&last).unwrap();
        let error = Draft::place_all(stopped).unwrap_err();
        assert!(error.to_string().starts_with("cannot write ") && error.to_string().ends_with("last"), "{error}");
        assert!(std::error::Error::source(&error).is_some());
        assert_eq!((fs::read_to_string(&old).unwrap().as_str(), new.exists(), names()), ("before", false, 2));

        fs::remove_dir(&last).unwrap();
        Draft::place_all(drafts()).unwrap();
        assert!([&old, &new, &last].iter().all(|path| fs::read_to_string(path).unwrap() == "after"));
        assert_eq!(names(), 3);
    }

    #[test]
    fn what_a_killed_run_left_is_swept_away_and_what_is_being_written_is_not() {
        let directory = tempfile::tempdir().unwrap();
        let [left, written, fresh, before] =
            [".clv-left.part", ".clv-written.part", ".clv-fresh.part", ".clv-old.before"].map(|name| directory.path().join(name));
        let long_ago = std::time::SystemTime::now() - 60 * JUST_MADE;
        let old = [&left, &written, &before].map(|path| {
            let file = File::create(path).unwrap();
            file.set_modified(long_ago).unwrap();
            file
        });
        fs::write(&fresh, "").unwrap();
        old[1].lock().unwrap();
        draft(&directory.path().join("result"), "whole").place().unwrap();
        assert_eq!([&left, &written, &fresh, &before].map(|path| path.exists()), [false, true, true, true]);
    }

    #[cfg(unix)]
    #[test]
    fn a_symbolic_link_stays_and_its_file_is_replaced() {
        let directory = tempfile::tempdir().unwrap();
        let [file, link] = ["file", "link"].map(|name| directory.path().join(name));
        fs::write(&file, "before").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        Draft::place_all([draft(&link, "together")]).unwrap();
        assert_eq!((fs::read_link(&link).unwrap(), fs::read_to_string(&file).unwrap().as_str()), (file.clone(), "together"));
        draft(&link, "alone").place().unwrap();
        assert_eq!((fs::read_link(&link).unwrap(), fs::read_to_string(&file).unwrap().as_str()), (file, "alone"));
    }
}
