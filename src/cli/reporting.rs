//! The report page and the numbers of its charts: what `run` and `report` write.

use std::fs::{self, File};
use std::io::{BufWriter, ErrorKind, Write};
use std::path::Path;

use super::result_directory::{NamedFile, ResultDirectory};
use crate::backtest::{BackTest, BackTestReport, CohortCurves, ParameterPath, Scheme};
use crate::data::{Customers, Observation, TransactionLog, grouped};
use crate::error::{Error, Result};
use crate::fit::Level;
use crate::io::{Table, TableFormat, Values};
use crate::models::AnyPurchaseModel;
use crate::page::{Cells, Computed, Figure, Figures, ReportData};
use crate::parallel::join;
use crate::score::{
    ClvDefinition, Concentration, GroupForecast, HistoryMap, ModelFile, Ranking, Score, Scorer, SpendHistogram, Totals, ValueHistogram,
};

/// Customers at most whose past is forecast at several cuts for the page: more would not tell more.
const MOST_TESTED: usize = 10_000;

/// What is known.
pub(super) struct Base<'a> {
    /// What the log is called.
    pub(super) source: &'a str,
    /// What was said of it while it was read.
    pub(super) remarks: Vec<String>,
    /// The log of the customers who are known to be new in it.
    pub(super) log_of_new: &'a TransactionLog,
    pub(super) observation: &'a Observation,
    pub(super) customers: &'a Customers,
    pub(super) model: &'a ModelFile,
    pub(super) definition: &'a ClvDefinition,
}

/// What the customers are worth.
pub(super) struct Worth<'a> {
    pub(super) scores: &'a [Score],
    pub(super) ranking: &'a Ranking,
    pub(super) totals: &'a Totals,
    pub(super) forecast: Option<&'a (Level, GroupForecast)>,
}

/// The page on its way to a file, and the files beside it.
#[derive(Debug)]
pub(super) struct Page {
    file: String,
    html: String,
    figures: Figures,
}

/// The folder of a page's numbers: its own name without the ending.
fn folder(page: &str) -> &str {
    page.rsplit_once('.').map_or(page, |(stem, _)| stem)
}

/// All files that there can be beside the page of this name.
pub(super) fn chart_files(page: &str) -> Vec<String> {
    Figures::NAMES.iter().map(|name| format!("{}/{name}.csv", folder(page))).collect()
}

/// How forecasts of the past came out.
pub(super) struct Tested {
    /// From the last quarter, or why there is none.
    pub(super) last_quarter: Result<BackTestReport>,
    /// The forecasts of the model at several cuts; without runs where there are none.
    pub(super) rolling: BackTestReport,
    /// Why there are none.
    no_rolling: Option<Error>,
    /// The customers of these, where they are not all.
    sample: Option<usize>,
}

/// Tests the model at several cuts beside a test of the last quarter, the cuts on as many customers as a page needs.
pub(super) fn tested(
    last_quarter: impl FnOnce() -> Result<BackTestReport> + Send,
    log: &TransactionLog,
    observation: &Observation,
    model: &ModelFile,
) -> Result<Tested> {
    let some = log.of_some_customers(MOST_TESTED)?;
    let (last_quarter, rolling) = join(last_quarter, || rolling(&some, observation, model));
    let (rolling, no_rolling) = match rolling {
        Ok(rolling) => (rolling, None),
        Err(error) => (BackTestReport::without_runs(), Some(error)),
    };
    Ok(Tested { last_quarter, rolling, no_rolling, sample: (some.customer_count() < log.customer_count()).then(|| some.customer_count()) })
}

