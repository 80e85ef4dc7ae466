//! What the checks found: which rule was broken, by which numbers, for which customer.

use std::fmt;

use super::Tolerances;
use crate::data::History;

macro_rules! rules {
    ($($rule:ident = $text:literal),+ $(,)?) => {
        /// What must hold. The variants are the complete list of what is checked.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Rule {
            $(#[doc = $text] $rule,)+
        }

        impl Rule {
            /// All rules, in the order in which a report lists them.
            pub const ALL: &'static [Rule] = &[$(Rule::$rule),+];

            /// The rule in words.
            #[must_use]
            pub fn text(self) -> &'static str {
                match self {
                    $(Rule::$rule => $text,)+
                }
            }
        }
    };
}

rules! {
    InDomain = "Probabilities lie in 0 to 1; moments, expectations and discounted sums are finite and at least 0; a log-likelihood is a number.",
    OddArguments = "A time or a discount rate that is negative or no number counts as 0, and after an infinite time nothing is NaN.",
    AliveOrDead = "P(alive) + P(dead) = 1.",
    ActiveOrNone = "P(at least one purchase) + P(X = 0) = 1.",
    ActiveIsSome = "P(at least one purchase) = P(X > 0).",
    AliveAtTheStart = "P(alive at t) begins, at t = 0, with P(alive).",
    NothingInNoTime = "In no time there is no purchase.",
    CountsAddUp = "P(X = 0) + ... + P(X = n) = P(X <= n) = 1 - P(X > n).",
    MeanOfCounts = "The expectation is the sum of n P(X = n), and of P(X > n).",
    SecondFactorialMoment = "The second factorial moment is the sum of n (n - 1) P(X = n).",
    VarianceOfCounts = "The variance is that of the distribution P(X = n).",
    QuantileOfCounts = "The quantile q of the number of purchases is the smallest n with P(X <= n) >= q.",
    QuantileOfNextPurchase = "By the quantile q of the next purchase time it has come with probability q; there is none where it never does.",
    MoreTimeBringsMore = "With more time P(alive) falls and all that counts purchases grows; P(X > n) falls with n.",
    PurchasesBecomeRarer = "As customers drop out, no time span brings more purchases than an equally long one before it.",
    DiscountWithinBounds = "A discounted sum lies between what the largest discount and none would leave of it.",
    WholeLife = "DERT is what an infinite horizon brings: above that of any horizon, by no more than the discount leaves of the rest.",
    NewCustomerIsEmptyHistory = "A customer with x = t_x = T = 0 is a new customer.",
    PAliveTimesFuture = "What is said of a customer with a history is P(alive) times what is said of one who is alive.",
    FutureIgnoresRecency = "The future of a customer who is alive depends on x and T, not on t_x.",
    SilenceMeansDeath = "The longer the silence after the last purchase, the smaller P(alive).",
    LikelihoodOfNobody = "The likelihood of no purchase up to T is P(X(T) = 0), and that of x = t_x = T = 0 is 1.",
    LikelihoodOfSilence = "L(x, t_x, T + t) / L(x, t_x, T) = P(Y(t) = 0 given x, t_x, T).",
    LikelihoodIsDensity = "The likelihood integrated over all purchase times is P(X(T) = x).",
    HistoriesThenCounts = "P(X(T + t) = n) is the sum of P(history up to T) P(Y(t) = n - x given the history) over the histories.",
    ExpectationOverHistories = "What is said of customers with a history, averaged over all histories up to T, is what is said of a new customer.",
    ParametersRoundTrip = "A model made from a model's parameters has these parameters, as many as are described.",
    ParametersRefused = "Too few parameters, too many, or one that is no number make no model.",
    StartIsAModel = "The start values are a model, with a finite likelihood.",
    SumOverSample = "The log-likelihood of a sample is the sum over its customers, in whatever order they come.",
    WeightsCount = "A customer of weight 2 is the same as two customers: in the value, the gradient and the Hessian.",
    GradientIsSlope = "The gradient is the slope of the log-likelihood.",
    HessianIsCurvature = "The Hessian is the slope of the gradient, and symmetric.",
    TraitsInDomain = "A drawn purchase rate is finite and at least 0, a lifetime is at least 0.",
    SimulatedPurchases = "Customers drawn make as many purchases as expected.",
    SimulatedActivity = "As many of the customers drawn buy as P(at least one purchase) says.",
    SimulatedSurvival = "As many of the customers drawn are alive as P(alive at t) says.",
    SimulatedForecasts = "What is forecast from the histories of customers drawn adds up to what becomes of them.",
}

