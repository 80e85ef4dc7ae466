//! Limits to the figures of a back-test, and the exit code when one is crossed.

use super::args::samples;
use super::backtest::BACKTEST;
use super::failure::{Failure, Outcome};
use crate::backtest::{BackTestReport, Limit};

/// How the figures are judged.
#[derive(Debug, clap::Args)]
pub(super) struct Judged {
    /// End with exit code 3 when a figure of a model crosses this limit at any cut, such as "bias>0.2" (either way) or "revenue_gini<0.3"; may be given
    /// several times. NBD, in which nobody drops out, is there to be beaten: it is judged when it is named by --models
    #[arg(long, value_name = "LIMIT", help_heading = BACKTEST)]
    fail_if: Vec<String>,
    /// Samples of the customers behind the intervals of the figures; with 0 there are none
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = samples, help_heading = BACKTEST)]
    pub(super) samples: u32,
}

/// The limits that were set.
#[derive(Debug)]
pub(super) struct Limits(Vec<Limit>);

impl Limits {
    pub(super) fn of(flags: &Judged) -> Outcome<Self> {
        let limits = flags.fail_if.iter().map(|text| text.parse()).collect::<Result<_, _>>();
        limits.map(Limits).map_err(|error: crate::error::Error| Failure::Usage(error.to_string()))
    }

    /// A failure when one of them was crossed by a model that counts; the results are written all the same.
    pub(super) fn judge(&self, report: &BackTestReport, counts: impl Fn(&str) -> bool) -> Outcome {
        let breaches = self.0.iter().flat_map(|limit| limit.breaches(report)).filter(|breach| counts(breach.model));
        let breaches: Vec<String> = breaches.map(|breach| breach.to_string()).collect();
        if breaches.is_empty() { Ok(()) } else { Err(Failure::Judged(breaches)) }
    }
}
