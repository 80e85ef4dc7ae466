//! What a command reads: logs, summaries, model files.

use std::fs;
use std::path::{Path, PathBuf};

use super::acquiring::Acquiring;
use super::args::{Measured, MeasuredByModel, Observing, Reading};
use super::console::Console;
use super::failure::{Failure, Outcome};
use crate::data::{Customers, DataReport, DuplicatePolicy, Observation, SpendBasis, TransactionLog, Unusable, grouped};
use crate::error::{Error, Result};
use crate::io::{InputKind, LogFiles, ReadOptions, ReadProgress, Source, SummaryOptions, SummaryRead};
use crate::report::remarks;
use crate::score::ModelFile;
use crate::time::{Date, TimeUnit};

/// Customers that are scored together, of a summary.
const BATCH: usize = 1 << 16;

/// Rows that repeat others are many where they are more than one in so many.
const MANY_REPEATED: u64 = 10;

/// Everything that says how an input becomes customers.
#[derive(Debug)]
pub(super) struct Input<'a> {
    pub(super) files: LogFiles,
    pub(super) customer_column: Option<&'a str>,
    pub(super) reading: &'a Reading,
    pub(super) observing: &'a Observing,
    pub(super) unit: TimeUnit,
    pub(super) spend_basis: SpendBasis,
    /// How births are known, for a command that asks for it.
    pub(super) acquiring: Option<&'a Acquiring>,
    /// How the log behind the model was cleaned, when there is a model.
    pub(super) cleaned_as: Option<&'a DataReport>,
}

impl<'a> Input<'a> {
    /// An input measured as the flags say.
    pub(super) fn measured(names: &[PathBuf], flags: &'a Measured) -> Outcome<Self> {
        let files = LogFiles::find(names)?;
        flags.reading.check(files.paths())?;
        Ok(Input {
            files,
            customer_column: flags.customer.customer_column.as_deref(),
            reading: &flags.reading,
            observing: &flags.observing,
            unit: flags.measuring.unit,
            spend_basis: flags.measuring.spend_basis,
            acquiring: Some(&flags.acquiring),
            cleaned_as: None,
        })
    }

    /// An input measured as the model was; another unit that was asked for is an error.
    pub(super) fn measured_for(
        model: &'a ModelFile,
        names: &[PathBuf],
        customer_column: Option<&'a str>,
        flags: &'a MeasuredByModel,
    ) -> Outcome<Self> {
        let files = LogFiles::find(names)?;
        flags.reading.check(files.paths())?;
        if let Some(unit) = flags.unit.filter(|&unit| unit != model.unit()) {
            return Err(Error::parameter(format!(
                "the model is in {}s, but --unit {unit} was given; leave --unit out to measure the customers in {0}s, or fit a model with \
                 --unit {unit}",
                model.unit()
            ))
            .into());
        }
        Ok(Input {
            files,
            customer_column,
            reading: &flags.reading,
            observing: &flags.observing,
            unit: model.unit(),
            spend_basis: model.spend_basis(),
            acquiring: None,
            cleaned_as: model.data().cleaning.as_ref(),
        })
    }

    /// The files that are read, that with the dates of acquisition among them: no result may replace one.
    pub(super) fn paths(&self) -> Vec<PathBuf> {
        self.files.paths().iter().cloned().chain(self.acquiring.and_then(Acquiring::file)).collect()
    }

    /// Births known as these flags say.
    pub(super) fn acquired_as(self, acquiring: &'a Acquiring) -> Self {
        Input { acquiring: Some(acquiring), ..self }
    }

