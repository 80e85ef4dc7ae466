//! The flags that say where a back-test cuts.

use super::args::{backtest_span, origins};
use super::backtest::BACKTEST;
use super::failure::{Failure, Outcome};
use crate::backtest::Scheme;
use crate::data::TransactionLog;
use crate::error::{Error, Result};
use crate::time::{Date, Horizon};

/// Where to cut.
#[derive(Debug, clap::Args)]
pub(super) struct Origins {
    /// Last day of calibration, inclusive; the holdout begins on the next day
    #[arg(long, value_name = "DATE", help_heading = BACKTEST)]
    cut: Option<Date>,
    /// Several cuts, this many, instead of one: each a holdout after the one before [default: 4, without --cut]
    #[arg(long, value_name = "N", value_parser = origins, help_heading = BACKTEST)]
    origins: Option<u32>,
    /// Length of a holdout, such as "39 weeks" or "3 months"; several after one cut, separated by commas [default: from the cut to the observation end;
    /// an eighth of the time for several cuts]
    #[arg(long, value_name = "SPAN", value_delimiter = ',', value_parser = backtest_span, help_heading = BACKTEST)]
    holdout: Vec<Horizon>,
    /// Calibrate at each of several cuts on the customers alone who came within this span before it
    #[arg(long, value_name = "SPAN", value_parser = backtest_span, help_heading = BACKTEST)]
    window: Option<Horizon>,
    /// Cohorts instead of time: calibrate on customers born (with their first purchase) up to this day, forecast those born later from birth on.
    /// --cut is then the last day up to which the older ones are seen [default: the observation end]
    #[arg(long, value_name = "DATE", help_heading = BACKTEST)]
    born_until: Option<Date>,
}

/// The flags as far as they fit together.
#[derive(Debug, Clone)]
pub(super) enum When {
    At(Date, Option<Horizon>),
    Nested(Date, Vec<Horizon>),
    Rolling { origins: u32, horizon: Option<Horizon>, window: Option<Horizon> },
    Cohort { born_until: Date, cut: Option<Date> },
}

impl When {
    pub(super) fn of(flags: &Origins) -> Outcome<Self> {
        let usage = |message: &str| Err(Failure::Usage(message.to_owned()));
        let &Origins { cut, origins, ref holdout, window, born_until } = flags;
        if let Some(born_until) = born_until {
            return match (origins, window, holdout.as_slice()) {
                (None, None, []) => Ok(When::Cohort { born_until, cut }),
                _ => usage(
                    "--born-until cuts between cohorts, and the newer ones are followed to the observation end; --origins, --holdout and --window do not go with it",
                ),
            };
        }
        match (cut, origins, window, holdout.as_slice()) {
            (Some(_), Some(_), _, _) => {
                usage("--cut names one cut and --origins asks for several, counted back from the observation end; give one of them")
            }
            (Some(_), None, Some(_), _) => usage("--window is for several cuts; give --origins instead of --cut"),
            (Some(cut), None, None, [] | [_]) => Ok(When::At(cut, holdout.first().copied())),
            (Some(cut), None, None, _) => Ok(When::Nested(cut, holdout.clone())),
            (None, _, _, [] | [_]) => {
                Ok(When::Rolling { origins: origins.unwrap_or(Scheme::DEFAULT_ORIGINS), horizon: holdout.first().copied(), window })
            }
            (None, _, _, _) => usage("several lengths of a holdout need one --cut that they all begin at"),
        }
    }

    pub(super) fn scheme(self, log: &TransactionLog, end: Date) -> Result<Scheme> {
        Ok(match self {
            When::At(cut, Some(horizon)) => Scheme::Holdout { cut, horizon },
            // A cut at or after the end has no day after it; the scheme says so and what is possible.
            When::At(cut, None) => Scheme::Holdout { cut, horizon: Horizon::days(end.days_since(cut).max(1).unsigned_abs())? },
            When::Nested(cut, horizons) => Scheme::Nested { cut, horizons },
            When::Cohort { born_until, cut } => Scheme::Cohort { born_until, cut: cut.unwrap_or(end) },
            When::Rolling { origins, horizon, window } => {
                let horizon = match horizon {
                    Some(horizon) => horizon,
                    None => Scheme::default_horizon(first(log)?, end, origins)?,
                };
                match window {
                    Some(window) => Scheme::Sliding { origins, horizon, window },
                    None => Scheme::Rolling { origins, horizon },
                }
            }
        })
    }
}

fn first(log: &TransactionLog) -> Result<Date> {
    log.first_date().ok_or_else(|| Error::data("there is no transaction to back-test on"))
}
