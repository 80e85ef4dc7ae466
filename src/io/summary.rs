//! A summary row by row: the rules are the same whatever the file format.

use std::borrow::Cow;

use crate::data::{Birth, Customer, Customers, DataReport, History, MergePeriod, PurchaseRecord, SkipReason, Skipped, SpendHistory};
use crate::error::{Error, Result};
use crate::io::fields::{self, Checked, Fault, Header};
use crate::io::intake::ReadProgress;
use crate::io::numbers::number;
use crate::io::options::{DecimalMark, SummaryOptions};
use crate::io::repeats::Repeats;
use crate::io::source::no_rows;
use crate::time::{Date, Moment};

const FREQUENCY: &[&str] = &["frequency", "x"];
const RECENCY: &[&str] = &["recency", "t_x", "t.x"];
const AGE: &[&str] = &["age", "T", "T.cal"];
const AVERAGE_SPEND: &[&str] = &["average_spend", "m_x", "m.x", "monetary_value"];
const ID: [&str; 4] = ["customer_id", "id", "cust", "sample_id"];

/// How far recency and age may be from the difference of the dates, in units: files are rounded to two decimals.
const ROUNDING: f64 = 0.01;

pub(super) fn is_summary(header: &Header<'_>) -> bool {
    [FREQUENCY, RECENCY, AGE].iter().all(|names| names.iter().any(|name| header.has(name)))
}

#[cfg(feature = "cli")]
pub(super) fn has_average_spend(header: &Header<'_>) -> bool {
    AVERAGE_SPEND.iter().any(|name| header.has(name))
}

/// A column: where it is and what it is called.
#[derive(Debug, Clone)]
struct Found {
    at: usize,
    name: String,
}

#[derive(Debug)]
struct SummaryColumns {
    id: Option<Found>,
    frequency: Found,
    recency: Found,
    age: Found,
    average_spend: Option<Found>,
    weight: Option<Found>,
    first_purchase: Option<Found>,
    last_purchase: Option<Found>,
    total_spend: Option<Found>,
    before_log: Option<Found>,
}

impl SummaryColumns {
    fn find(header: &Header<'_>, options: &SummaryOptions) -> Result<Self> {
        let single = |name: &str| -> Result<Option<Found>> { Ok(header.optional(name)?.map(|at| Found { at, name: name.to_owned() })) };
        let id = match &options.customer {
            Some(name) => Some(Found { at: header.position(name, "--customer-column")?, name: name.clone() }),
            None => match ID.into_iter().find(|name| header.has(name)) {
                Some(name) => single(name)?,
                None => None,
            },
        };
        Ok(SummaryColumns {
            id,
            frequency: required(header, FREQUENCY)?,
            recency: required(header, RECENCY)?,
            age: required(header, AGE)?,
            average_spend: one_of(header, AVERAGE_SPEND)?,
            weight: single("weight")?,
            first_purchase: single("first_purchase")?,
            last_purchase: single("last_purchase")?,
            total_spend: single("total_spend")?,
            before_log: single("before_log")?,
        })
    }
}

/// The column with one of the names of a figure; two of them contradict each other.
fn one_of(header: &Header<'_>, names: &[&str]) -> Result<Option<Found>> {
    let mut found = None;
    for &name in names {
        let Some(at) = header.optional(name)? else { continue };
        if let Some(Found { name: other, .. }) = &found {
            return Err(Error::data(format!(
                "the columns {other:?} and {name:?} are names of the same figure; rename or remove one of them"
            ))
            .at(header.name));
        }
        found = Some(Found { at, name: name.to_owned() });
    }
    Ok(found)
}

fn required(header: &Header<'_>, names: &[&str]) -> Result<Found> {
    one_of(header, names)?.ok_or_else(|| {
        let hint = header.delimiter_hint().unwrap_or_else(|| "a summary has frequency, recency and age, or x, t_x and T".to_owned());
        let named: Vec<String> = names.iter().map(|name| format!("{name:?}")).collect();
        Error::data(format!("there is no column {} among the columns found: {}; {hint}", named.join(" or "), header.listed()))
            .at(header.name)
    })
}

