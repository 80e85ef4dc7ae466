//! Intervals of the lines of a table: how far what came may depend on who the customers are.

use crate::fit::Level;

/// The interval of a mean over `customers`, from the sum of their values and of the squares of these: what drawing the customers again and again comes to for many.
/// `None` of fewer than two.
pub(super) fn mean_interval(customers: f64, sum: f64, squares: f64, level: Level) -> Option<[f64; 2]> {
    if customers < 2.0 {
        return None;
    }
    let mean = sum / customers;
    let variance = (squares / customers - mean * mean).max(0.0);
    let half = level.normal_quantile() * (variance / customers).sqrt();
    Some([mean - half, mean + half])
}

/// The interval of a share (Wilson 1927, "Probable Inference, the Law of Succession, and Statistical Inference", JASA 22): also where none or all are counted.
pub(super) fn share_interval(customers: f64, counted: f64, level: Level) -> Option<[f64; 2]> {
    if customers < 1.0 {
        return None;
    }
    let (share, z) = (counted / customers, level.normal_quantile());
    let more = z * z / customers;
    let (centre, half) = (share + 0.5 * more, z * ((share * (1.0 - share) + 0.25 * more) / customers).sqrt());
    Some([(centre - half).max(0.0) / (1.0 + more), ((centre + half) / (1.0 + more)).min(1.0)])
}
