//! Newton's method in a trust region and a box, as a solver for argmin's run loop.
//!
//! With four parameters and an exact Hessian the trust-region problem is solved exactly, from the eigenvalues, at no cost beside the pass over the
//! data. Parameters that the gradient pushes out of the box stay at its edge (an active set). argmin keeps the run loop, the counts and the reason
//! of stopping; its own trust region has neither bounds nor a stopping rule and takes three passes instead of one.

use std::ops::ControlFlow;

use argmin::core::{Error as ArgminError, IterState, KV, Problem, Solver, TerminationReason, TerminationStatus};
use ndarray::{Array1, Array2};

use super::objective::Objective;
use super::watch::{Progress, Watch};
use crate::models::Evaluation;
use crate::numeric::symmetric::Eigen;

/// The optimiser's state in argmin's terms; the cost is -ln L.
pub(super) type NewtonState = IterState<Array1<f64>, Array1<f64>, (), Array2<f64>, (), f64>;

/// Converged: the gradient per customer in log-parameters is smaller than this. The optimum is then known to about 1e-9 of a standard error.
const GRADIENT_TOLERANCE: f64 = 1e-9;

/// Converged: the next step would gain less than this in ln L per customer. On a ridge the gradient vanishes long before the gain does.
const GAIN_TOLERANCE: f64 = 1e-13;

/// The rounding of ln L as a share of the terms it is a sum of. Converged, too: no step is expected to gain more than this.
const ROUNDING: f64 = 4.0 * f64::EPSILON;

/// First and largest length of a step in log-parameters: a factor of e^2 and e^8.
const FIRST_RADIUS: f64 = 2.0;
const LARGEST_RADIUS: f64 = 8.0;

/// Below this radius no step makes progress.
const SMALLEST_RADIUS: f64 = 1e-10;

/// The solver.
pub(super) struct TrustRegionNewton<'a> {
    lower: Array1<f64>,
    upper: Array1<f64>,
    /// The size of the sample, by weight: tolerances are per customer.
    customers: f64,
    /// What ln L is uncertain by.
    noise: f64,
    radius: f64,
    at: Option<Evaluation>,
    stop: Option<TerminationReason>,
    watch: Option<&'a Watch<'a>>,
}

/// A step within the trust region and what the quadratic model expects of it.
struct Step {
    direction: Array1<f64>,
    gain: f64,
}

impl<'a> TrustRegionNewton<'a> {
    /// `magnitude` is the size of the terms that ln L is a sum of.
    pub(super) fn new(bounds: (Array1<f64>, Array1<f64>), customers: f64, magnitude: f64, watch: Option<&'a Watch<'a>>) -> Self {
        let (lower, upper) = bounds;
        TrustRegionNewton { lower, upper, customers, noise: ROUNDING * magnitude, radius: FIRST_RADIUS, at: None, stop: None, watch }
    }

    /// The evaluation at the point where the solver stands.
    pub(super) fn evaluation(&self) -> Option<&Evaluation> {
        self.at.as_ref()
    }

    /// The parameters that may move: all but those at an edge with the gradient pointing out.
    pub(super) fn free(&self, point: &Array1<f64>, gradient: &Array1<f64>) -> Vec<usize> {
        (0..point.len())
            .filter(|&i| !(point[i] <= self.lower[i] && gradient[i] < 0.0 || point[i] >= self.upper[i] && gradient[i] > 0.0))
            .collect()
    }

    /// The largest gradient entry per customer among the parameters that may move.
    pub(super) fn scaled_gradient(&self, point: &Array1<f64>, gradient: &Array1<f64>) -> f64 {
        self.free(point, gradient).iter().map(|&i| gradient[i].abs()).fold(0.0, f64::max) / self.customers
    }

    /// The best step for the quadratic model within a radius and the box.
    fn step(&self, point: &Array1<f64>, at: &Evaluation, radius: f64) -> Step {
        let mut free = self.free(point, &at.gradient);
        loop {
            let mut direction = Array1::zeros(point.len());
            for (&i, step) in free.iter().zip(trust_region_step(&free, at, radius)) {
                direction[i] = step;
            }
            // A parameter on an edge that would step out although its own gradient points in: hold it, and solve again without it.
            let held = free.len();
            free.retain(|&i| !(point[i] <= self.lower[i] && direction[i] < 0.0 || point[i] >= self.upper[i] && direction[i] > 0.0));
            if free.len() < held {
                continue;
            }
            // Shorten the step to the first edge; along the ray the quadratic model rises all the way.
            let room = |i: usize| {
                let edge = if direction[i] < 0.0 { self.lower[i] } else { self.upper[i] };
                if direction[i] == 0.0 { f64::INFINITY } else { (edge - point[i]) / direction[i] }
            };
            let length = free.iter().map(|&i| room(i)).fold(1.0, f64::min);
            direction *= length;
            let gain = at.gradient.dot(&direction) + 0.5 * direction.dot(&at.hessian.dot(&direction));
            return Step { direction, gain };
        }
    }

    /// Whether a point is the optimum: what a step of the first radius could still gain is nothing, or lost in rounding.
    fn is_optimum(&self, point: &Array1<f64>, at: &Evaluation) -> bool {
        let gain = self.step(point, at, FIRST_RADIUS).gain;
        let stationary = self.scaled_gradient(point, &at.gradient) <= GRADIENT_TOLERANCE && gain <= GAIN_TOLERANCE * self.customers;
        stationary || gain <= self.noise
    }

    fn evaluate<O: Objective>(problem: &mut Problem<O>, point: &Array1<f64>) -> Result<Evaluation, ArgminError> {
        problem.problem("evaluations", |objective| Ok(objective.evaluate(point)))
    }

