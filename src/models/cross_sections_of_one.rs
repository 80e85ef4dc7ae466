//! Repeated cross-sections of the same customers: how the gradient of their composite likelihood varies.
//!
//! # Formulas
//! ln L adds ln P_k(n_k) of every customer and period k as if a customer's periods were independent. Its gradient is a sum over customers of U = sum_k u_k(n_k), where u_k(n) is
//! the gradient of ln P_k(n). Each u_k has mean 0, so over cohorts of N customers each
//! ```text
//! H = sum N sum_k E[u_k u_k'],    J = H + sum N sum_{k<l} (C_kl + C_kl'),    C_kl = E[u_k(n_k) u_l(n_l)']
//! ```
//! and the estimate varies by H^-1 J H^-1, H the expected curvature of ln L (Godambe 1960; Varin, Reid & Firth 2011, section 2.3). The histograms do not say who bought how often in both
//! periods; the model does. Who buys in the later period l was alive during all of the earlier one: for m > 0
//! ```text
//! P(n_k = n, n_l = m) = P_NBD(n in d_k; r, alpha) (beta/(beta+t_l))^s P(m in the first period of length d_l; r+n, alpha+d_k, s, beta+t_l)
//! ```
//! What is left of P_k(n) is m = 0, and what is left of P_l(m) is the open cell of k. A histogram without an open cell gets one here, of the many purchases that hardly anybody makes: what a
//! coarser histogram tells is a little less, never more.

use ndarray::Array2;

use super::censored_likelihood::CensoredLikelihood;
use super::censored_sample::CensoredSample;
use super::estimable::CompositeScore;
use super::pareto_nbd::ParetoNbd;
use super::purchase_model::PurchaseModel;
use crate::data::{Censored, CrossSection, History};
use crate::parallel::map_indices;

/// Purchases that have no larger probability together are one cell: telling them apart would add less than a thousandth to H.
const TAIL: f64 = 1e-6;

/// From here on purchases are one cell whatever their probability: the work goes with the square of the cells.
const MOST_CELLS: u32 = 200;

/// Customers who were counted in some periods, from the earliest on.
#[derive(Debug, Clone)]
pub(crate) struct Counted {
    pub(crate) customers: f64,
    /// The cell of those without a purchase, of each period.
    pub(crate) periods: Vec<CrossSection>,
}

impl CensoredSample<CrossSection> {
    /// The histograms by the customers they count: of each cohort together, and each of which that is not known alone.
    pub(crate) fn counted(&self) -> Vec<Counted> {
        let mut histograms: Vec<(CrossSection, f64)> = Vec::new();
        for (row, weight) in self.rows() {
            let empty = row.of_purchases(0);
            match histograms.iter_mut().find(|(known, _)| *known == empty) {
                Some((_, customers)) => *customers += weight,
                None => histograms.push((empty, weight)),
            }
        }
        let order = |row: &CrossSection| (row.cohort().map_or(-1.0, f64::from), row.period().0, row.period().1);
        histograms.sort_by(|(one, _), (other, _)| {
            let (one, other) = (order(one), order(other));
            one.0.total_cmp(&other.0).then(one.1.total_cmp(&other.1)).then(one.2.total_cmp(&other.2))
        });
        let mut counted: Vec<Counted> = Vec::new();
        for (period, customers) in histograms {
            match counted.last_mut() {
                Some(last) if period.cohort().is_some() && last.periods[0].cohort() == period.cohort() => last.periods.push(period),
                _ => counted.push(Counted { customers, periods: vec![period] }),
            }
        }
        counted
    }
}

/// A cell of a histogram: its probability, and the gradient of the logarithm of that.
struct Cell {
    row: CrossSection,
    probability: f64,
    score: [f64; 4],
}