/// A field of a summary.
#[cfg_attr(not(feature = "parquet"), expect(dead_code, reason = "CSV is text and nothing else"))]
pub(super) enum Figure<'r> {
    Text(Cow<'r, str>),
    Number(f64),
    Time { time: Moment, by_hour: bool },
}

impl Figure<'_> {
    /// Nothing is there.
    #[cfg(feature = "parquet")]
    pub(super) const NONE: Figure<'static> = Figure::Text(Cow::Borrowed(""));

    fn is_missing(&self) -> bool {
        matches!(self, Figure::Text(text) if text.trim().is_empty())
    }

    /// A finite number, or what is wrong with it; `what` is the word for it.
    fn number(&self, what: &str, decimal: DecimalMark) -> std::result::Result<f64, String> {
        match self {
            Figure::Text(text) => number(text, what, decimal),
            Figure::Number(value) if value.is_finite() => Ok(*value),
            Figure::Number(value) => Err(format!("{what} {value} is not finite")),
            Figure::Time { time, .. } => Err(format!("{what} {time} is a time and no number")),
        }
    }
}

/// Who takes customers while a summary is read, and how many at a time.
pub(super) struct Taker<'a> {
    pub(super) rows: usize,
    pub(super) take: &'a mut dyn FnMut(Customers, ReadProgress) -> Result<()>,
}

/// What became of the rows of a summary that was read in batches.
#[non_exhaustive]
#[derive(Debug, Clone)]
pub struct SummaryRead {
    /// The rows, by what became of them.
    pub report: DataReport,
    /// Rows whose ids were not held against all before them: see [`Source::read_summary_in_batches`](crate::Source::read_summary_in_batches).
    pub unchecked_ids: u64,
}

/// Takes the rows of a summary.
pub(super) struct SummaryReader<'a> {
    name: &'a str,
    options: &'a SummaryOptions,
    columns: SummaryColumns,
    customers: Customers,
    /// Customers that were taken already.
    taken: u64,
    taker: Option<Taker<'a>>,
    repeats: Repeats,
    skipped: Skipped,
    rows: u64,
    merge: MergePeriod,
    end: Option<Date>,
}

/// The figures of one row.
struct Row {
    history: History,
    average_spend: f64,
    weight: f64,
    first: Option<Moment>,
    last: Option<Moment>,
    /// Whether one of them names an hour.
    by_hour: bool,
    total_spend: Option<f64>,
    birth: Birth,
}

impl<'a> SummaryReader<'a> {
    /// A reader of all customers at once, or batch by batch for `taker`.
    pub(super) fn new(header: &Header<'a>, options: &'a SummaryOptions, taker: Option<Taker<'a>>) -> Result<Self> {
        Ok(SummaryReader {
            name: header.name,
            options,
            columns: SummaryColumns::find(header, options)?,
            customers: Customers::new(options.unit).spend_over(options.spend_basis),
            taken: 0,
            repeats: if taker.is_some() { Repeats::latest() } else { Repeats::all() },
            taker,
            skipped: Skipped::default(),
            rows: 0,
            merge: MergePeriod::Day,
            end: options.observation_end,
        })
    }

    /// Whether the column at this position is wanted as text, whatever it holds: ids are.
    #[cfg(feature = "parquet")]
    pub(super) fn is_text(&self, position: usize) -> bool {
        self.columns.id.as_ref().is_some_and(|id| id.at == position)
    }

    /// The columns that are looked at.
    #[cfg(feature = "parquet")]
    pub(super) fn positions(&self) -> Vec<usize> {
        let SummaryColumns { id, frequency, recency, age, average_spend, weight, first_purchase, last_purchase, total_spend, before_log } =
            &self.columns;
        let optional = [id, average_spend, weight, first_purchase, last_purchase, total_spend, before_log].into_iter().flatten();
        [frequency, recency, age].into_iter().chain(optional).map(|column| column.at).collect()
    }

