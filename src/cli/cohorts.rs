//! `clv cohorts`: customers acquired together, how they bought and what they are worth.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::str::FromStr;

use super::acquiring::log_of_new;
use super::args::{AUTO, Common, Measured, Models, Valuing, level};
use super::cohort_models::{CohortModels, Shared};
use super::cohort_tables::CohortTables;
use super::console::Console;
use super::define;
use super::failure::{Failure, Outcome};
use super::input::Input;
use super::output::json_destination;
use crate::data::{Birth, Customers, Observation, TransactionLog, grouped};
use crate::error::{Error, Result};
use crate::fit::{Estimator, Level, Watch};
use crate::io::read_costs;
use crate::models::{BgNbd, Estimable, GammaGamma, MbgNbd, Nbd, ParetoNbd, PurchaseSample, Sample};
use crate::report::{cohorts, terminal};
use crate::score::{ClvDefinition, CohortReport, CohortStudy, FitRecord, Pooling};
use crate::time::{Date, Horizon};

const COHORTS: &str = "Cohorts";

/// What a customer with an empty field belongs to.
const MISSING: &str = "(missing)";

/// Cohorts or channels: how they bought, what they are worth, whether they differ
///
/// Fits the purchase model to customers in groups, by the time of their first purchase or by a column of the log, in three ways: all alike, each group on its own,
/// and in between, where small and young groups borrow from the others (--pooling). Writes as JSON, for each group: size, exposure, parameters, purchases by age and
/// retention next to what the model expects, value to date and to come, what a new customer is worth and, with --costs, when that pays for the acquisition; and, for
/// groups that follow each other in time, whether customers acquired later are others than those before. Tables go to --tables as CSV, an account to the terminal.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  clv cohorts orders.csv --observation-end 1998-06-30 -o cohorts.json
  clv cohorts orders.csv --by quarter --tables tables -o cohorts.json
  clv cohorts orders.csv --by week --pooling separate --period \"2 weeks\"
  clv cohorts channels.csv --by channel --costs costs.csv --margin 0.3
  clv cohorts channels.csv --by channel --model-files models -o channels.json

A cost table is CSV or Parquet with the columns cohort and cost, the cost of
acquiring all customers of the cohort. With it the account has, for each cohort,
\"x cost\", what a new customer is worth over what the acquisition cost, and
\"payback\", the time from the first purchase until that is paid for, in the unit
of --unit.")]
pub(super) struct Args {
    /// The log: files, patterns such as 'logs/*.csv.gz', directories of Parquet; - is standard input, for CSV
    #[arg(value_name = "LOG", required = true)]
    input: Vec<PathBuf>,
    /// File to write, whole or not at all [default: standard output]
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// What makes a group: the month, quarter or week (from Monday) of the first purchase, or a column of the log, as it is in a customer's first row
    #[arg(long, value_name = "month|quarter|week|COLUMN", default_value = "month", value_parser = By::from_str, help_heading = COHORTS)]
    by: By,
    /// Which fit speaks for a group: one for all, its own where it has one, or its own with what it borrows
    #[arg(long, value_name = "pooled|separate|partial", default_value = "partial", value_parser = pooling, help_heading = COHORTS)]
    pooling: Pooling,
    /// Costs of acquisition: a table with the columns cohort and cost
    #[arg(long, value_name = "FILE", help_heading = COHORTS)]
    costs: Option<PathBuf>,
    /// The length between points of the curves, in days or weeks
    #[arg(long, value_name = "SPAN", default_value = "4 weeks", help_heading = COHORTS)]
    period: Horizon,
    /// Share of cases that intervals are meant to cover, from 0.01 to 0.9999
    #[arg(long, value_name = "SHARE", default_value = "0.9", value_parser = level, allow_negative_numbers = true, help_heading = COHORTS)]
    level: Level,
    #[command(flatten)]
    tables: CohortTables,
    #[command(flatten)]
    model_files: CohortModels,
    #[command(flatten)]
    models: Models,
    #[command(flatten)]
    valuing: Valuing,
    #[command(flatten)]
    measured: Measured,
    #[command(flatten)]
    common: Common,
}