/// The rule's name and what it says.
impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}: {}", self.text())
    }
}

/// What a number should have been.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Expected {
    /// This, to within the tolerance.
    Equal(f64),
    /// No more than this and the tolerance.
    AtMost(f64),
    /// Between these two, or one of them.
    Between(f64, f64),
}

/// A rule that a model breaks, with the evidence.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Violation {
    /// The rule.
    pub rule: Rule,
    /// The quantity by which it showed: `P(X <= 3)`.
    pub quantity: String,
    /// The model's figure. An infinite one also stands for an answer of `None`.
    pub found: f64,
    /// What it should have been.
    pub expected: Expected,
    /// How far it might have been from it.
    pub tolerance: f64,
    /// Whose quantity it is: of a new customer, of one with a history, of one who is alive at T.
    pub subject: &'static str,
    /// The history, where it is about a customer who has one.
    pub history: Option<History>,
    /// t, where it is about a length of time.
    pub horizon: Option<f64>,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Violation { quantity, found, tolerance, subject, .. } = self;
        write!(f, "{quantity} of {subject} is {found:?}, ")?;
        match self.expected {
            Expected::Equal(value) => write!(f, "not {value:?} to within {tolerance:.1e}")?,
            Expected::AtMost(value) => write!(f, "more than {value:?} by more than {tolerance:.1e}")?,
            Expected::Between(low, high) => write!(f, "outside {low:?} to {high:?}")?,
        }
        place(f, self.history, self.horizon)
    }
}

/// A comparison that was not made, with the reason.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Skip {
    /// The rule that was not looked at, there.
    pub rule: Rule,
    /// Why not, and what would make it possible.
    pub reason: String,
    /// The history, where it was to be about one.
    pub history: Option<History>,
    /// t, where it was to be about a length of time.
    pub horizon: Option<f64>,
}

impl fmt::Display for Skip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.rule, self.reason)?;
        place(f, self.history, self.horizon)
    }
}

fn place(f: &mut fmt::Formatter<'_>, history: Option<History>, horizon: Option<f64>) -> fmt::Result {
    if let Some(history) = history {
        write!(f, ", at x = {}, t_x = {:?}, T = {:?}", history.frequency(), history.recency(), history.age())?;
    }
    if let Some(t) = horizon {
        write!(f, "{} t = {t:?}", if history.is_some() { "," } else { ", at" })?;
    }
    Ok(())
}

/// Of each rule this many violations are kept, the first ones. The others are counted: what is wrong in one place is usually wrong in a thousand.
const KEPT: usize = 3;

/// What the checks of one model found.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    model: String,
    compared: [usize; Rule::ALL.len()],
    violated: [usize; Rule::ALL.len()],
    violations: Vec<Violation>,
    skipped: Vec<Skip>,
}

impl Report {
    fn new(model: String) -> Self {
        Report { model, compared: [0; Rule::ALL.len()], violated: [0; Rule::ALL.len()], violations: Vec::new(), skipped: Vec::new() }
    }

    /// Whether something was compared, and all of it agrees. What was skipped does not count.
    #[must_use]
    pub fn is_ok(&self) -> bool {
        self.violations.is_empty() && self.compared.iter().any(|&count| count > 0)
    }

    /// The rules broken.
    pub fn broken(&self) -> impl Iterator<Item = Rule> {
        Rule::ALL.iter().copied().filter(|&rule| self.violated[rule as usize] > 0)
    }

    /// How many comparisons were made to see whether a rule holds.
    #[must_use]
    pub fn compared(&self, rule: Rule) -> usize {
        self.compared[rule as usize]
    }

    /// The first three violations of each rule; [`Display`](fmt::Display) says how many more there are.
    #[must_use]
    pub fn violations(&self) -> &[Violation] {
        &self.violations
    }

    /// What was not compared: each reason once per rule, with the first place where it applied.
    #[must_use]
    pub fn skipped(&self) -> &[Skip] {
        &self.skipped
    }

    /// Fails a test, with the report as its text, unless [`is_ok`](Self::is_ok).
    ///
    /// # Panics
    /// When a rule is broken, or nothing was compared.
    #[track_caller]
    pub fn assert_conforms(&self) {
        assert!(self.is_ok(), "{self}");
    }

