//! The flags that several commands share, in groups: a command takes a group whole or not at all.

use std::error::Error as _;
use std::path::PathBuf;

use clap::builder::PossibleValuesParser;

use super::acquiring::Acquiring;
use super::console::Console;
use super::failure::{Failure, Outcome};
use crate::data::{DataReport, DuplicatePolicy, MergePeriod, Observation, RefundPolicy, SpendBasis, Unusable, counted_things, grouped};
use crate::error::{Error, Result};
use crate::fit::{Level, Prior};
use crate::io::{BadRows, DecimalMark, LogColumns, ReadOptions, SummaryOptions, TableFormat, check_decimal};
use crate::models::{AnyPurchaseModel, Estimable, GammaGamma};
use crate::score::{BandLimits, BandRule, ClvDefinition, Cost, FirstPurchase, Margin};
use crate::time::{AnnualDiscount, Date, Horizon, TimeUnit};

const READING: &str = "Reading";
const OBSERVING: &str = "Observation";
const VALUE: &str = "Value";
const INTERVALS: &str = "Intervals";
const MODELS: &str = "Models";

/// Flags of every command.
#[derive(Debug, clap::Args)]
pub(super) struct Common {
    /// Settings as a TOML file: keys are the long names of flags, which win over the file, also over settings that they exclude
    #[arg(long, value_name = "FILE")]
    pub(super) definition: Option<PathBuf>,
    /// Threads to work with; 0 is one per core. The results are the same
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true, value_parser = threads)]
    pub(super) threads: u16,
    /// Seed of every random draw; a command that draws nothing takes it all the same
    #[arg(long, value_name = "N", value_parser = seed)]
    pub(super) seed: Option<u64>,
    /// Say nothing but errors
    #[arg(long, short)]
    pub(super) quiet: bool,
}

impl Common {
    /// Sets up threads, and the way to speak to the user.
    pub(super) fn start(&self) -> Result<Console> {
        match rayon::ThreadPoolBuilder::new().num_threads(self.threads.into()).build_global() {
            Ok(()) => {}
            // Without a cause, threads have been started before in this process: they do the work, with the same results.
            Err(error) if error.source().is_none() => {}
            Err(error) => return Err(Error::parameter(format!("cannot start {} threads", self.threads)).because(error)),
        }
        Ok(Console::new(self.quiet))
    }
}

/// The column of the customer id, under its short name.
#[derive(Debug, clap::Args)]
pub(super) struct CustomerColumn {
    /// Column of the customer id [default: customer_id]
    #[arg(long = "customer", visible_alias = "customer-column", value_name = "COLUMN", help_heading = READING)]
    pub(super) customer_column: Option<String>,
}

/// How to read a log.
#[derive(Debug, clap::Args)]
pub(super) struct Reading {
    /// Column of the date or date-time [default: date]
    #[arg(long = "date", visible_alias = "date-column", value_name = "COLUMN", help_heading = READING)]
    date_column: Option<String>,
    /// Column of the amount [default: amount]
    #[arg(long = "amount", visible_alias = "amount-column", value_name = "COLUMN", help_heading = READING)]
    amount_column: Option<String>,
    /// What separates the fields of a CSV line: one character, or '\t'
    #[arg(long, value_name = "CHAR", default_value = ",", value_parser = delimiter, help_heading = READING)]
    delimiter: u8,
    /// What stands before the decimals of amounts: a point, or with "," a comma, as in 12,50 or 1.234,50
    #[arg(long, value_name = "CHAR", default_value = ".", value_parser = decimal, help_heading = READING)]
    decimal: DecimalMark,
    /// Rows that cannot be used: an error, or skip and count them
    #[arg(long, value_name = "error|skip", default_value = "error", value_parser = bad_rows, help_heading = READING)]
    bad_rows: BadRows,
    /// With --bad-rows skip: end with an error where more rows than this had to be skipped, or a larger share of all, such as 5%
    #[arg(long, value_name = "N|N%", value_parser = max_skipped, help_heading = READING)]
    max_skipped: Option<MaxSkipped>,
}

