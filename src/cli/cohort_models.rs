//! The model files of a report on cohorts: one for each, for `clv score`.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::console::Console;
use super::fitting::data_record;
use super::result_directory::{NamedFile, ResultDirectory};
use crate::data::{Customers, grouped};
use crate::error::{Error, Result, quoted};
use crate::score::{ClvDefinition, CohortReport, FitRecord, KnownBirths, ModelFile, SeenAs};

/// Where the model files go.
#[derive(Debug, clap::Args)]
pub(super) struct CohortModels {
    /// Directory for a model file of each cohort, with the fit that speaks for it, made when it is not there: NAME.json, for clv score --model
    #[arg(long, value_name = "DIR", help_heading = "Cohorts")]
    model_files: Option<PathBuf>,
}

/// What all of the files have in common.
pub(super) struct Shared<'a> {
    pub(super) customers: &'a Customers,
    pub(super) spend: Option<FitRecord>,
    pub(super) definition: ClvDefinition,
    pub(super) births: KnownBirths,
}

impl CohortModels {
    /// All of them or none.
    pub(super) fn write(&self, report: &CohortReport, shared: &Shared<'_>, console: &Console) -> Result<()> {
        let Some(directory) = &self.model_files else { return Ok(()) };
        let files = files(report, shared)?;
        ResultDirectory::check(directory, &files.keys().collect::<Vec<_>>())?;
        let writers: Vec<_> = files
            .values()
            .map(|(_, model)| {
                let text = model.to_json();
                move |out: &mut BufWriter<File>| {
                    out.write_all(text.as_bytes()).map_err(|error| Error::file("cannot write a model file").because(error))
                }
            })
            .collect();
        let named: Vec<NamedFile<'_>> = files.keys().zip(&writers).map(|(name, write)| (name.as_str(), write as _)).collect();
        ResultDirectory::create(directory)?.write(&named)?;
        say_of_names(directory, &files, console);
        Ok(())
    }
}

/// Tells which files have not the names of their cohorts, and that others are there which a run before may have left.
fn say_of_names(directory: &Path, files: &BTreeMap<String, (&str, ModelFile)>, console: &Console) {
    for (name, (cohort, _)) in files.iter().filter(|(name, (cohort, _))| **name != format!("{cohort}.json")) {
        console.say(&format!("note: the model file of the cohort {} is {}", quoted(cohort), directory.join(name).display()));
    }
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let others = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    let others = others.filter(|name| name.ends_with(".json") && !name.starts_with('.') && !files.contains_key(name)).count();
    if others > 0 {
        console.say(&format!(
            "note: {} of the files *.json in {} {} not of this run; if an earlier one left them there, remove them, or name a new directory",
            grouped(others as f64, 0),
            directory.display(),
            if others == 1 { "is" } else { "are" }
        ));
    }
}

/// The models by the names of their files, each with the name of its cohort.
fn files<'a>(report: &'a CohortReport, shared: &Shared<'_>) -> Result<BTreeMap<String, (&'a str, ModelFile)>> {
    let mut files = BTreeMap::new();
    // A fit that borrows from the other cohorts is a fit to all of them.
    let data = data_record(shared.customers, true)?;
    let names: Vec<&str> = report.cohorts.iter().map(|cohort| cohort.name.as_str()).collect();
    for (cohort, name) in report.cohorts.iter().zip(file_names(&names)) {
        let Some(record) = &cohort.fit_record else { continue };
        let model = ModelFile::new(
            report.unit,
            Some(report.observation_end),
            record.clone(),
            shared.spend.clone(),
            shared.definition,
            data.clone(),
        )?;
        add(&mut files, name, &cohort.name, model.with_origin(Some(shared.births), SeenAs::Histories))?;
    }
    Ok(files)
}

