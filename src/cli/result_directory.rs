//! A directory of results that appear together, or not at all.

use std::fs;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::io::Draft;

/// A file of a [`ResultDirectory`]: its name and what writes it.
pub(super) type NamedFile<'a> = (&'a str, &'a dyn Fn(&mut BufWriter<fs::File>) -> Result<()>);

/// A directory of results that appear together: each file is written aside, and all are moved into place when the last one is whole. When
/// one of them cannot be, those that were there before are put back. Symbolic links and what is no regular file are treated as by
/// [`write_atomically`](crate::io::write_atomically).
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