/// How many rows may be skipped.
#[derive(Debug, Clone, Copy, PartialEq)]
enum MaxSkipped {
    Rows(u64),
    /// In per cent, as it was given.
    Percent(f64),
}

fn max_skipped(text: &str) -> Result<MaxSkipped> {
    let share = text.strip_suffix('%').map(|percent| percent.trim_end().parse::<f64>().map(MaxSkipped::Percent).ok());
    let most = share.unwrap_or_else(|| text.parse().map(MaxSkipped::Rows).ok());
    let is_share = |most: &MaxSkipped| !matches!(most, MaxSkipped::Percent(percent) if !(0.0..=100.0).contains(percent));
    most.filter(is_share)
        .ok_or_else(|| Error::parameter(format!("{text:?} is no number of rows, such as 100, and no share of them, such as 5%")))
}

impl Reading {
    /// Refuses flags that contradict each other. Files of Parquet have fields that nothing separates.
    pub(super) fn check(&self, inputs: &[PathBuf]) -> Outcome {
        self.check_limit()?;
        if inputs.iter().all(|path| TableFormat::of_path(path) == Some(TableFormat::Parquet)) {
            return Ok(());
        }
        check_decimal(self.delimiter, self.decimal).map_err(|error| Failure::Usage(error.to_string()))
    }

    /// Refuses a limit on skipped rows where none are skipped: it would never be crossed.
    pub(super) fn check_limit(&self) -> Outcome {
        if self.max_skipped.is_some() && self.bad_rows != BadRows::Skip {
            return Err(Failure::Usage(
                "--max-skipped limits rows that are skipped, and none are: the first that cannot be used is an error; add --bad-rows skip, or leave \
                 --max-skipped out"
                    .into(),
            ));
        }
        Ok(())
    }

    /// Refuses an input of which more rows were skipped than may be.
    pub(super) fn check_skipped(&self, rows: &Unusable) -> Result<()> {
        let Unusable { skipped, read, first } = rows;
        let (is_over, most) = match self.max_skipped {
            None => return Ok(()),
            Some(MaxSkipped::Rows(rows)) => (*skipped > rows, grouped(rows as f64, 0)),
            Some(MaxSkipped::Percent(percent)) => (*skipped as f64 * 100.0 > percent * *read as f64, format!("{percent} %")),
        };
        if !is_over {
            return Ok(());
        }
        let first = first.as_ref().map_or_else(String::new, |first| format!("; the first is {first}"));
        let (skipped, read) = (grouped(*skipped as f64, 0), counted_things(*read, "row"));
        Err(Error::data(format!(
            "{skipped} of {read} cannot be used, and --max-skipped allows {most}{first}. Correct the rows, or raise the limit"
        )))
    }

    pub(super) fn log_options(&self, customer_column: Option<&str>) -> ReadOptions {
        let or = |given: Option<&str>, default: String| given.map_or(default, str::to_owned);
        let default = LogColumns::default();
        let columns = LogColumns {
            customer: or(customer_column, default.customer),
            date: or(self.date_column.as_deref(), default.date),
            amount: or(self.amount_column.as_deref(), default.amount),
        };
        ReadOptions { columns, delimiter: self.delimiter, decimal: self.decimal, bad_rows: self.bad_rows }
    }

    pub(super) fn summary_options(
        &self,
        customer_column: Option<&str>,
        unit: TimeUnit,
        observation_end: Option<Date>,
        spend_basis: SpendBasis,
    ) -> SummaryOptions {
        SummaryOptions {
            unit,
            observation_end,
            spend_basis,
            customer: customer_column.map(str::to_owned),
            delimiter: self.delimiter,
            decimal: self.decimal,
            bad_rows: self.bad_rows,
        }
    }
}

