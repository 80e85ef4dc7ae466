//! `clv simulate`: a log whose truth is known.

use std::io::{self, Write};

use clap::builder::PossibleValuesParser;

use super::args::{Common, TableOutput};
use super::failure::{Failure, Outcome};
use super::output::Destination;
use crate::data::{MergePeriod, Observation};
use crate::error::{Error, Result};
use crate::io::{Table, TableFormat, Values};
use crate::models::{AnyPurchaseModel, Estimable, GammaGamma, GammaGammaParams, ParameterInfo};
use crate::simulate::{AcquisitionCohort, Population, Simulation};
use crate::time::{Date, Horizon, Moment, TimeUnit};

/// Amounts like those of CDNOW (Fader & Hardie 2013).
const CDNOW_SPEND: GammaGammaParams = GammaGammaParams { p: 6.25, q: 3.74, gamma: 15.44 };

/// Simulate a transaction log
///
/// Customers arrive over the acquisition span, each moment of it as likely as any other, buy as the model says, and are observed until the
/// given day. The same seed gives the same log, whatever the number of threads; a later end continues it. Columns: customer_id, date,
/// amount. A CSV log of any length is written as it is drawn; JSON, Parquet and the summary are put together in memory.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  clv simulate --model pareto-nbd --params r=0.55,alpha=10.6,s=0.61,beta=11.7 \\
      --customers 10000 --seed 42 -o log.csv
  clv simulate --model bg-nbd --params r=0.243,alpha=4.414,a=0.793,b=2.426 \\
      --customers 1000 --until 1997-09-30 --summary
  clv simulate --model nbd --params r=2,alpha=60 --unit day --spend none \\
      --acquisition \"1 day\" --horizon \"12 months\"")]
pub(super) struct Args {
    /// Model of purchases and dropout
    #[arg(long, value_name = "NAME", default_value = AnyPurchaseModel::NAMES[0], value_parser = PossibleValuesParser::new(AnyPurchaseModel::NAMES))]
    model: String,
    /// Its parameters by name, such as r=0.55,alpha=10.6,s=0.61,beta=11.7; times are in the unit
    #[arg(long, value_name = "NAME=VALUE,..")]
    params: Option<String>,
    /// Amounts: gamma-gamma for some like those of CDNOW (p=6.25,q=3.74,gamma=15.44), parameters of that model by name, or none for amounts
    /// of 0
    #[arg(long, value_name = "NAME=VALUE,..", default_value = GammaGamma::NAME)]
    spend: String,
    /// Number of customers
    #[arg(long, value_name = "N", default_value_t = 1000)]
    customers: usize,
    /// Only one of several equal parts, such as 3/10: all parts together are the whole log. For logs that are to be made in pieces
    #[arg(long, value_name = "PART/PARTS", value_parser = part)]
    part: Option<(usize, usize)>,
    /// First day on which customers arrive
    #[arg(long, value_name = "DATE", default_value = "1997-01-01")]
    start: Date,
    /// How long customers arrive
    #[arg(long, value_name = "SPAN", default_value = "12 weeks")]
    acquisition: Horizon,
    /// Last day observed, inclusive; wins over --horizon
    #[arg(long, value_name = "DATE")]
    until: Option<Date>,
    /// How long customers are observed, from the first day on which they arrive
    #[arg(long, value_name = "SPAN", default_value = "78 weeks")]
    horizon: Horizon,
    /// Unit of the model's parameters and of the summary; by the hour, so is the log
    #[arg(long, value_name = "day|week|hour", default_value = "week")]
    unit: TimeUnit,
    /// Write what clv summarize would make of the log, instead of the log
    #[arg(long)]
    summary: bool,
    #[command(flatten)]
    output: TableOutput,
    #[command(flatten)]
    common: Common,
}

pub(super) fn run(args: Args) -> Outcome {
    let console = args.common.start()?;
    let seed = args.common.seed.unwrap_or(0);
    let simulation = args.simulation(seed).map_err(|error| Failure::Usage(error.to_string()))?;
    let end = args.observation_end()?;
    let destination = Destination::new(args.output.output.clone())?;
    let format = destination.format(args.output.format)?;
    let busy = console.busy("simulating");
    let what = if args.summary {
        let merge = if args.unit == TimeUnit::Hour { MergePeriod::Hour } else { MergePeriod::Day };
        let customers = simulation.log()?.summarize(&Observation::until(end).unit(args.unit).merge(merge))?;
        destination.write_table(&Table::from(&customers), format)?;
        "the summary".to_owned()
    } else if format == TableFormat::Csv {
        let mut rows = 0;
        destination.write_with(|out| {
            rows = write_csv(&simulation, args.unit, out).map_err(|error| Error::file("cannot write the log").because(error))?;
            Ok(())
        })?;
        format!("{rows} transactions")
    } else {
        let rows = Rows::of(&simulation);
        destination.write_table(&rows.table(args.unit)?, format)?;
        format!("{} transactions", rows.times.len())
    };
    drop(busy);
    console.say(&format!("simulated {what} of {} customers, observed until {end}; seed {seed}", simulation.len()));
    Ok(())
}

