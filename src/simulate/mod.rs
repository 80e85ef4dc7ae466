//! Simulation: customers, histories and transaction logs drawn from a model.
//!
//! Two levels. [`Simulate`] is a model's story itself, in continuous time and with any generator of random numbers: draw what sets a
//! customer apart ([`CustomerTraits`]), then the purchases that follow. [`Population`] puts such customers on the calendar: cohorts that
//! arrive over certain days, dates, amounts, an observation end.
//!
//! # Same seed, same customers
//! Every customer has two generators of their own, streams 2i and 2i + 1 of one ChaCha8 key: for the purchases and for the amounts. So the
//! result depends neither on threads nor on the order in which customers are looked at; a later observation end continues the same
//! purchases; and adding a spend model, or more customers, changes no date. Only a new release of `rand_distr` or of the platform's `exp`
//! and `ln` may change the numbers.
//!
//! # Extremes
//! Gamma variates are drawn as logarithms, because those of shape 1e-3 underflow. What is still 0 means what it says: a purchase rate of 0
//! never buys, a dropout rate of 0 never leaves.

mod customer_traits;
mod population;
mod redraw;
mod simulated_customer;
mod simulation;
mod spender;
mod story;
mod variates;

pub use customer_traits::{CustomerTraits, PurchaseTimes};
pub use population::{AcquisitionCohort, Population};
pub use redraw::Redraw;
pub use simulated_customer::{FuturePurchase, SimulatedCustomer, Truth};
pub use simulation::Simulation;
pub use spender::Spender;
pub use story::{CustomerFuture, Simulate};
pub use variates::random_stream;