/// How a log is seen.
#[derive(Debug, clap::Args)]
pub(super) struct Observing {
    /// Last day observed, inclusive; later rows change no figure [default: the last day in the data]
    #[arg(long, value_name = "DATE", help_heading = OBSERVING)]
    pub(super) observation_end: Option<Date>,
    /// Refunds (negative amounts): net them against that customer's purchases, drop them, or stop [default: net; of a stored model, as it was fitted]
    #[arg(long, value_name = "net|drop|error", help_heading = OBSERVING)]
    refunds: Option<RefundPolicy>,
    /// Rows that are the same as another one in customer, time (to the hour) and amount: keep or drop them [default: keep; of a stored model, as it was fitted]
    #[arg(long, value_name = "keep|drop", help_heading = OBSERVING)]
    duplicates: Option<DuplicatePolicy>,
    /// Transactions of a customer within one day (or hour of the clock) are one purchase [default: day; of a stored model, as it was fitted]
    #[arg(long, value_name = "day|hour", help_heading = OBSERVING)]
    merge: Option<MergePeriod>,
}

impl Observing {
    /// The flags given that only a log has a use for.
    pub(super) fn for_a_log(&self) -> Vec<&'static str> {
        let given = [(self.refunds.is_some(), "--refunds"), (self.duplicates.is_some(), "--duplicates"), (self.merge.is_some(), "--merge")];
        given.into_iter().filter_map(|(given, flag)| given.then_some(flag)).collect()
    }

    /// The rules of cleaning: as given, else those behind `model`, if there is one.
    pub(super) fn cleaning(&self, model: Option<&DataReport>) -> (RefundPolicy, DuplicatePolicy, MergePeriod) {
        let refunds = self.refunds.or(model.map(|report| report.refunds)).unwrap_or_default();
        let duplicates = self.duplicates.or(model.map(|report| report.duplicates)).unwrap_or_default();
        (refunds, duplicates, self.merge.or(model.map(|report| report.merge)).unwrap_or_default())
    }

    /// The observation of a log until `end`; rules that were not given are those behind `model`, if there is one.
    pub(super) fn until(&self, end: Date, unit: TimeUnit, spend_basis: SpendBasis, model: Option<&DataReport>) -> Observation {
        let (refunds, duplicates, merge) = self.cleaning(model);
        Observation::until(end).unit(unit).refunds(refunds).duplicates(duplicates).merge(merge).spend_over(spend_basis)
    }
}

/// What a summary is measured in. A command that has a model takes these from there.
#[derive(Debug, clap::Args)]
pub(super) struct Measuring {
    /// Unit of recency, age and the model's parameters
    #[arg(long, value_name = "day|week|hour", default_value = "week", help_heading = OBSERVING)]
    pub(super) unit: TimeUnit,
    /// Purchases behind a customer's average spend: the repeat purchases, or all with the first
    #[arg(long, value_name = "repeat|all", default_value = "repeat", value_parser = spend_basis, help_heading = OBSERVING)]
    pub(super) spend_basis: SpendBasis,
}

/// How an input becomes customers, for a command that makes a model or has none.
#[derive(Debug, clap::Args)]
pub(super) struct Measured {
    #[command(flatten)]
    pub(super) customer: CustomerColumn,
    #[command(flatten)]
    pub(super) reading: Reading,
    #[command(flatten)]
    pub(super) observing: Observing,
    #[command(flatten)]
    pub(super) measuring: Measuring,
    #[command(flatten)]
    pub(super) acquiring: Acquiring,
}

/// How an input becomes customers, for a command that has a model.
#[derive(Debug, clap::Args)]
pub(super) struct MeasuredByModel {
    #[command(flatten)]
    pub(super) reading: Reading,
    #[command(flatten)]
    pub(super) observing: Observing,
    /// Unit of recency and age [default: that of the model; another one is an error]
    #[arg(long, value_name = "day|week|hour", help_heading = OBSERVING)]
    pub(super) unit: Option<TimeUnit>,
}