    /// Takes a row, given as a function from the position of a column to its text.
    pub(super) fn push<'r, F>(&mut self, row: Checked<F>, place: impl Fn() -> String) -> Result<()>
    where
        F: Fn(usize) -> Checked<Figure<'r>>,
    {
        self.rows += 1;
        let read = row.and_then(|field| {
            let id = match &self.columns.id {
                Some(Found { at, name }) => {
                    let Figure::Text(id) = field(*at)? else { return Err(fields::missing_customer(name)) };
                    fields::customer(&id, name)?;
                    id
                }
                None => Cow::Owned(self.rows.to_string()),
            };
            Ok((id, self.read(&field)?))
        });
        let (id, row) = match read {
            Ok(read) => read,
            Err(fault) => return fault.settle(self.options.bad_rows, &mut self.skipped, None, place),
        };
        if self.repeats.repeats(&id)? {
            return Err(Error::data(format!("customer {id:?} occurs a second time; a summary has one row per customer")).at(place()));
        }
        self.check_dates(&row).map_err(|error| error.at(place()))?;
        let purchases = match (row.first, row.last, row.total_spend) {
            (Some(first), Some(last), Some(total_spend)) => Some(PurchaseRecord { first, last, total_spend }),
            _ => None,
        };
        if row.by_hour {
            self.merge = MergePeriod::Hour;
        }
        let Row { history, average_spend, weight, birth, .. } = row;
        let customer = Customer { id: &id, history, average_spend, weight, purchases };
        self.customers.push_born(customer, birth).map_err(|error| error.at(place()))
    }

    /// Tells that so many bytes have been read, with all rows so far: where there are enough of them, they are handed over.
    pub(super) fn batch_read(&mut self, bytes: u64) -> Result<()> {
        match &self.taker {
            Some(taker) if self.customers.len() >= taker.rows => self.hand_over(bytes),
            _ => Ok(()),
        }
    }

    fn hand_over(&mut self, bytes: u64) -> Result<()> {
        let progress = ReadProgress { rows: self.rows, bytes };
        let customers = self.take_customers();
        match &mut self.taker {
            Some(taker) if !customers.is_empty() => (taker.take)(customers, progress),
            _ => Ok(()),
        }
    }

    fn take_customers(&mut self) -> Customers {
        let next = Customers::new(self.options.unit).spend_over(self.options.spend_basis);
        let mut customers = std::mem::replace(&mut self.customers, next).merged_by(self.merge);
        self.taken += customers.len() as u64;
        if let Some(end) = self.end {
            customers = customers.observed_until(end);
        }
        customers
    }

    /// All customers.
    pub(super) fn finish(mut self) -> Result<Customers> {
        let customers = self.take_customers();
        Ok(customers.with_report(self.report()?))
    }

    /// Hands over the last customers.
    pub(super) fn finish_batches(mut self, bytes: u64) -> Result<SummaryRead> {
        self.hand_over(bytes)?;
        Ok(SummaryRead { unchecked_ids: self.repeats.unchecked(), report: self.report()? })
    }

    fn report(&self) -> Result<DataReport> {
        if self.rows == 0 {
            return Err(no_rows(self.name));
        }
        if self.taken == 0 {
            return Err(Error::data(format!("all {} rows were skipped as unusable", self.rows)).at(self.name));
        }
        Ok(DataReport {
            merge: self.merge,
            rows_read: self.rows,
            skipped: self.skipped.tally(),
            first_skipped: self.skipped.first(),
            customers_seen: self.taken,
            customers: self.taken,
            ..DataReport::default()
        })
    }