/// Works out what is for the page alone, and makes the page.
pub(super) fn page(base: &Base<'_>, scorer: &Scorer<AnyPurchaseModel>, worth: &Worth<'_>, tested: &Tested, file: &str) -> Result<Page> {
    let &Base { source, log_of_new: log, observation, customers, model, definition, .. } = base;
    let &Worth { scores, ranking, totals, forecast } = worth;
    let Tested { last_quarter, rolling, no_rolling, sample } = tested;
    let without_runs = BackTestReport::without_runs();
    let latest: Vec<f64> = model.purchases().parameters().map(|(_, value)| value).collect();
    let computed = Computed {
        concentration: Concentration::of(customers, scores, ranking),
        values: ValueHistogram::of(customers, scores),
        map: HistoryMap::of(scorer, customers),
        spend: model.spend_model().and_then(|spend| SpendHistogram::of(spend, customers)),
        cohorts: CohortCurves::of(log, observation, model.purchase_model())?,
        path: ParameterPath::of(rolling, model.purchases().model(), model.observation_end().unwrap_or(observation.end), &latest),
    };
    let fitted_until = model.observation_end().filter(|&end| end != observation.end);
    let of_new = customers.has_births().then(|| {
        format!(
            "The back-tests and cohorts are of the {} customers who are known to be new in the log.",
            grouped(log.customer_count() as f64, 0)
        )
    });
    let remarks = fitted_until.map(|fitted| {
        format!(
            "The model was fitted to what was known until {fitted}; the customers are those of {}. The back-tests fit a model of the same kind anew.",
            observation.end
        )
    });
    let no_cuts = no_rolling.as_ref().map(|why| format!("There are no forecasts at several cuts: {why}."));
    let data = ReportData {
        source,
        customers,
        model,
        definition,
        end: observation.end,
        scores,
        ranking,
        totals,
        forecast,
        backtest: last_quarter.as_ref().unwrap_or(&without_runs),
        no_backtest: last_quarter.as_ref().err().map(ToString::to_string),
        rolling,
        rolling_sample: *sample,
        // Limits of bands are amounts by the definition of the model.
        bands: model.bands().filter(|_| definition.values_customers_as(model.definition())),
        computed: &computed,
        remarks: base.remarks.iter().cloned().chain(remarks).chain(of_new).chain(no_cuts).collect(),
    };
    let figures = data.figures()?;
    let html = data.page(&figures, folder(file));
    Ok(Page { file: file.to_owned(), html, figures })
}

/// The same model at several cuts, without intervals of the figures.
fn rolling(log: &TransactionLog, observation: &Observation, model: &ModelFile) -> Result<BackTestReport> {
    let Some(first) = log.first_date() else { return Err(Error::data("there is no transaction")) };
    let test = BackTest::new(Scheme::rolling_over(first, observation.end)?).models(&[model.purchases().model()])?;
    test.prior(model.purchases().prior()).with_spend_model(model.spend().is_some()).samples(0, 0).run(log, observation)
}

impl Page {
    /// Writes the page, the numbers of its charts, and other results beside it: all of them or none. Charts of an earlier page that
    /// this one does not have are removed then.
    pub(super) fn write(&self, directory: &Path, others: &[NamedFile<'_>]) -> Result<()> {
        let html = |out: &mut BufWriter<File>| {
            out.write_all(self.html.as_bytes()).map_err(|error| Error::file("cannot write the page").because(error))
        };
        let tables: Vec<(String, Table<'_>)> = (self.figures.all())
            .map(|figure| Ok((format!("{}/{}", folder(&self.file), figure.file()), table(figure)?)))
            .collect::<Result<_>>()?;
        let writers: Vec<_> = tables.iter().map(|(_, table)| move |out: &mut BufWriter<File>| table.write(TableFormat::Csv, out)).collect();
        let charts = tables.iter().zip(&writers).map(|((name, _), write)| (name.as_str(), write as _));
        let page: NamedFile<'_> = (&self.file, &html);
        let files: Vec<NamedFile<'_>> = others.iter().copied().chain([page]).chain(charts).collect();
        ResultDirectory::create(directory)?.with_folder(folder(&self.file))?.write(&files)?;
        let is_new = |name: &String| tables.iter().any(|(new, _)| new == name);
        chart_files(&self.file).iter().filter(|name| !is_new(name)).try_for_each(|name| remove(&directory.join(name)))
    }
}

/// Removes a file, if there is one.
fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(Error::file(format!("the results are written, but {}, a chart of an earlier run, cannot be removed", path.display()))
                .because(error))
        }
        _ => Ok(()),
    }
}

/// The numbers of a chart under the names for programs.
fn table(figure: &Figure) -> Result<Table<'_>> {
    figure.data.columns().iter().try_fold(Table::new(), |table, column| {
        let values = match &column.cells {
            Cells::Day(days) => Values::Date(days.clone()),
            Cells::Text(texts) => Values::Text(texts.iter().map(String::as_str).collect()),
            Cells::Number(values, _) => Values::Optional(values.as_slice().into()),
        };
        table.with(column.name, values)
    })
}
