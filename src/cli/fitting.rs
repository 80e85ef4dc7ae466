//! Fits by name, as `fit` and `run` make them.

use std::fmt::Write as _;
use std::path::Path;

use sha2::{Digest, Sha256};

use super::acquiring::log_of_new;
use super::args::{AUTO, Banding, Models};
use super::console::Console;
use super::failure::{Failure, Outcome};
use super::input;
use crate::backtest::Choice;
use crate::data::{CustomerList, Customers, EveryCustomer, LeftTruncated, Observation, OnlySeen, TransactionLog};
use crate::error::{Error, ErrorKind, Result};
use crate::fit::{ComparisonLine, Estimator, Fit, Fitted, Prior};
use crate::io::write_customers_csv;
use crate::models::{AnyPurchaseModel, BgNbd, CensoredLikelihood, Estimable, GammaGamma, MbgNbd, Nbd, ParetoNbd, SeenThrough};
use crate::report::terminal;
use crate::score::{BandRule, ClvDefinition, DataRecord, DefinitionInForce, FitRecord, ModelFile, Score, ValueBands};

/// A log, and how it is seen.
pub(super) type Seen<'a> = (&'a TransactionLog, &'a Observation);

/// Fits the models and gathers all that a model file holds. The customers come from a log, or from a summary.
pub(super) fn fit(
    models: &Models,
    customers: &Customers,
    log: Option<Seen<'_>>,
    definition: ClvDefinition,
    bands: Bands,
    console: &Console,
) -> Result<ModelFile> {
    let everybody = customers;
    let customers = &*everybody.of_known_birth()?;
    let busy = console.busy(&format!("fitting {}", models.model));
    let purchases = if customers.has_born_before() {
        fit_left_truncated(&models.model, customers, models.prior())?
    } else if models.model == AUTO {
        let choice = match log {
            Some((log, observation)) => {
                log_of_new(log, everybody, console).and_then(|log| Choice::by_log_score(&log, observation, models.prior()))
            }
            None => Err(Error::data("a summary cannot be cut at a day in the past")),
        };
        fit_all(customers, choice, models.prior(), console)?
    } else {
        fit_purchases(&models.model, customers, models.prior())?
    };
    let spend = if models.with_spend() { Some(fit_spend(customers, models.prior())?) } else { None };
    drop(busy);
    let customers = everybody;
    let data = data_record(customers, log.is_some())?;
    let model = ModelFile::new(customers.unit(), customers.observation_end(), purchases, spend, definition, data)?;
    let frozen = match bands {
        Bands::Frozen(bands) => Some(bands),
        Bands::None => None,
        Bands::By(_) if model.spend().is_none() => {
            console.say("note: without a spend model there is no CLV, and so there are no bands of value");
            None
        }
        // Where the horizon has no date to begin at, scoring says what is missing.
        Bands::By(rule) => match model.scorer(customers.observation_end()) {
            // Who was born before the log is scored by what is known of them.
            Ok(scorer) if customers.has_born_before() => {
                let scores: Vec<Score> = (0..customers.len()).map(|row| scorer.score_row(customers, row)).collect();
                ValueBands::of(rule, customers, &scores)
            }
            Ok(scorer) => ValueBands::of(rule, customers, &scorer.score_all(customers)?),
            Err(_) => {
                console.say("note: there are no bands of value, since without an observation end there is no CLV yet");
                None
            }
        },
    };
    Ok(model.with_bands(frozen))
}

/// The bands that the flags ask for, for these customers, who come from a log or from a summary.
pub(super) fn bands(
    flags: &Banding,
    from: Option<&Path>,
    definition: &ClvDefinition,
    customers: &Customers,
    is_log: bool,
) -> Outcome<Bands> {
    let Some(path) = from else { return Ok(flags.rule()?.map_or(Bands::None, Bands::By)) };
    let earlier = input::model_file(path)?;
    let Some(bands) = earlier.bands() else {
        return Err(Error::data("this model has no bands of value to take; fit it again, or leave out --bands-from")
            .at(path.display().to_string())
            .into());
    };
    let ours = DefinitionInForce::new(definition, customers.unit(), customers.spend_basis());
    let differences = ours.cleaned(customers.report().filter(|_| is_log)).differences(&earlier.definition_in_force());
    if !differences.is_empty() {
        return Err(Failure::Usage(format!(
            "the bands of {} are of another definition of value: here it has {}; give the same one, or new bands",
            path.display(),
            differences.join(", ")
        )));
    }
    Ok(Bands::Frozen(bands.clone()))
}

/// Where the bands of value come from.
#[derive(Debug)]
pub(super) enum Bands {
    None,
    /// From these customers, by a rule.
    By(BandRule),
    /// From an earlier model, as they are.
    Frozen(ValueBands),
}

fn fit_purchases(name: &str, customers: &Customers, prior: Option<Prior>) -> Result<FitRecord> {
    match name {
        BgNbd::NAME => record::<BgNbd>(customers, prior),
        MbgNbd::NAME => record::<MbgNbd>(customers, prior),
        ParetoNbd::NAME => record::<ParetoNbd>(customers, prior),
        Nbd::NAME => record::<Nbd>(customers, prior),
        other => Err(Error::parameter(format!("there is no fit for {other:?}; it is one of {}", AnyPurchaseModel::NAMES.join(", ")))),
    }
}

