//! exp, ln and ln(1 + y) without branches, so that a loop over customers vectorises.
//!
//! The standard library calls the platform's own functions: they neither vectorise nor agree to the last bit between platforms. These are
//! plain arithmetic on the bits of a double and give the same bits everywhere.

const LN_2_HIGH: f64 = 6.931_471_803_691_238_16e-1;
const LN_2_LOW: f64 = 1.908_214_929_270_587_70e-10;

/// Adding and subtracting 1.5 * 2^52 rounds to the nearest integer, which then sits in the low bits.
const ROUND: f64 = 6_755_399_441_055_744.0;

/// ln x for normal positive x (2.3e-308 to 1.8e308); within 1 ulp.
#[inline(always)]
pub(crate) fn ln(x: f64) -> f64 {
    // x = 2^k (1 + f) with sqrt(1/2) <= 1 + f < sqrt(2).
    const SQRT_HALF: u64 = 0x3fe6_a09e_667f_3bcd;
    const EXPONENT: u64 = 0xfff0_0000_0000_0000;
    let shifted = x.to_bits().wrapping_sub(SQRT_HALF);
    let f = f64::from_bits(x.to_bits().wrapping_sub(shifted & EXPONENT)) - 1.0;
    // k is the exponent field of `shifted` in two's complement; as a double by way of the mantissa of ROUND, offset to stay positive.
    let biased = (shifted >> 52).wrapping_add(1024) & 0xfff;
    let k = f64::from_bits(ROUND.to_bits() + biased) - (ROUND + 1024.0);
    // ln(1 + f) = 2 artanh(s), s = f / (2 + f): Remez coefficients of fdlibm's e_log.c.
    let s = f / (2.0 + f);
    let z = s * s;
    let w = z * z;
    let even = w * (3.999_999_999_940_941_908e-1 + w * (2.222_219_843_214_978_396e-1 + w * 1.531_383_769_920_937_332e-1));
    let odd = z
        * (6.666_666_666_666_735_130e-1
            + w * (2.857_142_874_366_239_149e-1 + w * (1.818_357_216_161_805_012e-1 + w * 1.479_819_860_511_658_591e-1)));
    let half_square = 0.5 * f * f;
    k * LN_2_HIGH - ((half_square - (s * (half_square + even + odd) + k * LN_2_LOW)) - f)
}

/// ln(1 + y) for 0 <= y <= 1e300; relative error within 2 ulp down to y = 0.
#[inline(always)]
pub(crate) fn ln_1p(y: f64) -> f64 {
    let u = 1.0 + y;
    // What rounding took from 1 + y, whichever of the two was larger.
    let lost = if y > 1.0 { 1.0 - (u - y) } else { y - (u - 1.0) };
    ln(u) + lost / u
}

/// e^x within 1 ulp for -708 <= x <= 709.7, gradually to 0 below, the value at 709.7 above.
#[inline(always)]
pub(crate) fn exp(x: f64) -> f64 {
    let x = x.clamp(-746.0, 709.7);
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
    // 2^k in two factors, since k may lie below the smallest exponent of a normal number.
    let half = (0.5 * k + ROUND) - ROUND;
    let power = |exponent: f64| f64::from_bits((exponent + ROUND).to_bits().wrapping_add(1023) << 52);
    (1.0 + (r + tail)) * power(half) * power(k - half)
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
        assert!((ours - reference).abs() <= TWO_ULP * reference.abs(), "at {x:e}: {ours:e} against {reference:e}");
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
    fn exp_agrees_with_the_standard_library() {
        for x in decades(1e-20, 707.999).flat_map(|x| [x, -x]).chain([0.0]) {
            close(exp(x), x.exp(), x);
        }
    }

    #[test]
    fn exp_saturates() {
        assert_eq!(exp(1e308), exp(709.7));
        assert_eq!(exp(-1e308), 0.0);
        assert!(exp(-740.0) > 0.0 && exp(-740.0) < f64::MIN_POSITIVE);
    }
}