    /// This report and another one on the same model.
    pub(super) fn and(mut self, other: Report) -> Report {
        for (index, (compared, violated)) in other.compared.into_iter().zip(other.violated).enumerate() {
            self.compared[index] += compared;
            self.violated[index] += violated;
        }
        self.violations.extend(other.violations);
        self.skipped.extend(other.skipped);
        self
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (compared, violated): (usize, usize) = (self.compared.iter().sum(), self.violated.iter().sum());
        match (compared, violated) {
            (0, _) => write!(f, "{}: nothing was compared", self.model)?,
            (_, 0) => write!(f, "{}: {compared} comparisons, all agree", self.model)?,
            _ => write!(f, "{}: {violated} of {compared} comparisons disagree", self.model)?,
        }
        for rule in self.broken() {
            write!(f, "\n{rule}")?;
            let mut shown = 0;
            for violation in self.violations.iter().filter(|violation| violation.rule == rule) {
                write!(f, "\n    {violation}")?;
                shown += 1;
            }
            if self.violated[rule as usize] > shown {
                write!(f, "\n    and {} more", self.violated[rule as usize] - shown)?;
            }
        }
        for (index, skip) in self.skipped.iter().enumerate() {
            write!(f, "{}\n    {skip}", if index == 0 { "\nNot compared" } else { "" })?;
        }
        Ok(())
    }
}

pub(super) const NEW: &str = "a new customer";
pub(super) const KNOWN: &str = "a customer with a history";
pub(super) const ALIVE: &str = "a customer alive at T";

/// Compares, and writes down what disagrees.
pub(super) struct Recorder {
    report: Report,
    pub(super) tolerances: Tolerances,
    /// Where the comparisons are made, for the text.
    pub(super) subject: &'static str,
    pub(super) history: Option<History>,
    pub(super) horizon: Option<f64>,
}

impl Recorder {
    pub(super) fn new(model: &impl fmt::Debug, tolerances: Tolerances) -> Self {
        Recorder { report: Report::new(format!("{model:?}")), tolerances, subject: NEW, history: None, horizon: None }
    }

    pub(super) fn into_report(self) -> Report {
        self.report
    }

    /// Moves on to another customer.
    pub(super) fn about(&mut self, subject: &'static str, history: Option<History>, horizon: Option<f64>) {
        (self.subject, self.history, self.horizon) = (subject, history, horizon);
    }

    /// Two numbers agree relative to the larger of them.
    pub(super) fn close(&mut self, rule: Rule, quantity: impl fmt::Display, found: f64, expected: f64, relative: f64) {
        self.within(rule, quantity, found, expected, relative * found.abs().max(expected.abs()));
    }

    /// Two numbers agree to within so much.
    pub(super) fn within(&mut self, rule: Rule, quantity: impl fmt::Display, found: f64, expected: f64, tolerance: f64) {
        // An infinite number agrees with itself alone, though it be within an infinite tolerance of all others.
        let holds = found == expected || (found.is_finite() && expected.is_finite() && (found - expected).abs() <= tolerance);
        self.record(holds, rule, quantity, found, Expected::Equal(expected), tolerance);
    }

    /// The first number is at most the second, but for rounding.
    pub(super) fn at_most(&mut self, rule: Rule, quantity: impl fmt::Display, found: f64, most: f64) {
        let tolerance = self.tolerances.rounding * most.abs();
        self.record(found <= most + tolerance, rule, quantity, found, Expected::AtMost(most), tolerance);
    }

    /// A number lies between two others.
    pub(super) fn between(&mut self, rule: Rule, quantity: impl fmt::Display, found: f64, low: f64, high: f64) {
        self.record((low..=high).contains(&found), rule, quantity, found, Expected::Between(low, high), 0.0);
    }

    fn record(&mut self, holds: bool, rule: Rule, quantity: impl fmt::Display, found: f64, expected: Expected, tolerance: f64) {
        self.report.compared[rule as usize] += 1;
        if holds {
            return;
        }
        self.report.violated[rule as usize] += 1;
        if self.report.violated[rule as usize] <= KEPT {
            let Recorder { subject, history, horizon, .. } = *self;
            self.report.violations.push(Violation {
                rule,
                quantity: quantity.to_string(),
                found,
                expected,
                tolerance,
                subject,
                history,
                horizon,
            });
        }
    }

    /// Leaves a comparison out.
    pub(super) fn skip(&mut self, rule: Rule, reason: impl Into<String>) {
        let reason = reason.into();
        if !self.report.skipped.iter().any(|skip| skip.rule == rule && skip.reason == reason) {
            self.report.skipped.push(Skip { rule, reason, history: self.history, horizon: self.horizon });
        }
    }
}