/// Fits to customers some of whom were born before the log.
fn fit_left_truncated(name: &str, customers: &Customers, prior: Option<Prior>) -> Result<FitRecord> {
    match name {
        BgNbd::NAME => left_truncated::<BgNbd>(customers, prior),
        MbgNbd::NAME => left_truncated::<MbgNbd>(customers, prior),
        ParetoNbd::NAME => left_truncated::<ParetoNbd>(customers, prior),
        other => Err(Error::parameter(format!(
            "{other} cannot be fitted to customers who were acquired before the log; take one of {}, {}, {} by --model, or leave them out by --run-in",
            BgNbd::NAME,
            MbgNbd::NAME,
            ParetoNbd::NAME
        ))),
    }
}

fn left_truncated<M>(customers: &Customers, prior: Option<Prior>) -> Result<FitRecord>
where
    M: CensoredLikelihood<LeftTruncated<EveryCustomer>> + CensoredLikelihood<LeftTruncated<OnlySeen>>,
{
    // In a list of everybody some are silent; one in which nobody is holds those seen.
    if customers.has_silent() { censored::<M, EveryCustomer>(customers, prior) } else { censored::<M, OnlySeen>(customers, prior) }
}

fn censored<M: CensoredLikelihood<LeftTruncated<L>>, L: CustomerList>(customers: &Customers, prior: Option<Prior>) -> Result<FitRecord> {
    let rows = customers.left_truncated::<L>()?;
    Estimator::<SeenThrough<M, LeftTruncated<L>>>::new().prior(prior).fit(&rows).map(|fitted| FitRecord::of(&fitted))
}

/// Fits every purchase model and takes the one that was chosen by its forecasts or, where there is no such choice, the one with the lowest BIC; the
/// comparison is shown.
fn fit_all(customers: &Customers, choice: Result<Choice>, prior: Option<Prior>, console: &Console) -> Result<FitRecord> {
    let nbd = fitted::<Nbd>(customers, prior)?;
    let mut candidates = vec![(ComparisonLine::of(&nbd, &nbd), FitRecord::of(&nbd))];
    let mut failed = Vec::new();
    let mut consider = |candidate: Result<(ComparisonLine, FitRecord)>| match candidate {
        Ok(candidate) => candidates.push(candidate),
        Err(error) => failed.push(error.to_string()),
    };
    consider(fitted::<BgNbd>(customers, prior).map(|fitted| (ComparisonLine::of(&fitted, &nbd), FitRecord::of(&fitted))));
    consider(fitted::<MbgNbd>(customers, prior).map(|fitted| (ComparisonLine::of(&fitted, &nbd), FitRecord::of(&fitted))));
    consider(fitted::<ParetoNbd>(customers, prior).map(|fitted| (ComparisonLine::of(&fitted, &nbd), FitRecord::of(&fitted))));
    candidates.sort_by(|(one, _), (other, _)| one.bic.total_cmp(&other.bic));
    // A model chosen at the cuts can still be one that all data together do not fit.
    let chosen = choice.as_ref().ok().and_then(|choice| candidates.iter().position(|(line, _)| line.model == choice.model)).unwrap_or(0);
    let lines: Vec<ComparisonLine> = candidates.iter().map(|(line, _)| line.clone()).collect();
    console.say(&terminal::comparison(&lines, lines[chosen].model, &choice));
    for error in failed {
        console.say(&format!("left out: {error}"));
    }
    Ok(candidates.swap_remove(chosen).1)
}

fn fit_spend(customers: &Customers, prior: Option<Prior>) -> Result<FitRecord> {
    record::<GammaGamma>(customers, prior).map_err(|error| match error.kind() {
        ErrorKind::Fit => Error::fit("the spend model cannot be fitted; leave it out with --spend none").because(error),
        _ => error,
    })
}

fn record<M: Fit>(customers: &Customers, prior: Option<Prior>) -> Result<FitRecord> {
    fitted::<M>(customers, prior).map(|fitted| FitRecord::of(&fitted))
}

fn fitted<M: Fit>(customers: &Customers, prior: Option<Prior>) -> Result<Fitted<M>> {
    Estimator::new().prior(prior).fit(customers)
}

/// What is recorded of the data behind fits: of a log also how it was cleaned.
pub(super) fn data_record(customers: &Customers, of_log: bool) -> Result<DataRecord> {
    let report = customers.report();
    Ok(DataRecord {
        rows: report.map_or(customers.len() as u64, |report| report.rows_read),
        customers: customers.len() as u64,
        fingerprint: fingerprint(customers)?,
        spend_basis: customers.spend_basis(),
        cleaning: report.filter(|_| of_log).cloned(),
    })
}

/// SHA-256 of the summary as `clv summarize` writes it: in the order of the ids, whatever the order in a file.
pub(super) fn fingerprint(customers: &Customers) -> Result<String> {
    let mut hash = Sha256::new();
    if customers.ids().is_sorted() {
        write_customers_csv(customers, &mut hash)?;
    } else {
        write_customers_csv(&customers.sorted_by_id(), &mut hash)?;
    }
    Ok(hash.finalize().iter().fold(String::with_capacity(64), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    }))
}
