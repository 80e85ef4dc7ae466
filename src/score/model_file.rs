//! `model.json`: fitted models, their evidence and the definition of value, without the data.
//!
//! The file is small (under 10 kB), versioned, and holds no customer. Reading it goes through the same checks as constructing the models, so a
//! file that reads is a model that works.

use std::fmt;

use ndarray::Array2;
use serde::de::{MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::error::Category;

use super::bands::ValueBands;
use super::definition::ClvDefinition;
use super::ensemble::{Ensemble, Part};
use super::forecast::Forecaster;
use super::in_force::DefinitionInForce;
use super::origin::{KnownBirths, SeenAs};
use super::scorer::Scorer;
use crate::data::{DataReport, SpendBasis};
use crate::error::{Error, Result};
use crate::fit::{FitStatus, Fitted, Measured, ParameterDistribution, Prior};
use crate::models::{AnyPurchaseModel, Estimable, GammaGamma, Notice, ParameterInfo};
use crate::time::{Date, TimeUnit};

/// The format that this version writes. Older ones stay readable.
const FORMAT: u32 = 1;

/// Values by name, in a fixed order.
#[derive(Debug, Clone, PartialEq, Default)]
struct Named<T>(Vec<(String, T)>);

impl<T: Serialize> Serialize for Named<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Named<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct Entries<T>(std::marker::PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Entries<T> {
            type Value = Named<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of named values")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<Named<T>, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Named(entries))
            }
        }
        deserializer.deserialize_map(Entries(std::marker::PhantomData))
    }
}

/// An object whose keys are the names.
#[cfg(feature = "schema")]
impl<T: schemars::JsonSchema> schemars::JsonSchema for Named<T> {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        format!("Named_{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let value = generator.subschema_for::<T>();
        schemars::json_schema!({ "type": "object", "additionalProperties": value })
    }
}

impl<T> Named<T> {
    /// Puts the values into the order of `expected`: JSON promises none, and other tools sort.
    fn arrange(&mut self, expected: &[ParameterInfo]) -> std::result::Result<(), String> {
        if let Some((name, _)) = self.0.iter().find(|(name, _)| expected.iter().all(|parameter| parameter.name != name)) {
            return Err(format!("{name} is no parameter of this model"));
        }
        let place = |name: &str| expected.iter().position(|parameter| parameter.name == name);
        if let Some(missing) = expected.iter().find(|parameter| self.0.iter().all(|(name, _)| name != parameter.name)) {
            return Err(format!("{} is missing", missing.name));
        }
        if self.0.len() > expected.len() {
            return Err("a name is there twice".to_owned());
        }
        self.0.sort_by_key(|(name, _)| place(name));
        Ok(())
    }
}

/// The evidence of one fit, as a model file keeps it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct FitRecord {
    model: String,
    parameters: Named<f64>,
    log_likelihood: f64,
    customers: f64,
    standard_errors: Named<Option<f64>>,
    covariance: Vec<Vec<Option<f64>>>,
    status: FitStatus,
    /// The parameters that ended at a bound.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    at_boundary: Vec<String>,
    max_abs_gradient: f64,
    iterations: u64,
    evaluations: u64,
    notices: Vec<Notice>,
    /// The width of the prior, where there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    prior_log_sd: Option<f64>,
}

impl FitRecord {
    /// What is worth keeping of a fit.
    #[must_use]
    pub fn of<M: Estimable>(fitted: &Fitted<M>) -> Self {
        let n = M::PARAMETERS.len();
        let parameters = fitted.model().parameters();
        let named = |i: usize| M::PARAMETERS[i].name.to_owned();
        FitRecord {
            model: M::NAME.to_owned(),
            parameters: Named((0..n).map(|i| (named(i), parameters[i])).collect()),
            log_likelihood: fitted.log_likelihood(),
            customers: fitted.customers(),
            standard_errors: Named((0..n).map(|i| (named(i), fitted.standard_error(i))).collect()),
            covariance: (0..n).map(|i| (0..n).map(|j| fitted.covariance(i, j)).collect()).collect(),
            status: fitted.status(),
            at_boundary: (0..n).filter(|i| !fitted.free().contains(i)).map(named).collect(),
            max_abs_gradient: fitted.max_abs_gradient(),
            iterations: fitted.iterations(),
            evaluations: fitted.evaluations(),
            notices: fitted.notices().to_vec(),
            prior_log_sd: fitted.prior().map(Prior::log_sd),
        }
    }

    /// The model's name: `bg-nbd`, `gamma-gamma`.
    #[must_use]
    pub fn model(&self) -> &str {
        &self.model
    }

