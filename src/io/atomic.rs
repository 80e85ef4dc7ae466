//! Files that appear whole or not at all.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;

use crate::error::{Error, Result};

/// Writes a file whole or not at all: to a temporary file in the same directory that takes the place of `path` when `write` has succeeded.
///
/// A file that was there stays as it was until then. What is no regular file (`/dev/null`, a pipe) is written to directly.
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
    let path = path.as_ref();
    let failed = |error: std::io::Error| Error::file(format!("cannot write {}: {error}", path.display()));
    // Through a symbolic link to the file itself; a new file has no other name.
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let existing = fs::metadata(&target).ok();
    if let Some(existing) = &existing {
        if existing.is_dir() {
            return Err(Error::file(format!("cannot write {}: it is a directory", path.display())));
        }
        if !existing.is_file() {
            let mut out = BufWriter::new(File::options().write(true).open(&target).map_err(failed)?);
            write(&mut out)?;
            return out.flush().map_err(failed);
        }
    }
    let directory = match target.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    if !directory.is_dir() {
        return Err(Error::file(format!("cannot write {}: there is no directory {}", path.display(), directory.display())));
    }
    let temporary = new_file().tempfile_in(directory).map_err(|error| match error.kind() {
        std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem => {
            Error::file(format!("cannot write {}: the directory {} is not writable", path.display(), directory.display()))
        }
        _ => failed(error),
    })?;
    let mut out = BufWriter::new(temporary.reopen().map_err(failed)?);
    write(&mut out)?;
    let file = out.into_inner().map_err(|error| failed(error.into_error()))?;
    if let Some(existing) = existing {
        file.set_permissions(existing.permissions()).map_err(failed)?;
    }
    file.sync_all().map_err(failed)?;
    drop(file);
    temporary.persist(&target).map_err(|error| failed(error.error))?;
    Ok(())
}

/// A temporary file that, unlike most, others may read as the umask allows: it will be the result.
fn new_file() -> tempfile::Builder<'static, 'static> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".clv-").suffix(".part");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    builder
}
