//! How customers are put into bands of value: the names and the limits, before any customer is seen.

use std::fmt;
use std::str::FromStr;

use crate::data::counted_things;
use crate::error::{Error, Result};

/// Most bands, and the longest name of one: a model file stays small.
const MOST: usize = 10;
const LONGEST: usize = 40;

/// What the limits of bands are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "serde", serde(rename_all = "lowercase"))]
pub enum BandLimits {
    /// Quantiles of the CLV: 0.8 is what four fifths of the customers do not reach.
    #[default]
    Quantile,
    /// Shares of the value: 0.5 is reached by the most valuable customers who together hold half of it.
    Share,
    /// Amounts of money.
    Value,
}

impl BandLimits {
    /// The word for it: `quantile`, `share`, `value`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            BandLimits::Quantile => "quantile",
            BandLimits::Share => "share",
            BandLimits::Value => "value",
        }
    }
}

impl fmt::Display for BandLimits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for BandLimits {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "quantile" => Ok(BandLimits::Quantile),
            "share" => Ok(BandLimits::Share),
            "value" => Ok(BandLimits::Value),
            _ => Err(Error::parameter(format!("limits of bands by {text:?} are not known; they are one of quantile, share, value"))),
        }
    }
}

/// How customers are put into bands of value, before any customer is seen.
///
/// ```
/// use clv::{BandLimits, BandRule};
///
/// let rule = BandRule::new(&["gold", "silver", "bronze"], BandLimits::Value, &[100.0, 20.0])?;
/// assert_eq!(rule.names().collect::<Vec<_>>(), ["gold", "silver", "bronze"]);
/// assert!(BandRule::new(&["gold", "silver"], BandLimits::Value, &[20.0, 100.0]).is_err());
/// # Ok::<(), clv::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "serde", serde(deny_unknown_fields))]
pub struct BandRule {
    /// From the most valuable down.
    pub(super) names: Vec<String>,
    pub(super) by: BandLimits,
    /// One for every band but the last.
    pub(super) at: Vec<f64>,
    /// How sure a customer's move from one band to another has to be; absent where no certainty is asked for.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub(super) confidence: Option<f64>,
}

impl Default for BandRule {
    /// `high` for the most valuable fifth of the customers, `mid` for the next three tenths, `low` for the other half.
    fn default() -> Self {
        let names = ["high", "mid", "low"].map(str::to_owned).to_vec();
        BandRule { names, by: BandLimits::Quantile, at: vec![0.8, 0.5], confidence: None }
    }
}

impl BandRule {
    /// Bands by their names, from the most valuable down, and a limit for each but the last.
    ///
    /// # Errors
    /// When there are not two to ten different names of 1 to 40 characters without commas, or the limits are not one fewer, fall (shares rise) and are in range.
    pub fn new(names: &[impl AsRef<str>], by: BandLimits, limits: &[f64]) -> Result<Self> {
        let names = names.iter().map(|name| name.as_ref().trim().to_owned()).collect();
        BandRule { names, by, at: limits.to_vec(), confidence: None }.checked()
    }

    /// Lets a customer who has a band already leave it only where the probability that the CLV is beyond the limit, on the other side, exceeds this share.
    ///
    /// # Errors
    /// When it is not from 0.5 to 0.9999.
    pub fn with_confidence(mut self, confidence: Option<f64>) -> Result<Self> {
        self.confidence = confidence;
        self.checked()
    }

    pub(super) fn checked(self) -> Result<Self> {
        let refused = |rule: String| Err(Error::parameter(rule));
        let names = &self.names;
        if !(2..=MOST).contains(&names.len()) {
            return refused(format!(
                "{} names of bands; they are 2 to {MOST}, from the most valuable down, such as high,mid,low",
                names.len()
            ));
        }
        let broken = |name: &&String| name.is_empty() || name.chars().count() > LONGEST || name.chars().any(|c| c.is_control() || c == ',');
        if let Some(name) = names.iter().find(broken) {
            return refused(format!("band {name:?}: a name has 1 to {LONGEST} characters, and no comma among them"));
        }
        if let Some(twice) = names.iter().enumerate().find(|(i, name)| names[..*i].contains(name)) {
            return refused(format!("band {:?} is named twice; each has a name of its own", twice.1));
        }
        if self.at.len() + 1 != names.len() {
            return refused(format!(
                "{} bands need {}, one for each but the last; there {} {}",
                names.len(),
                counted_things(names.len() as u64 - 1, "limit"),
                if self.at.len() == 1 { "is" } else { "are" },
                self.at.len()
            ));
        }
        let (in_range, rule) = match self.by {
            BandLimits::Quantile => {
                (self.at.iter().all(|&at| at > 0.0 && at < 1.0), "quantiles above 0 and below 1 that fall, such as 0.8,0.5")
            }
            BandLimits::Share => (self.at.iter().all(|&at| at > 0.0 && at < 1.0), "shares above 0 and below 1 that rise, such as 0.5,0.8"),
            BandLimits::Value => (self.at.iter().all(|&at| at > 0.0 && at.is_finite()), "amounts above 0 that fall, such as 100,20"),
        };
        let in_order = self.at.windows(2).all(|pair| if self.by == BandLimits::Share { pair[0] < pair[1] } else { pair[0] > pair[1] });
        if !(in_range && in_order) {
            return refused(format!("limits {} of bands by {} must be {rule}", listed(&self.at), self.by));
        }
        if let Some(confidence) = self.confidence.filter(|confidence| !(0.5..=0.9999).contains(confidence)) {
            return refused(format!("band confidence {confidence} must be a probability from 0.5 to 0.9999, such as 0.8"));
        }
        Ok(self)
    }

    /// The names, from the most valuable band down.
    pub fn names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }

    /// What the limits are.
    #[must_use]
    pub fn by(&self) -> BandLimits {
        self.by
    }

    /// The limits as they were given.
    #[must_use]
    pub fn at(&self) -> &[f64] {
        &self.at
    }

    /// How sure a move has to be.
    #[must_use]
    pub fn confidence(&self) -> Option<f64> {
        self.confidence
    }
}

/// Numbers with commas between them.
pub(super) fn listed(numbers: &[f64]) -> String {
    numbers.iter().map(f64::to_string).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_that_make_no_sense_are_refused() {
        let refused = |names: &[&str], by, at: &[f64], words: &str| {
            let error = BandRule::new(names, by, at).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        };
        refused(&["all"], BandLimits::Value, &[], "2 to 10");
        refused(&["a", "a"], BandLimits::Value, &[1.0], "named twice");
        refused(&["a", ""], BandLimits::Value, &[1.0], "1 to 40 characters");
        refused(&["a", "b"], BandLimits::Value, &[1.0, 0.5], "need 1 limit,");
        refused(&["a", "b", "c"], BandLimits::Quantile, &[0.5, 0.8], "that fall");
        refused(&["a", "b", "c"], BandLimits::Share, &[0.8, 0.5], "that rise");
        refused(&["a", "b"], BandLimits::Value, &[f64::NAN], "above 0");
        assert!(BandRule::default().with_confidence(Some(0.3)).is_err());
    }
}