/// What value means.
#[derive(Debug, clap::Args)]
pub(super) struct Valuing {
    /// How far ahead value counts, such as "12 months" or "52 weeks", or lifetime [default: 12 months]
    #[arg(long, value_name = "SPAN", allow_hyphen_values = true, help_heading = VALUE)]
    horizon: Option<Horizon>,
    /// Annual discount rate as a fraction [default: 0.10]
    #[arg(long, value_name = "RATE", value_parser = discount, allow_negative_numbers = true, help_heading = VALUE)]
    discount: Option<AnnualDiscount>,
    /// Share of spend that is value: 1 for revenue, 0.3 for a margin of 30 % [default: 1]
    #[arg(long, value_name = "SHARE", value_parser = margin, allow_negative_numbers = true, help_heading = VALUE)]
    margin: Option<Margin>,
    /// Cost of each purchase beyond the margin, in the money of the amounts [default: 0]
    #[arg(long, value_name = "AMOUNT", value_parser = cost, allow_negative_numbers = true, help_heading = VALUE)]
    cost_per_purchase: Option<Cost>,
    /// Cost of each year in which the customer has not dropped out [default: 0]
    #[arg(long, value_name = "AMOUNT", value_parser = cost, allow_negative_numbers = true, help_heading = VALUE)]
    cost_per_year: Option<Cost>,
    /// Whether the first purchase is part of what a new customer is worth (`clv cohorts`); it is never part of the CLV of those who are customers [default: in]
    #[arg(long, value_name = "in|out", help_heading = VALUE)]
    first_purchase: Option<FirstPurchase>,
}

impl Valuing {
    /// The definition of value: what is given here, and the rest from `otherwise`.
    pub(super) fn or(&self, otherwise: &ClvDefinition) -> Outcome<ClvDefinition> {
        let definition = ClvDefinition {
            horizon: self.horizon.unwrap_or(otherwise.horizon),
            annual_discount: self.discount.unwrap_or(otherwise.annual_discount),
            margin: self.margin.unwrap_or(otherwise.margin),
            cost_per_purchase: self.cost_per_purchase.unwrap_or(otherwise.cost_per_purchase),
            cost_per_year: self.cost_per_year.unwrap_or(otherwise.cost_per_year),
            first_purchase: self.first_purchase.unwrap_or(otherwise.first_purchase),
        };
        // What leaves the calendar from today on does so from any day of a log.
        let counted = definition.horizon.length_from(Date::new(2000, 1, 1)?, TimeUnit::Day);
        counted.map_err(|error| Failure::Usage(format!("{error}, which ends with the year 9999; give a shorter one, or \"lifetime\"")))?;
        definition.check().map_err(|error| Failure::Usage(error.to_string()))?;
        Ok(definition)
    }
}

/// How customers are put into bands of value.
#[derive(Debug, clap::Args)]
pub(super) struct Banding {
    /// Names of the bands of value, from the most valuable down, or none [default: high,mid,low]
    #[arg(long, value_name = "NAMES", value_delimiter = ',', help_heading = VALUE)]
    bands: Vec<String>,
    /// What their limits are: quantiles of the CLV, shares of all value, or amounts [default: quantile]
    #[arg(long, value_name = "quantile|share|value", help_heading = VALUE)]
    band_by: Option<BandLimits>,
    /// A limit for each band but the last [default: 0.8,0.5 for quantiles, 0.5,0.8 for shares]
    #[arg(long, value_name = "LIMITS", value_delimiter = ',', value_parser = number, allow_negative_numbers = true, help_heading = VALUE)]
    band_limits: Vec<f64>,
    /// With --bands-before of `clv score`: a customer leaves their band only where the CLV is beyond its limit with more than this probability
    #[arg(long, value_name = "SHARE", value_parser = number, allow_negative_numbers = true, help_heading = VALUE)]
    band_confidence: Option<f64>,
}

