//! P(alive) of Pareto/NBD in columns: one integral for all customers of one history, and many integrals side by side.

use super::dropout_time::DropoutIntegrals;
use super::pareto_nbd::ParetoNbd;
use crate::data::Histories;
use crate::numeric::dispatch::{Kernel, dispatch};
use crate::numeric::remembered::Remembered;
use crate::numeric::two_axes::TwoAxesColumns;

/// P(alive) of many customers, into a column that is as long.
pub(super) fn alive_column(model: &ParetoNbd, histories: &Histories<'_>, p_alive: &mut [f64]) {
    assert_eq!(histories.len(), p_alive.len(), "one P(alive) per customer");
    // Nine in ten customers of a base by days have the history of another: the one integral does for all of them.
    let (mut remembered, mut pending) = (Remembered::new(), Pending::default());
    for row in 0..p_alive.len() {
        let key = [f64::from(histories.frequency()[row]), histories.recency()[row], histories.age()[row]];
        match remembered.find(key) {
            Some(value) => p_alive[row] = value,
            None => pending.push(row, key),
        }
        if pending.rows.len() == Pending::MOST {
            pending.settle(model, &mut remembered, p_alive);
        }
    }
    pending.settle(model, &mut remembered, p_alive);
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

/// Customers whose P(alive) is yet to be worked out, in columns.
#[derive(Default)]
struct Pending {
    rows: Vec<usize>,
    x: Vec<f64>,
    t_x: Vec<f64>,
    t_cal: Vec<f64>,
}

impl Pending {
    /// So many are worked on together.
    const MOST: usize = 1024;

    fn push(&mut self, row: usize, [x, t_x, t_cal]: [f64; 3]) {
        self.rows.push(row);
        self.x.push(x);
        self.t_x.push(t_x);
        self.t_cal.push(t_cal);
    }

    /// Works them out, and leaves none.
    fn settle(&mut self, model: &ParetoNbd, remembered: &mut Remembered<3, f64>, p_alive: &mut [f64]) {
        let Pending { rows, x, t_x, t_cal } = self;
        let mut values = vec![0.0; rows.len()];
        TwoAxesColumns::of(rows.len(), DropoutIntegrals { model, x, t_x, t_cal }).integrals(&mut values);
        dispatch(PAliveRows { model, x, t_x, t_cal, integrals: &mut values });
        for (k, (&row, value)) in rows.iter().zip(values).enumerate() {
            p_alive[row] = value;
            remembered.keep([x[k], t_x[k], t_cal[k]], value);
        }
        rows.clear();
        [x, t_x, t_cal].into_iter().for_each(Vec::clear);
    }
}
