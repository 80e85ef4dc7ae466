//! The `clv` command line: one file per command, and what the commands share.
//!
//! Results go to the named file or standard output, everything else to standard error. Exit codes: 0 done, 1 the work could not be done, 2
//! wrong usage.

mod args;
mod definition;
mod explain;
mod failure;
mod fit;
mod fitting;
mod input;
mod output;
mod run;
mod score;
mod scoring;
mod simulate;
mod summarize;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{FromArgMatches, Parser, Subcommand};

use output::Console;

/// Predictive customer lifetime value: from a transaction log to one documented, defensible number per customer.
#[derive(Debug, Parser)]
#[command(
    name = "clv",
    version,
    max_term_width = 100,
    after_help = "The main job: clv run orders.csv --out results/\nEach command explains itself: clv run --help"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Run(run::Args),
    Summarize(summarize::Args),
    Fit(fit::Args),
    Score(score::Args),
    Explain(explain::Args),
    Simulate(simulate::Args),
}

/// Runs the command of `arguments` (the program's name first) and gives the exit code.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let outcome = definition::parse::<Cli>(arguments.into_iter().collect()).and_then(|matches| {
        let cli = Cli::from_arg_matches(&matches)?;
        match cli.command {
            Command::Run(args) => run::run(args),
            Command::Summarize(args) => summarize::run(args),
            Command::Fit(args) => fit::run(args),
            Command::Score(args) => score::run(args),
            Command::Explain(args) => explain::run(args),
            Command::Simulate(args) => simulate::run(args),
        }
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(&Console::stderr()),
    }
}
