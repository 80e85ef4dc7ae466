//! Bands of value and a score from 0 to 100, by limits that are frozen when the model is fitted: a customer changes band because they changed, never because others did.

use std::fmt;
use std::str::FromStr;

use super::predictive::ValueDistribution;
use super::scorer::Score;
use crate::data::{Customers, counted_things};
use crate::error::{Error, Result};

/// Most bands, and the longest name of one: a model file stays small.
const MOST: usize = 10;
const LONGEST: usize = 40;

/// Quantiles of the reference distribution: 0 %, 1 % to 99 %.
const QUANTILES: usize = 100;

/// CLVs are compared to this many digits, so that a number that was written and read again is on the same side of a limit.
const DIGITS: usize = 6;

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
    names: Vec<String>,
    by: BandLimits,
    /// One for every band but the last.
    at: Vec<f64>,
    /// How sure a customer's move from one band to another has to be; absent where no certainty is asked for.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    confidence: Option<f64>,
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

    fn checked(self) -> Result<Self> {
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

/// Bands with their limits in money, and the distribution of CLV among the customers at the fit: frozen from then on.
///
/// A customer is in the first band whose limit their CLV reaches, and in the last one where it is not above 0. CLVs are compared to six digits.
///
/// ```
/// use clv::{BandLimits, BandRule, ValueBands};
///
/// let rule = BandRule::new(&["high", "mid", "low"], BandLimits::Share, &[0.5, 0.8])?;
/// let worth = [(60.0, 1.0), (30.0, 1.0), (10.0, 1.0), (0.0, 7.0)]; // CLV, and the customers who have it
/// let bands = ValueBands::freeze(rule, worth).unwrap();
/// assert_eq!(bands.limits(), [60.0, 30.0]);
/// assert_eq!([60.0, 59.9, 29.9, 0.0].map(|clv| bands.band(clv)), ["high", "mid", "low", "low"]);
/// // Eight of the ten are worth less than 11, and seven less than 1.
/// assert_eq!([61.0, 11.0, 1.0, 0.0].map(|clv| bands.score(clv)), [100, 80, 70, 0]);
/// # Ok::<(), clv::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "serde", serde(deny_unknown_fields))]
pub struct ValueBands {
    rule: BandRule,
    /// The CLV from which on a customer is in a band, for each band but the last.
    limits: Vec<f64>,
    /// The CLV at the quantiles 0, 0.01 to 0.99 of the customers.
    reference: Vec<f64>,
}

impl ValueBands {
    /// Works out the limits from (CLV, number of customers who have it), in any order; `None` of nobody.
    #[must_use]
    pub fn freeze(rule: BandRule, worth: impl IntoIterator<Item = (f64, f64)>) -> Option<Self> {
        let mut worth: Vec<(f64, f64)> = worth.into_iter().filter(|(clv, customers)| clv.is_finite() && *customers > 0.0).collect();
        worth.sort_by(|one, other| other.0.total_cmp(&one.0));
        let (most, least) = (worth.first()?.0, worth.last()?.0);
        let customers = |&(_, customers): &(f64, f64)| customers;
        let value = |&(clv, customers): &(f64, f64)| clv.max(0.0) * customers;
        // The CLV of the last one of the most valuable who make up this share.
        let reached = |share: f64, of: fn(&(f64, f64)) -> f64| {
            let enough = share * worth.iter().map(of).sum::<f64>() * (1.0 - 1e-12);
            let mut held = 0.0;
            let last = worth.iter().find(|row| {
                held += of(row);
                held >= enough
            });
            rounded(last.map_or(least, |last| last.0))
        };
        let limits = match rule.by {
            BandLimits::Quantile => rule.at.iter().map(|quantile| reached(1.0 - quantile, customers)).collect(),
            BandLimits::Share => rule.at.iter().map(|&share| reached(share, value)).collect(),
            BandLimits::Value => rule.at.iter().map(|&limit| rounded(limit)).collect(),
        };
        let all: f64 = worth.iter().map(customers).sum();
        let (mut below, mut rows) = (0.0, worth.iter().rev().peekable());
        let reference = (0..QUANTILES).map(|k| {
            let wanted = k as f64 / QUANTILES as f64 * all * (1.0 + 1e-12);
            while rows.peek().is_some_and(|row| below + row.1 <= wanted) {
                below += rows.next().map_or(0.0, |row| row.1);
            }
            rounded(rows.peek().map_or(most, |row| row.0))
        });
        let reference = reference.collect();
        Some(ValueBands { rule, limits, reference })
    }

    /// The same from scores; `None` where nobody has a CLV.
    #[must_use]
    pub fn of(rule: BandRule, customers: &Customers, scores: &[Score]) -> Option<Self> {
        let worth = scores.iter().enumerate().filter_map(|(row, score)| Some((score.clv?, customers.weight(row))));
        ValueBands::freeze(rule, worth)
    }

    /// Checks what was read.
    #[cfg(feature = "serde")]
    pub(super) fn checked(self) -> Result<Self> {
        let rule = self.rule.clone().checked()?;
        let falls = |values: &[f64]| values.windows(2).all(|pair| pair[0] >= pair[1]) && values.iter().all(|value| value.is_finite());
        let risen: Vec<f64> = self.reference.iter().rev().copied().collect();
        if self.limits.len() != rule.at.len() || self.reference.len() != QUANTILES || !falls(&self.limits) || !falls(&risen) {
            return Err(Error::file(format!(
                "bands need {} limits that fall, and {QUANTILES} quantiles of the CLV that rise; fit the model again",
                rule.at.len()
            )));
        }
        Ok(self)
    }

    /// How the limits came about.
    #[must_use]
    pub fn rule(&self) -> &BandRule {
        &self.rule
    }

    /// The CLV from which on a customer is in a band, for each band but the last.
    #[must_use]
    pub fn limits(&self) -> &[f64] {
        &self.limits
    }

    /// The name of the band of a customer with this CLV.
    #[must_use]
    pub fn band(&self, clv: f64) -> &str {
        &self.rule.names[self.place(clv)]
    }

    /// The number of that band, 0 for the most valuable.
    #[must_use]
    pub fn place(&self, clv: f64) -> usize {
        let clv = comparable(clv, &self.limits);
        let first = self.limits.iter().position(|&limit| clv >= limit).filter(|_| clv > 0.0);
        first.unwrap_or(self.limits.len())
    }

    /// The band of a customer who was in band number `before` and whose value has this distribution: the one of their CLV, as far as the way there crosses only
    /// limits on whose other side their value is with a probability above the rule's confidence. Without a confidence it is the band of the CLV.
    #[must_use]
    pub fn place_from(&self, before: usize, clv: f64, value: Option<&ValueDistribution>) -> usize {
        let target = self.place(clv);
        let (Some(confidence), Some(value)) = (self.rule.confidence, value) else { return target };
        let mut place = before.min(self.limits.len());
        // The limit between band k and the next one down is number k.
        while place > target && value.sf(self.limits[place - 1].max(0.0)) > confidence {
            place -= 1;
        }
        while place < target && value.cdf(self.limits[place].max(0.0)) > confidence {
            place += 1;
        }
        place
    }

    /// The customers in each band, and what they are worth together, by these scores.
    #[must_use]
    pub fn holdings(&self, customers: &Customers, scores: &[Score]) -> Vec<(f64, f64)> {
        let mut holdings = vec![(0.0, 0.0); self.limits.len() + 1];
        for (row, clv) in scores.iter().enumerate().filter_map(|(row, score)| Some((row, score.clv?))) {
            let (band, weight) = (&mut holdings[self.place(clv)], customers.weight(row));
            *band = (band.0 + weight, band.1 + weight * clv);
        }
        holdings
    }

    /// The number of a band by its name.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<usize> {
        self.rule.names.iter().position(|known| known == name)
    }

    /// How many in a hundred customers at the fit were worth less, rounded up: from 0, for the least of them and below, to 100.
    #[must_use]
    pub fn score(&self, clv: f64) -> u8 {
        let rank = |clv: f64| self.reference.partition_point(|&quantile| quantile < clv);
        let next = rank(clv);
        // Rounding does not move a number beyond both its neighbours.
        let neighbours = next.saturating_sub(1)..self.reference.len().min(next + 1);
        rank(comparable(clv, &self.reference[neighbours])) as u8
    }
}

