//! Histories whose times are whole steps, in one number each.

#![allow(clippy::needless_range_loop, reason = "a loop over the rows of several columns at once is what becomes vector instructions")]

use std::ops::Range;

use crate::numeric::dispatch::{Kernel, dispatch};

/// Bits of x, and of T and t_x in steps.
const X_BITS: u32 = 24;
const STEP_BITS: u32 = 20;

/// The bits of t_x: those of T come above them, and those of x on top.
const T_X: u64 = (1 << STEP_BITS) - 1;

/// Puts x, T and t_x of each row into one number, whose order is theirs; false where something would be lost, as the times are not whole steps to the last bit.
pub(super) fn pack(x: &[u32], t_x: &[f64], t_cal: &[f64], steps_per_unit: f64, packed: &mut Vec<u64>) -> bool {
    packed.resize(x.len(), 0);
    // Where times are no whole steps, the first rows mostly show it.
    let first = x.len().min(FIRST);
    let mut part = |rows: Range<usize>| {
        let (x, t_x, t_cal) = (&x[rows.clone()], &t_x[rows.clone()], &t_cal[rows.clone()]);
        dispatch(Packing { x, t_x, t_cal, steps_per_unit, packed: &mut packed[rows] })
    };
    part(0..first) && part(first..x.len())
}

/// (x, t_x, T) of a packed history.
pub(super) fn unpack(packed: u64, steps_per_unit: f64) -> (f64, f64, f64) {
    let time = |steps: u64| (steps & T_X) as f64 / steps_per_unit;
    ((packed >> (2 * STEP_BITS)) as f64, time(packed), time(packed >> STEP_BITS))
}

/// t_x of a packed history in steps, and the rest of it.
#[inline(always)]
pub(super) fn steps_and_rest(packed: u64) -> (u64, u64) {
    (packed & T_X, packed & !T_X)
}

/// Rows that are looked at before all others.
const FIRST: usize = 64;

struct Packing<'a> {
    x: &'a [u32],
    t_x: &'a [f64],
    t_cal: &'a [f64],
    steps_per_unit: f64,
    packed: &'a mut [u64],
}

impl Kernel for Packing<'_> {
    type Output = bool;

    #[inline(always)]
    fn run(self) -> bool {
        /// Adding and subtracting it rounds to a whole number, which then sits in the low bits.
        const ROUND: f64 = 6_755_399_441_055_744.0;
        let Packing { x, t_x, t_cal, steps_per_unit, packed } = self;
        let rows = packed.len();
        let (x, t_x, t_cal) = (&x[..rows], &t_x[..rows], &t_cal[..rows]);
        let mut exact = true;
        for row in 0..rows {
            let (last, end) = (t_x[row] * steps_per_unit + ROUND, t_cal[row] * steps_per_unit + ROUND);
            // The numbers that so many steps are as times in this unit, to the last bit.
            exact &= (last - ROUND) / steps_per_unit == t_x[row] && (end - ROUND) / steps_per_unit == t_cal[row];
            exact &= end - ROUND < f64::from(1 << STEP_BITS) && x[row] >> X_BITS == 0;
            let steps = |time: f64| time.to_bits() & T_X;
            packed[row] = u64::from(x[row]) << (2 * STEP_BITS) | steps(end) << STEP_BITS | steps(last);
        }
        exact
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_is_unpacked_to_the_last_bit() {
        let x = [0, 1, 2, 16_777_215];
        let days = [0.0_f64, 3.0, 4.0, 1_048_575.0];
        let t_x = days.map(|day| day / 7.0);
        let t_cal = days.map(|day| day.max(5.0) / 7.0);
        let mut packed = Vec::new();
        assert!(pack(&x, &t_x, &t_cal, 7.0, &mut packed));
        for row in 0..4 {
            assert_eq!(unpack(packed[row], 7.0), (f64::from(x[row]), t_x[row], t_cal[row]));
            let (steps, rest) = steps_and_rest(packed[row]);
            assert_eq!((steps as f64, rest + steps), (days[row], packed[row]));
        }
        assert!(packed.is_sorted());
    }

    #[test]
    fn what_would_be_lost_is_not_packed() {
        let day = 1.0 / 7.0;
        let packs = |x: u32, t_x: f64, t_cal: f64| pack(&[0, x], &[0.0, t_x], &[1.0, t_cal], 7.0, &mut Vec::new());
        assert!(packs(1, day, 2.0));
        assert!(!packs(1, day.next_up(), 2.0), "one bit off");
        assert!(!packs(1, day, 2.1), "no whole day");
        assert!(!packs(1 << 24, day, 2.0), "too many purchases");
        assert!(!packs(1, day, f64::from(1 << 20) * day), "too many days");
        // Also beyond the first rows.
        let mut t_cal = vec![2.0; 10 * FIRST];
        let packs = |t_cal: &[f64]| pack(&vec![0; t_cal.len()], &vec![0.0; t_cal.len()], t_cal, 7.0, &mut Vec::new());
        assert!(packs(&t_cal));
        t_cal[9 * FIRST] = 2.1;
        assert!(!packs(&t_cal));
    }
}
