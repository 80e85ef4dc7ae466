//! P(alive) of Pareto/NBD in columns: one integral for all customers of one history, and many integrals side by side.

use super::dropout_time::DropoutIntegrals;
use super::pareto_nbd::ParetoNbd;
use crate::data::Histories;
use crate::numeric::dispatch::{Kernel, dispatch};
use crate::numeric::remembered::Remembered;
use crate::numeric::two_axes::TwoAxesColumns;

/// P(alive) of the histories that a model has seen, for customers to come who have the same.
///
/// ```
/// use clv::{Histories, ParetoNbd, ParetoNbdParams, PurchaseModel, SeenHistories};
///
/// let model = ParetoNbd::new(ParetoNbdParams { r: 0.553, alpha: 10.578, s: 0.606, beta: 11.669 })?;
/// let (mut seen, mut p_alive) = (SeenHistories::default(), [0.0]);
/// for _batch in 0..2 {
///     // Worked out for the first one, and known for the second.
///     model.p_alive_column_after(&mut seen, &Histories::new(&[7], &[29.43], &[38.86])?, &mut p_alive);
///     assert!((p_alive[0] - 0.749_501_407_667_034_3).abs() < 1e-14);
/// }
/// # Ok::<(), clv::Error>(())
/// ```
#[derive(Debug, Default)]
pub struct SeenHistories {
    /// The parameters of the model: those of another start anew.
    of: Option<ParetoNbd>,
    p_alive: Remembered<3, f64>,
    pending: Pending,
}

/// Rows whose histories are looked up together: integrals of one rule are worked out side by side, and few places stay empty.
const TOGETHER: usize = 4096;

/// P(alive) of many customers, into a column that is as long.
pub(super) fn alive_column(model: &ParetoNbd, seen: &mut SeenHistories, histories: &Histories<'_>, p_alive: &mut [f64]) {
    assert_eq!(histories.len(), p_alive.len(), "one P(alive) per customer");
    if seen.of != Some(*model) {
        *seen = SeenHistories { of: Some(*model), ..SeenHistories::default() };
    }
    let SeenHistories { p_alive: remembered, pending, .. } = seen;
    for (chunk, p_alive) in p_alive.chunks_mut(TOGETHER).enumerate() {
        let rows = chunk * TOGETHER..chunk * TOGETHER + p_alive.len();
        let (x, t_x, t_cal) = (&histories.frequency()[rows.clone()], &histories.recency()[rows.clone()], &histories.age()[rows]);
        let key = |row: usize| [f64::from(x[row]), t_x[row], t_cal[row]];
        // Nine in ten customers of a base by days have the history of another: the one integral does for all of them.
        remembered.look_up(key, p_alive, &mut pending.rows);
        pending.settle(model, key, p_alive);
        pending.rows.iter().for_each(|&row| remembered.keep(key(row), p_alive[row]));
    }
}

/// P(alive) of customers in columns, into that of their integrals.
struct PAliveRows<'a> {
    model: &'a ParetoNbd,
    x: &'a [f64],
    t_x: &'a [f64],
    t_cal: &'a [f64],
    integrals: &'a mut [f64],
}

impl Kernel for PAliveRows<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let PAliveRows { model, x, t_x, t_cal, integrals } = self;
        let rows = integrals.len();
        let (x, t_x, t_cal) = (&x[..rows], &t_x[..rows], &t_cal[..rows]);
        for row in 0..rows {
            integrals[row] = model.posterior(x[row], t_x[row], t_cal[row], integrals[row]).alive;
        }
    }
}

/// Customers whose P(alive) is yet to be worked out.
#[derive(Debug, Default)]
struct Pending {
    rows: Vec<usize>,
    columns: [Vec<f64>; 3],
    values: Vec<f64>,
}

impl Pending {
    /// Works them out.
    fn settle(&mut self, model: &ParetoNbd, key: impl Fn(usize) -> [f64; 3], p_alive: &mut [f64]) {
        let Pending { rows, columns, values } = self;
        for (k, column) in columns.iter_mut().enumerate() {
            column.clear();
            column.extend(rows.iter().map(|&row| key(row)[k]));
        }
        let [x, t_x, t_cal] = columns;
        values.resize(rows.len(), 0.0);
        TwoAxesColumns::of(rows.len(), DropoutIntegrals { model, x, t_x, t_cal }).integrals(values);
        dispatch(PAliveRows { model, x, t_x, t_cal, integrals: values });
        rows.iter().zip(values).for_each(|(&row, value)| p_alive[row] = *value);
    }
}
