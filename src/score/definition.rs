//! What "customer lifetime value" means here: horizon, discount, margin, cost to serve. One definition, written down, used everywhere.

use std::str::FromStr;

use crate::error::{Error, Result};
use crate::time::{AnnualDiscount, Date, Horizon, TimeUnit};

/// The business definition of CLV: margin x discounted expected spend over the horizon that follows the observation end, less the cost to serve.
///
/// With D the expected purchases within the horizon and L the expected years within it until the customer drops out, both discounted to the observation end,
/// and E\[M\] the expected spend of a purchase:
///
/// CLV = margin x D x E\[M\] - cost_per_purchase x D - cost_per_year x L
///
/// Without costs, which is the default, that is margin x discounted expected spend; with them a CLV can be negative.
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
    /// What each purchase costs beyond the margin: picking, packing, payment.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Cost::is_zero"))]
    pub cost_per_purchase: Cost,
    /// What a year costs in which the customer has not dropped out: catalogues, support, an account.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Cost::is_zero"))]
    pub cost_per_year: Cost,
    /// The first purchase of somebody who is yet to be acquired: in what they are worth, or out of it.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "FirstPurchase::is_in"))]
    pub first_purchase: FirstPurchase,
}

impl Default for ClvDefinition {
    /// 12 months, 10 % a year, the whole spend, no cost to serve; new customers with their first purchase.
    fn default() -> Self {
        ClvDefinition {
            horizon: Horizon::months(12).expect("twelve is positive"),
            annual_discount: AnnualDiscount::new(0.10).expect("0.10 is a rate"),
            margin: Margin::default(),
            cost_per_purchase: Cost::default(),
            cost_per_year: Cost::default(),
            first_purchase: FirstPurchase::default(),
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

    /// Whether the CLV of every customer is the same by both: the first purchase of those yet to come is in none of them.
    #[must_use]
    pub fn values_customers_as(&self, other: &ClvDefinition) -> bool {
        *self == ClvDefinition { first_purchase: self.first_purchase, ..*other }
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
        Ok(ClvTerms {
            unit,
            horizon,
            discount_rate: self.annual_discount.rate_per(unit),
            margin: self.margin,
            cost_per_purchase: self.cost_per_purchase,
            cost_per_year: self.cost_per_year,
        })
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

/// A cost to serve, in the money of the amounts.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "serde", serde(try_from = "f64", into = "f64"))]
pub struct Cost(f64);

impl Cost {
    /// An amount of at least 0.
    ///
    /// # Errors
    /// When it is negative, infinite or no number.
    pub fn new(amount: f64) -> Result<Self> {
        if !(amount >= 0.0 && amount.is_finite()) {
            return Err(Error::parameter(format!(
                "cost {amount} must be an amount of money of at least 0, in the money of the amounts, such as 2.50"
            )));
        }
        // Not -0, which would be written as such.
        Ok(Cost(amount.abs()))
    }

    /// The amount.
    #[must_use]
    pub fn amount(self) -> f64 {
        self.0
    }

    /// Whether there is no cost.
    #[must_use]
    pub fn is_zero(&self) -> bool {
        self.0 == 0.0
    }
}

impl TryFrom<f64> for Cost {
    type Error = Error;

    fn try_from(amount: f64) -> Result<Self> {
        Cost::new(amount)
    }
}

impl From<Cost> for f64 {
    fn from(cost: Cost) -> Self {
        cost.0
    }
}

/// Whether the first purchase is part of what a new customer is worth. The CLV of those who are customers already begins after the observation end, and their
/// first purchase is never part of it.
///
/// ```
/// use clv::{ClvDefinition, FirstPurchase};
///
/// let with = ClvDefinition::default();
/// let without = ClvDefinition { first_purchase: "out".parse()?, ..with };
/// assert_eq!(with.first_purchase, FirstPurchase::In);
/// assert!(with != without && with.values_customers_as(&without));
/// # Ok::<(), clv::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum FirstPurchase {
    /// A new customer is worth their first purchase and the repeat purchases over the horizon.
    #[default]
    In,
    /// The repeat purchases alone: the first one is what the acquisition is paid for.
    Out,
}

impl FirstPurchase {
    /// Its name in a definition file.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            FirstPurchase::In => "in",
            FirstPurchase::Out => "out",
        }
    }

    /// Whether it counts.
    #[must_use]
    pub fn is_in(&self) -> bool {
        *self == FirstPurchase::In
    }
}

impl FromStr for FirstPurchase {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "in" => Ok(FirstPurchase::In),
            "out" => Ok(FirstPurchase::Out),
            _ => Err(Error::parameter(format!("first purchase {text:?} is not known; it is one of in, out"))),
        }
    }
}

/// A [`ClvDefinition`] in numbers of one unit of time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ClvTerms {
    unit: TimeUnit,
    horizon: f64,
    discount_rate: f64,
    margin: Margin,
    cost_per_purchase: Cost,
    cost_per_year: Cost,
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

    /// What each purchase costs beyond the margin.
    #[must_use]
    pub fn cost_per_purchase(&self) -> Cost {
        self.cost_per_purchase
    }

    /// What a year costs in which the customer has not dropped out.
    #[must_use]
    pub fn cost_per_year(&self) -> Cost {
        self.cost_per_year
    }

    /// Whether serving a customer costs anything beyond the margin.
    #[must_use]
    pub fn has_costs(&self) -> bool {
        !(self.cost_per_purchase.is_zero() && self.cost_per_year.is_zero())
    }

    /// The value of so many discounted purchases at this average amount, and so many discounted units of time as a customer.
    pub(super) fn value(&self, discounted_purchases: f64, average_amount: f64, discounted_time_alive: f64) -> f64 {
        let spend = self.margin.share() * discounted_purchases * average_amount;
        let per_unit = self.cost_per_year.amount() / self.unit.per_year();
        spend - self.cost_per_purchase.amount() * discounted_purchases - per_unit * discounted_time_alive
    }
}
