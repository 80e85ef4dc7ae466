//! Which purchases an average spend is the mean of.

/// Which purchases the average spend is the mean of. The answer changes, so it is part of the data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum SpendBasis {
    /// The repeat purchases: the first one, often a trial or a promotion, is left out. The field's convention.
    #[default]
    RepeatPurchases,
    /// All purchases, the first included.
    AllPurchases,
}

impl SpendBasis {
    /// How many purchases stand behind the mean of a customer with `frequency` repeat purchases.
    #[must_use]
    pub fn purchases(self, frequency: u32) -> u32 {
        match self {
            SpendBasis::RepeatPurchases => frequency,
            SpendBasis::AllPurchases => frequency.saturating_add(1),
        }
    }
}