impl ParetoNbd {
    /// J and H.
    pub(super) fn score_of_cross_sections(&self, counted: &[Counted]) -> CompositeScore {
        let cells: Vec<Vec<Vec<Cell>>> =
            map_indices(counted.len(), |c| counted[c].periods.iter().map(|period| self.cells(period)).collect());
        let mut information = Array2::zeros((4, 4));
        let mut pairs = Vec::new();
        for (c, of_periods) in cells.iter().enumerate() {
            for cell in of_periods.iter().flatten() {
                add(&mut information, counted[c].customers * cell.probability, cell, cell);
            }
            pairs.extend((1..of_periods.len()).flat_map(|l| (0..l).map(move |k| (c, k, l))));
        }
        // Each pair of periods has a sum of its own, and these are added in order: the result does not depend on the number of threads.
        let covariances = map_indices(pairs.len(), |pair| {
            let (c, k, l) = pairs[pair];
            let mut covariance = Array2::zeros((4, 4));
            self.for_each_pair(&cells[c][k], &cells[c][l], |probability, one, other| {
                add(&mut covariance, counted[c].customers * probability, one, other);
            });
            covariance
        });
        let variance = covariances.iter().fold(information.clone(), |sum, covariance| sum + covariance + covariance.t());
        CompositeScore { variance, information }
    }

    /// The last one is open.
    fn cells(&self, period: &CrossSection) -> Vec<Cell> {
        let most = if period.open_from() > 0 { period.open_from().min(MOST_CELLS) } else { MOST_CELLS };
        let (mut cells, mut left) = (Vec::new(), 1.0);
        for purchases in 0..most {
            if purchases > 0 && left < TAIL {
                break;
            }
            let cell = self.cell(period.of_purchases(purchases));
            left -= cell.probability;
            cells.push(cell);
        }
        cells.push(self.cell(period.of_at_least(cells.len() as u32)));
        cells
    }

    fn cell(&self, row: CrossSection) -> Cell {
        let jet = self.censored_jet(&row);
        Cell { row, probability: (jet.value + row.ln_constant()).exp(), score: jet.gradient }
    }

    /// The cells of an earlier and a later period with the probability of both.
    fn for_each_pair(&self, earlier: &[Cell], later: &[Cell], mut each: impl FnMut(f64, &Cell, &Cell)) {
        let mut left_of_later: Vec<f64> = later.iter().map(|cell| cell.probability).collect();
        for one in earlier {
            let joint = |other: &Cell, left: f64| if one.row.is_open() { left } else { self.both(&one.row, &other.row) };
            let mut left = one.probability;
            for (other, left_of_other) in later.iter().zip(&mut left_of_later).skip(1) {
                let probability = joint(other, *left_of_other);
                (left, *left_of_other) = (left - probability, *left_of_other - probability);
                each(probability, one, other);
            }
            each(left, one, &later[0]);
        }
    }

    /// P(exactly so many purchases in the earlier period, and those of the other cell, more than 0, in the later one).
    fn both(&self, earlier: &CrossSection, later: &CrossSection) -> f64 {
        let ((_, length), (since, _)) = (earlier.period(), later.period());
        let bought = History::after_checks(earlier.purchases(), 0.0, length);
        // Periods that follow each other may overlap by a rounding.
        let alive = self.given_alive(&bought).older_by((since - length).max(0.0));
        let (purchases, (_, length_then)) = (u64::from(later.purchases()), later.period());
        let then = if later.is_open() { alive.purchase_sf(purchases - 1, length_then) } else { alive.purchase_pmf(purchases, length_then) };
        self.without_dropout().purchase_pmf(earlier.purchases().into(), length) * self.p_alive_at(since) * then
    }
}