impl Banding {
    /// The bands in force; `None` for none.
    pub(super) fn rule(&self) -> Outcome<Option<BandRule>> {
        if let [only] = self.bands.as_slice()
            && only == NO_BANDS
        {
            return Ok(None);
        }
        let default = BandRule::default();
        let names: Vec<&str> =
            if self.bands.is_empty() { default.names().collect() } else { self.bands.iter().map(String::as_str).collect() };
        let by = self.band_by.unwrap_or_default();
        let limits = match (self.band_limits.as_slice(), by) {
            ([], BandLimits::Quantile) => default.at(),
            ([], BandLimits::Share) => &[0.5, 0.8],
            ([], BandLimits::Value) => {
                return Err(Failure::Usage(
                    "bands by value need their limits: --band-limits 100,20 in the money of the amounts".to_owned(),
                ));
            }
            (limits, _) => limits,
        };
        let rule = BandRule::new(&names, by, limits).and_then(|rule| rule.with_confidence(self.band_confidence));
        rule.map(Some).map_err(|error| Failure::Usage(error.to_string()))
    }
}

const NO_BANDS: &str = "none";

/// How sure a forecast is.
#[derive(Debug, clap::Args)]
pub(super) struct Intervals {
    /// Share of cases that clv_lower to clv_upper is meant to cover, from 0.01 to 0.9999
    #[arg(long, value_name = "SHARE", default_value = "0.9", value_parser = level, allow_negative_numbers = true, help_heading = INTERVALS)]
    pub(super) level: Level,
    /// Add the column p_clv_above: the probability that the CLV exceeds this amount
    #[arg(long, value_name = "AMOUNT", value_parser = threshold, allow_negative_numbers = true, help_heading = INTERVALS)]
    pub(super) threshold: Option<f64>,
    /// Leave clv_lower and clv_upper empty: scores come at once
    #[arg(long, conflicts_with = "threshold", help_heading = INTERVALS)]
    pub(super) no_intervals: bool,
}

/// Which models to fit.
#[derive(Debug, clap::Args)]
pub(super) struct Models {
    /// Model of purchases and dropout; auto fits all and takes the one whose forecasts at four cuts of the log came out best (by log score) or, where
    /// the log is too short or the input a summary, the one with the lowest BIC
    #[arg(long, value_name = "NAME", default_value = AnyPurchaseModel::NAMES[0], value_parser = PossibleValuesParser::new(AnyPurchaseModel::NAMES.iter().copied().chain([AUTO])), help_heading = MODELS)]
    pub(super) model: String,
    /// Model of spend; with none there is no CLV
    #[arg(long, value_name = "NAME", default_value = GammaGamma::NAME, value_parser = PossibleValuesParser::new([GammaGamma::NAME, NO_SPEND]), help_heading = MODELS)]
    pub(super) spend: String,
    #[command(flatten)]
    prudence: Prudence,
}

/// What to believe before the data.
#[derive(Debug, clap::Args)]
pub(super) struct Prudence {
    /// Prior on the parameters, for small samples: none, weak, or the standard deviation of their logarithms (weak is 2)
    #[arg(long, value_name = "none|weak|SD", default_value = "none", value_parser = prior, allow_negative_numbers = true, help_heading = MODELS)]
    prior: PriorChoice,
}

/// A prior, or none. (An `Option` would tell clap that the flag may be missing.)
#[derive(Debug, Clone, Copy)]
struct PriorChoice(Option<Prior>);

const NO_SPEND: &str = "none";

/// The choice of a purchase model by the data.
pub(super) const AUTO: &str = "auto";

impl Models {
    pub(super) fn with_spend(&self) -> bool {
        self.spend != NO_SPEND
    }

    pub(super) fn prior(&self) -> Option<Prior> {
        self.prudence.prior()
    }
}

impl Prudence {
    pub(super) fn prior(&self) -> Option<Prior> {
        self.prior.0
    }
}

/// Where a table goes.
#[derive(Debug, clap::Args)]
pub(super) struct TableOutput {
    /// File to write, whole or not at all [default: standard output]
    #[arg(long, short, value_name = "FILE")]
    pub(super) output: Option<PathBuf>,
    /// csv, json or parquet [default: by the file's ending, else csv]
    #[arg(long, value_name = "FORMAT")]
    pub(super) format: Option<TableFormat>,
}

