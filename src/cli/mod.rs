//! The `clv` command line: one file per command, and what the commands share.
//!
//! Results go to the named file or standard output, everything else to standard error. Exit codes: 0 done, 1 the work could not be done, 2
//! wrong usage.

mod acquiring;
mod args;
mod audit;
mod backtest;
mod backtest_tables;
mod cohort_models;
mod cohort_tables;
mod cohorts;
mod console;
mod counted;
mod define;
mod definition;
mod explain;
mod failure;
mod fit;
mod fitting;
mod formulas;
mod input;
mod limits;
mod origins;
mod output;
mod report;
mod reporting;
mod result_directory;
mod run;
mod score;
mod scoring;
mod shell;
mod simulate;
mod standing;
mod steps;
mod subject;
mod summarize;

use std::ffi::OsString;
use std::panic::{self, AssertUnwindSafe, PanicHookInfo};
use std::process::ExitCode;
use std::sync::Once;

use clap::{FromArgMatches, Parser, Subcommand};

use crate::io::panics_are_caught;
use console::Console;

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
    Backtest(backtest::Args),
    Audit(audit::Args),
    Cohorts(cohorts::Args),
    Explain(explain::Args),
    Report(report::Args),
    Simulate(simulate::Args),
    Definition(Box<define::Args>),
    Completions(shell::Completions),
    Man(shell::Man),
}

/// Runs the command of `arguments` (the program's name first) and gives the exit code.
///
/// Made to be the whole of a program: the threads it starts and the way it tells of panics stay for the process. A second call works with
/// the threads of the first.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    tell_of_panics_in_a_line();
    let arguments = arguments.into_iter().collect();
    // The hook has told of it.
    panic::catch_unwind(AssertUnwindSafe(|| call(arguments))).unwrap_or(ExitCode::FAILURE)
}

fn call(arguments: Vec<OsString>) -> ExitCode {
    let outcome = definition::parse::<Cli>(arguments).and_then(|parsed| {
        let cli = Cli::from_arg_matches(&parsed.matches)?;
        match cli.command {
            Command::Run(args) => run::run(args),
            Command::Summarize(args) => summarize::run(args),
            Command::Fit(args) => fit::run(args, &parsed.from_file),
            Command::Score(args) => score::run(args),
            Command::Backtest(args) => backtest::run(args),
            Command::Audit(args) => audit::run(args),
            Command::Cohorts(args) => cohorts::run(args),
            Command::Explain(args) => explain::run(args),
            Command::Report(args) => report::run(args),
            Command::Simulate(args) => simulate::run(args),
            Command::Completions(args) => shell::completions(&args),
            Command::Man(args) => shell::man(&args),
            Command::Definition(args) => {
                let matches = parsed.matches.subcommand_matches("definition").unwrap_or(&parsed.matches);
                define::run(&args, matches, &parsed.from_file)
            }
        }
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(&Console::stderr()),
    }
}

/// A panic is a fault of this program, and one line is all a user can do something with. The Parquet reader's are no faults of it but
/// errors in a file, and told as such.
fn tell_of_panics_in_a_line() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        panic::set_hook(Box::new(|panic| {
            if !panics_are_caught() {
                Console::stderr().always(&internal_error(panic));
            }
        }));
    });
}

fn internal_error(panic: &PanicHookInfo<'_>) -> String {
    let payload = panic.payload();
    let message = payload.downcast_ref::<&str>().copied().or(payload.downcast_ref::<String>().map(String::as_str));
    let place = panic.location().map(|place| format!(" ({}:{})", place.file(), place.line())).unwrap_or_default();
    format!("error: internal error, please report: {}{place}", message.unwrap_or("no message"))
}