/// Adds what belongs to a cohort, under a name that no other has: one may be called as another is with digits of its own.
fn add<'a, T>(files: &mut BTreeMap<String, (&'a str, T)>, name: String, cohort: &'a str, file: T) -> Result<()> {
    if let Some((other, _)) = files.get(&name) {
        return Err(Error::data(format!(
            "the cohorts {} and {} would both have the model file {name}; give one of them another name",
            quoted(other),
            quoted(cohort)
        )));
    }
    files.insert(name, (cohort, file));
    Ok(())
}

/// Bytes of a name that every file system has room for, with the ending and the digits that tell it from others.
const LONGEST: usize = 100;

/// Names that are devices to some systems, whatever their ending.
const DEVICES: [&str; 6] = ["con", "prn", "aux", "nul", "com", "lpt"];

/// The names of cohorts as those of files: what is no letter, digit, point or hyphen is an underscore. A name that could not be that of a file everywhere, or would be
/// that of another one where capitals do not count, ends with digits of its own, the same whatever the other cohorts are called.
fn file_names(cohorts: &[&str]) -> Vec<String> {
    let plain = |c: char| if c.is_alphanumeric() || matches!(c, '-' | '.') { c } else { '_' };
    let plain: Vec<String> = cohorts.iter().map(|cohort| cohort.chars().map(plain).collect()).collect();
    let mut like: BTreeMap<String, usize> = BTreeMap::new();
    plain.iter().for_each(|name| *like.entry(name.to_lowercase()).or_default() += 1);
    let of_its_own = |name: &str| {
        let small = name.to_lowercase();
        let device = small.split('.').next().unwrap_or_default().trim_end_matches(|c: char| c.is_ascii_digit());
        like.get(&small) == Some(&1) && name.len() <= LONGEST && !name.is_empty() && !name.starts_with('.') && !DEVICES.contains(&device)
    };
    let name = |(name, cohort): (&String, &&str)| {
        if of_its_own(name) {
            return format!("{name}.json");
        }
        let cut =
            name.char_indices().map(|(at, letter)| at + letter.len_utf8()).take_while(|&end| end <= LONGEST).last().unwrap_or_default();
        let digits: String = Sha256::digest(cohort).iter().take(4).map(|byte| format!("{byte:02x}")).collect();
        format!("{}-{digits}.json", name[..cut].trim_start_matches('.'))
    };
    plain.iter().zip(cohorts).map(name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_cohorts_are_safe_and_apart_as_those_of_files() {
        assert_eq!(file_names(&["web", "2025-Q1", "Köln"]), ["web.json", "2025-Q1.json", "Köln.json"]);
        let long = "x".repeat(300);
        let hostile =
            ["a/b", "a b", "Web", "web", "..", ".", "", "../../etc/passwd", "CON", "con.x", "COM1", "nul", &long, &"é".repeat(300)];
        let names = file_names(&hostile);
        let apart: std::collections::BTreeSet<String> = names.iter().map(|name| name.to_lowercase()).collect();
        assert_eq!(apart.len(), hostile.len(), "{names:?}");
        for name in &names {
            let stem = name.strip_suffix(".json").unwrap();
            assert!(name.len() <= 120 && !name.starts_with('.') && !name.contains(['/', '\\', ' ']), "{name}");
            assert!(stem.len() > 8 && stem.as_bytes()[stem.len() - 9] == b'-', "{name}");
        }
        // The name of one does not depend on who else is there, as far as it must not.
        assert_eq!(file_names(&["CON"]), names[8..9]);
        // A name may be that of another one with its digits: an error, and no file in the place of another.
        let clash = ["a/b", "a b", names[0].strip_suffix(".json").unwrap()];
        let mut files = BTreeMap::new();
        let [first, _, last] = file_names(&clash).try_into().unwrap();
        add(&mut files, first, clash[0], 0).unwrap();
        let refused = add(&mut files, last, clash[2], 1).unwrap_err().to_string();
        assert!(refused.contains("the cohorts \"a/b\" and \"a_b-") && refused.contains("give one of them another name"), "{refused}");
        assert_eq!(files.len(), 1);
        // Devices are told by the whole name.
        assert_eq!(file_names(&["contact", "comfort"]), ["contact.json", "comfort.json"]);
    }
}
