//! A purchase model that is chosen while the program runs, by name.

use ndarray::ArrayViewMut2;

use super::{BgNbd, Estimable, MbgNbd, Nbd, ParameterInfo, ParetoNbd, PurchaseModel, SeenHistories};
use crate::data::{Histories, History};
use crate::error::{Error, Result};

/// Declares the enum over the models and everything that only passes a call on.
macro_rules! any_purchase_model {
    ($($(#[$doc:meta])* $model:ident),+) => {
        /// One of the purchase models: what a model file holds.
        ///
        /// ```
        /// use clv::{AnyPurchaseModel, History, PurchaseModel};
        ///
        /// let model = AnyPurchaseModel::from_name("bg-nbd", &[0.243, 4.414, 0.793, 2.426])?;
        /// assert_eq!(model.p_alive(&History::new(0, 0.0, 38.86)?), 1.0);
        /// # Ok::<(), clv::Error>(())
        /// ```
        #[non_exhaustive]
        #[derive(Debug, Clone, Copy, PartialEq)]
        pub enum AnyPurchaseModel {
            $($(#[$doc])* $model($model),)+
        }

        impl AnyPurchaseModel {
            /// The names of the models.
            pub const NAMES: &'static [&'static str] = &[$($model::NAME),+];

            /// The model of a name, from its parameters in the order of [`Estimable::PARAMETERS`].
            ///
            /// # Errors
            /// When the name is not known or a parameter is outside its domain.
            pub fn from_name(name: &str, parameters: &[f64]) -> Result<Self> {
                match name {
                    $($model::NAME => $model::from_parameters(parameters).map(Self::$model),)+
                    _ => Err(Self::unknown(name)),
                }
            }

            /// The parameters of the model of a name, in order.
            ///
            /// # Errors
            /// When the name is not known.
            pub fn parameters_of(name: &str) -> Result<&'static [ParameterInfo]> {
                match name {
                    $($model::NAME => Ok($model::PARAMETERS),)+
                    _ => Err(Self::unknown(name)),
                }
            }

            /// The model's name: `bg-nbd`.
            #[must_use]
            pub fn name(&self) -> &'static str {
                match self {
                    $(Self::$model(_) => $model::NAME,)+
                }
            }
        }

        $(impl From<$model> for AnyPurchaseModel {
            fn from(model: $model) -> Self {
                Self::$model(model)
            }
        })+

        /// Evaluates an expression with `$inner` bound to the model inside.
        macro_rules! each {
            ($any:expr, $inner:ident => $expression:expr) => {
                match $any {
                    $(AnyPurchaseModel::$model($inner) => $expression,)+
                }
            };
        }
    };
}

any_purchase_model! {
    /// BG/NBD.
    BgNbd,
    /// MBG/NBD.
    MbgNbd,
    /// Pareto/NBD.
    ParetoNbd,
    /// NBD.
    Nbd
}

impl AnyPurchaseModel {
    fn unknown(name: &str) -> Error {
        Error::parameter(format!("purchase model {name:?} is not known; it is one of {}", Self::NAMES.join(", ")))
    }
}

impl PurchaseModel for AnyPurchaseModel {
    type Alive = AnyPurchaseModel;

    fn ln_likelihood(&self, history: &History) -> f64 {
        each!(self, model => model.ln_likelihood(history))
    }

    fn p_alive(&self, history: &History) -> f64 {
        each!(self, model => model.p_alive(history))
    }

    fn p_dead(&self, history: &History) -> f64 {
        each!(self, model => model.p_dead(history))
    }

    fn p_alive_column(&self, histories: &Histories<'_>, p_alive: &mut [f64]) {
        each!(self, model => model.p_alive_column(histories, p_alive));
    }

    fn p_alive_column_after(&self, seen: &mut SeenHistories, histories: &Histories<'_>, p_alive: &mut [f64]) {
        each!(self, model => model.p_alive_column_after(seen, histories, p_alive));
    }

    fn conditional_expected_purchases_columns(&self, histories: &Histories<'_>, horizons: &[f64], expected: ArrayViewMut2<'_, f64>) {
        each!(self, model => model.conditional_expected_purchases_columns(histories, horizons, expected));
    }

    fn given_alive(&self, history: &History) -> Self {
        each!(self, model => model.given_alive(history).into())
    }

    fn expected_purchases(&self, t: f64) -> f64 {
        each!(self, model => model.expected_purchases(t))
    }

    fn second_factorial_moment(&self, t: f64) -> f64 {
        each!(self, model => model.second_factorial_moment(t))
    }

    fn purchase_variance(&self, t: f64) -> f64 {
        each!(self, model => model.purchase_variance(t))
    }

    fn purchase_pmf(&self, n: u64, t: f64) -> f64 {
        each!(self, model => model.purchase_pmf(n, t))
    }

    fn purchase_sf(&self, n: u64, t: f64) -> f64 {
        each!(self, model => model.purchase_sf(n, t))
    }

    fn p_active(&self, t: f64) -> f64 {
        each!(self, model => model.p_active(t))
    }

    fn next_purchase_quantile(&self, q: f64) -> Option<f64> {
        each!(self, model => model.next_purchase_quantile(q))
    }

    fn p_alive_at(&self, t: f64) -> f64 {
        each!(self, model => model.p_alive_at(t))
    }

    fn discounted_expected_purchases(&self, t: f64, delta: f64) -> f64 {
        each!(self, model => model.discounted_expected_purchases(t, delta))
    }

    fn expected_and_discounted_purchases(&self, t: f64, delta: f64) -> (f64, f64) {
        each!(self, model => model.expected_and_discounted_purchases(t, delta))
    }

    fn dert(&self, delta: f64) -> Option<f64> {
        each!(self, model => model.dert(delta))
    }
}
