//! exp, e^x - 1, ln and ln(1 + y) without branches, so that a loop over customers vectorises.
//!
//! The standard library calls the platform's own functions: they neither vectorise nor agree to the last bit between platforms. These are
//! plain arithmetic on the bits of a double and give the same bits everywhere.

const LN_2_HIGH: f64 = 6.931_471_803_691_238_16e-1;
const LN_2_LOW: f64 = 1.908_214_929_270_587_70e-10;

/// Adding and subtracting 1.5 * 2^52 rounds to the nearest integer, which then sits in the low bits.
const ROUND: f64 = 6_755_399_441_055_744.0;

/// x = 2^k (1 + f) with sqrt(1/2) <= 1 + f < sqrt(2), for normal positive x: (k, f).
#[inline(always)]
fn exponent_and_rest(x: f64) -> (f64, f64) {
    const SQRT_HALF: u64 = 0x3fe6_a09e_667f_3bcd;
    const EXPONENT: u64 = 0xfff0_0000_0000_0000;
    let shifted = x.to_bits().wrapping_sub(SQRT_HALF);
    let f = f64::from_bits(x.to_bits().wrapping_sub(shifted & EXPONENT)) - 1.0;
    // k is the exponent field of `shifted` in two's complement; as a double by way of the mantissa of ROUND, offset to stay positive.
    let biased = (shifted >> 52).wrapping_add(1024) & 0xfff;
    (f64::from_bits(ROUND.to_bits() + biased) - (ROUND + 1024.0), f)
}

/// (f^2 / 2, the rest) of f - ln(1 + f) = f^2 / 2 - rest, with s = f / (2 + f) and sqrt(1/2) <= 1 + f < sqrt(2).
#[inline(always)]
fn curvature(f: f64, s: f64) -> (f64, f64) {
    // ln(1 + f) = 2 artanh(s): Remez coefficients of fdlibm's e_log.c.
    let z = s * s;
    let w = z * z;
    let even = w * (3.999_999_999_940_941_908e-1 + w * (2.222_219_843_214_978_396e-1 + w * 1.531_383_769_920_937_332e-1));
    let odd = z
        * (6.666_666_666_666_735_130e-1
            + w * (2.857_142_874_366_239_149e-1 + w * (1.818_357_216_161_805_012e-1 + w * 1.479_819_860_511_658_591e-1)));
    let half_square = 0.5 * f * f;
    (half_square, s * (half_square + even + odd))
}

/// k ln 2 + ln(1 + f) + rest, with s = f / (2 + f).
#[inline(always)]
fn ln_of_parts(k: f64, f: f64, s: f64, rest: f64) -> f64 {
    let (half_square, less) = curvature(f, s);
    k * LN_2_HIGH - ((half_square - (less + (k * LN_2_LOW + rest))) - f)
}

/// A quotient is near 1 if it differs by less than this; the logarithm of its mantissa is then its own.
pub(super) const NEAR_ONE: f64 = 0.25;

/// For two quotients of which, where they are [`NEAR_ONE`], also the excess over 1 is known to the last digits: the logarithms, and ln(1 + e) - e of
/// the excesses (of use for those near 1 only).
///
/// For normal positive quotients; relative errors within 2 ulp. One division does for both: of all operations it takes the longest.
#[inline(always)]
pub(super) fn ln_of_two([e_1, e_2]: [f64; 2], quotients: [f64; 2]) -> ([f64; 2], [f64; 2]) {
    let parts = |e: f64, quotient: f64| {
        let (k, f) = exponent_and_rest(quotient);
        if e.abs() < NEAR_ONE { (0.0, e) } else { (k, f) }
    };
    let ((k_1, f_1), (k_2, f_2)) = (parts(e_1, quotients[0]), parts(e_2, quotients[1]));
    let reciprocal = 1.0 / ((2.0 + f_1) * (2.0 + f_2));
    let (s_1, s_2) = (f_1 * ((2.0 + f_2) * reciprocal), f_2 * ((2.0 + f_1) * reciprocal));
    let less_excess = |f: f64, s: f64| {
        let (half_square, less) = curvature(f, s);
        less - half_square
    };
    ([ln_of_parts(k_1, f_1, s_1, 0.0), ln_of_parts(k_2, f_2, s_2, 0.0)], [less_excess(f_1, s_1), less_excess(f_2, s_2)])
}

