//! Sums without rounding: the order of the terms, and how they were split among threads or days, cannot show in the result.

/// Bits of a digit; 32 more are there for the carries of 2^31 additions.
const DIGIT: u32 = 32;

/// The digits of all finite numbers, from 2^-1074 to 2^1024, and of the carries of 2^63 of them.
const DIGITS: usize = 68;

/// 2^-1074, the smallest positive number, is the unit of the lowest digit.
const LOWEST: i32 = -1074;

/// Additions after which carries have to be passed on.
const PATIENCE: u32 = 1 << 30;

/// A sum of finite numbers, exact until it is asked for; then it is the nearest number, infinite when there is none.
#[derive(Debug, Clone)]
pub(crate) struct ExactSum {
    digits: [i64; DIGITS],
    /// Additions since carries were passed on.
    pending: u32,
}

impl Default for ExactSum {
    fn default() -> Self {
        ExactSum { digits: [0; DIGITS], pending: 0 }
    }
}

impl ExactSum {
    /// Adds a finite number.
    #[inline]
    pub(crate) fn add(&mut self, value: f64) {
        debug_assert!(value.is_finite(), "a sum of finite numbers was given {value}");
        let bits = value.to_bits();
        let exponent = (bits >> 52 & 0x7ff) as u32;
        let fraction = bits & ((1 << 52) - 1);
        // Subnormal numbers have the exponent of the smallest normal ones and no leading 1.
        let (mantissa, place) = if exponent == 0 { (fraction, 0) } else { (fraction | 1 << 52, exponent - 1) };
        let (digit, shift) = ((place / DIGIT) as usize, place % DIGIT);
        let shifted = u128::from(mantissa) << shift;
        let sign = if value < 0.0 { -1 } else { 1 };
        for (offset, part) in self.digits[digit..digit + 3].iter_mut().enumerate() {
            *part += sign * i64::from((shifted >> (DIGIT * offset as u32)) as u32);
        }
        self.pending += 1;
        if self.pending == PATIENCE {
            self.pass_carries_on();
        }
    }

    /// Adds all terms of another sum.
    pub(crate) fn add_sum(&mut self, other: &ExactSum) {
        let mut other = other.clone();
        other.pass_carries_on();
        self.pass_carries_on();
        for (digit, more) in self.digits.iter_mut().zip(other.digits) {
            *digit += more;
        }
        self.pending = 1;
    }

    /// The number nearest to the sum, ties to even.
    pub(crate) fn value(&self) -> f64 {
        let mut sum = self.clone();
        sum.pass_carries_on();
        let negative = sum.digits[DIGITS - 1] < 0;
        if negative {
            sum.digits.iter_mut().for_each(|digit| *digit = -*digit);
            sum.pass_carries_on();
        }
        let Some(top) = sum.digits.iter().rposition(|&digit| digit != 0) else { return 0.0 };
        // The three highest digits hold 65 bits or more of the sum, where there are so many.
        let window = (0..3).fold(0_u128, |window, below| {
            let digit = top.checked_sub(below).map_or(0, |place| sum.digits[place]);
            window << DIGIT | u128::from(digit.unsigned_abs())
        });
        let sticky = sum.digits[..top.saturating_sub(2)].iter().any(|&digit| digit != 0);
        let surplus = 128 - window.leading_zeros() - 53;
        let (mut mantissa, rest) = (window >> surplus, window & ((1 << surplus) - 1));
        let half = 1 << (surplus - 1);
        if rest > half || rest == half && (sticky || mantissa & 1 == 1) {
            mantissa += 1;
        }
        let exponent = (top as i32 - 2) * DIGIT as i32 + surplus as i32 + LOWEST;
        // In two steps, since 2^-1126 is no number although the product is.
        let half = exponent / 2;
        let size = mantissa as f64 * power_of_two(half) * power_of_two(exponent - half);
        if negative { -size } else { size }
    }

