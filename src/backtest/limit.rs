//! Limits that a pipeline sets to the figures of a back-test: `bias>0.2`.

use std::fmt;
use std::str::FromStr;

use super::metrics::Metrics;
use super::outcome::{BackTestReport, Role, Run};
use crate::error::{Error, Result};

/// The prefix of a figure of spend.
const REVENUE: &str = "revenue_";

/// A bound that a figure must not cross, for any model asked about, at any cut.
///
/// Written as the condition of failure: a [name](Metrics::NAMES) of a figure of purchases, or `revenue_` and the name for one of spend; `>` or `<`; a number. The
/// bias counts by its size, so that `bias>0.2` is crossed by totals that are off by more than 20 % either way.
///
/// ```
/// use clv::Limit;
///
/// let limit: Limit = "bias > 0.2".parse()?;
/// assert_eq!(limit.to_string(), "bias>0.2");
/// assert!("bais>0.2".parse::<Limit>().unwrap_err().to_string().contains("top_decile_capture"));
/// # Ok::<(), clv::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limit {
    metric: &'static str,
    revenue: bool,
    above: bool,
    bound: f64,
}

/// A limit that was crossed.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq)]
pub struct Breach {
    /// The limit.
    pub limit: Limit,
    /// The model.
    pub model: &'static str,
    /// The model, and the cut.
    pub place: String,
    /// The figure; `None` when it is undefined, so that nothing shows that the limit is kept.
    pub value: Option<f64>,
}

impl Limit {
    /// Where the figures of a report cross it, for the group that is held out.
    #[must_use]
    pub fn breaches(&self, report: &BackTestReport) -> Vec<Breach> {
        let held_out = report.held_out();
        let runs = report.runs.iter().filter(|run| run.role == Role::Model && run.group == held_out);
        let breach = |run: &Run| {
            let value = self.value(run);
            let place = || format!("{} at the cut {}, until {}", run.model, run.split.cut(), run.split.holdout_end());
            (!value.is_some_and(|value| self.is_kept_by(value))).then(|| Breach { limit: *self, model: run.model, place: place(), value })
        };
        let failed = report.failures.iter().filter(|failure| !self.revenue && failure.is_model());
        let failed = failed.map(|failure| Breach {
            limit: *self,
            model: failure.model,
            place: format!("{} at the cut {}", failure.model, failure.split.cut()),
            value: None,
        });
        runs.filter_map(breach).chain(failed).collect()
    }

    fn value(&self, run: &Run) -> Option<f64> {
        let metrics = if self.revenue { &run.revenue.first()?.metrics } else { &run.metrics };
        let value = metrics.get(self.metric)?;
        Some(if self.metric == "bias" { value.abs() } else { value })
    }

    fn is_kept_by(&self, value: f64) -> bool {
        if self.above { value <= self.bound } else { value >= self.bound }
    }
}

impl FromStr for Limit {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let wrong = |why: String| {
            Error::parameter(format!(
                "limit {text:?} {why}; write a figure, > or <, and a number, such as \"bias>0.2\" or \"revenue_top_decile_capture<0.4\""
            ))
        };
        let Some(at) = text.find(['>', '<']) else { return Err(wrong("compares nothing".to_owned())) };
        let (name, bound) = (text[..at].trim(), text[at + 1..].trim());
        let (metric, revenue) = name.strip_prefix(REVENUE).map_or((name, false), |metric| (metric, true));
        let Some(metric) = Metrics::NAMES.iter().find(|known| **known == metric) else {
            return Err(wrong(format!("names no figure: {name:?} is none of {}", Metrics::NAMES.join(", "))));
        };
        let bound: f64 = bound.parse().map_err(|_| wrong(format!("has no number behind the sign: {bound:?}")))?;
        if !bound.is_finite() {
            return Err(wrong(format!("has a bound that is no finite number: {bound}")));
        }
        Ok(Limit { metric, revenue, above: text[at..].starts_with('>'), bound })
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let prefix = if self.revenue { REVENUE } else { "" };
        write!(f, "{prefix}{}{}{}", self.metric, if self.above { '>' } else { '<' }, self.bound)
    }
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.value {
            Some(value) => write!(f, "{}: {value:.4} of {}", self.limit, self.place),
            None => write!(f, "{}: undefined for {}, so that nothing shows it is kept", self.limit, self.place),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_read_and_written() {
        for text in ["bias>0.2", "coverage_0.9<0.85", "revenue_gini<0.3", "log_score>-1"] {
            assert_eq!(text.parse::<Limit>().unwrap().to_string(), text);
        }
        for (text, why) in
            [("bias", "compares nothing"), ("revenue>1", "names no figure"), ("bias>x", "no number"), ("bias>NaN", "no finite")]
        {
            let message = text.parse::<Limit>().unwrap_err().to_string();
            assert!(message.contains(why) && message.contains("such as"), "{message}");
        }
    }

    #[test]
    fn on_the_bound_is_kept() {
        let limit: Limit = "mae>0.5".parse().unwrap();
        assert!(limit.is_kept_by(0.5) && !limit.is_kept_by(0.500_1));
        let limit: Limit = "gini<0.5".parse().unwrap();
        assert!(limit.is_kept_by(0.5) && !limit.is_kept_by(0.499_9));
    }
}