    /// The parameters, by name, in the model's order.
    pub fn parameters(&self) -> impl Iterator<Item = (&str, f64)> {
        self.parameters.0.iter().map(|(name, value)| (name.as_str(), *value))
    }

    /// The standard error of a parameter; `None` when it is at a boundary or not known.
    #[must_use]
    pub fn standard_error(&self, parameter: &str) -> Option<f64> {
        self.standard_errors.0.iter().find(|(name, _)| name == parameter).and_then(|(_, value)| *value)
    }

    /// ln L at the optimum.
    #[must_use]
    pub fn log_likelihood(&self) -> f64 {
        self.log_likelihood
    }

    /// How many customers stand behind the estimate.
    #[must_use]
    pub fn customers(&self) -> f64 {
        self.customers
    }

    /// How the fit ended.
    #[must_use]
    pub fn status(&self) -> FitStatus {
        self.status
    }

    /// Passes over the data.
    #[must_use]
    pub fn evaluations(&self) -> u64 {
        self.evaluations
    }

    /// Concerns that do not invalidate the fit.
    #[must_use]
    pub fn notices(&self) -> &[Notice] {
        &self.notices
    }

    /// The prior that the estimate took in, if there was one.
    #[must_use]
    pub fn prior(&self) -> Option<Prior> {
        self.prior_log_sd.and_then(|log_sd| Prior::log_normal(log_sd).ok())
    }

    /// The distribution of the estimate, as [`Fitted::parameter_distribution`]; `None` when the likelihood was flat in some direction.
    #[must_use]
    pub fn parameter_distribution(&self) -> Option<ParameterDistribution> {
        let parameters = self.parameters.0.iter().map(|(_, value)| *value).collect();
        Some(ParameterDistribution::new(parameters, self.free(), self.free_covariance()?.view()))
    }

    /// Indices of the parameters that are not at a boundary.
    fn free(&self) -> Vec<usize> {
        (0..self.parameters.0.len()).filter(|&i| !self.at_boundary.contains(&self.parameters.0[i].0)).collect()
    }

    /// Their covariance; `None` when the likelihood was flat in some direction.
    fn free_covariance(&self) -> Option<Array2<f64>> {
        let free = self.free();
        let entries: Option<Vec<f64>> = free.iter().flat_map(|&i| free.iter().map(move |&j| self.covariance[i][j])).collect();
        Array2::from_shape_vec((free.len(), free.len()), entries?).ok()
    }

    /// The fit itself, when it is of this model.
    fn fitted<M: Estimable>(&self, measured: Measured) -> Option<Fitted<M>> {
        let parameters: Vec<f64> = self.parameters.0.iter().map(|(_, value)| *value).collect();
        let model = M::from_parameters(&parameters).ok().filter(|_| self.model == M::NAME)?;
        Some(Fitted {
            model,
            status: self.status,
            log_likelihood: self.log_likelihood,
            customers: self.customers,
            free: self.free(),
            covariance: self.free_covariance(),
            max_abs_gradient: self.max_abs_gradient,
            iterations: self.iterations,
            evaluations: self.evaluations,
            notices: self.notices.clone(),
            prior: self.prior(),
            measured,
        })
    }

