//! Whether those who buy more often spend more per purchase, which the Gamma-Gamma model takes not to be so.

use statrs::distribution::{ContinuousCDF, Normal};

use super::gamma_gamma::GammaGamma;
use super::notice::{Notice, NoticeKind};
use super::sample::{Sample, evenly_spaced};
use super::spend_sample::{SpendRow, SpendSample};
use crate::data::SpendHistory;

/// Repeat buyers below which a rank correlation says nothing.
const FEWEST: f64 = 10.0;

/// A correlation that is surely there but smaller than this changes no decision.
const WORTH_SAYING: f64 = 0.1;

/// A bias of the first and of the last class below this changes no decision either.
const HARMLESS: f64 = 0.01;

/// The place of a mean spend among others takes an integral: of a larger sample so many customers are looked at, which leaves the correlation open by 0.03 at
/// most, against [`WORTH_SAYING`].
const LOOKED_AT: usize = 4_096;

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
    ///
    /// With more than 4,096 distinct spend histories the correlation and its interval are those of 4,096 customers, evenly spaced in the order of purchase count and
    /// mean spend: the same ones whatever the order of the customers was. The classes are always those of all customers.
    #[must_use]
    pub fn of(model: &GammaGamma, sample: &SpendSample) -> Option<Self> {
        let rows = some_of(sample, LOOKED_AT);
        let n: f64 = rows.iter().map(|row| row.weight).sum();
        if n < FEWEST {
            return None;
        }
        let spearman = correlation(model, &rows)?;
        // Fisher's transformation; 1.06 instead of 1 for ranks (Fieller, Hartley & Pearson 1957).
        let half = Normal::standard().inverse_cdf(0.5 + 0.5 * LEVEL) * (1.06 / (n - 3.0)).sqrt();
        let at = spearman.clamp(-1.0 + 1e-12, 1.0 - 1e-12).atanh();
        let interval = ((at - half).tanh(), (at + half).tanh());
        Some(SpendByFrequency { spearman, interval, classes: classes(model, sample) })
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

/// All rows of a sample of no more than `most`; of a larger one, rows that stand for one customer each, evenly spaced over the customers in order.
fn some_of(sample: &SpendSample, most: usize) -> Vec<SpendRow> {
    if sample.rows().len() <= most {
        return sample.rows().collect();
    }
    let step = (sample.customers() / most as f64).max(1.0);
    let weights = evenly_spaced(sample.rows().map(|row| row.weight), step);
    sample.rows().zip(weights).filter(|(_, weight)| *weight > 0.0).map(|(row, weight)| SpendRow { weight, ..row }).collect()
}

/// The rank correlation of the purchase count and the place of the mean spend.
fn correlation(model: &GammaGamma, rows: &[SpendRow]) -> Option<f64> {
    // The mean of more amounts is less spread, and where amounts are skewed its median is higher: so not the mean itself is ranked but its place among the
    // means of as many purchases, which is uniform for every number of purchases if the model is right.
    let place = |row: &SpendRow| model.average_spend_cdf(u64::from(row.purchases), row.mean);
    weighted_correlation(rows, &ranks(rows, |row| f64::from(row.purchases)), &ranks(rows, place))
}

/// The classes that have customers, and what the model makes of them.
fn classes(model: &GammaGamma, sample: &SpendSample) -> Vec<FrequencyClass> {
    let mut rows = sample.rows().peekable();
    let mut classes = Vec::new();
    for (k, &from) in CLASSES.iter().enumerate() {
        let to = CLASSES.get(k + 1).map(|next| next - 1);
        let (mut customers, mut purchases, mut spent, mut expected) = (0.0, 0.0, 0.0, Some(0.0));
        // Rows are in the order of their purchase counts.
        while let Some(row) = rows.next_if(|row| to.is_none_or(|to| row.purchases <= to)) {
            let of_row = row.weight * f64::from(row.purchases);
            customers += row.weight;
            purchases += of_row;
            spent += of_row * row.mean;
            let average = SpendHistory::new(row.purchases, row.mean).ok().and_then(|spend| model.expected_average_spend(&spend));
            expected = expected.zip(average).map(|(sum, average)| sum + of_row * average);
        }
        if purchases > 0.0 {
            classes.push(FrequencyClass { from, to, customers, spent: spent / purchases, expected: expected.map(|sum| sum / purchases) });
        }
    }
    classes
}

/// The mid-rank of every row, each row standing for as many customers as its weight.
fn ranks(rows: &[SpendRow], key: impl Fn(&SpendRow) -> f64) -> Vec<f64> {
    let keys: Vec<f64> = rows.iter().map(key).collect();
    let mut order: Vec<usize> = (0..rows.len()).collect();
    order.sort_by(|&i, &j| keys[i].total_cmp(&keys[j]));
    let mut ranks = vec![0.0; rows.len()];
    let mut below = 0.0;
    for tied in order.chunk_by(|&i, &j| keys[i] == keys[j]) {
        let weight: f64 = tied.iter().map(|&i| rows[i].weight).sum();
        for &i in tied {
            ranks[i] = below + 0.5 * weight;
        }
        below += weight;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Customer, Customers, History};
    use crate::models::GammaGammaParams;
    use crate::time::TimeUnit;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    #[test]
    fn customers_evenly_spaced_tell_the_correlation_of_all() {
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        let mut customers = Customers::new(TimeUnit::Week);
        for i in 0..20_000 {
            let x = 1 + (-3.0 * rng.random::<f64>().ln()) as u32;
            let average_spend = 20.0 * (1.0 + 0.1 * f64::from(x)) * -(rng.random::<f64>() * rng.random::<f64>()).ln();
            let history = History::new(x, 20.0, 39.0).unwrap();
            customers.push(Customer { id: &i.to_string(), history, average_spend, weight: 1.0, purchases: None }).unwrap();
        }
        let model = GammaGamma::new(GammaGammaParams { p: 1.5, q: 4.0, gamma: 80.0 }).unwrap();
        let sample = SpendSample::new(&customers).unwrap();
        let some = some_of(&sample, LOOKED_AT);
        assert_eq!(some.iter().map(|row| row.weight).sum::<f64>(), LOOKED_AT as f64);
        let all: Vec<SpendRow> = sample.rows().collect();
        assert_eq!(some_of(&sample, all.len()).len(), all.len());
        let (of_some, of_all) = (correlation(&model, &some).unwrap(), correlation(&model, &all).unwrap());
        // What chance leaves open by 0.03 is told to within less, since the customers are evenly spaced.
        assert!(of_all.abs() > 0.1 && (of_some - of_all).abs() < 0.01, "{of_some} of some, {of_all} of all");
    }
}