    /// The digits in base 2^32 from the lowest, all but the last of them from 0 to 2^32 - 1: equal for equal sums.
    #[cfg(any(feature = "csv", feature = "parquet"))]
    pub(crate) fn digits(&self) -> [i64; DIGITS] {
        let mut sum = self.clone();
        sum.pass_carries_on();
        sum.digits
    }

    /// The sum of these digits.
    #[cfg(any(feature = "csv", feature = "parquet"))]
    pub(crate) fn from_digits(digits: [i64; DIGITS]) -> Self {
        ExactSum { digits, pending: PATIENCE - 1 }
    }

    fn pass_carries_on(&mut self) {
        let mut carry = 0;
        for digit in &mut self.digits[..DIGITS - 1] {
            let sum = *digit + carry;
            carry = sum >> DIGIT;
            *digit = sum & ((1 << DIGIT) - 1);
        }
        self.digits[DIGITS - 1] += carry;
        self.pending = 0;
    }
}

/// 2^k for k from -1022 to 1023.
fn power_of_two(k: i32) -> f64 {
    f64::from_bits(((1023 + k) as u64) << 52)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(terms: impl IntoIterator<Item = f64>) -> f64 {
        let mut sum = ExactSum::default();
        terms.into_iter().for_each(|term| sum.add(term));
        sum.value()
    }

    #[test]
    fn one_term_is_its_own_sum() {
        for value in [0.0, 1.0, -0.1, 29.33, f64::MIN_POSITIVE, 5e-324, -5e-324, 2.5e-310, f64::MAX, f64::MIN, 1e308, 2_f64.powi(31)] {
            assert_eq!(sum([value]).to_bits(), (value + 0.0).to_bits(), "{value:e}");
        }
    }

    #[test]
    fn sums_are_rounded_once() {
        assert_eq!(sum([0.1; 10]), 1.0);
        assert_eq!(sum([1e16, 1.0, -1e16]), 1.0);
        assert_eq!(sum([1e300, 1e-300, -1e300]), 1e-300);
        assert_eq!(sum([f64::MAX, f64::MAX, -f64::MAX]), f64::MAX);
        assert_eq!(sum([f64::MAX, f64::MAX]), f64::INFINITY);
        assert_eq!(sum([f64::MIN, f64::MIN]), f64::NEG_INFINITY);
        // Halfway between two numbers the even one is taken, and a trifle decides.
        let half = f64::EPSILON / 2.0;
        assert_eq!((sum([1.0, half]), sum([1.0, half, 5e-324]), sum([1.0, half, -5e-324])), (1.0, 1.0 + f64::EPSILON, 1.0));
        assert_eq!(sum([1.0 + f64::EPSILON, half]), 1.0 + 2.0 * f64::EPSILON);
        assert_eq!(sum([-1.0, -half, -5e-324]), -1.0 - f64::EPSILON);
    }

    #[test]
    fn neither_order_nor_splitting_shows() {
        let terms: Vec<f64> = (0..1000).map(|i| f64::from(i * 7919 % 1009 - 500) / 100.0 * 10_f64.powi(i % 40 - 20)).collect();
        let whole = sum(terms.iter().copied());
        assert_eq!(sum(terms.iter().rev().copied()).to_bits(), whole.to_bits());
        let mut parts = ExactSum::default();
        for chunk in terms.chunks(17) {
            let mut part = ExactSum::default();
            chunk.iter().for_each(|&term| part.add(term));
            parts.add_sum(&part);
        }
        assert_eq!(parts.value().to_bits(), whole.to_bits());
    }

    #[cfg(any(feature = "csv", feature = "parquet"))]
    #[test]
    fn digits_bring_back_the_sum() {
        for value in [-29.33, 1e300, 0.0] {
            let mut sum = ExactSum::default();
            sum.add(value);
            let mut again = ExactSum::from_digits(sum.digits());
            assert_eq!(again.value(), value);
            again.add(1.0);
            assert_eq!(again.value(), value + 1.0);
        }
    }
}