/// What makes a group.
#[derive(Debug, Clone, PartialEq, Eq)]
enum By {
    Month,
    Quarter,
    Week,
    Column(String),
}

impl FromStr for By {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Ok(match text {
            "month" => By::Month,
            "quarter" => By::Quarter,
            "week" => By::Week,
            column => By::Column(column.to_owned()),
        })
    }
}

impl By {
    fn is_time(&self) -> bool {
        !matches!(self, By::Column(_))
    }

    /// The group of a customer whose first purchase is of this day; empty for a column.
    fn of_day(&self, day: Date) -> Result<String> {
        let text = day.to_string();
        let (month, _) = text.rsplit_once('-').unwrap_or((&text, ""));
        Ok(match self {
            By::Month => month.to_owned(),
            By::Quarter => {
                let (year, month) = month.rsplit_once('-').unwrap_or((month, "1"));
                format!("{year}-Q{}", month.parse::<u32>().unwrap_or(1).div_ceil(3))
            }
            // 1970-01-01 was a Thursday.
            By::Week => Date::from_days_since_1970(day.days_since_1970() - (day.days_since_1970() + 3).rem_euclid(7))?.to_string(),
            By::Column(_) => String::new(),
        })
    }

    /// The group of each customer.
    fn names(&self, customers: &Customers, input: &Input<'_>) -> Result<Vec<String>> {
        let By::Column(column) = self else {
            return customers.purchases().iter().map(|record| self.of_day(record.first.date())).collect();
        };
        let values = input.files.read_customer_column(column, "--by", &input.log_options())?;
        let name = |id: &str| values.get(id).filter(|value| !value.is_empty()).map_or(MISSING, String::as_str).to_owned();
        let names: Vec<String> = customers.ids().map(name).collect();
        check_groups(column, &names)?;
        Ok(names)
    }
}

/// Groups of which no more than one in so many may have two customers or more, when they are many, are no groups.
const ONE_IN: usize = 10;
const MANY: usize = 20;

/// Refuses a column that tells nearly all customers apart.
fn check_groups(column: &str, names: &[String]) -> Result<()> {
    let mut sizes: BTreeMap<&str, usize> = BTreeMap::new();
    names.iter().for_each(|name| *sizes.entry(name).or_default() += 1);
    let alone = sizes.values().filter(|&&size| size == 1).count();
    if sizes.len() <= MANY || (sizes.len() - alone) * ONE_IN > sizes.len() {
        return Ok(());
    }
    Err(Error::data(format!(
        "--by {column} makes {} groups of {} customers, of which {} have a single customer; at least one group in {ONE_IN} must have two or more; name a column with \
         few values, such as a channel, or group by month, quarter or week",
        grouped(sizes.len() as f64, 0),
        grouped(names.len() as f64, 0),
        grouped(alone as f64, 0)
    )))
}

fn pooling(text: &str) -> Result<Pooling> {
    match text {
        "pooled" => Ok(Pooling::Pooled),
        "separate" => Ok(Pooling::Separate),
        "partial" => Ok(Pooling::Partial),
        _ => Err(Error::parameter(format!("pooling {text:?} is not known; it is one of pooled, separate, partial"))),
    }
}