/// A number as it is held against limits: rounded as they are where one of them is so near that it matters, since to round is to print and to read.
fn comparable(value: f64, limits: &[f64]) -> f64 {
    // Twice as far as rounding to 6 digits can move it.
    let near = value.abs() * 1e-5;
    if limits.iter().any(|limit| (value - limit).abs() <= near) { rounded(value) } else { value }
}

/// A number to [`DIGITS`] digits.
fn rounded(value: f64) -> f64 {
    format!("{value:.*e}", DIGITS - 1).parse().unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(by: BandLimits, at: &[f64]) -> BandRule {
        BandRule::new(&["high", "mid", "low"], by, at).unwrap()
    }

    fn frozen(rule: BandRule, clv: &[f64]) -> ValueBands {
        ValueBands::freeze(rule, clv.iter().map(|&clv| (clv, 1.0))).unwrap()
    }

    #[test]
    fn a_number_is_held_against_limits_as_if_it_were_rounded() {
        let limits = [123_456.0, 1.23457, 0.5, 1.23457e-7, -2.5];
        let steps = (-40..=40).map(|step| f64::from(step) * 1e-6);
        let values = limits.iter().flat_map(|limit| steps.clone().map(move |step| limit * (1.0 + step)));
        for value in values.chain([0.0, -0.0, 1e300, -1e-300]) {
            for limit in limits {
                assert_eq!(comparable(value, &[limit]).partial_cmp(&limit), rounded(value).partial_cmp(&limit), "{value} and {limit}");
            }
        }
        assert_eq!(comparable(1.234_567_8, &[1.3]), 1.234_567_8, "not near");
        assert_eq!(comparable(1.234_567_8, &[1.23456]), 1.23457, "near");
    }

    #[test]
    fn each_rule_puts_its_share_into_a_band() {
        let clv: Vec<f64> = (1..=100).map(f64::from).collect();
        let of = |by, at: &[f64]| {
            let bands = frozen(rule(by, at), &clv);
            [0, 1, 2].map(|place| clv.iter().filter(|&&clv| bands.place(clv) == place).count())
        };
        assert_eq!(of(BandLimits::Quantile, &[0.8, 0.5]), [20, 30, 50]);
        assert_eq!(of(BandLimits::Value, &[91.0, 11.0]), [10, 80, 10]);
        // 71 + ... + 100 = 2,565 of 5,050 is the first half, 45 + ... + 100 = 4,060 the first four fifths.
        assert_eq!(of(BandLimits::Share, &[0.5, 0.8]), [30, 26, 44]);
    }

    #[test]
    fn weights_count_as_customers() {
        let one = ValueBands::freeze(BandRule::default(), [(5.0, 2.0), (3.0, 3.0), (1.0, 5.0)]);
        assert_eq!(one, Some(frozen(BandRule::default(), &[1.0, 3.0, 5.0, 1.0, 3.0, 1.0, 3.0, 1.0, 1.0, 5.0])));
    }

    #[test]
    fn a_customer_on_the_limit_is_in_and_equal_customers_are_together() {
        let bands = frozen(BandRule::default(), &[9.0, 7.0, 7.0, 7.0, 7.0, 7.0, 1.0, 1.0, 1.0, 1.0]);
        assert_eq!(bands.limits(), [7.0, 7.0]);
        assert_eq!([9.0, 7.0, 6.99, 1.0].map(|clv| bands.band(clv)), ["high", "high", "low", "low"]);
        assert_eq!([9.1, 9.0, 7.0, 1.0, 0.5].map(|clv| bands.score(clv)), [100, 90, 40, 0, 0]);
        // What is written to six digits and read again is on the same side.
        let bands = frozen(BandRule::default(), &[12.345_678_9; 3]);
        assert_eq!((bands.place(12.345_678_9), bands.place(12.345_7), bands.score(12.345_7)), (0, 0, 0));
    }

    #[test]
    fn who_is_worth_nothing_is_in_the_last_band() {
        for by in [BandLimits::Quantile, BandLimits::Share] {
            let at = if by == BandLimits::Share { [0.5, 0.8] } else { [0.8, 0.5] };
            let bands = frozen(rule(by, &at), &[0.0; 20]);
            assert_eq!((bands.band(0.0), bands.score(0.0)), ("low", 0));
            // A customer who is worth anything is worth more than all of them.
            assert_eq!((bands.band(0.01), bands.score(0.01)), ("high", 100));
        }
        let bands = frozen(rule(BandLimits::Quantile, &[0.8, 0.5]), &[-5.0, -4.0, -3.0]);
        assert_eq!((bands.band(-3.0), bands.score(-4.0)), ("low", 34));
        assert_eq!(ValueBands::freeze(BandRule::default(), []), None);
    }

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
