//! `model.json`: fitted models, their evidence and the definition of value, without the data.
//!
//! The file is small (under 10 kB), versioned, and holds no customer. Reading it goes through the same checks as constructing the models, so a
//! file that reads is a model that works.

use super::bands::ValueBands;
use super::definition::ClvDefinition;
use super::ensemble::{Ensemble, Part};
use super::fit_record::FitRecord;
use super::forecast::Forecaster;
use super::in_force::DefinitionInForce;
use super::model_contents::{Contents, DataRecord, FORMAT};
use super::origin::{KnownBirths, SeenAs};
use super::scorer::Scorer;
use crate::data::SpendBasis;
use crate::error::{Error, Result};
use crate::fit::{Fitted, Measured};
use crate::models::{AnyPurchaseModel, Estimable, GammaGamma};
use crate::time::{Date, TimeUnit};

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
        let parameters = record.check(AnyPurchaseModel::parameters_of(record.model())?)?;
        let purchases = AnyPurchaseModel::from_name(record.model(), &parameters)?;
        let spend = match &mut contents.spend {
            None => None,
            Some(record) if record.model() == GammaGamma::NAME => {
                Some(GammaGamma::from_parameters(&record.check(GammaGamma::PARAMETERS)?)?)
            }
            Some(record) => return Err(Error::file(format!("spend.model {:?} is not known; it is {}", record.model(), GammaGamma::NAME))),
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
        ModelFile::checked(Contents::from_json(text)?)
    }

    /// The JSON Schema of the file, made from the types that read and write it. What it cannot say (which parameters a model has, that a covariance
    /// is one) is checked on reading.
    #[cfg(feature = "schema")]
    #[must_use]
    pub fn json_schema() -> String {
        Contents::json_schema()
    }

    /// The text of the file; reads back to the same bits.
    #[must_use]
    pub fn to_json(&self) -> String {
        self.contents.to_json()
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