pub(super) fn run(args: Args) -> Outcome {
    let console = args.common.start()?;
    if args.models.model == AUTO {
        return Err(Failure::Usage("cohorts are compared by one model; name it by --model".to_owned()));
    }
    let destination = json_destination(args.output.clone(), "a report on cohorts", "cohorts.json")?;
    let input = Input::measured(&args.input, &args.measured)?;
    let destination = destination.differs_from(&input.paths())?.differs_from(args.costs.as_slice())?;
    args.tables.check(&input.paths())?;
    let definition = args.valuing.or(&ClvDefinition::default())?;
    let in_force = define::of_flags(&definition, &args.common, &args.measured, args.models.with_spend())?;
    if !(definition.cost_per_purchase.is_zero() && definition.cost_per_year.is_zero()) && args.models.with_spend() {
        console.say(
            "note: with a cost to serve it is not said what a new customer is worth, nor when that pays for the acquisition: both would leave the cost out",
        );
    }
    let costs = args.costs.as_ref().map_or(Ok(Vec::new()), |path| read_costs(path, &input.log_options()))?;
    let log = input.log(&console)?;
    let (all, observation) = input.summarize(&log, &console)?;
    input.check_start(&log, &observation, &console)?;
    let (start, log) = (log.first_date(), log_of_new(&log, &all, &console)?);
    let customers = all.where_birth(|birth| birth == Birth::InLog)?;
    // What is wrong with the purchases comes before what is wrong with the spend, which is fitted first.
    PurchaseSample::new(&customers)?;
    let names = args.by.names(&customers, &input)?;
    let new_from = start.map(|start| args.measured.acquiring.new_from(start)).transpose()?;
    say_who_is_left_out(&all, &args.by, new_from, &names, &console)?;
    if args.costs.is_some() {
        let without: BTreeSet<&str> =
            names.iter().map(String::as_str).filter(|name| !costs.iter().any(|(known, _)| known == name)).collect();
        if !without.is_empty() {
            let shown: Vec<&str> = without.iter().take(MANY).copied().collect();
            let more = if without.len() > MANY { format!(" and {} more", without.len() - MANY) } else { String::new() };
            console.say(&format!(
                "note: the cost table has no cost of {}{more}: of these it is not said when their value pays for the acquisition",
                shown.join(", ")
            ));
        }
    }
    let (report, spend) = {
        let busy = console.busy("fitting cohorts");
        let spend =
            args.models.with_spend().then(|| Estimator::<GammaGamma>::new().prior(args.models.prior()).fit(&customers)).transpose()?;
        let study = CohortStudy {
            definition,
            spend: spend.as_ref(),
            pooling: args.pooling,
            period: args.period,
            costs,
            in_time: args.by.is_time(),
            level: args.level,
            prior: args.models.prior(),
            seed: args.common.seed.unwrap_or_default(),
        };
        (study_by(&args.models.model, &study, &log, &observation, &customers, &names, &busy.watch())?, spend.as_ref().map(FitRecord::of))
    };
    let births = args.measured.acquiring.births(&all);
    args.model_files.write(&report, &Shared { customers: &customers, spend, definition, births }, &console)?;
    args.tables.write(&report)?;
    destination.write_text(&cohorts::json(&report, &in_force.hash()))?;
    if let Some(cleaning) = all.report() {
        console.say(&terminal::cleaning(cleaning));
    }
    console.say(&cohorts::account(&report));
    Ok(())
}

/// Tells how many customers are in no cohort, by what is known of their births, and which cohort lacks its first days for that.
fn say_who_is_left_out(all: &Customers, by: &By, new_from: Option<Date>, names: &[String], console: &Console) -> Result<()> {
    let births = all.births();
    let groups = [(births.before, "acquired before the log"), (births.unknown, "first seen in the run-in")];
    for (left_out, why) in groups.into_iter().filter(|(tally, _)| tally.count > 0) {
        console.say(&format!(
            "note: {} of the {} customers, {why}, are in no cohort",
            grouped(left_out.count as f64, 0),
            grouped(births.all().count as f64, 0)
        ));
    }
    let Some(day) = new_from.filter(|_| all.has_births() && by.is_time()) else { return Ok(()) };
    let first = by.of_day(day)?;
    if first == by.of_day(Date::from_days_since_1970(day.days_since_1970() - 1)?)? && names.contains(&first) {
        console.say(&format!("note: the cohort {first} is cut off: it has those alone who are first seen from {day} on"));
    }
    Ok(())
}

fn study_by(
    model: &str,
    study: &CohortStudy<'_>,
    log: &TransactionLog,
    observation: &Observation,
    customers: &Customers,
    names: &[String],
    watch: &Watch<'_>,
) -> Result<CohortReport> {
    match model {
        MbgNbd::NAME => study.run_watched::<MbgNbd>(log, observation, customers, names, Some(watch)),
        ParetoNbd::NAME => study.run_watched::<ParetoNbd>(log, observation, customers, names, Some(watch)),
        Nbd::NAME => study.run_watched::<Nbd>(log, observation, customers, names, Some(watch)),
        _ => study.run_watched::<BgNbd>(log, observation, customers, names, Some(watch)),
    }
}
