//! Whether those who buy more often spend more per purchase, which the Gamma-Gamma model takes not to be so.

use statrs::distribution::{ContinuousCDF, Normal};

use super::gamma_gamma::GammaGamma;
use super::notice::{Notice, NoticeKind};
use super::spend_sample::{SpendRow, SpendSample};
use crate::data::SpendHistory;

/// Repeat buyers below which a rank correlation says nothing.
const FEWEST: f64 = 10.0;

/// A correlation that is surely there but smaller than this changes no decision.
const WORTH_SAYING: f64 = 0.1;

/// A bias of the first and of the last class below this changes no decision either.
const HARMLESS: f64 = 0.01;

/// The level of the interval that must leave 0 out before anything is said.
const LEVEL: f64 = 0.95;

/// The classes: from this number of purchases to the next one less 1.
const CLASSES: [u32; 5] = [1, 2, 3, 4, 7];

/// The relation of spend and frequency among repeat buyers, and what follows from leaving it out.
///
/// ```
/// # #[cfg(feature = "csv")] {
/// use clv::{Fit, GammaGamma, Observation, Sample, SpendByFrequency, SpendSample, TransactionLog};
///
/// let log = TransactionLog::from_csv("examples/data/cdnow_sample.csv")?;
/// let customers = log.summarize(&Observation::until("1997-09-30".parse()?).in_weeks())?;
/// let spend = SpendByFrequency::of(GammaGamma::fit(&customers)?.model(), &SpendSample::new(&customers)?).unwrap();
/// assert_eq!(format!("{:.3} ({:.3} to {:.3})", spend.spearman(), spend.interval().0, spend.interval().1), "0.164 (0.099 to 0.227)");
/// # }
/// # Ok::<(), clv::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct SpendByFrequency {
    spearman: f64,
    interval: (f64, f64),
    classes: Vec<FrequencyClass>,
}

/// Customers who bought about as often.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FrequencyClass {
    /// The fewest purchases of the class.
    pub from: u32,
    /// The most; `None` for the last class.
    pub to: Option<u32>,
    /// Customers, by weight.
    pub customers: f64,
    /// What a purchase of this class was worth on average.
    pub spent: f64,
    /// What the model expects of its next purchases; `None` where there is no mean.
    pub expected: Option<f64>,
}

impl FrequencyClass {
    /// By how much the model over- or undervalues the purchases of the class: 0.08 for 8 % too high.
    #[must_use]
    pub fn bias(&self) -> Option<f64> {
        self.expected.map(|expected| expected / self.spent - 1.0)
    }
}

impl SpendByFrequency {
    /// Of a sample and the model fitted to it; `None` with fewer than ten customers, or where all bought equally often or spent the same.
    #[must_use]
    pub fn of(model: &GammaGamma, sample: &SpendSample) -> Option<Self> {
        let rows: &[SpendRow] = &sample.rows().collect::<Vec<_>>();
        let n: f64 = rows.iter().map(|row| row.weight).sum();
        if n < FEWEST {
            return None;
        }
        // The mean of more amounts is less spread, and where amounts are skewed its median is higher: so not the mean itself is ranked but its place among
        // the means of as many purchases, which is uniform for every number of purchases if the model is right.
        let place = |row: &SpendRow| model.average_spend_cdf(u64::from(row.purchases), row.mean);
        let spearman = weighted_correlation(rows, &ranks(rows, |row| f64::from(row.purchases)), &ranks(rows, place))?;
        // Fisher's transformation; 1.06 instead of 1 for ranks (Fieller, Hartley & Pearson 1957).
        let half = Normal::standard().inverse_cdf(0.5 + 0.5 * LEVEL) * (1.06 / (n - 3.0)).sqrt();
        let at = spearman.clamp(-1.0 + 1e-12, 1.0 - 1e-12).atanh();
        let classes = CLASSES.iter().enumerate().filter_map(|(k, &from)| {
            let to = CLASSES.get(k + 1).map(|next| next - 1);
            let members = || rows.iter().filter(|row| row.purchases >= from && to.is_none_or(|to| row.purchases <= to));
            let purchases: f64 = members().map(|row| row.weight * f64::from(row.purchases)).sum();
            let spent: f64 = members().map(|row| row.weight * f64::from(row.purchases) * row.mean).sum();
            let expected: Option<f64> = members()
                .map(|row| {
                    let spend = SpendHistory::new(row.purchases, row.mean).ok()?;
                    Some(row.weight * f64::from(row.purchases) * model.expected_average_spend(&spend)?)
                })
                .sum();
            let customers = members().map(|row| row.weight).sum();
            let class = FrequencyClass { from, to, customers, spent: spent / purchases, expected: expected.map(|total| total / purchases) };
            (purchases > 0.0).then_some(class)
        });
        Some(SpendByFrequency { spearman, interval: ((at - half).tanh(), (at + half).tanh()), classes: classes.collect() })
    }