    /// The customers of a log, with the log and how it was seen, or those of a summary.
    pub(super) fn customers_and_log(&self, console: &Console) -> Outcome<(Customers, Option<(TransactionLog, Observation)>)> {
        let summary = |source: Source<'_>, options: &SummaryOptions| {
            let _busy = console.busy(&format!("reading {}", source.name()));
            source.read_summary(options)
        };
        Ok(match self.read(console, summary)? {
            Content::Log(log) => {
                let (customers, observation) = self.summarize(&log, console)?;
                (customers, Some((*log, observation)))
            }
            Content::Summary(customers) => {
                if let Some(report) = customers.report() {
                    self.judge_skipped(&report.into(), console)?;
                }
                (customers, None)
            }
        })
    }

    /// Hands over the customers of a summary batch by batch, or those of a log at once. What became of the rows is told at the end, of a log by its customers;
    /// rows of a summary that were skipped are judged then too, since their share is not known before.
    pub(super) fn customers_in_batches(
        &self,
        console: &Console,
        take: &mut dyn FnMut(Customers, InputKind) -> Result<()>,
    ) -> Result<Option<SummaryRead>> {
        let progress = console.reading(&self.files);
        let mut take_batch = |customers: Customers, read: ReadProgress| {
            progress.show(read);
            take(customers, InputKind::Summary)
        };
        let summary = |source: Source<'_>, options: &SummaryOptions| source.read_summary_in_batches(options, BATCH, &mut take_batch);
        match self.read(console, summary)? {
            Content::Summary(read) => {
                self.judge_skipped(&(&read.report).into(), console)?;
                Ok(Some(read))
            }
            Content::Log(log) => take(self.summary_of(*log, console)?, InputKind::Log).map(|()| None),
        }
    }

    /// The log, or the summary as it is to be read.
    fn read<S>(&self, console: &Console, summary: impl FnOnce(Source<'_>, &SummaryOptions) -> Result<S>) -> Result<Content<S>> {
        let options = self.log_options();
        if let [only] = self.files.paths() {
            let source = Source::open(only)?;
            match source.kind(&options)? {
                InputKind::Summary => {
                    self.say_what_a_summary_leaves_out(&source, &options, console)?;
                    let end = self.observing.observation_end;
                    let options = self.reading.summary_options(self.customer_column, self.unit, end, self.spend_basis);
                    return summary(source, &options).map(Content::Summary);
                }
                // What has been read of standard input to see its header cannot be read again.
                InputKind::Log if self.files.is_stdin() => return Ok(Content::Log(Box::new(source.read_log(&options)?))),
                InputKind::Log => {}
            }
        }
        Ok(Content::Log(Box::new(self.log(console)?)))
    }

    /// What is without effect or unknown for all customers is said once.
    fn say_what_a_summary_leaves_out(&self, source: &Source<'_>, options: &ReadOptions, console: &Console) -> Result<()> {
        let mut flags = self.observing.for_a_log();
        flags.extend(self.acquiring.into_iter().flat_map(Acquiring::for_a_log));
        if !flags.is_empty() {
            let have = if flags.len() == 1 { "has" } else { "have" };
            console.say(&format!(
                "note: {} is a summary, whose purchases are merged and netted and whose births are known already; {} {have} no effect",
                source.name(),
                flags.join(" and ")
            ));
        }
        if !source.has_average_spend(options)? {
            console.say(&format!(
                "note: {} has no column average_spend (m_x, m.x, monetary_value): what its customers spent is taken as unknown",
                source.name()
            ));
        }
        Ok(())
    }

    /// The log, for a command that has no use for a summary.
    pub(super) fn log(&self, console: &Console) -> Result<TransactionLog> {
        let progress = console.reading(&self.files);
        self.files.read_watched(&self.log_options(), &|read| progress.show(read))
    }

    /// The summary of a log, and how the log was seen.
    pub(super) fn summarize(&self, log: &TransactionLog, console: &Console) -> Result<(Customers, Observation)> {
        self.summarize_judging(log, &log.into(), console)
    }

    /// The summary of a log some rows of which are judged by how many were skipped: those that this input has brought.
    pub(super) fn summarize_judging(&self, log: &TransactionLog, judged: &Unusable, console: &Console) -> Result<(Customers, Observation)> {
        let observation = self.observation(log, console)?;
        let _busy = console.busy("summarising");
        let customers = log.summarize(&observation).map_err(|error| error.at(self.name()))?;
        Ok((self.with_births(customers, judged, console)?, observation))
    }

    /// The summary of a log that is not needed any more.
    pub(super) fn summary_of(&self, log: TransactionLog, console: &Console) -> Result<Customers> {
        let observation = self.observation(&log, console)?;
        let _busy = console.busy("summarising");
        let judged = Unusable::from(&log);
        let customers = log.into_summary(&observation).map_err(|error| error.at(self.name()))?;
        self.with_births(customers, &judged, console)
    }

    /// The customers of a log with what is known of their birth.
    fn with_births(&self, customers: Customers, judged: &Unusable, console: &Console) -> Result<Customers> {
        let many =
            |report: &&DataReport| report.duplicates == DuplicatePolicy::Keep && report.repeated.count * MANY_REPEATED > report.used.count;
        if let Some(report) = customers.report().filter(many) {
            console.say(&format!(
                "note: {} of {} rows repeat another one of the same customer, time and amount; was a file given twice, or a copy of it? They are kept; \
                 --duplicates drop leaves one of each",
                grouped(report.repeated.count as f64, 0),
                grouped(report.used.count as f64, 0)
            ));
        }
        self.judge_skipped(judged, console)?;
        match self.acquiring {
            Some(acquiring) => acquiring.mark(customers, self, console).map_err(|error| error.at(self.name())),
            None => Ok(customers),
        }
    }

    /// Refuses a log to which no model should be fitted as it is: see [`Acquiring::check_start`].
    pub(super) fn check_start(&self, log: &TransactionLog, observation: &Observation, console: &Console) -> Result<()> {
        self.acquiring.map_or(Ok(()), |acquiring| acquiring.check_start(log, observation, console).map_err(|error| error.at(self.name())))
    }

    /// The summary of a log that is in order of time, without keeping its rows.
    pub(super) fn summarize_in_order(&self, console: &Console) -> Outcome<Customers> {
        let Some(end) = self.observing.observation_end else {
            return Err(Failure::Usage(
                "--time-ordered needs --observation-end: rows are not kept, and the last day in the data is known after the last of them"
                    .into(),
            ));
        };
        let observation = self.observing.until(end, self.unit, self.spend_basis, self.cleaned_as);
        let progress = console.reading(&self.files);
        let customers = self.files.summarize_in_order(&self.log_options(), &observation, &|read| progress.show(read));
        let customers = customers.map_err(|error| error.at(self.name()))?;
        let judged = customers.report().map(Unusable::from).unwrap_or_default();
        Ok(self.with_births(customers, &judged, console)?)
    }

    /// What messages call the input.
    pub(super) fn name(&self) -> String {
        match self.files.paths() {
            [_] if self.files.is_stdin() => "<stdin>".to_owned(),
            [only] => only.display().to_string(),
            paths => format!("{} files", paths.len()),
        }
    }

    /// How a log is seen; an observation end that was not given is the last day in the data, and said to be.
    pub(super) fn observation(&self, log: &TransactionLog, console: &Console) -> Result<Observation> {
        let end = match (self.observing.observation_end, log.last_date()) {
            (Some(end), _) => end,
            (None, Some(last)) => {
                console.say(&format!(
                    "note: the observation end is taken to be {last}, the last day in the data; set it with --observation-end"
                ));
                last
            }
            // Of a log without a row any day is the last one; its summary says what is wrong.
            (None, None) => Date::new(1970, 1, 1)?,
        };
        for far in log.far_ends(end, self.observing.observation_end.is_some())? {
            console.say(&format!("note: {}", remarks::far_end(&far)));
        }
        Ok(self.observing.until(end, self.unit, self.spend_basis, self.cleaned_as))
    }

    /// What a reader of the results has to know of the data: what was said while they were read.
    pub(super) fn remarks(&self, log: &TransactionLog, observation: &Observation, customers: &Customers) -> Result<Vec<String>> {
        let far = log.far_ends(observation.end, self.observing.observation_end.is_some())?;
        // As a sentence.
        let far = far.iter().map(|far| remarks::far_end(far).replacen("the ", "The ", 1) + ".");
        Ok(far.chain(customers.report().and_then(|report| remarks::many_skipped(&report.into())).map(|skipped| skipped + ".")).collect())
    }

    /// Says that many rows were skipped; refuses more than may be.
    pub(super) fn judge_skipped(&self, rows: &Unusable, console: &Console) -> Result<()> {
        self.reading.check_skipped(rows).map_err(|error| error.at(self.name()))?;
        if let Some(words) = remarks::many_skipped(rows) {
            console.say(&format!("warning: {words}"));
        }
        Ok(())
    }

    pub(super) fn log_options(&self) -> ReadOptions {
        self.reading.log_options(self.customer_column)
    }
}

/// What an input turned out to hold.
enum Content<S> {
    Log(Box<TransactionLog>),
    Summary(S),
}

/// Reads a model file.
pub(super) fn model_file(path: &Path) -> Result<ModelFile> {
    let text = fs::read_to_string(path).map_err(|error| Error::file(format!("cannot read the model file {}: {error}", path.display())))?;
    ModelFile::from_json(&text).map_err(|error| error.at(path.display().to_string()))
}
