//! A model that is not known exactly: parameter sets that stand for what the data leave open.

use super::stencil::Stencil;
use crate::error::{Error, Result};
use crate::fit::{Fitted, ParameterDistribution};
use crate::models::Estimable;
use crate::simulate::random_stream;

/// Parameter sets drawn from the distribution of an estimate: as many as a simulation of groups uses replications.
const DRAWS: u64 = 1000;

/// The seed of those draws, which nobody chooses for a simulation.
const SEED: u64 = 0x00c1_75ee_d0fe_45e3;

/// What a model is about: purchases and spend are estimated apart, so their draws have streams of their own.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Part {
    Purchases,
    Spend,
}

/// A model with its parameter uncertainty.
///
/// Two lists of equally weighted models: a few points over which a forecast is averaged exactly, and many draws for simulations. And where the
/// parameters have a normal distribution, the models from which a figure can be told everywhere.
#[derive(Debug, Clone)]
pub struct Ensemble<M> {
    points: Vec<M>,
    draws: Vec<M>,
    surface: Option<Surface<M>>,
}

/// A stencil, and the models at its places.
#[derive(Debug, Clone)]
pub(super) struct Surface<M> {
    pub(super) stencil: Stencil,
    pub(super) models: Vec<M>,
}

impl<M: Copy> Surface<M> {
    /// The estimate alone.
    pub(super) fn centre(&self) -> Self {
        Surface::known(self.models[0])
    }

    fn known(model: M) -> Self {
        Surface { stencil: Stencil::new(0), models: vec![model] }
    }
}

impl<M: Copy> Ensemble<M> {
    /// A model taken as known exactly: only chance remains.
    #[must_use]
    pub fn known(model: M) -> Self {
        Ensemble { points: vec![model], draws: vec![model], surface: Some(Surface::known(model)) }
    }

    /// Models that are all as likely: those of a [`Bootstrap`](crate::Bootstrap), or draws from a posterior that another program sampled.
    ///
    /// # Errors
    /// When there is none.
    pub fn of(models: &[M]) -> Result<Self> {
        if models.is_empty() {
            return Err(Error::parameter("an ensemble needs at least one model"));
        }
        Ok(Ensemble { points: models.to_vec(), draws: models.to_vec(), surface: None })
    }

    /// The points and draws of a distribution of parameters; the draws are the same in every run, and independent of those of the other `Part`.
    pub(crate) fn of_distribution(distribution: &ParameterDistribution, part: Part, model: impl Fn(&[f64]) -> Result<M>) -> Result<Self> {
        let mut rng = random_stream(SEED, part as u64);
        let points = distribution.points().iter().map(|parameters| model(parameters)).collect::<Result<Vec<M>>>()?;
        let draws = (0..DRAWS).map(|_| model(&distribution.draw(&mut rng))).collect::<Result<Vec<M>>>()?;
        let stencil = Stencil::new(distribution.dimensions());
        let models = stencil.places().iter().map(|place| model(&distribution.at(place))).collect::<Result<Vec<M>>>()?;
        Ok(Ensemble { points, draws, surface: Some(Surface { stencil, models }) })
    }

    /// The models from which a figure can be told for all parameters; `None` for a list of models.
    pub(super) fn surface(&self) -> Option<&Surface<M>> {
        self.surface.as_ref()
    }

    /// The points alone, as another type; `None` when one of them is none.
    pub(super) fn points_as<N: Copy>(&self, of: impl Fn(&M) -> Option<N>) -> Option<Ensemble<N>> {
        Some(Ensemble { points: self.points.iter().map(of).collect::<Option<_>>()?, draws: Vec::new(), surface: None })
    }

    pub(super) fn points(&self) -> &[M] {
        &self.points
    }

    /// Draw number `index`, from the start again when they are used up.
    pub(super) fn draw(&self, index: u64) -> M {
        self.draws[(index % self.draws.len() as u64) as usize]
    }
}

impl<M: Estimable> Ensemble<M> {
    /// The asymptotic distribution of a fit: [`ParameterDistribution`].
    ///
    /// `None` when the likelihood is flat in some direction, so that there is no such distribution; a bootstrap then still has an answer.
    pub(crate) fn of_fit(fitted: &Fitted<M>, part: Part) -> Option<Self> {
        Ensemble::of_distribution(&fitted.parameter_distribution()?, part, M::from_parameters).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array2, array};

    #[test]
    fn two_models_with_as_many_parameters_have_independent_draws() {
        let distribution =
            ParameterDistribution::new(array![1.0, 1.0, 1.0], vec![0, 1, 2], Array2::from_diag(&array![0.01, 0.02, 0.03]).view());
        let draws = |part| Ensemble::of_distribution(&distribution, part, |p| Ok([p[0].ln(), p[1].ln(), p[2].ln()])).unwrap().draws;
        let (one, other) = (draws(Part::Purchases), draws(Part::Spend));
        for axis in 0..3 {
            let product = |a: &[[f64; 3]], b: &[[f64; 3]]| a.iter().zip(b).map(|(a, b)| a[axis] * b[axis]).sum::<f64>();
            let correlation = product(&one, &other) / (product(&one, &one) * product(&other, &other)).sqrt();
            // Four standard errors of 1,000 draws.
            assert!(correlation.abs() < 4.0 / 1000.0_f64.sqrt(), "{correlation}");
        }
    }
}
