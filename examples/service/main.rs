//! A scoring service: purchase events in, scores out.
//!
//! `cargo run --release --example service --features csv` fits the CDNOW sample, serves it on a free port of this machine, asks itself a few questions and stops.
//! `cargo run --release --example service --features csv -- --serve 127.0.0.1:8080 model.json states.clv` serves a model until it is interrupted or terminated.
//! docs/service.md explains it.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program that tells what it does")]

mod app;
mod book;
mod demo;
mod live;
mod model;
mod serve;
mod stop;

use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use clv::Date;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["--serve", address, model, states] => {
            let (listener, service) = (TcpListener::bind(address).await?, service(Path::new(model), Path::new(states), None)?);
            println!("serving on http://{}", listener.local_addr()?);
            Ok(serve::serve(listener, service, Path::new(states), stop::asked()?).await?)
        }
        [] => demo::show().await,
        _ => Err("usage: service [--serve ADDRESS MODEL STATES]".into()),
    }
}

/// A service with the model and the states of these files; `as_of` is the day it takes for today.
fn service(model: &Path, states: &Path, as_of: Option<Date>) -> Result<Arc<app::Service>, Box<dyn Error>> {
    let (live, book) = (live::Live::load(model.to_owned(), as_of)?, book::Book::load(states)?);
    book.save(states)?; // where that cannot be, it is better known now
    Ok(Arc::new(app::Service { live, book, places: Semaphore::new(512), longest: Duration::from_secs(5) }))
}