    fn report(&mut self, state: NewtonState, point: Array1<f64>, at: Evaluation) -> NewtonState {
        let state = state.param(point).cost(-at.value).gradient(-&at.gradient).hessian(-&at.hessian);
        self.at = Some(at);
        state
    }
}

/// The maximiser of g'd + d'Hd/2 over |d| <= radius, for the free parameters only.
fn trust_region_step(free: &[usize], at: &Evaluation, radius: f64) -> Array1<f64> {
    let n = free.len();
    if n == 0 {
        return Array1::zeros(0);
    }
    let curvature = Array2::from_shape_fn((n, n), |(i, j)| -at.hessian[[free[i], free[j]]]);
    let gradient: Array1<f64> = free.iter().map(|&i| at.gradient[i]).collect();
    let Eigen { values, vectors } = Eigen::of(&curvature);
    let slopes = vectors.t().dot(&gradient);
    let along = |shift: f64| -> Array1<f64> { (0..n).map(|k| slopes[k] / (values[k] + shift)).collect() };
    let length = |shift: f64| along(shift).dot(&along(shift)).sqrt();
    let largest = values[n - 1].abs().max(values[0].abs()).max(f64::MIN_POSITIVE);
    // Without a shift the curvature must be safely positive.
    let floor = 1e-13 * largest;
    if values[0] > floor && length(0.0) <= radius {
        return vectors.dot(&along(0.0));
    }
    // |d(shift)| falls in the shift: bisect its logarithm between just above -lowest eigenvalue and where the step is short enough.
    let base = (-values[0]).max(0.0);
    let (mut low, mut high) = (floor, largest + length(largest + base) / radius * largest);
    while length(base + high) > radius {
        high *= 4.0;
    }
    if length(base + low) <= radius {
        // No gradient along the lowest curvature (the hard case): go to the edge of the region in that direction.
        let mut step = along(base + low);
        let rest = (radius * radius - step.dot(&step)).max(0.0).sqrt();
        if values[0] < -floor {
            step[0] += rest.copysign(slopes[0]);
        }
        return vectors.dot(&step);
    }
    for _ in 0..100 {
        let middle = (low * high).sqrt();
        if length(base + middle) > radius { low = middle } else { high = middle }
    }
    vectors.dot(&along(base + high))
}

impl<O: Objective> Solver<O, NewtonState> for TrustRegionNewton<'_> {
    fn name(&self) -> &str {
        "bounded trust-region Newton"
    }

    fn init(&mut self, problem: &mut Problem<O>, mut state: NewtonState) -> Result<(NewtonState, Option<KV>), ArgminError> {
        let start = state.take_param().ok_or_else(|| ArgminError::msg("the solver needs a start"))?;
        let point = Array1::from_shape_fn(start.len(), |i| start[i].clamp(self.lower[i], self.upper[i]));
        let at = Self::evaluate(problem, &point)?;
        if !at.value.is_finite() {
            self.stop = Some(TerminationReason::SolverExit("the likelihood is not finite at the start".to_owned()));
        }
        Ok((self.report(state, point, at), None))
    }

    fn next_iter(&mut self, problem: &mut Problem<O>, mut state: NewtonState) -> Result<(NewtonState, Option<KV>), ArgminError> {
        let (Some(point), Some(at)) = (state.take_param(), self.at.take()) else {
            return Err(ArgminError::msg("the solver was not initialised"));
        };
        if self.is_optimum(&point, &at) {
            self.stop = Some(TerminationReason::SolverConverged);
            return Ok((self.report(state, point, at), None));
        }
        if self.radius < SMALLEST_RADIUS {
            // When rounding is worse than it was taken for, no step improves the likelihood although there is nothing left to gain.
            let gain = self.step(&point, &at, FIRST_RADIUS).gain;
            self.stop = Some(if gain <= GAIN_TOLERANCE * self.customers {
                TerminationReason::SolverConverged
            } else {
                TerminationReason::SolverExit("no step improves the likelihood".to_owned())
            });
            return Ok((self.report(state, point, at), None));
        }
        let step = self.step(&point, &at, self.radius);
        let candidate = Array1::from_shape_fn(point.len(), |i| (point[i] + step.direction[i]).clamp(self.lower[i], self.upper[i]));
        let there = Self::evaluate(problem, &candidate)?;
        // A gain that rounding can make or hide counts as expected (Conn, Gould & Toint 2000, section 17.4.2).
        let ratio = (there.value - at.value + self.noise) / (step.gain + self.noise);
        let length = step.direction.dot(&step.direction).sqrt();
        if ratio.is_nan() || ratio < 0.25 {
            self.radius = 0.25 * length.min(self.radius);
        } else if ratio > 0.75 && length > 0.8 * self.radius {
            self.radius = (2.0 * self.radius).min(LARGEST_RADIUS);
        }
        if ratio > 1e-4 {
            // Whether this is the optimum costs no pass over the data.
            if self.is_optimum(&candidate, &there) {
                self.stop = Some(TerminationReason::SolverConverged);
            }
            Ok((self.report(state, candidate, there), None))
        } else {
            Ok((self.report(state, point, at), None))
        }
    }

    fn terminate(&mut self, state: &NewtonState) -> TerminationStatus {
        if let Some(reason) = &self.stop {
            return TerminationStatus::Terminated(reason.clone());
        }
        let progress = Progress::Iteration { iteration: state.iter, value: -state.cost };
        match self.watch.map_or(ControlFlow::Continue(()), |watch| watch(progress)) {
            ControlFlow::Continue(()) => TerminationStatus::NotTerminated,
            ControlFlow::Break(()) => TerminationStatus::Terminated(TerminationReason::Interrupt),
        }
    }
}
