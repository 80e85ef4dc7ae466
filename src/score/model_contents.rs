//! The text of a model file: its keys, its checksum, how it is read and written.

use serde::{Deserialize, Serialize};
use serde_json::error::Category;

use super::bands::ValueBands;
use super::definition::ClvDefinition;
use super::fit_record::FitRecord;
use super::in_force::DefinitionInForce;
use super::origin::{KnownBirths, SeenAs};
use crate::data::{DataReport, SpendBasis};
use crate::error::{Error, Result};
use crate::time::{Date, TimeUnit};

/// The format that this version writes. Older ones stay readable.
pub(super) const FORMAT: u32 = 1;

/// What the models were fitted to: enough to recognise the data, not enough to recover them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct DataRecord {
    /// Rows of the log, or of the summary, below the header.
    pub rows: u64,
    /// Customers in the summary.
    pub customers: u64,
    /// SHA-256 of the summary as `clv summarize` writes it.
    pub fingerprint: String,
    /// Which purchases the average spend is the mean of.
    pub spend_basis: SpendBasis,
    /// What was merged, netted, dropped and skipped; absent when the models were fitted to a summary.
    #[serde(deserialize_with = "Option::deserialize")]
    pub cleaning: Option<DataReport>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct Contents {
    pub(super) format: u32,
    pub(super) crate_version: String,
    pub(super) unit: TimeUnit,
    // Required, though it may be null: a key that is missing is damage, not a choice.
    #[serde(deserialize_with = "Option::deserialize")]
    pub(super) observation_end: Option<Date>,
    pub(super) purchases: FitRecord,
    #[serde(deserialize_with = "Option::deserialize")]
    pub(super) spend: Option<FitRecord>,
    pub(super) definition: ClvDefinition,
    /// SHA-256 of the definition with all that a CLV depends on besides data and models: `ModelFile::definition_in_force`, `clv definition --show`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) definition_hash: Option<String>,
    /// Bands of value with their limits; absent where there is no CLV.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) bands: Option<ValueBands>,
    pub(super) data: DataRecord,
    /// How the births of the customers behind the fits were known; absent in older files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) births: Option<KnownBirths>,
    /// What was known of their purchases; absent where it is all of them.
    #[serde(default, skip_serializing_if = "SeenAs::is_histories")]
    pub(super) seen_as: SeenAs,
    /// CRC-32 of all the rest, without blanks and in this order; a file without it is taken as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) checksum: Option<String>,
}

impl Contents {
    /// With the hash of the definition and the checksum that these contents have.
    pub(super) fn sealed(mut self) -> Self {
        self.definition_hash = Some(self.in_force().hash());
        self.checksum = Some(self.expected_checksum());
        self
    }

    pub(super) fn in_force(&self) -> DefinitionInForce {
        let definition = DefinitionInForce::new(&self.definition, self.unit, self.data.spend_basis);
        definition.cleaned(self.data.cleaning.as_ref()).banded(self.bands.as_ref().map(ValueBands::rule))
    }

    /// What [`Self::checksum`] should be: a digit that was lost on the way would otherwise be another model.
    pub(super) fn expected_checksum(&self) -> String {
        let rest = Contents { checksum: None, ..self.clone() };
        let text = serde_json::to_string(&rest).expect("names are strings and numbers are finite");
        format!("crc32:{:08x}", crc32fast::hash(text.as_bytes()))
    }

    /// Reads the text of a model file; what it says is still to be checked.
    pub(super) fn from_json(text: &str) -> Result<Self> {
        #[derive(Deserialize)]
        #[serde(expecting = "an object with the number of its format")]
        struct Envelope {
            format: u32,
        }
        // A byte order mark, as some editors put before a text, is no part of it.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let unreadable = |what: &str, error: serde_json::Error| {
            let message = |why: &dyn std::fmt::Display| Error::file(format!("{what}: {why}; a model file is what `clv fit` writes"));
            match error.classify() {
                Category::Eof if text.trim().is_empty() => message(&"the file is empty"),
                Category::Eof => message(&format!("it ends in the middle, on line {}, so it was cut off", error.line())),
                _ if !text.trim_start().starts_with('{') => message(&"it is no JSON object, which begins with {"),
                Category::Syntax if line_of(text, error.line()).contains("NaN") => {
                    message(&format!("line {} has NaN in place of a number", error.line()))
                }
                _ => message(&error).because(error),
            }
        };
        let envelope: Envelope = serde_json::from_str(text).map_err(|error| unreadable("this is no model file", error))?;
        if envelope.format != FORMAT {
            return Err(Error::file(format!(
                "format {} is not known to version {} of clv, which reads format {FORMAT}; fit the model again or update clv",
                envelope.format,
                env!("CARGO_PKG_VERSION")
            )));
        }
        serde_json::from_str(text).map_err(|error| unreadable("the model file is damaged", error))
    }

    /// The schema of that text.
    #[cfg(feature = "schema")]
    pub(super) fn json_schema() -> String {
        use schemars::transform::{RecursiveTransform, Transform};
        let mut schema = schemars::schema_for!(Contents);
        schema.insert("title".to_owned(), "clv model file, format 1".into());
        // The words of the types, without their examples in Rust.
        RecursiveTransform(|schema: &mut schemars::Schema| {
            let words = schema.get("description").and_then(serde_json::Value::as_str).and_then(|text| text.split("\n\n```").next());
            if let Some(words) = words.map(str::to_owned) {
                schema.insert("description".to_owned(), words.into());
            }
        })
        .transform(&mut schema);
        let mut text = serde_json::to_string_pretty(&schema).expect("a schema is JSON");
        text.push('\n');
        text
    }

    /// The text of the file.
    pub(super) fn to_json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).expect("names are strings and numbers are finite");
        text.push('\n');
        text
    }
}

/// A line of a text, counted from 1.
fn line_of(text: &str, number: usize) -> &str {
    text.lines().nth(number.saturating_sub(1)).unwrap_or_default()
}
