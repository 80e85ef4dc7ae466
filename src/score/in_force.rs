//! Everything that decides what a CLV means, in one text and its hash.

use super::bands::{BandRule, listed};
use super::definition::ClvDefinition;
use crate::data::{DataReport, MergePeriod, RefundPolicy, SpendBasis};
use crate::time::TimeUnit;

/// The definition of value with all that a number depends on besides the data and the models: two numbers under one hash mean the same.
///
/// ```
/// use clv::{ClvDefinition, DefinitionInForce, SpendBasis, TimeUnit};
///
/// let definition = DefinitionInForce::new(&ClvDefinition::default(), TimeUnit::Week, SpendBasis::RepeatPurchases);
/// assert!(definition.canonical().starts_with("horizon = \"12 months\"\ndiscount = 0.1\nmargin = 1\n"));
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct DefinitionInForce {
    /// Names and values as in a definition file, in a fixed order.
    settings: Vec<(&'static str, String)>,
}

impl DefinitionInForce {
    /// Of customers measured in this unit, with spends over these purchases.
    #[must_use]
    pub fn new(definition: &ClvDefinition, unit: TimeUnit, spend_basis: SpendBasis) -> Self {
        let ClvDefinition { horizon, annual_discount, margin, cost_per_purchase, cost_per_year, first_purchase } = definition;
        let spend_basis = match spend_basis {
            SpendBasis::RepeatPurchases => "repeat",
            SpendBasis::AllPurchases => "all",
        };
        let settings = vec![
            ("horizon", text(&horizon.to_string())),
            ("discount", annual_discount.annual_rate().to_string()),
            ("margin", margin.share().to_string()),
            ("cost_per_purchase", cost_per_purchase.amount().to_string()),
            ("cost_per_year", cost_per_year.amount().to_string()),
            ("first_purchase", text(first_purchase.name())),
            ("unit", text(unit.name())),
            ("spend_basis", text(spend_basis)),
        ];
        DefinitionInForce { settings }
    }

    /// Adds how a log was cleaned; of a summary that is not known.
    #[must_use]
    pub fn cleaned(self, report: Option<&DataReport>) -> Self {
        match report {
            Some(report) => self.cleaned_by(report.refunds, report.merge),
            None => self,
        }
    }

    /// Adds the rules of cleaning.
    #[must_use]
    pub fn cleaned_by(mut self, refunds: RefundPolicy, merge: MergePeriod) -> Self {
        self.settings.extend([("refunds", text(refunds.name())), ("merge", text(merge.name()))]);
        self
    }

    /// Adds the bands of value, where there are any.
    #[must_use]
    pub fn banded(mut self, rule: Option<&BandRule>) -> Self {
        if let Some(rule) = rule {
            let names: Vec<String> = rule.names().map(text).collect();
            self.settings.push(("bands", format!("[{}]", names.join(", "))));
            self.settings.push(("band_by", text(rule.by().name())));
            self.settings.push(("band_limits", format!("[{}]", listed(rule.at()).replace(',', ", "))));
            self.settings.extend(rule.confidence().map(|confidence| ("band_confidence", confidence.to_string())));
        }
        self
    }

    /// The settings: names and values as in a definition file.
    pub fn settings(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.settings.iter().map(|(name, value)| (*name, value.as_str()))
    }

    /// One line per setting, `name = value`, in a fixed order: what is hashed, and a definition file.
    #[must_use]
    pub fn canonical(&self) -> String {
        self.settings.iter().map(|(name, value)| format!("{name} = {value}\n")).collect()
    }

    /// SHA-256 of the canonical text, in hexadecimal.
    #[cfg(feature = "serde")]
    #[must_use]
    pub fn hash(&self) -> String {
        use sha2::{Digest, Sha256};
        Sha256::digest(self.canonical()).iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Where this one differs from another, in words; what only one of them knows is left out.
    #[must_use]
    pub fn differences(&self, other: &DefinitionInForce) -> Vec<String> {
        let theirs = |name: &str| other.settings.iter().find(|(known, _)| *known == name).map(|(_, value)| value);
        let differs = |(name, value): &(&'static str, String)| {
            theirs(name).filter(|theirs| *theirs != value).map(|theirs| format!("{name} {value} instead of {theirs}"))
        };
        self.settings.iter().filter_map(differs).collect()
    }
}

/// Text as TOML writes it.
fn text(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_that_of_the_text() {
        let definition = DefinitionInForce::new(&ClvDefinition::default(), TimeUnit::Week, SpendBasis::RepeatPurchases)
            .cleaned_by(RefundPolicy::Net, MergePeriod::Day)
            .banded(Some(&BandRule::default()));
        assert_eq!(
            definition.canonical(),
            "horizon = \"12 months\"\ndiscount = 0.1\nmargin = 1\ncost_per_purchase = 0\ncost_per_year = 0\nfirst_purchase = \"in\"\nunit = \"week\"\n\
             spend_basis = \"repeat\"\nrefunds = \"net\"\nmerge = \"day\"\nbands = [\"high\", \"mid\", \"low\"]\nband_by = \"quantile\"\nband_limits = [0.8, 0.5]\n"
        );
        let other = DefinitionInForce::new(&ClvDefinition::default(), TimeUnit::Day, SpendBasis::RepeatPurchases);
        assert_eq!(other.differences(&definition), ["unit \"day\" instead of \"week\""]);
        #[cfg(feature = "serde")]
        assert!(definition.hash().len() == 64 && definition.hash() != other.hash());
    }
}