/// Adds `weight` times u v' of the gradients of two cells.
fn add(sum: &mut Array2<f64>, weight: f64, one: &Cell, other: &Cell) {
    for ((i, j), entry) in sum.indexed_iter_mut() {
        *entry += weight * one.score[i] * other.score[j];
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{CensoredCustomers, LastCell};
    use crate::models::{ParetoNbdParams, Sample};
    use crate::time::TimeUnit;

    /// Two periods of one cohort with a gap between them; the last cell is open in the second one.
    fn two_periods() -> (ParetoNbd, Vec<Counted>) {
        let mut table = CensoredCustomers::<CrossSection>::new(TimeUnit::Week);
        table.push_cohort_histogram(3, 30.0, 13.0, &[700, 200, 100], LastCell::OrMore, 1000).unwrap();
        table.push_cohort_histogram(3, 5.0, 20.0, &[500, 300, 200], LastCell::Exactly, 1000).unwrap();
        let model = ParetoNbd::new(ParetoNbdParams { r: 0.55, alpha: 10.6, s: 0.61, beta: 11.7 }).unwrap();
        (model, CensoredSample::new(&table).unwrap().counted())
    }

    #[test]
    fn the_histograms_of_a_cohort_are_together_in_order_of_time() {
        let (_, counted) = two_periods();
        assert_eq!((counted.len(), counted[0].customers), (1, 1000.0));
        assert_eq!(counted[0].periods.iter().map(CrossSection::period).collect::<Vec<_>>(), [(5.0, 20.0), (30.0, 13.0)]);
    }

    #[test]
    fn the_probabilities_of_both_periods_sum_to_those_of_each() {
        let (model, counted) = two_periods();
        let cells: Vec<Vec<Cell>> = counted[0].periods.iter().map(|period| model.cells(period)).collect();
        let (earlier, later) = (&cells[0], &cells[1]);
        assert!(earlier.len() > 20 && later.len() == 3);
        // What is left of a period is not part of this: the sum over the earlier period is of cells worked out one by one, up to a probability of 1e-20.
        for other in &later[1..] {
            let sum: f64 = (0..100).map(|purchases| model.both(&counted[0].periods[0].of_purchases(purchases), &other.row)).sum();
            assert!((sum - other.probability).abs() < 1e-9, "{sum} for {}", other.probability);
        }
        let (mut all, mut mean) = (0.0, [0.0; 4]);
        model.for_each_pair(earlier, later, |probability, one, other| {
            assert!(probability > -1e-12);
            all += probability;
            for (mean, (one, other)) in mean.iter_mut().zip(one.score.iter().zip(&other.score)) {
                *mean += probability * (one + other);
            }
        });
        assert!((all - 1.0).abs() < 1e-9 && mean.iter().all(|mean| mean.abs() < 1e-8), "{all} {mean:?}");
    }

    /// Customers who buy a thousand times, of whom no number of purchases is likely, and histograms with more cells than are looked at.
    #[test]
    fn the_work_is_bounded_and_nothing_is_left_out() {
        let model = ParetoNbd::new(ParetoNbdParams { r: 0.5, alpha: 0.01, s: 0.61, beta: 11.7 }).unwrap();
        for last in [LastCell::Exactly, LastCell::OrMore] {
            let mut table = CensoredCustomers::<CrossSection>::new(TimeUnit::Week);
            for since in [0.0, 13.0] {
                table.push_cohort_histogram(3, since, 13.0, &[1; 1_000], last, 1_000).unwrap();
            }
            let counted = CensoredSample::new(&table).unwrap().counted();
            let cells: Vec<Vec<Cell>> = counted[0].periods.iter().map(|period| model.cells(period)).collect();
            assert!(cells.iter().all(|cells| cells.len() == MOST_CELLS as usize + 1));
            assert!(cells[0].last().is_some_and(|cell| cell.probability > 0.1), "the rest is small");
            let mut all = 0.0;
            model.for_each_pair(&cells[0], &cells[1], |probability, _, _| all += probability);
            assert!((all - 1.0).abs() < 1e-9, "{all}");
        }
    }

    #[test]
    fn the_cell_of_the_rest_costs_no_information() {
        let (model, counted) = two_periods();
        let period = &counted[0].periods[0];
        let information = |cells: &[Cell]| {
            let mut sum = Array2::zeros((4, 4));
            cells.iter().for_each(|cell| add(&mut sum, cell.probability, cell, cell));
            sum
        };
        let (some, all) = (model.cells(period), (0..100).map(|purchases| model.cell(period.of_purchases(purchases))).collect::<Vec<_>>());
        for (some, all) in information(&some).diag().iter().zip(information(&all).diag()) {
            assert!((some / all - 1.0).abs() < 1e-3, "{some} of {all}");
        }
    }
}