    /// Checks a record against the parameters its model should have, and gives their values.
    fn check(&mut self, expected: &[ParameterInfo]) -> Result<Vec<f64>> {
        let model = self.model.clone();
        let broken = |rule: String| Error::file(format!("{model}: {rule}"));
        self.parameters.arrange(expected).map_err(|rule| broken(format!("parameters: {rule}")))?;
        self.standard_errors.arrange(expected).map_err(|rule| broken(format!("standard_errors: {rule}")))?;
        let n = expected.len();
        if self.covariance.len() != n || self.covariance.iter().any(|row| row.len() != n) {
            return Err(broken(format!("covariance must be a matrix of {n} rows and columns")));
        }
        for i in 0..n {
            let (name, error) = &self.standard_errors.0[i];
            let variance = self.covariance[i][i];
            // What was written reads back to the same bits, so the two must agree exactly.
            if *error != variance.map(f64::sqrt) || error.is_some_and(|error| !(error >= 0.0)) {
                return Err(broken(format!("the standard error of {name} is not the root of its variance")));
            }
            if (0..i).any(|j| self.covariance[i][j] != self.covariance[j][i]) {
                return Err(broken("covariance must be symmetric".to_owned()));
            }
        }
        // JSON has no infinity: what is not finite would be written as null and not be read again.
        let covariances = self.covariance.iter().flatten().flatten();
        let numbers =
            self.parameters.0.iter().map(|(_, value)| value).chain(covariances).chain([&self.log_likelihood, &self.max_abs_gradient]);
        if numbers.chain([&self.customers]).any(|number| !number.is_finite()) {
            return Err(broken("a number is not finite".to_owned()));
        }
        for (i, row) in self.covariance.iter().enumerate() {
            for (j, covariance) in row.iter().enumerate() {
                let (one, other) = (self.covariance[i][i].unwrap_or(0.0), self.covariance[j][j].unwrap_or(0.0));
                if covariance.is_some_and(|covariance| covariance * covariance > one * other * (1.0 + 1e-9)) {
                    return Err(broken(format!("the correlation of {} and {} exceeds 1", expected[i].name, expected[j].name)));
                }
            }
        }
        if let Some(name) = self.at_boundary.iter().find(|name| expected.iter().all(|parameter| parameter.name != name.as_str())) {
            return Err(broken(format!("at_boundary: {name} is no parameter of this model")));
        }
        if self.status == FitStatus::AtBoundary && self.at_boundary.is_empty() {
            // Left out, they are those without a variance.
            let without = (0..n).filter(|&i| self.covariance[i][i].is_none()).map(|i| expected[i].name.to_owned()).collect::<Vec<_>>();
            self.at_boundary = if without.len() < n { without } else { Vec::new() };
        }
        if self.at_boundary.is_empty() != (self.status == FitStatus::Converged) {
            return Err(broken("at_boundary must name the parameters at a bound, and only then the status is at_boundary".to_owned()));
        }
        if let Some(log_sd) = self.prior_log_sd {
            Prior::log_normal(log_sd).map_err(|error| broken(error.to_string()))?;
        }
        if !(self.customers > 0.0) || !(self.max_abs_gradient >= 0.0) {
            return Err(broken("customers and max_abs_gradient must not be negative".to_owned()));
        }
        Ok(self.parameters.0.iter().map(|(_, value)| *value).collect())
    }
}

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

/// A model file: fitted models, their evidence, the definition of value.
///
/// ```no_run
/// use clv::{History, ModelFile, SpendHistory};
///
/// let text = std::fs::read_to_string("model.json").expect("readable");
/// let scorer = ModelFile::from_json(&text)?.scorer(Some("1997-09-30".parse()?))?;
/// let score = scorer.score(&History::new(2, 30.43, 38.86)?, &SpendHistory::new(2, 22.35)?);
/// # Ok::<(), clv::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct ModelFile {
    contents: Contents,
    purchases: AnyPurchaseModel,
    spend: Option<GammaGamma>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct Contents {
    format: u32,
    crate_version: String,
    unit: TimeUnit,
    // Required, though it may be null: a key that is missing is damage, not a choice.
    #[serde(deserialize_with = "Option::deserialize")]
    observation_end: Option<Date>,
    purchases: FitRecord,
    #[serde(deserialize_with = "Option::deserialize")]
    spend: Option<FitRecord>,
    definition: ClvDefinition,
    /// SHA-256 of the definition with all that a CLV depends on besides data and models: `ModelFile::definition_in_force`, `clv definition --show`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    definition_hash: Option<String>,
    /// Bands of value with their limits; absent where there is no CLV.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    bands: Option<ValueBands>,
    data: DataRecord,
    /// How the births of the customers behind the fits were known; absent in older files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    births: Option<KnownBirths>,
    /// What was known of their purchases; absent where it is all of them.
    #[serde(default, skip_serializing_if = "SeenAs::is_histories")]
    seen_as: SeenAs,
    /// CRC-32 of all the rest, without blanks and in this order; a file without it is taken as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    checksum: Option<String>,
}

impl Contents {
    /// With the hash of the definition and the checksum that these contents have.
    fn sealed(mut self) -> Self {
        self.definition_hash = Some(self.in_force().hash());
        self.checksum = Some(self.expected_checksum());
        self
    }

    fn in_force(&self) -> DefinitionInForce {
        let definition = DefinitionInForce::new(&self.definition, self.unit, self.data.spend_basis);
        definition.cleaned(self.data.cleaning.as_ref()).banded(self.bands.as_ref().map(ValueBands::rule))
    }

    /// What [`Self::checksum`] should be: a digit that was lost on the way would otherwise be another model.
    fn expected_checksum(&self) -> String {
        let rest = Contents { checksum: None, ..self.clone() };
        let text = serde_json::to_string(&rest).expect("names are strings and numbers are finite");
        format!("crc32:{:08x}", crc32fast::hash(text.as_bytes()))
    }
}

/// A line of a text, counted from 1.
fn line_of(text: &str, number: usize) -> &str {
    text.lines().nth(number.saturating_sub(1)).unwrap_or_default()
}

