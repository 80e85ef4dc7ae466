//! Everything that decides what a CLV means, in one text and its hash.

use super::band_rule::{BandRule, listed};
use super::definition::ClvDefinition;
#[cfg(feature = "serde")]
use super::definition::FirstPurchase;
use crate::data::{DataReport, DuplicatePolicy, MergePeriod, RefundPolicy, SpendBasis};
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
            (FIRST_PURCHASE, text(first_purchase.name())),
            ("unit", text(unit.name())),
            ("spend_basis", text(spend_basis)),
        ];
        DefinitionInForce { settings }
    }

    /// Adds how a log was cleaned; of a summary that is not known.
    #[must_use]
    pub fn cleaned(self, report: Option<&DataReport>) -> Self {
        match report {
            Some(report) => self.cleaned_by(report.refunds, report.duplicates, report.merge),
            None => self,
        }
    }

    /// Adds the rules of cleaning.
    #[must_use]
    pub fn cleaned_by(mut self, refunds: RefundPolicy, duplicates: DuplicatePolicy, merge: MergePeriod) -> Self {
        self.settings.extend([("refunds", text(refunds.name())), (DUPLICATES, text(duplicates.name())), ("merge", text(merge.name()))]);
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

    /// Whether a hash that stands in a file is that of this definition; also one of before duplicates could be dropped, when they were kept, or of before the
    /// first purchase could be left out, when it always counted.
    #[cfg(feature = "serde")]
    pub(super) fn goes_by(&self, hash: &str) -> bool {
        let mut before = self.clone();
        let later = [(DUPLICATES, DuplicatePolicy::default().name()), (FIRST_PURCHASE, FirstPurchase::default().name())];
        before.hash() == hash
            || later.into_iter().any(|(name, default)| {
                let as_it_was = before.settings.iter().all(|setting| setting.0 != name || setting.1 == text(default));
                before.settings.retain(|setting| setting.0 != name || !as_it_was);
                as_it_was && before.hash() == hash
            })
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

/// Whether the first purchase of a customer to come counts.
const FIRST_PURCHASE: &str = "first_purchase";

/// What becomes of rows that repeat another one.
const DUPLICATES: &str = "duplicates";

/// Text as TOML writes it.
fn text(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(feature = "serde")]
    #[test]
    fn files_of_before_go_by_their_hash() {
        // As they were documented when the first purchase always counted, and when duplicates were always kept, of these settings and a margin of 0.3.
        const BEFORE: &str = "7016472c7a454871b6d824a2fb5b9c645c9b2c738931ad751889eee283b1722b";
        const KEPT: &str = "60f79a16424f7c7955886f7c4900759f12918e367b270e4abc048154eb1b5e4e";
        let definition = ClvDefinition { margin: crate::score::Margin::new(0.3).unwrap(), ..ClvDefinition::default() };
        let in_force = |definition: &ClvDefinition, duplicates| {
            DefinitionInForce::new(definition, TimeUnit::Week, SpendBasis::RepeatPurchases)
                .cleaned_by(RefundPolicy::Net, duplicates, MergePeriod::Day)
                .banded(Some(&BandRule::default()))
        };
        let now = in_force(&definition, DuplicatePolicy::Keep);
        assert!([BEFORE, KEPT, &now.hash()].iter().all(|hash| now.goes_by(hash)));
        let out = in_force(&ClvDefinition { first_purchase: FirstPurchase::Out, ..definition }, DuplicatePolicy::Keep);
        let dropped = in_force(&definition, DuplicatePolicy::Drop);
        for other in [out, dropped, in_force(&ClvDefinition::default(), DuplicatePolicy::Keep)] {
            assert!(other.goes_by(&other.hash()) && ![BEFORE, KEPT].iter().any(|hash| other.goes_by(hash)), "{other:?}");
        }
    }

    #[test]
    fn the_hash_is_that_of_the_text() {
        let definition = DefinitionInForce::new(&ClvDefinition::default(), TimeUnit::Week, SpendBasis::RepeatPurchases)
            .cleaned_by(RefundPolicy::Net, DuplicatePolicy::Keep, MergePeriod::Day)
            .banded(Some(&BandRule::default()));
        assert_eq!(
            definition.canonical(),
            "horizon = \"12 months\"\ndiscount = 0.1\nmargin = 1\ncost_per_purchase = 0\ncost_per_year = 0\nfirst_purchase = \"in\"\nunit = \"week\"\n\
             spend_basis = \"repeat\"\nrefunds = \"net\"\nduplicates = \"keep\"\nmerge = \"day\"\nbands = [\"high\", \"mid\", \"low\"]\nband_by = \"quantile\"\nband_limits = [0.8, 0.5]\n"
        );
        let other = DefinitionInForce::new(&ClvDefinition::default(), TimeUnit::Day, SpendBasis::RepeatPurchases);
        assert_eq!(other.differences(&definition), ["unit \"day\" instead of \"week\""]);
        #[cfg(feature = "serde")]
        assert!(definition.hash().len() == 64 && definition.hash() != other.hash());
    }
}
