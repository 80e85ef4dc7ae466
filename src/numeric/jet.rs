//! A value with its gradient and Hessian in N parameters.

/// Value, gradient and (symmetric) Hessian of a function of N parameters at a point.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Jet<const N: usize> {
    /// The function's value.
    pub value: f64,
    /// First derivatives, in the order of the parameters.
    pub gradient: [f64; N],
    /// Second derivatives; symmetric.
    pub hessian: [[f64; N]; N],
}

impl<const N: usize> Jet<N> {
    /// The constant 0.
    pub const ZERO: Jet<N> = Jet { value: 0.0, gradient: [0.0; N], hessian: [[0.0; N]; N] };

    /// Adds `weight` times another jet.
    #[inline(always)]
    pub(crate) fn add_scaled(&mut self, weight: f64, other: &Jet<N>) {
        self.value += weight * other.value;
        for i in 0..N {
            self.gradient[i] += weight * other.gradient[i];
            for j in 0..N {
                self.hessian[i][j] += weight * other.hessian[i][j];
            }
        }
    }

    /// Copies the upper triangle of the Hessian to the lower one.
    #[inline(always)]
    pub(crate) fn symmetric(mut self) -> Self {
        for i in 1..N {
            for j in 0..i {
                self.hessian[i][j] = self.hessian[j][i];
            }
        }
        self
    }
}
