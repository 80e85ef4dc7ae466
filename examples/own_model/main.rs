//! A purchase model of one's own, checked by the rules that every model of this crate passes:
//!
//! ```text
//! cargo run --example own_model
//! ```
//!
//! All customers are alike: while alive they buy at random with the rate lambda, and they drop out at random with the rate mu, whether they buy or
//! not. It is what Pareto/NBD becomes when nobody differs from anybody (Schmittlein, Morrison & Colombo 1987), and all of it has closed forms.
//! It takes `model.rs` and `purchases.rs` to score, `simulate.rs` to draw customers, `sample.rs` and `fit.rs` to fit.
#![allow(clippy::print_stdout, reason = "a program says what it found")]

mod fit;
mod model;
mod numbers;
mod purchases;
mod sample;
mod simulate;

pub use model::FixedRates;
pub use sample::Rows;

use clv::conformance::{Points, check_estimable, check_purchase_model, check_simulation};
use clv::{Customer, Customers, Estimable, Fit, History, TimeUnit};

fn main() -> clv::Result<()> {
    let model = FixedRates::new(0.1, 0.02)?;
    let histories = [History::new(2, 30.43, 38.86)?, History::new(0, 0.0, 38.86)?, History::new(7, 12.0, 12.0)?];
    let points = Points::new(&histories, &[1.0, 4.0, 39.0])?;
    println!("{}", check_purchase_model(&model, &points));
    println!("{}", check_simulation(&model, &points, 10_000, 42));

    let mut customers = Customers::new(TimeUnit::Week);
    for (row, history) in histories.into_iter().enumerate() {
        customers.push(Customer { id: &row.to_string(), history, average_spend: 0.0, weight: 1.0, purchases: None })?;
    }
    println!("{}", check_estimable(&model, &customers));
    let fitted = FixedRates::fit(&customers)?;
    for (i, parameter) in FixedRates::PARAMETERS.iter().enumerate() {
        println!("{} = {:.4} a week, by the {} customers", parameter.name, fitted.model().parameters()[i], customers.len());
    }
    Ok(())
}
