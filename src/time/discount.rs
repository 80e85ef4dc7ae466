//! The worth of money that comes later.

use super::unit::TimeUnit;
use crate::error::{Error, Result};

/// An annual effective discount rate: 0.10 means that 110 a year from now are worth 100 today.
///
/// ```
/// use clv::{AnnualDiscount, TimeUnit};
///
/// let discount = AnnualDiscount::new(0.10)?;
/// assert!((discount.rate_per(TimeUnit::Week) - 0.001_826_615_355_592_812).abs() < 1e-16); // ln 1.1 / 52.18
/// # Ok::<(), clv::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "serde", serde(try_from = "f64", into = "f64"))]
pub struct AnnualDiscount {
    rate: f64,
}

impl AnnualDiscount {
    /// An annual rate as a fraction: 0.10 for 10 %.
    ///
    /// # Errors
    /// When the rate is negative, infinite or no number.
    pub fn new(rate: f64) -> Result<Self> {
        if !(rate >= 0.0 && rate.is_finite()) {
            return Err(Error::parameter(format!("discount {rate} must be a finite annual rate of at least 0, such as 0.10 for 10 %")));
        }
        Ok(AnnualDiscount { rate })
    }

    /// The annual rate as a fraction.
    #[must_use]
    pub fn annual_rate(self) -> f64 {
        self.rate
    }

    /// The continuous rate per unit: ln(1 + d) / units per year.
    #[must_use]
    pub fn rate_per(self, unit: TimeUnit) -> f64 {
        self.rate.ln_1p() / unit.per_year()
    }
}

impl TryFrom<f64> for AnnualDiscount {
    type Error = Error;

    fn try_from(rate: f64) -> Result<Self> {
        AnnualDiscount::new(rate)
    }
}

impl From<AnnualDiscount> for f64 {
    fn from(discount: AnnualDiscount) -> Self {
        discount.rate
    }
}
