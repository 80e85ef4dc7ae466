//! Samples drawn anew: as many customers as a model was fitted to, seen in the same way, with another chance. For the parametric bootstrap.

use std::collections::BTreeMap;

use rand::Rng;

use super::customer_traits::{CustomerTraits, MOST_PURCHASES};
use super::story::Simulate;
use crate::data::{CrossSection, CustomerList, History, LeftTruncated, PeriodCounts};
use crate::error::{Error, Result};
use crate::models::{
    CensoredLikelihood, CensoredSample, Counted, Estimable, GammaGamma, PurchaseSample, SeenThrough, SpendSample, check_redrawn,
    draw_copies,
};

/// A model that can draw the sample it was fitted to anew: as many customers, observed for as long, with another chance.
pub trait Redraw: Estimable {
    /// Draws a sample of the same size from this model.
    ///
    /// # Errors
    /// When what was drawn holds nothing to fit.
    fn redraw<R: Rng>(&self, sample: &Self::Sample, rng: &mut R) -> Result<Self::Sample>;
}

/// Draws the purchases of a customer up to an age. Cut short, the last one would look like the last one before dropout: so there is an end, and an error.
fn for_each_purchase<R: Rng>(traits: CustomerTraits, age: f64, rng: &mut R, each: impl FnMut(f64)) -> Result<()> {
    let mut times = traits.purchase_times(age, rng);
    times.by_ref().take(MOST_PURCHASES as usize).for_each(each);
    match times.next() {
        None => Ok(()),
        Some(_) => Err(Error::fit(format!("a customer was drawn who buys more than {MOST_PURCHASES} times"))),
    }
}

impl<M: Simulate + Estimable<Sample = PurchaseSample>> Redraw for M {
    fn redraw<R: Rng>(&self, sample: &PurchaseSample, rng: &mut R) -> Result<PurchaseSample> {
        sample.redrawn(rng, |age, rng| {
            let traits = self.draw_traits(rng);
            let (mut x, mut t_x) = (0, 0.0);
            for_each_purchase(traits, age, rng, |time| (x, t_x) = (x + 1, time))?;
            Ok((x, t_x))
        })
    }
}

impl Redraw for GammaGamma {
    fn redraw<R: Rng>(&self, sample: &SpendSample, rng: &mut R) -> Result<SpendSample> {
        sample.redrawn(rng, |purchases, rng| self.draw_spender(rng).draw_mean_amount(purchases, rng))
    }
}

/// Draws of a customer who was born before the log and must be seen in it, before it is taken for impossible.
const MOST_TRIES: u32 = 1_000_000;

impl<M, L> Redraw for SeenThrough<M, LeftTruncated<L>>
where
    M: Simulate + CensoredLikelihood<LeftTruncated<L>>,
    L: CustomerList,
{
    fn redraw<R: Rng>(&self, sample: &CensoredSample<LeftTruncated<L>>, rng: &mut R) -> Result<CensoredSample<LeftTruncated<L>>> {
        sample.redrawn(rng, |row, rng| {
            let (before, length) = (row.before(), row.history().age());
            for _ in 0..MOST_TRIES {
                let traits = self.model().draw_traits(rng);
                let (mut x, mut last) = (0, 0.0);
                for_each_purchase(traits, before + length, rng, |time| {
                    if time > before {
                        (x, last) = (x + 1, time - before);
                    }
                })?;
                if x > 0 || !row.is_selected() {
                    let history = History::new(x, f64::min(last, length), length)?;
                    return if before > 0.0 {
                        LeftTruncated::born_before(before, history)
                    } else {
                        Ok(LeftTruncated::born_within(history))
                    };
                }
            }
            Err(Error::fit(format!("by this model next to nobody born {before} before a log of {length} is seen in it")))
        })
    }
}

impl<M> Redraw for SeenThrough<M, PeriodCounts>
where
    M: Simulate + CensoredLikelihood<PeriodCounts>,
{
    /// Of periods of one length ([`PeriodCounts::regular_ends`]); an error where a customer has others.
    fn redraw<R: Rng>(&self, sample: &CensoredSample<PeriodCounts>, rng: &mut R) -> Result<CensoredSample<PeriodCounts>> {
        sample.redrawn(rng, |row, rng| {
            // Who was born on the last day has no period in which chance could count anything else.
            if row.age() == 0.0 {
                return Ok(*row);
            }
            let ends = row.regular_ends().ok_or_else(|| {
                Error::parameter(
                    "periods of several lengths are not kept, and customers cannot be counted in them anew; draw the customers themselves: Resampling::Cases",
                )
            })?;
            let mut counts = vec![0; ends.len()];
            let traits = self.model().draw_traits(rng);
            for_each_purchase(traits, row.age(), rng, |time| counts[ends.partition_point(|end| *end < time)] += 1)?;
            PeriodCounts::new(&ends, &counts)
        })
    }
}

impl<M> Redraw for SeenThrough<M, CrossSection>
where
    M: Simulate + CensoredLikelihood<CrossSection>,
{
    /// The histograms of a cohort count the same customers again.
    fn redraw<R: Rng>(&self, sample: &CensoredSample<CrossSection>, rng: &mut R) -> Result<CensoredSample<CrossSection>> {
        let mut cells: Vec<(CrossSection, f64)> = Vec::new();
        for Counted { customers, periods } in sample.counted() {
            check_redrawn(customers)?;
            let end = periods.iter().map(|period| period.period().0 + period.period().1).fold(0.0, f64::max);
            let mut histograms: Vec<BTreeMap<u32, u64>> = vec![BTreeMap::new(); periods.len()];
            for _ in 0..draw_copies(customers, rng) {
                let mut bought = vec![0; periods.len()];
                let traits = self.model().draw_traits(rng);
                for_each_purchase(traits, end, rng, |time| {
                    // The last period that starts before it, unless it has ended.
                    let begun = periods.partition_point(|period| period.period().0 < time);
                    let within = |period: &CrossSection| time <= period.period().0 + period.period().1;
                    if let Some(k) = begun.checked_sub(1).filter(|&k| within(&periods[k])) {
                        bought[k] += 1;
                    }
                })?;
                for (k, &purchases) in bought.iter().enumerate() {
                    *histograms[k].entry(periods[k].of_purchases(purchases).purchases()).or_default() += 1;
                }
            }
            for (period, histogram) in periods.iter().zip(&histograms) {
                cells.extend(histogram.iter().map(|(&purchases, &count)| (period.of_purchases(purchases), count as f64)));
            }
        }
        CensoredSample::of_rows(cells.into_iter())
    }
}
