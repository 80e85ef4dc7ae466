//! What the tests against reference values share: measuring errors, and writing them the way docs/accuracy.md shows them.

use std::fmt;

/// How far a value is from its reference.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deviation {
    /// Relative; for log-likelihoods absolute below 1.
    pub(crate) relative: f64,
    /// The same in units of what rounding makes of such a value: this is what a test limits.
    pub(crate) scaled: f64,
}

impl Deviation {
    /// Of a log-likelihood: relative, absolute below 1.
    pub(crate) fn of_log_likelihood(ours: f64, expected: f64) -> Self {
        let relative = (ours - expected).abs() / expected.abs().max(1.0);
        Deviation { relative, scaled: relative }
    }

    /// Of any other value v: scaled by 1 + |ln v|, since a value e^-k carries the rounding of an exponent of size k. Below the smallest normal double
    /// only its size is asked for.
    pub(crate) fn of_value(ours: f64, expected: f64) -> Self {
        if expected.abs() < f64::MIN_POSITIVE {
            let deviation = if ours.abs() <= f64::MIN_POSITIVE { 0.0 } else { f64::INFINITY };
            return Deviation { relative: deviation, scaled: deviation };
        }
        let relative = (ours - expected).abs() / expected.abs();
        Deviation { relative, scaled: relative / (1.0 + expected.abs().ln().abs()) }
    }

    /// Scaled by the condition number of the value as well.
    pub(crate) fn per_condition(self, condition: f64) -> Self {
        Deviation { scaled: self.scaled / condition, ..self }
    }
}

/// The largest errors of several values, separately the largest relative and the largest scaled one.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Largest {
    count: usize,
    relative: f64,
    scaled: f64,
}

impl Largest {
    pub(crate) fn add(&mut self, deviation: Deviation) {
        // Unlike f64::max this keeps a NaN.
        let larger = |a: f64, b: f64| if a > b { a } else { b };
        self.count += 1;
        self.relative = larger(self.relative, deviation.relative);
        self.scaled = larger(self.scaled, deviation.scaled);
    }

    pub(crate) fn count(&self) -> usize {
        self.count
    }
}

/// `5.4e-14 / 3.4e-16`, one figure where both are the same, `exact` for 0.
impl fmt::Display for Largest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Largest { relative: 0.0, .. } => write!(f, "exact"),
            Largest { relative, scaled, .. } if relative == scaled => write!(f, "{relative:.1e}"),
            Largest { relative, scaled, .. } => write!(f, "{relative:.1e} / {scaled:.1e}"),
        }
    }
}
