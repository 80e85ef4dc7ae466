//! The model files of a report on cohorts: one for each, for `clv score`.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;

use super::fitting::data_record;
use super::result_directory::{NamedFile, ResultDirectory};
use crate::data::Customers;
use crate::error::{Error, Result};
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
    pub(super) fn write(&self, report: &CohortReport, shared: &Shared<'_>) -> Result<()> {
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
        ResultDirectory::create(directory)?.write(&named)
    }
}

/// The models by the names of their files, each with the name of its cohort.
fn files<'a>(report: &'a CohortReport, shared: &Shared<'_>) -> Result<BTreeMap<String, (&'a str, ModelFile)>> {
    let mut files = BTreeMap::new();
    // A fit that borrows from the other cohorts is a fit to all of them.
    let data = data_record(shared.customers, true)?;
    for cohort in &report.cohorts {
        let Some(record) = &cohort.fit_record else { continue };
        let name = file_name(&cohort.name);
        let model = ModelFile::new(
            report.unit,
            Some(report.observation_end),
            record.clone(),
            shared.spend.clone(),
            shared.definition,
            data.clone(),
        )?;
        let model = model.with_origin(Some(shared.births), SeenAs::Histories);
        if let Some((other, _)) = files.insert(name.clone(), (cohort.name.as_str(), model)) {
            return Err(Error::data(format!(
                "the model files of the cohorts {other:?} and {:?} would both be {name}; rename one of the cohorts, or leave --model-files out",
                cohort.name
            )));
        }
    }
    Ok(files)
}

/// The name of a cohort as that of a file: what is no letter, digit, point or hyphen is an underscore.
fn file_name(cohort: &str) -> String {
    let plain = |c: char| if c.is_alphanumeric() || matches!(c, '-' | '.') { c } else { '_' };
    format!("{}.json", cohort.chars().map(plain).collect::<String>())
}