    fn read<'r>(&self, field: &impl Fn(usize) -> Checked<Figure<'r>>) -> Checked<Row> {
        let columns = &self.columns;
        let bad = |column: &Found, message: String| Fault::column(SkipReason::BadHistory, &column.name, message);
        let figure =
            |column: &Found, what: &str| field(column.at)?.number(what, self.options.decimal).map_err(|message| bad(column, message));
        let optional = |column: &Option<Found>, what: &str| -> Checked<Option<f64>> {
            match column {
                Some(column) if !field(column.at)?.is_missing() => figure(column, what).map(Some),
                _ => Ok(None),
            }
        };
        let mut by_hour = false;
        let mut date = |column: &Option<Found>| -> Checked<Option<Moment>> {
            let Some(column) = column else { return Ok(None) };
            match field(column.at)? {
                Figure::Text(text) => {
                    by_hour |= text.trim().contains(['T', 't', ' ']);
                    fields::time(&text, &column.name).map(Some)
                }
                Figure::Time { time, by_hour: hours } => {
                    by_hour |= hours;
                    Ok(Some(time))
                }
                Figure::Number(value) => fields::time(&value.to_string(), &column.name).map(Some),
            }
        };
        let x = figure(&columns.frequency, "frequency")?;
        if x.fract() != 0.0 || !(0.0..=f64::from(u32::MAX)).contains(&x) {
            return Err(bad(&columns.frequency, format!("frequency {x} must be a whole number from 0: it counts repeat purchases")));
        }
        let recency = figure(&columns.recency, "recency")?;
        let history =
            History::new(x as u32, recency, figure(&columns.age, "age")?).map_err(|error| bad(&columns.recency, error.to_string()))?;
        if x > 0.0 && recency <= 0.0 {
            return Err(bad(
                &columns.recency,
                format!(
                    "recency 0 with frequency {x}; purchases of one day are one purchase, so a repeat purchase comes later than the first"
                ),
            ));
        }
        let given = optional(&columns.average_spend, "average spend")?;
        let average_spend = given.unwrap_or(0.0);
        if let Some(column) = &columns.average_spend {
            let purchases = self.options.spend_basis.purchases(history.frequency());
            if given.is_none() && purchases > 0 {
                return Err(bad(
                    column,
                    format!("average spend is missing, but there are purchases it is the mean of: {purchases}; write 0 if they were free"),
                ));
            }
            SpendHistory::new(purchases, average_spend).map_err(|error| bad(column, error.to_string()))?;
        }
        let weight = optional(&columns.weight, "weight")?;
        if let (Some(column), None) = (&columns.weight, weight) {
            return Err(bad(column, "the weight is empty; a row that stands for one customer has weight 1".to_owned()));
        }
        let weight = weight.unwrap_or(1.0);
        if let Some(column) = &columns.weight
            && weight <= 0.0
        {
            return Err(bad(column, format!("weight {weight} must be a positive finite number")));
        }
        let total_spend = match &columns.total_spend {
            Some(column) => Some(figure(column, "total spend")?),
            None => None,
        };
        let (first, last) = (date(&columns.first_purchase)?, date(&columns.last_purchase)?);
        let birth = match &columns.before_log {
            Some(column) => {
                Birth::from_before_log(optional(&columns.before_log, "before_log")?).map_err(|error| bad(column, error.to_string()))?
            }
            None => Birth::InLog,
        };
        Ok(Row { history, average_spend, weight, first, last, by_hour, total_spend, birth })
    }

    /// The dates, where there are any, must be as far apart as recency and age say: a summary in another unit would pass unnoticed
    /// otherwise.
    fn check_dates(&mut self, row: &Row) -> Result<()> {
        let Some(first) = row.first else { return Ok(()) };
        let unit = self.options.unit;
        if let Some(last) = row.last {
            let between = f64::from(last.hours_since_1970() - first.hours_since_1970()) / unit.hours();
            let recency = row.history.recency();
            if (recency - between).abs() > ROUNDING {
                return Err(Error::data(format!(
                    "recency {recency} is not the time from {first} to {last}, which is {between} in the unit {unit}; \
                     give the unit in which the summary was made with --unit, or, for a model in {unit}s, summarise the log again with --unit {unit}"
                )));
            }
        }
        // Ages count from an hour of the first day to an hour of the last one; rounding must not lead to the day before.
        let end_hour = f64::from(first.hours_since_1970()) + row.history.age() * unit.hours() + 0.9;
        let Some(end) = fields::day((end_hour / 24.0).floor() as i64) else {
            return Err(Error::data(format!(
                "age {} in the unit {unit} from {first} leaves the calendar; check the unit (--unit)",
                row.history.age()
            )));
        };
        match self.end {
            Some(known) if known != end => Err(Error::data(format!(
                "age {} in the unit {unit} from {first} ends on {end}, but the customers were observed until {known}; \
                 check the unit (--unit) and the observation end (--observation-end)",
                row.history.age()
            ))),
            _ => {
                self.end = Some(end);
                Ok(())
            }
        }
    }
}