/// ln x for normal positive x (2.3e-308 to 1.8e308); within 1 ulp.
#[inline(always)]
pub(crate) fn ln(x: f64) -> f64 {
    let (k, f) = exponent_and_rest(x);
    ln_of_parts(k, f, f / (2.0 + f), 0.0)
}

/// ln(1 + y) for 0 <= y <= 1e300; relative error within 2 ulp down to y = 0.
#[inline(always)]
pub(crate) fn ln_1p(y: f64) -> f64 {
    ln_1p_and_shares(y, 0.0).0
}

/// ln(1 + y), y / (1 + y) and z / (1 + z), for y and z from 0 whose product is at most 1e300; relative errors within 2 ulp, of
/// the shares within 4.
///
/// One division does for both shares and for the one within the logarithm: of all operations it takes the longest.
#[inline(always)]
pub(crate) fn ln_1p_and_shares(y: f64, z: f64) -> (f64, f64, f64) {
    let u = 1.0 + y;
    // What rounding took from 1 + y, whichever of the two was larger.
    let lost = if y > 1.0 { 1.0 - (u - y) } else { y - (u - 1.0) };
    let (k, f) = exponent_and_rest(u);
    let reciprocal = 1.0 / (u * (2.0 + f) * (1.0 + z));
    let of_both = (1.0 + z) * reciprocal;
    let of_u = (2.0 + f) * of_both;
    (ln_of_parts(k, f, f * (u * of_both), lost * of_u), y * of_u, z * (u * (2.0 + f) * reciprocal))
}

/// e^x = 2^k (1 + fraction), with 2^k in two factors, since k may lie below the smallest exponent of a normal number.
struct Split {
    fraction: f64,
    power: (f64, f64),
}

/// For -746 <= x <= 709.7.
#[inline(always)]
fn split(x: f64) -> Split {
    let shifted = x * std::f64::consts::LOG2_E + ROUND;
    let k = shifted - ROUND;
    let r = (x - k * LN_2_HIGH) - k * LN_2_LOW;
    // Taylor to degree 13 on |r| <= ln(2)/2: the remainder is 4e-18.
    let r2 = r * r;
    let r4 = r2 * r2;
    let low = (0.5 + r * (1.0 / 6.0)) + r2 * (1.0 / 24.0 + r * (1.0 / 120.0));
    let middle = (1.0 / 720.0 + r * (1.0 / 5_040.0)) + r2 * (1.0 / 40_320.0 + r * (1.0 / 362_880.0));
    let high = (1.0 / 3_628_800.0 + r * (1.0 / 39_916_800.0)) + r2 * (1.0 / 479_001_600.0 + r * (1.0 / 6_227_020_800.0));
    let tail = r2 * (low + r4 * (middle + r4 * high));
    let half = (0.5 * k + ROUND) - ROUND;
    let power = |exponent: f64| f64::from_bits((exponent + ROUND).to_bits().wrapping_add(1023) << 52);
    Split { fraction: r + tail, power: (power(half), power(k - half)) }
}

/// e^x within 1 ulp for -708 <= x <= 709.7, gradually to 0 below, the value at 709.7 above.
#[inline(always)]
pub(crate) fn exp(x: f64) -> f64 {
    let Split { fraction, power } = split(x.clamp(-746.0, 709.7));
    (1.0 + fraction) * power.0 * power.1
}