    /// Spearman's rank correlation, among repeat buyers, of the purchase count and the place of the mean spend in the distribution the model gives it for
    /// that count. 0 but for chance if spend and frequency are unrelated, which that with the mean spend itself is not.
    #[must_use]
    pub fn spearman(&self) -> f64 {
        self.spearman
    }

    /// Its 95 % interval.
    #[must_use]
    pub fn interval(&self) -> (f64, f64) {
        self.interval
    }

    /// What the model makes of customers who bought once, twice, three times, four to six times, more often; classes without customers are left out.
    #[must_use]
    pub fn classes(&self) -> &[FrequencyClass] {
        &self.classes
    }

    /// What there is to say: nothing while the interval holds 0, or the correlation is too small to matter.
    pub(super) fn notice(&self) -> Option<Notice> {
        let (low, high) = self.interval;
        if low <= 0.0 && high >= 0.0 || self.spearman.abs() < WORTH_SAYING {
            return None;
        }
        let (first, last) = (self.classes.first()?, self.classes.last()?);
        // What the model makes of the classes is right all the same.
        if [first, last].iter().all(|class| class.bias().is_some_and(|bias| bias.abs() < HARMLESS)) {
            return None;
        }
        let words = |class: &FrequencyClass| {
            let bias = class.bias()?;
            let purchases = match class.to {
                Some(to) if to == class.from => format!("{to} repeat purchase{}", if to == 1 { "" } else { "s" }),
                Some(to) => format!("{} to {to} repeat purchases", class.from),
                None => format!("{} or more", class.from),
            };
            Some(format!("{:.0} % too {} for those with {purchases}", 100.0 * bias.abs(), if bias > 0.0 { "high" } else { "low" }))
        };
        let effect = match (words(first), words(last)) {
            (Some(one), Some(other)) if self.classes.len() > 1 => format!(": it values a purchase {one}, {other}"),
            _ => String::new(),
        };
        Some(Notice::new(
            NoticeKind::SpendDependsOnFrequency,
            format!(
                "customers who buy more often spend {} per purchase (rank correlation {:+.2}, 95 % from {low:+.2} to {high:+.2}), which the spend model \
                 takes to be unrelated{effect}; take care with the value of single customers, or fit groups apart",
                if self.spearman > 0.0 { "more" } else { "less" },
                self.spearman
            ),
        ))
    }
}

/// The mid-rank of every row, each row standing for as many customers as its weight.
fn ranks(rows: &[SpendRow], key: impl Fn(&SpendRow) -> f64) -> Vec<f64> {
    let mut order: Vec<usize> = (0..rows.len()).collect();
    order.sort_by(|&i, &j| key(&rows[i]).total_cmp(&key(&rows[j])));
    let mut ranks = vec![0.0; rows.len()];
    let (mut start, mut below) = (0, 0.0);
    while start < order.len() {
        let value = key(&rows[order[start]]);
        let tied = order[start..].iter().take_while(|&&i| key(&rows[i]) == value).count();
        let weight: f64 = order[start..start + tied].iter().map(|&i| rows[i].weight).sum();
        for &i in &order[start..start + tied] {
            ranks[i] = below + 0.5 * weight;
        }
        below += weight;
        start += tied;
    }
    ranks
}

/// Pearson's correlation, rows weighted; `None` when one side does not vary.
fn weighted_correlation(rows: &[SpendRow], one: &[f64], other: &[f64]) -> Option<f64> {
    let n: f64 = rows.iter().map(|row| row.weight).sum();
    let mean = |values: &[f64]| rows.iter().zip(values).map(|(row, value)| row.weight * value).sum::<f64>() / n;
    let (mean_one, mean_other) = (mean(one), mean(other));
    let product = |left: &[f64], left_mean: f64, right: &[f64], right_mean: f64| -> f64 {
        rows.iter().zip(left.iter().zip(right)).map(|(row, (l, r))| row.weight * (l - left_mean) * (r - right_mean)).sum()
    };
    let (v, w) = (product(one, mean_one, one, mean_one), product(other, mean_other, other, mean_other));
    (v > 0.0 && w > 0.0).then(|| product(one, mean_one, other, mean_other) / (v * w).sqrt())
}
