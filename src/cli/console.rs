//! Standard error: what the user may want to know, and how far the work has come. With [`output`](super::output) the only place that prints.

use std::io::{self, IsTerminal, Write};
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use terminal_size::{Width, terminal_size_of};

use crate::data::grouped;
use crate::fit::Progress;
use crate::io::{LogFiles, ReadProgress};
use crate::report::format::{WIDTH, columns, fitted, printable, set_columns};

/// Standard error: what the user may want to know.
#[derive(Debug, Clone, Copy)]
pub(super) struct Console {
    quiet: bool,
}

impl Console {
    pub(super) fn new(quiet: bool) -> Self {
        // What is read through a pipe has the usual width.
        if let Some((Width(columns), _)) = terminal_size_of(io::stderr()).filter(|_| io::stderr().is_terminal()) {
            set_columns(columns.into());
        }
        Console { quiet }
    }

    /// Before it is known whether the user wants quiet.
    pub(super) fn stderr() -> Self {
        Console { quiet: false }
    }

    /// A line or more, unless the user wants quiet.
    pub(super) fn say(&self, text: &str) {
        if !self.quiet {
            self.always(text);
        }
    }

    /// A line that must be said.
    pub(super) fn always(&self, text: &str) {
        let fitted = fitted(text.trim_end_matches('\n'), if columns() < WIDTH { columns() } else { usize::MAX });
        // A name from the data must not steer the terminal.
        let lines: Vec<String> = fitted.lines().map(printable).collect();
        // When standard error is closed there is nobody to tell.
        let _ = writeln!(io::stderr(), "{}", lines.join("\n"));
    }

    /// Shows what is being done until the guard is dropped, on a terminal only.
    pub(super) fn busy(&self, what: &str) -> Busy {
        let bar = self.bar(None).with_style(ProgressStyle::default_spinner()).with_message(what.to_owned());
        if !bar.is_hidden() {
            bar.enable_steady_tick(Duration::from_millis(100));
        }
        Busy(bar)
    }

    /// Shows how the reading of files goes on until it is dropped, on a terminal only.
    pub(super) fn reading(&self, files: &LogFiles) -> Reading {
        let what = match files.paths() {
            [only] => format!("reading {}", only.display()),
            paths => format!("reading {} files", paths.len()),
        };
        // How long it will take is known of what has a length.
        let template = if files.bytes().is_some() { READING } else { READING_ON };
        let style = ProgressStyle::with_template(template).expect("the template is well-formed");
        let bar = self.bar(files.bytes()).with_style(style).with_prefix(what).with_message("no rows yet");
        Reading { bar, begun: Instant::now() }
    }

    fn bar(&self, length: Option<u64>) -> ProgressBar {
        let target = if self.quiet || !io::stderr().is_terminal() { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
        ProgressBar::with_draw_target(length, target)
    }
}

/// A spinner, or a bar once the work says how much there is; gone when dropped.
#[derive(Debug)]
pub(super) struct Busy(ProgressBar);

impl Busy {
    /// Shows how far the work has come; never stops it.
    pub(super) fn watch(&self) -> impl Fn(Progress) -> ControlFlow<()> + Sync + '_ {
        |progress| {
            if let Progress::Replication { done, of } = progress {
                if self.0.length().is_none() {
                    self.0.set_style(ProgressStyle::with_template(BAR).expect("the template is well-formed"));
                    self.0.set_length(of);
                }
                // Reports come from several threads and not in order.
                self.0.set_position(self.0.position().max(done));
            }
            ControlFlow::Continue(())
        }
    }
}

/// The reading of files: rows, rate, and by their bytes the time that is left.
#[derive(Debug)]
pub(super) struct Reading {
    bar: ProgressBar,
    begun: Instant,
}

const READING: &str = "{prefix} [{bar:30}] {percent} %, {msg}, {eta} left";
const READING_ON: &str = "{prefix}: {msg}";

impl Reading {
    pub(super) fn show(&self, read: ReadProgress) {
        if self.bar.is_hidden() {
            return;
        }
        let rate = read.rows as f64 / self.begun.elapsed().as_secs_f64().max(1e-3);
        self.bar.set_message(format!("{} rows, {} a second", grouped(read.rows as f64, 0), grouped(rate, 0)));
        // Reports come from several threads and not in order.
        self.bar.set_position(self.bar.position().max(read.bytes));
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// What is done, how far it has come, how long it will take.
const BAR: &str = "{msg} [{bar:30}] {percent} %, {eta} left";

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
