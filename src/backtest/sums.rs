//! Sums over columns, always in the same order.

/// Partial sums that are added up side by side, so that the processor can.
const LANES: usize = 8;

pub(super) fn sum(values: &[f64]) -> f64 {
    values.iter().fold(0.0, |sum, value| sum + value)
}

/// Sum of w x.
pub(super) fn dot(weights: &[f64], values: &[f64]) -> f64 {
    let mut lanes = [0.0; LANES];
    let (weights, values) = (weights.as_chunks::<LANES>(), values.as_chunks::<LANES>());
    for (w, x) in weights.0.iter().zip(values.0) {
        for (lane, (w, x)) in lanes.iter_mut().zip(w.iter().zip(x)) {
            *lane += w * x;
        }
    }
    let rest: f64 = weights.1.iter().zip(values.1).fold(0.0, |sum, (w, x)| sum + w * x);
    sum(&lanes) + rest
}

/// Sums of w x over rows, column by column.
pub(super) fn sums<const N: usize>(weights: &[f64], rows: impl Iterator<Item = [f64; N]>) -> [f64; N] {
    let mut sums = [0.0; N];
    for (w, row) in weights.iter().zip(rows) {
        for (sum, x) in sums.iter_mut().zip(row) {
            *sum += w * x;
        }
    }
    sums
}

/// Sum of w x y.
pub(super) fn triple(weights: &[f64], one: &[f64], other: &[f64]) -> f64 {
    let mut lanes = [0.0; LANES];
    let (weights, one, other) = (weights.as_chunks::<LANES>(), one.as_chunks::<LANES>(), other.as_chunks::<LANES>());
    for ((w, x), y) in weights.0.iter().zip(one.0).zip(other.0) {
        for (lane, (w, (x, y))) in lanes.iter_mut().zip(w.iter().zip(x.iter().zip(y))) {
            *lane += w * x * y;
        }
    }
    let rest: f64 = weights.1.iter().zip(one.1).zip(other.1).fold(0.0, |sum, ((w, x), y)| sum + w * x * y);
    sum(&lanes) + rest
}

/// `None` where it has no meaning.
pub(super) fn ratio(above: f64, below: f64) -> Option<f64> {
    (below > 0.0).then(|| above / below).filter(|ratio| ratio.is_finite())
}

/// The mean; 0 of no value.
pub(super) fn mean(values: &[f64]) -> f64 {
    ratio(sum(values), values.len() as f64).unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_of_any_length() {
        for n in [0, 1, 7, 8, 9, 23] {
            let values: Vec<f64> = (1..=n).map(f64::from).collect();
            let squares = f64::from(n * (n + 1) * (2 * n + 1) / 6);
            assert_eq!(sums(&values, values.iter().map(|x| [*x, 1.0])), [squares, values.iter().sum()]);
            assert_eq!((dot(&values, &values), triple(&values, &values, &vec![1.0; n as usize])), (squares, squares));
        }
    }
}