impl Args {
    fn simulation(&self, seed: u64) -> Result<Simulation<AnyPurchaseModel>> {
        let parameters = AnyPurchaseModel::parameters_of(&self.model)?;
        let Some(given) = &self.params else {
            return Err(Error::parameter(format!("--params is missing; {} has the parameters {}", self.model, listed(parameters))));
        };
        let model = AnyPurchaseModel::from_name(&self.model, &named_values("--params", given, &self.model, parameters)?)?;
        let days = whole_days(self.acquisition, self.start)?;
        let cohort = AcquisitionCohort { first_day: self.start, days, customers: self.customers };
        let mut population = Population::new(model, self.unit, self.observation_end()?).cohort(cohort).seed(seed);
        if let Some(spend) = self.spend_model()? {
            population = population.spend(spend);
        }
        let simulation = population.simulate()?;
        match self.part {
            Some((part, parts)) => simulation.part(part, parts),
            None => Ok(simulation),
        }
    }

    fn spend_model(&self) -> Result<Option<GammaGamma>> {
        match self.spend.as_str() {
            "none" => Ok(None),
            GammaGamma::NAME => GammaGamma::new(CDNOW_SPEND).map(Some),
            given => {
                let values = named_values("--spend", given, GammaGamma::NAME, GammaGamma::PARAMETERS)?;
                GammaGamma::from_parameters(&values).map(Some)
            }
        }
    }

    fn observation_end(&self) -> Result<Date> {
        match self.until {
            Some(end) => Ok(end),
            None => {
                let days = whole_days(self.horizon, self.start)?;
                let last = i64::from(self.start.days_since_1970()) + i64::from(days) - 1;
                let last_day = i32::try_from(last).ok().and_then(|day| Date::from_days_since_1970(day).ok());
                last_day.ok_or_else(|| Error::parameter(format!("--horizon {:?} leaves the calendar", self.horizon.to_string())))
            }
        }
    }
}

/// `3/10`
fn part(text: &str) -> Result<(usize, usize)> {
    let numbers = text.split_once('/').and_then(|(part, parts)| Some((part.parse().ok()?, parts.parse().ok()?)));
    numbers.ok_or_else(|| Error::parameter(format!("{text:?} is no part; write 3/10 for the third of ten")))
}

/// The days of a span that begins on `start`; one that is begun counts.
fn whole_days(span: Horizon, start: Date) -> Result<u32> {
    if span.is_lifetime() {
        return Err(Error::parameter("a simulation ends on a day; give a span such as \"12 months\" instead of a lifetime"));
    }
    Ok(span.length_from(start, TimeUnit::Day)?.ceil() as u32)
}

/// `r=0.55,alpha=10.6,..` as values in the order of `parameters`.
fn named_values(flag: &str, text: &str, model: &str, parameters: &[ParameterInfo]) -> Result<Vec<f64>> {
    let wrong = |why: String| Error::parameter(format!("{flag} {text:?}: {why}; {model} has the parameters {}", listed(parameters)));
    let mut values = vec![None; parameters.len()];
    for pair in text.split(',') {
        let (name, value) = pair.split_once('=').ok_or_else(|| wrong(format!("{pair:?} is not of the form name=value")))?;
        let (name, value) = (name.trim(), value.trim());
        let place =
            parameters.iter().position(|parameter| parameter.name == name).ok_or_else(|| wrong(format!("{name:?} is not known")))?;
        let number = value.parse().map_err(|_| wrong(format!("{value:?} is no number")))?;
        if values[place].replace(number).is_some() {
            return Err(wrong(format!("{name} is given twice")));
        }
    }
    let missing = |index: usize| wrong(format!("{} is missing", parameters[index].name));
    values.into_iter().enumerate().map(|(index, value)| value.ok_or_else(|| missing(index))).collect()
}

fn listed(parameters: &[ParameterInfo]) -> String {
    parameters.iter().map(|parameter| parameter.name).collect::<Vec<_>>().join(", ")
}

/// Writes the log as it is drawn, and counts its rows.
fn write_csv(simulation: &Simulation<AnyPurchaseModel>, unit: TimeUnit, out: &mut dyn Write) -> io::Result<u64> {
    let mut rows = 0;
    out.write_all(b"customer_id,date,amount\n")?;
    for customer in simulation.iter() {
        for row in customer.transactions() {
            match unit {
                TimeUnit::Hour => {
                    writeln!(out, "{},{}T{:02}:00,{}", row.customer, row.time.date(), row.time.hour_of_day(), row.amount)?;
                }
                TimeUnit::Day | TimeUnit::Week => writeln!(out, "{},{},{}", row.customer, row.time.date(), row.amount)?,
            }
            rows += 1;
        }
    }
    Ok(rows)
}

/// A log in columns.
struct Rows {
    ids: Vec<String>,
    /// The number of the customer in each row.
    customers: Vec<usize>,
    times: Vec<Moment>,
    amounts: Vec<f64>,
}

impl Rows {
    fn of(simulation: &Simulation<AnyPurchaseModel>) -> Self {
        let mut rows = Rows { ids: Vec::with_capacity(simulation.len()), customers: Vec::new(), times: Vec::new(), amounts: Vec::new() };
        for (index, customer) in simulation.iter().enumerate() {
            rows.ids.push(customer.id().to_owned());
            for row in customer.transactions() {
                rows.customers.push(index);
                rows.times.push(row.time);
                rows.amounts.push(row.amount);
            }
        }
        rows
    }

    fn table(&self, unit: TimeUnit) -> Result<Table<'_>> {
        let times = match unit {
            TimeUnit::Hour => Values::Hour(self.times.clone()),
            TimeUnit::Day | TimeUnit::Week => Values::Date(self.times.iter().map(|time| time.date()).collect()),
        };
        Table::new()
            .with("customer_id", Values::Text(self.customers.iter().map(|&index| self.ids[index].as_str()).collect()))?
            .with("date", times)?
            .with("amount", Values::Number(self.amounts.as_slice().into()))
    }
}