/// e^x - 1 for x >= 0, with all its digits where x is small; within 2 ulp up to 709, the value there above.
#[inline(always)]
pub(crate) fn exp_m1(x: f64) -> f64 {
    let Split { fraction, power } = split(x.clamp(0.0, 709.0));
    let power = power.0 * power.1;
    (power - 1.0) + power * fraction
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One unit in the last place is 2.2e-16 relative; the second allows for the standard library's own error.
    const TWO_ULP: f64 = 4.5e-16;

    /// A grid over many decades whose points have no special bits.
    fn decades(low: f64, high: f64) -> impl Iterator<Item = f64> {
        let steps = 200_000;
        (0..=steps).map(move |i| (low.ln() + (high.ln() - low.ln()) * f64::from(i) / f64::from(steps)).exp())
    }

    fn close(ours: f64, reference: f64, x: f64) {
        within(TWO_ULP, ours, reference, x);
    }

    fn within(tolerance: f64, ours: f64, reference: f64, x: f64) {
        assert!((ours - reference).abs() <= tolerance * reference.abs(), "at {x:e}: {ours:e} against {reference:e}");
    }

    #[test]
    fn ln_agrees_with_the_standard_library() {
        for x in decades(1e-300, 1e300).chain(decades(0.5, 2.0)).chain([1.0, 2.0, f64::MIN_POSITIVE, f64::MAX]) {
            close(ln(x), x.ln(), x);
        }
    }

    #[test]
    fn ln_1p_agrees_with_the_standard_library() {
        for y in decades(1e-300, 1e300).chain(decades(1e-3, 4.0)).chain([0.0, 1.0]) {
            close(ln_1p(y), y.ln_1p(), y);
        }
    }

    #[test]
    fn logarithms_of_two_quotients_agree_with_the_standard_library() {
        for e in decades(1e-300, 0.999 * NEAR_ONE).flat_map(|e| [e, -e]).chain([0.0]) {
            let ([near, far], [less_excess, _]) = ln_of_two([e, 9.0], [f64::NAN, 10.0]);
            close(near, e.ln_1p(), e);
            close(far, 10.0_f64.ln(), e);
            // The reference cancels: its error is that of its larger terms.
            assert!((less_excess - (e.ln_1p() - e)).abs() <= TWO_ULP * e.abs(), "at {e:e}");
        }
        for quotient in decades(1e-300, 1e300).filter(|quotient| (quotient - 1.0).abs() >= NEAR_ONE) {
            let ([one, other], _) = ln_of_two([quotient - 1.0, 1.0 / quotient - 1.0], [quotient, 1.0 / quotient]);
            close(one, quotient.ln(), quotient);
            if (1.0 / quotient - 1.0).abs() >= NEAR_ONE {
                close(other, (1.0 / quotient).ln(), quotient);
            }
        }
    }

    #[test]
    fn shares_are_quotients() {
        for y in decades(1e-300, 1e290).chain(decades(1e-3, 4.0)).chain([0.0, 1.0]) {
            let z = 1e3 / (y + 1e-3);
            let (_, one, other) = ln_1p_and_shares(y, z);
            // Five roundings, and those of the reference.
            within(2.0 * TWO_ULP, one, y / (1.0 + y), y);
            within(2.0 * TWO_ULP, other, z / (1.0 + z), z);
        }
    }

    #[test]
    fn exp_agrees_with_the_standard_library() {
        for x in decades(1e-20, 707.999).flat_map(|x| [x, -x]).chain([0.0]) {
            close(exp(x), x.exp(), x);
        }
    }

    #[test]
    fn exp_m1_agrees_with_the_standard_library() {
        for x in decades(1e-300, 708.9).chain(decades(1e-3, 2.0)).chain([0.0]) {
            close(exp_m1(x), x.exp_m1(), x);
        }
        assert_eq!(exp_m1(f64::INFINITY), exp_m1(709.0));
    }

    #[test]
    fn exp_saturates() {
        assert_eq!(exp(1e308), exp(709.7));
        assert_eq!(exp(-1e308), 0.0);
        assert!(exp(-740.0) > 0.0 && exp(-740.0) < f64::MIN_POSITIVE);
    }
}