impl ModelFile {
    /// A model file from its parts.
    ///
    /// # Errors
    /// When a record does not describe a model: see [`Self::from_json`].
    pub fn new(
        unit: TimeUnit,
        observation_end: Option<Date>,
        purchases: FitRecord,
        spend: Option<FitRecord>,
        definition: ClvDefinition,
        data: DataRecord,
    ) -> Result<Self> {
        let contents = Contents {
            format: FORMAT,
            crate_version: env!("CARGO_PKG_VERSION").to_owned(),
            unit,
            observation_end,
            purchases,
            spend,
            definition,
            definition_hash: None,
            bands: None,
            data,
            births: None,
            seen_as: SeenAs::default(),
            checksum: None,
        };
        ModelFile::checked(contents.sealed())
    }

    /// The same model with bands of value, or without.
    #[must_use]
    pub fn with_bands(mut self, bands: Option<ValueBands>) -> Self {
        self.contents.bands = bands;
        self.contents = self.contents.sealed();
        self
    }

    /// The same model with what is known of the customers behind its fits: how their births were, and how their purchases.
    #[must_use]
    pub fn with_origin(mut self, births: Option<KnownBirths>, seen_as: SeenAs) -> Self {
        (self.contents.births, self.contents.seen_as) = (births, seen_as);
        self.contents = self.contents.sealed();
        self
    }

    fn checked(mut contents: Contents) -> Result<Self> {
        let record = &mut contents.purchases;
        let parameters = record.check(AnyPurchaseModel::parameters_of(&record.model)?)?;
        let purchases = AnyPurchaseModel::from_name(&record.model, &parameters)?;
        let spend = match &mut contents.spend {
            None => None,
            Some(record) if record.model == GammaGamma::NAME => Some(GammaGamma::from_parameters(&record.check(GammaGamma::PARAMETERS)?)?),
            Some(record) => return Err(Error::file(format!("spend.model {:?} is not known; it is {}", record.model, GammaGamma::NAME))),
        };
        if contents.checksum.as_ref().is_some_and(|checksum| *checksum != contents.expected_checksum()) {
            return Err(Error::file(
                "the file is not what was written: its checksum does not match; fit the model again, or, if the change was meant, remove the key \
                 checksum",
            ));
        }
        contents.bands = contents.bands.map(ValueBands::checked).transpose()?;
        if contents.definition_hash.as_ref().is_some_and(|hash| !contents.in_force().goes_by(hash)) {
            return Err(Error::file(
                "definition_hash is not that of the definition in the file; if the definition was meant to be changed, remove the key definition_hash",
            ));
        }
        Ok(ModelFile { contents, purchases, spend })
    }

    /// Reads the text of a model file.
    ///
    /// # Errors
    /// When it is not JSON, has a format this version does not know, lacks a field or has one too many, or holds parameters outside their domain.
    pub fn from_json(text: &str) -> Result<Self> {
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
        let contents = serde_json::from_str(text).map_err(|error| unreadable("the model file is damaged", error))?;
        ModelFile::checked(contents)
    }

    /// The JSON Schema of the file, made from the types that read and write it. What it cannot say (which parameters a model has, that a covariance
    /// is one) is checked on reading.
    #[cfg(feature = "schema")]
    #[must_use]
    pub fn json_schema() -> String {
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

    /// The text of the file; reads back to the same bits.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut text = serde_json::to_string_pretty(&self.contents).expect("names are strings and numbers are finite");
        text.push('\n');
        text
    }

    /// The version of clv that made it.
    #[must_use]
    pub fn crate_version(&self) -> &str {
        &self.contents.crate_version
    }

    /// The unit of the parameters.
    #[must_use]
    pub fn unit(&self) -> TimeUnit {
        self.contents.unit
    }

    /// The last day of the data behind the fit, when it is known.
    #[must_use]
    pub fn observation_end(&self) -> Option<Date> {
        self.contents.observation_end
    }

    /// The definition of value that was in force.
    #[must_use]
    pub fn definition(&self) -> &ClvDefinition {
        &self.contents.definition
    }

    /// The definition with all that a CLV depends on besides data and models; its hash is `definition_hash` in the file.
    #[must_use]
    pub fn definition_in_force(&self) -> DefinitionInForce {
        self.contents.in_force()
    }

    /// The bands of value; `None` where there is no CLV, or the file is older than they are.
    #[must_use]
    pub fn bands(&self) -> Option<&ValueBands> {
        self.contents.bands.as_ref()
    }

    /// Which purchases the average spend is the mean of.
    #[must_use]
    pub fn spend_basis(&self) -> SpendBasis {
        self.contents.data.spend_basis
    }

