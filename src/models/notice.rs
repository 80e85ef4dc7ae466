//! Concerns that do not invalidate a fit or a model, in words a manager can act upon.

use std::fmt;

/// What a notice is about.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum NoticeKind {
    /// A parameter has no finite estimate: the fit ended at a bound.
    AtBoundary,
    /// The likelihood hardly changes along some direction: single parameters mean little, their combination is what was learned.
    FlatRidge,
    /// The mean spend over customers is infinite (Gamma-Gamma with q <= 1).
    InfiniteMeanSpend,
    /// The estimate rests on few customers who came back.
    FewRepeatBuyers,
    /// One customer moves a parameter by more than a standard error.
    OutlyingCustomer,
    /// All customers spend the same, so nothing can be learned about how spend differs.
    EqualSpends,
    /// Those who buy more often spend more, or less, per purchase; the spend model takes the two to be unrelated.
    SpendDependsOnFrequency,
    /// The likelihood takes observations for independent that may be of the same customers: its standard errors are then not right.
    CompositeLikelihood,
    /// Of a list of every customer far fewer bought nothing than the fit makes likely: it may be a list of those who bought.
    FewSilent,
    /// A group's estimate is mostly that of all groups together.
    MostlyOtherGroups,
}

/// A concern, typed for programs and worded for people.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "serde", serde(deny_unknown_fields))]
pub struct Notice {
    /// What it is about.
    pub kind: NoticeKind,
    /// What it means and what to do.
    pub message: String,
}

impl Notice {
    pub(crate) fn new(kind: NoticeKind, message: impl Into<String>) -> Self {
        Notice { kind, message: message.into() }
    }
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}
