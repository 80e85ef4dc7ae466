//! What "customer lifetime value" means here: horizon, discount, margin. One definition, written down, used everywhere.

use crate::error::{Error, Result};
use crate::time::{AnnualDiscount, Date, Horizon, TimeUnit};

/// The business definition of CLV: margin x discounted expected spend over the horizon that follows the observation end.
///
/// ```
/// use clv::{AnnualDiscount, ClvDefinition, TimeUnit};
///
/// let definition = ClvDefinition {
///     horizon: "12 months".parse()?,
///     annual_discount: AnnualDiscount::new(0.10)?,
///     ..ClvDefinition::default()
/// };
/// let terms = definition.resolve(TimeUnit::Week, Some("1997-09-30".parse()?))?;
/// assert_eq!(terms.horizon(), 365.0 / 7.0);
/// # Ok::<(), clv::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "serde", serde(deny_unknown_fields))]
pub struct ClvDefinition {
    /// How far ahead value counts.
    pub horizon: Horizon,
    /// What later money is worth today.
    pub annual_discount: AnnualDiscount,
    /// The share of spend that is value.
    pub margin: Margin,
}

impl Default for ClvDefinition {
    /// 12 months, 10 % a year, the whole spend.
    fn default() -> Self {
        ClvDefinition {
            horizon: Horizon::months(12).expect("twelve is positive"),
            annual_discount: AnnualDiscount::new(0.10).expect("0.10 is a rate"),
            margin: Margin::default(),
        }
    }
}

impl ClvDefinition {
    /// Whether the parts go together.
    ///
    /// # Errors
    /// When the horizon is a lifetime without discount.
    pub fn check(&self) -> Result<()> {
        if self.horizon.is_lifetime() && self.annual_discount.annual_rate() == 0.0 {
            return Err(Error::parameter(
                "a lifetime horizon needs a discount above 0, without which later purchases count for ever; give a discount such as 0.10, or a horizon \
                 with an end",
            ));
        }
        Ok(())
    }

    /// The definition in numbers: lengths in `unit`, counted from the end of the day `observation_end`.
    ///
    /// # Errors
    /// When the horizon is in months or years and there is no observation end to count them from, or when it is a lifetime without discount: the
    /// purchases of customers who hardly ever drop out then add up to no finite number.
    pub fn resolve(&self, unit: TimeUnit, observation_end: Option<Date>) -> Result<ClvTerms> {
        self.check()?;
        let horizon = match observation_end {
            Some(end) => self.horizon.length_from(end, unit)?,
            None => self.horizon.fixed_length(unit).ok_or_else(|| {
                Error::parameter(format!(
                    "a horizon of {} depends on the calendar, and the data do not say when they end; name the observation end, or give the \
                     horizon in days or weeks",
                    self.horizon
                ))
            })?,
        };
        Ok(ClvTerms { unit, horizon, discount_rate: self.annual_discount.rate_per(unit), margin: self.margin })
    }
}

/// The share of spend that is value: 1 for revenue, 0.3 for a margin of 30 %.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "serde", serde(try_from = "f64", into = "f64"))]
pub struct Margin(f64);

impl Margin {
    /// A share in (0, 1].
    ///
    /// # Errors
    /// When it is outside.
    pub fn new(share: f64) -> Result<Self> {
        if !(share > 0.0 && share <= 1.0) {
            return Err(Error::parameter(format!("margin {share} must be a share of spend above 0 and at most 1, such as 0.3 for 30 %")));
        }
        Ok(Margin(share))
    }

    /// The share.
    #[must_use]
    pub fn share(self) -> f64 {
        self.0
    }
}

impl Default for Margin {
    /// The whole spend.
    fn default() -> Self {
        Margin(1.0)
    }
}

impl TryFrom<f64> for Margin {
    type Error = Error;

    fn try_from(share: f64) -> Result<Self> {
        Margin::new(share)
    }
}

impl From<Margin> for f64 {
    fn from(margin: Margin) -> Self {
        margin.0
    }
}

/// A [`ClvDefinition`] in numbers of one unit of time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ClvTerms {
    unit: TimeUnit,
    horizon: f64,
    discount_rate: f64,
    margin: Margin,
}

impl ClvTerms {
    /// The unit of the horizon and the discount rate.
    #[must_use]
    pub fn unit(&self) -> TimeUnit {
        self.unit
    }

    /// The length of the horizon in units; infinite for a lifetime.
    #[must_use]
    pub fn horizon(&self) -> f64 {
        self.horizon
    }

    /// The continuous discount rate per unit.
    #[must_use]
    pub fn discount_rate(&self) -> f64 {
        self.discount_rate
    }

    /// The share of spend that is value.
    #[must_use]
    pub fn margin(&self) -> Margin {
        self.margin
    }
}
