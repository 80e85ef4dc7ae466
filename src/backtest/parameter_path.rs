//! How the parameters of a model move from cut to cut: a model that has learned what is there to learn does not.

use super::outcome::BackTestReport;
use crate::time::Date;

/// A parameter as it was fitted to all that was known on a day.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PathRow {
    /// The last day that was known.
    pub until: Date,
    /// Its name.
    pub parameter: &'static str,
    /// Its value, in the unit of the model.
    pub value: f64,
    /// Its value over that of the latest fit.
    pub relative: f64,
}

/// The parameters of one model over the cuts of a back-test, up to the latest fit.
///
/// ```
/// # #[cfg(feature = "csv")] {
/// use clv::{BackTest, Estimable, BgNbd, Observation, ParameterPath, Scheme, TransactionLog};
///
/// let log = TransactionLog::from_csv("examples/data/cdnow_sample.csv")?;
/// let end = "1998-06-30".parse()?;
/// let scheme = Scheme::Rolling { origins: 2, horizon: "26 weeks".parse()? };
/// let report = BackTest::new(scheme).models(&["bg-nbd"])?.samples(0, 0).run(&log, &Observation::until(end).in_weeks())?;
/// let path = ParameterPath::of(&report, "bg-nbd", end, &[0.28, 5.4, 0.9, 4.2]);
/// let alpha: Vec<String> = path.rows().iter().filter(|row| row.parameter == "alpha").map(|row| format!("{:.2}", row.relative)).collect();
/// assert_eq!((alpha.len(), alpha[2].as_str()), (3, "1.00"));
/// # }
/// # Ok::<(), clv::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ParameterPath {
    rows: Vec<PathRow>,
}

impl ParameterPath {
    /// Of the runs of a model, and the latest parameters in the model's order, fitted until `end`; without a row when the name is not known.
    #[must_use]
    pub fn of(report: &BackTestReport, model: &str, end: Date, latest: &[f64]) -> Self {
        let Ok(names) = crate::models::AnyPurchaseModel::parameters_of(model) else { return ParameterPath::default() };
        let latest: Vec<(&'static str, f64)> = names.iter().map(|parameter| parameter.name).zip(latest.iter().copied()).collect();
        let row = |until: Date, parameter: &'static str, value: f64, last: f64| PathRow { until, parameter, value, relative: value / last };
        let mut rows = Vec::new();
        for run in report.find(model, report.held_out()) {
            for &(name, last) in &latest {
                rows.extend(run.parameters.get(name).map(|&value| row(run.split.cut(), name, value, last)));
            }
        }
        rows.extend(latest.iter().map(|&(name, last)| row(end, name, last, last)));
        ParameterPath { rows }
    }

    /// By day, and by parameter in the model's order.
    #[must_use]
    pub fn rows(&self) -> &[PathRow] {
        &self.rows
    }
}