/// A whole number up to `most`; clap alone would speak of invalid digits.
fn whole<T: TryFrom<u64>>(text: &str, most: u64) -> Result<T> {
    let number: u64 = text.parse().map_err(|_| Error::parameter(format!("{text:?} is no whole number; it is one from 0 to {most}")))?;
    let in_range = Some(number).filter(|&number| number <= most).and_then(|number| T::try_from(number).ok());
    in_range.ok_or_else(|| Error::parameter(format!("{number} is not in 0..={most}")))
}

fn threads(text: &str) -> Result<u16> {
    whole(text, 1024)
}

fn seed(text: &str) -> Result<u64> {
    whole(text, u64::MAX)
}

pub(super) fn samples(text: &str) -> Result<u32> {
    whole(text, 100_000)
}

fn delimiter(text: &str) -> Result<u8> {
    match (text, text.as_bytes()) {
        (r"\t" | "tab", _) => Ok(b'\t'),
        (_, &[byte]) if byte.is_ascii_punctuation() && !b"\"'.-".contains(&byte) || byte == b'\t' || byte == b' ' => Ok(byte),
        _ => Err(Error::parameter(format!(r"delimiter {text:?} must be one punctuation character, such as ';', or '\t' for a tab"))),
    }
}

fn decimal(text: &str) -> Result<DecimalMark> {
    match text {
        "." | "point" => Ok(DecimalMark::Point),
        "," | "comma" => Ok(DecimalMark::Comma),
        _ => Err(Error::parameter(format!("decimal mark {text:?} is not known; it is '.' or ','"))),
    }
}

fn bad_rows(text: &str) -> Result<BadRows> {
    match text {
        "error" => Ok(BadRows::Error),
        "skip" => Ok(BadRows::Skip),
        _ => Err(Error::parameter(format!("{text:?} is not known; bad rows are one of error, skip"))),
    }
}

fn spend_basis(text: &str) -> Result<SpendBasis> {
    match text {
        "repeat" => Ok(SpendBasis::RepeatPurchases),
        "all" => Ok(SpendBasis::AllPurchases),
        _ => Err(Error::parameter(format!("spend basis {text:?} is not known; it is one of repeat, all"))),
    }
}

fn number(text: &str) -> Result<f64> {
    text.parse().map_err(|_| Error::parameter(format!("{text:?} is no number; write a fraction such as 0.10 for 10 %")))
}

fn discount(text: &str) -> Result<AnnualDiscount> {
    AnnualDiscount::new(number(text)?)
}

pub(super) fn level(text: &str) -> Result<Level> {
    Level::new(number(text)?)
}

fn threshold(text: &str) -> Result<f64> {
    let amount = number(text)?;
    if !(amount >= 0.0 && amount.is_finite()) {
        return Err(Error::parameter(format!("threshold {text} must be an amount of money of at least 0")));
    }
    Ok(amount)
}

fn prior(text: &str) -> Result<PriorChoice> {
    match text {
        "none" => Ok(PriorChoice(None)),
        "weak" => Ok(PriorChoice(Some(Prior::weak()))),
        _ => {
            let log_sd = text
                .parse()
                .map_err(|_| Error::parameter(format!("prior {text:?} is not known; it is none, weak, or a number such as 2")))?;
            Ok(PriorChoice(Some(Prior::log_normal(log_sd)?)))
        }
    }
}

/// The length of a holdout: a span with an end, in whole days.
pub(super) fn backtest_span(text: &str) -> Result<Horizon> {
    let span: Horizon = text.parse()?;
    span.steps_from(Date::new(1970, 1, 1)?, 1)?;
    Ok(span)
}

/// The number of cuts of a rolling back-test.
pub(super) fn origins(text: &str) -> Result<u32> {
    match text.parse() {
        Ok(count @ 2..=1000) => Ok(count),
        Ok(1) => Err(Error::parameter("one origin is a single holdout: name it by --cut DATE; origins are 2 to 1000")),
        _ => Err(Error::parameter(format!("{text:?} is no number of origins; they are 2 to 1000"))),
    }
}

fn margin(text: &str) -> Result<Margin> {
    Margin::new(number(text)?)
}

fn cost(text: &str) -> Result<Cost> {
    Cost::new(number(text)?)
}
