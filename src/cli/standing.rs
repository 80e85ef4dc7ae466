//! The band and the score from 0 to 100 of each customer, and the bands they were in before.

use std::collections::HashMap;
use std::path::Path;

use super::console::Console;
use crate::data::Customers;
use crate::error::{Error, Result};
use crate::models::AnyPurchaseModel;
use crate::parallel::map_indices;
use crate::score::{ClvDefinition, Forecaster, ModelFile, Score, ValueBands};

/// By which limits customers are put into bands, and where they come from.
#[derive(Debug)]
pub(super) struct Standing<'a> {
    bands: &'a ValueBands,
    before: Option<Before>,
}

/// The number of the band that each customer was in.
type Before = HashMap<Box<str>, u8>;

impl<'a> Standing<'a> {
    /// The bands of a model file; why there are none is said.
    pub(super) fn of(model: &'a ModelFile, definition: &ClvDefinition, console: &Console) -> Option<Self> {
        let none = |why: &str| {
            console.say(&format!("note: {why}; the columns band and score are empty"));
            None
        };
        if model.spend().is_none() {
            return none("without a spend model there is no CLV, and so there are no bands of value");
        }
        let Some(bands) = model.bands() else { return none("the model file has no bands of value") };
        if !definition.values_customers_as(model.definition()) {
            return none("the bands of the model are limits of its own CLV");
        }
        Some(Standing { bands, before: None })
    }

    /// Takes the bands that customers were in from a table of scores.
    pub(super) fn moving_from(mut self, path: &Path, forecaster: &Forecaster<AnyPurchaseModel>) -> Result<Self> {
        if self.bands.rule().confidence().is_none() {
            return Err(Error::parameter(
                "--bands-before needs bands that say how sure a move has to be; fit the model with --band-confidence 0.8",
            ));
        }
        if !forecaster.has_value_intervals() {
            return Err(Error::parameter(
                "--bands-before needs the probability that a CLV is beyond a limit, which there is for horizons up to two years at 10 % and without a cost to \
                 serve; leave it out",
            ));
        }
        self.before = Some(read(path, self.bands)?);
        Ok(self)
    }

    /// Where each customer stands; `None` where there is no CLV.
    pub(super) fn places(
        &self,
        customers: &Customers,
        scores: &[Score],
        forecaster: &Forecaster<AnyPurchaseModel>,
    ) -> Vec<Option<(&'a str, u8)>> {
        let names: Vec<&str> = self.bands.rule().names().collect();
        let place = |row: usize, clv: f64| {
            let place = self.bands.place(clv);
            let before = self.before.as_ref().and_then(|before| before.get(customers.id(row))).map(|&before| usize::from(before));
            match before {
                // Only where a customer would move is it worth while to know how sure that is.
                Some(before) if before != place => self.bands.place_from(before, clv, forecaster.value_row(customers, row).as_ref()),
                _ => place,
            }
        };
        map_indices(scores.len(), |row| scores[row].clv.map(|clv| (names[place(row, clv)], self.bands.score(clv))))
    }
}

/// Reads the columns customer_id and band of a CSV file; rows without a band are customers who had none.
fn read(path: &Path, bands: &ValueBands) -> Result<Before> {
    let name = path.display().to_string();
    let unreadable =
        |error: csv::Error| Error::file(format!("cannot read {name} as CSV, the table of scores that clv score wrote before: {error}"));
    let mut reader = csv::Reader::from_path(path).map_err(unreadable)?;
    let header = reader.headers().map_err(unreadable)?.clone();
    let position = |column: &str| {
        let found = header.iter().position(|field| field.trim() == column);
        found.ok_or_else(|| {
            Error::data(format!("there is no column {column:?}; it is the table of scores that clv score wrote before")).at(&name)
        })
    };
    let (id, band) = (position("customer_id")?, position("band")?);
    let mut before = Before::new();
    let mut record = csv::StringRecord::new();
    while reader.read_record(&mut record).map_err(unreadable)? {
        let (Some(id), Some(band)) = (record.get(id), record.get(band)) else { continue };
        if band.is_empty() {
            continue;
        }
        let place = bands.find(band).and_then(|place| u8::try_from(place).ok()).ok_or_else(|| {
            let names: Vec<&str> = bands.rule().names().collect();
            let line = record.position().map_or(0, csv::Position::line);
            Error::data(format!("band {band:?} is none of the model's, which are {}", names.join(", "))).at(format!("{name}:{line}"))
        })?;
        before.insert(id.into(), place);
    }
    Ok(before)
}