    /// The evidence of the purchase model's fit.
    #[must_use]
    pub fn purchases(&self) -> &FitRecord {
        &self.contents.purchases
    }

    /// The evidence of the spend model's fit.
    #[must_use]
    pub fn spend(&self) -> Option<&FitRecord> {
        self.contents.spend.as_ref()
    }

    /// The purchase model.
    #[must_use]
    pub fn purchase_model(&self) -> &AnyPurchaseModel {
        &self.purchases
    }

    /// The spend model, if there is one.
    #[must_use]
    pub fn spend_model(&self) -> Option<&GammaGamma> {
        self.spend.as_ref()
    }

    /// What the models were fitted to.
    #[must_use]
    pub fn data(&self) -> &DataRecord {
        &self.contents.data
    }

    /// How the births of the customers behind the fits were known; `None` where the file does not say, being older or made without it.
    ///
    /// ```
    /// use clv::{KnownBirths, ModelFile, SeenAs};
    ///
    /// # let stored = std::fs::read_to_string("tests/data/model_format_1.json").expect("readable");
    /// let file = ModelFile::from_json(&stored)?;
    /// assert_eq!((file.births(), file.seen_as()), (None, SeenAs::Histories));
    /// let births = KnownBirths::RunIn { length: Some("26 weeks".parse()?) };
    /// let again = ModelFile::from_json(&file.with_origin(Some(births), SeenAs::Histories).to_json())?;
    /// assert_eq!(again.births(), Some(births));
    /// # Ok::<(), clv::Error>(())
    /// ```
    #[must_use]
    pub fn births(&self) -> Option<KnownBirths> {
        self.contents.births
    }

    /// What was known of the purchases of the customers behind the fits.
    #[must_use]
    pub fn seen_as(&self) -> SeenAs {
        self.contents.seen_as
    }

    /// One of the fits, by its model: what [`Fit::fit`](crate::Fit::fit) gave, without the data. `None` when neither fit is of this model.
    ///
    /// ```no_run
    /// use clv::{GammaGamma, ModelFile};
    ///
    /// let file = ModelFile::from_json(&std::fs::read_to_string("model.json").expect("readable"))?;
    /// let spend = file.fitted::<GammaGamma>().expect("there is a spend model");
    /// println!("{:?}", spend.interval(0, clv::Level::default()));
    /// # Ok::<(), clv::Error>(())
    /// ```
    #[must_use]
    pub fn fitted<M: Estimable>(&self) -> Option<Fitted<M>> {
        let measured = Measured { unit: self.unit(), observation_end: self.observation_end(), spend_basis: self.spend_basis() };
        self.purchases().fitted(measured).or_else(|| self.spend().and_then(|record| record.fitted(measured)))
    }

    /// A scorer for customers observed until `observation_end`, by the file's definition of value.
    ///
    /// # Errors
    /// When the horizon needs a date to start from and there is none.
    pub fn scorer(&self, observation_end: Option<Date>) -> Result<Scorer<AnyPurchaseModel>> {
        self.scorer_by(self.definition(), observation_end)
    }

    /// A scorer by another definition of value.
    ///
    /// # Errors
    /// When the horizon needs a date to start from and there is none.
    pub fn scorer_by(&self, definition: &ClvDefinition, observation_end: Option<Date>) -> Result<Scorer<AnyPurchaseModel>> {
        Ok(Scorer::new(self.purchases, self.spend, definition.resolve(self.unit(), observation_end)?).spend_over(self.spend_basis()))
    }

    /// A forecaster for customers observed until `observation_end`, by a definition of value: the scorer with the uncertainty of the file's fits.
    /// Where a likelihood was flat in some direction, its parameters are taken as known.
    ///
    /// # Errors
    /// When the horizon needs a date to start from and there is none.
    pub fn forecaster_by(&self, definition: &ClvDefinition, observation_end: Option<Date>) -> Result<Forecaster<AnyPurchaseModel>> {
        let mut forecaster = Forecaster::new(self.scorer_by(definition, observation_end)?);
        if let Some(distribution) = self.purchases().parameter_distribution() {
            let model = |parameters: &[f64]| AnyPurchaseModel::from_name(self.purchases.name(), parameters);
            forecaster = forecaster.with_purchases(Ensemble::of_distribution(&distribution, Part::Purchases, model)?);
        }
        if let Some(distribution) = self.spend().and_then(FitRecord::parameter_distribution) {
            forecaster = forecaster.with_spend(Ensemble::of_distribution(&distribution, Part::Spend, GammaGamma::from_parameters)?)?;
        }
        Ok(forecaster)
    }
}
