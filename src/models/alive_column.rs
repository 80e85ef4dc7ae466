//! P(alive) of Pareto/NBD in columns: one integral for all customers of one history, and many integrals side by side.

use super::dropout_time::DropoutIntegrals;
use super::packed::{pack, steps_and_rest};
use super::pareto_nbd::ParetoNbd;
use crate::data::Histories;
use crate::numeric::dispatch::{Kernel, dispatch};
use crate::numeric::neighbours::{Neighbours, Place};
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
    /// Steps per unit that the times below were whole numbers of.
    steps_per_unit: f64,
    p_alive: Neighbours,
    packed: Vec<u64>,
    gathered: Gathered,
}

/// What times are whole numbers of, in the units of models: whole units, days in weeks (and hours in hours), hours in weeks or days, and numbers that were written with two
/// or three decimals.
const STEPS_PER_UNIT: [f64; 5] = [1.0, 7.0, 168.0, 100.0, 1000.0];

/// Rows whose histories are looked up together: integrals of one rule are worked out side by side, and few places stay empty.
const TOGETHER: usize = 4096;

/// P(alive) of many customers, into a column that is as long.
pub(super) fn alive_column(model: &ParetoNbd, seen: &mut SeenHistories, histories: &Histories<'_>, p_alive: &mut [f64]) {
    assert_eq!(histories.len(), p_alive.len(), "one P(alive) per customer");
    if seen.of != Some(*model) {
        *seen = SeenHistories { of: Some(*model), ..SeenHistories::default() };
    }
    for (chunk, p_alive) in p_alive.chunks_mut(TOGETHER).enumerate() {
        seen.settle(model, &histories.rows(chunk * TOGETHER..chunk * TOGETHER + p_alive.len()), p_alive);
    }
}

impl SeenHistories {
    fn settle(&mut self, model: &ParetoNbd, histories: &Histories<'_>, p_alive: &mut [f64]) {
        let by_steps = self.pack(histories);
        let SeenHistories { p_alive: known, packed, gathered, .. } = self;
        if by_steps {
            // Nine in ten customers of a base by days have the history of another: the one integral does for all of them.
            let place = |row: usize| {
                let (steps, rest) = steps_and_rest(packed[row]);
                Place::of(steps, rest)
            };
            known.fill(place, p_alive, |rows, p_alive| {
                gathered.gather(histories, rows.iter().copied());
                gathered.p_alive(model, p_alive);
            });
        } else {
            gathered.gather(histories, 0..histories.len());
            gathered.p_alive(model, p_alive);
        }
    }

    /// Packs histories by steps, those of the histories before if that can be; false where the times are no whole steps of any kind.
    fn pack(&mut self, histories: &Histories<'_>) -> bool {
        let packed = &mut self.packed;
        let mut by = |steps_per_unit| pack(histories.frequency(), histories.recency(), histories.age(), steps_per_unit, packed);
        if by(self.steps_per_unit) {
            return true;
        }
        let other = STEPS_PER_UNIT.into_iter().find(|&steps_per_unit| by(steps_per_unit));
        if let Some(steps_per_unit) = other {
            (self.steps_per_unit, self.p_alive) = (steps_per_unit, Neighbours::default());
        }
        other.is_some()
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

/// Histories in columns, gathered from rows.
#[derive(Debug, Default)]
struct Gathered {
    x: Vec<f64>,
    t_x: Vec<f64>,
    t_cal: Vec<f64>,
}

impl Gathered {
    fn gather(&mut self, histories: &Histories<'_>, rows: impl Iterator<Item = usize>) {
        [&mut self.x, &mut self.t_x, &mut self.t_cal].into_iter().for_each(Vec::clear);
        for row in rows {
            self.x.push(f64::from(histories.frequency()[row]));
            self.t_x.push(histories.recency()[row]);
            self.t_cal.push(histories.age()[row]);
        }
    }

    fn p_alive(&self, model: &ParetoNbd, p_alive: &mut [f64]) {
        let Gathered { x, t_x, t_cal } = self;
        TwoAxesColumns::of(x.len(), DropoutIntegrals { model, x, t_x, t_cal }).integrals(p_alive);
        dispatch(PAliveRows { model, x, t_x, t_cal, integrals: p_alive });
    }
}
