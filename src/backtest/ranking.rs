//! Values in order, once for all the samples in which they are ranked with other weights.

/// Rows in ascending order of their values, in runs of equal ones.
#[derive(Debug, Clone)]
pub(super) struct Ranking {
    order: Vec<u32>,
    /// Where each run of ties ends.
    ends: Vec<u32>,
}

impl Ranking {
    pub(super) fn of(values: &[f64]) -> Self {
        let mut order: Vec<u32> = (0..values.len() as u32).collect();
        order.sort_by(|&i, &j| values[i as usize].total_cmp(&values[j as usize]));
        let ends = order
            .chunk_by(|&i, &j| values[i as usize] == values[j as usize])
            .scan(0, |end, tied| {
                *end += tied.len() as u32;
                Some(*end)
            })
            .collect();
        Ranking { order, ends }
    }

    /// The runs of equal values, ascending.
    pub(super) fn ties(&self) -> impl DoubleEndedIterator<Item = &[u32]> {
        (0..self.ends.len()).map(|run| {
            let start = if run == 0 { 0 } else { self.ends[run - 1] };
            &self.order[start as usize..self.ends[run] as usize]
        })
    }

    /// Ranks from 1, ascending, of rows that each stand for as many customers as their weight says; equal values have the mean of their ranks.
    pub(super) fn ranks(&self, weights: &[f64], ranks: &mut Vec<f64>) {
        ranks.resize(self.order.len(), 0.0);
        let mut before = 0.0;
        for tied in self.ties() {
            let weight = tied.iter().fold(0.0, |sum, &row| sum + weights[row as usize]);
            let rank = before + 0.5 * (weight + 1.0);
            for &row in tied {
                ranks[row as usize] = rank;
            }
            before += weight;
        }
    }

    /// Whether all rows with a weight have the same value.
    pub(super) fn is_constant(&self, weights: &[f64]) -> bool {
        self.ties().filter(|tied| tied.iter().any(|&row| weights[row as usize] > 0.0)).nth(1).is_none()
    }

    /// What the tenth of the customers with the highest values has of `amounts`; customers with equal values share theirs.
    /// `customers` is the sum of the weights.
    pub(super) fn top_decile_sum(&self, amounts: &[f64], weights: &[f64], customers: f64) -> f64 {
        let mut left = 0.1 * customers;
        let mut captured = 0.0;
        for tied in self.ties().rev() {
            let (weight, amount) = weight_and_sum(tied, amounts, weights);
            if weight > 0.0 {
                let taken = left.min(weight);
                captured += taken / weight * amount;
                left -= taken;
            }
            if left <= 0.0 {
                break;
            }
        }
        captured
    }

    /// The customers in ten equal parts, ascending; those with equal values are divided in proportion. For each part: customers, and their sums of
    /// each of `amounts`.
    pub(super) fn deciles<const N: usize>(&self, amounts: [&[f64]; N]) -> Vec<(f64, [f64; N])> {
        const PARTS: usize = 10;
        let size = self.order.len() as f64 / PARTS as f64;
        let mut parts = vec![(0.0, [0.0; N]); PARTS];
        let (mut part, mut room) = (0, size);
        for tied in self.ties() {
            let count = tied.len() as f64;
            let sums = amounts.map(|amounts| tied.iter().fold(0.0, |sum, &row| sum + amounts[row as usize]));
            let mut left = count;
            while left > 0.0 {
                let last = part + 1 == PARTS;
                let taken = if last { left } else { left.min(room) };
                parts[part].0 += taken;
                for (total, sum) in parts[part].1.iter_mut().zip(sums) {
                    *total += taken / count * sum;
                }
                left -= taken;
                room -= taken;
                // What rounding leaves of a part is nothing.
                if room <= 1e-9 * size && !last {
                    (part, room) = (part + 1, size);
                }
            }
        }
        parts
    }

    /// The probability that, of a customer of whom `event` is true and one of whom it is not, the former has the higher value; a tie is half. `None` when
    /// all or none are.
    pub(super) fn auc(&self, event: &[bool], weights: &[f64]) -> Option<f64> {
        let (mut won, mut yes, mut no) = (0.0, 0.0, 0.0);
        for tied in self.ties() {
            let (mut tied_yes, mut tied_no) = (0.0, 0.0);
            for &row in tied {
                let row = row as usize;
                *(if event[row] { &mut tied_yes } else { &mut tied_no }) += weights[row];
            }
            won += tied_yes * (no + 0.5 * tied_no);
            yes += tied_yes;
            no += tied_no;
        }
        (yes > 0.0 && no > 0.0).then(|| won / (yes * no))
    }
}

fn weight_and_sum(rows: &[u32], amounts: &[f64], weights: &[f64]) -> (f64, f64) {
    rows.iter().fold((0.0, 0.0), |(weight, sum), &row| {
        let (row, own) = (row as usize, weights[row as usize]);
        (weight + own, sum + own * amounts[row])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ranks(values: &[f64], weights: &[f64]) -> Vec<f64> {
        let mut ranks = Vec::new();
        Ranking::of(values).ranks(weights, &mut ranks);
        ranks
    }

    #[test]
    fn ties_share_their_ranks_and_a_weight_is_so_many_customers() {
        assert_eq!(ranks(&[3.0, 1.0, 3.0, 2.0], &[1.0; 4]), [3.5, 1.0, 3.5, 2.0]);
        // 1, 1, 1, 2, 3, 3: the ranks of the same customers one by one.
        assert_eq!(ranks(&[3.0, 1.0, 3.0, 2.0], &[2.0, 3.0, 0.0, 1.0]), [5.5, 2.0, 5.5, 4.0]);
        assert_eq!(ranks(&[], &[]), [0.0; 0]);
    }

    #[test]
    fn deciles_divide_ties() {
        // Five customers in ten parts: half a customer each; the two tied ones with 4 together are the parts 4 to 7.
        let values = [1.0, 2.0, 3.0, 3.0, 9.0];
        let parts = Ranking::of(&values).deciles([&[0.0, 0.0, 1.0, 3.0, 8.0]]);
        let sums: Vec<f64> = parts.iter().map(|(_, [sum])| *sum).collect();
        assert_eq!(sums, [0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0, 4.0, 4.0]);
        assert!(parts.iter().all(|(customers, _)| *customers == 0.5));
        let empty = Ranking::of(&[]).deciles([&[]]);
        assert!(empty.len() == 10 && empty.iter().all(|part| *part == (0.0, [0.0])));
    }

    #[test]
    fn rows_without_weight_do_not_count() {
        let ranking = Ranking::of(&[1.0, 1.0, 2.0]);
        assert!(ranking.is_constant(&[1.0, 3.0, 0.0]) && !ranking.is_constant(&[0.0, 3.0, 1.0]));
        assert_eq!(ranking.auc(&[true, false, true], &[1.0, 0.0, 1.0]), None);
        assert_eq!(ranking.auc(&[true, false, true], &[1.0, 1.0, 2.0]), Some(2.5 / 3.0));
    }
}
