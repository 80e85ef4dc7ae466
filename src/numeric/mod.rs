//! Special functions and quadrature: f64 in, f64 out. Knows no customers.
//!
//! Every function states its domain and accuracy. The guiding idea: write each quantity as an integral of a *positive* function in a logarithmic
//! variable, or as a difference that is formed before it is evaluated. Then nothing cancels and nothing overflows.

pub(crate) mod beta_decay;
pub(crate) mod beta_mixture;
pub(crate) mod beta_nodes;
pub(crate) mod beta_quantile;
pub(crate) mod block;
pub(crate) mod decay;
pub(crate) mod dispatch;
pub(crate) mod doubling;
pub(crate) mod elementary;
pub(crate) mod exact_sum;
mod gauss_legendre;
pub(crate) mod jet;
pub(crate) mod ln_sum;
pub(crate) mod log_concave;
pub(crate) mod log_odds;
pub(crate) mod neighbours;
pub(crate) mod power_integral;
pub(crate) mod remembered;
pub(crate) mod rising;
pub(crate) mod stirling;
pub(crate) mod symmetric;
pub(crate) mod two_axes;
