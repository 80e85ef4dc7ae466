//! The total of many customers: nearly normal, given the parameters, so that it is drawn at once instead of customer by customer.
//!
//! Customers are independent once the parameters are given. So the chance of all of them together is that of a normal variate, corrected for skewness
//! (the first term of Cornish & Fisher 1938), with the sums of their [`Cumulants`], which have closed forms. How the total depends on the parameters is
//! told by the quadratic of a [`Stencil`] in its logarithm.

use rand::Rng;

use super::cumulants::{Cumulants, Moments};
use super::ensemble::Surface;
use super::forecast::Interval;
use super::groups::GroupForecast;
use super::stencil::{DISTANCE, Stencil};
use crate::data::{Customers, History, SpendHistory};
use crate::fit::Level;
use crate::models::{GammaGamma, PurchaseModel};
use crate::parallel::map_indices;
use crate::simulate::random_stream;

/// Blocks of draws of a total, with a random stream each. The ends of a 90 % interval are uncertain by 0.017 standard deviations of the total.
const BLOCKS: usize = 16;
const DRAWS_PER_BLOCK: usize = 1024;

/// The streams before are those of the simulation customer by customer. Value has streams of its own, so that purchases are the same whatever they are worth.
const FIRST_STREAM: u64 = 1 << 40;
const FIRST_STREAM_OF_VALUE: u64 = 1 << 41;

/// A logarithm may bend by this share of its deviations: what a quadratic leaves out is of the order of the square.
const LARGEST_BEND: f64 = 0.3;

/// Customers that are added up one after the other.
const PIECE: usize = 512;

/// The models that totals are made of: at all places of their stencils, the estimate first.
pub(super) struct Places<'a, M> {
    pub(super) purchases: &'a Surface<M>,
    pub(super) spend: Option<&'a Surface<GammaGamma>>,
    pub(super) horizon: f64,
}

/// What is told of a group without a simulation.
#[derive(Debug, Clone)]
pub(super) struct Told {
    pub(super) forecast: GroupForecast,
    /// Whether there is a value of which nothing is told, so that it takes a simulation.
    pub(super) lacks_value: bool,
}

/// Members of a group: rows in an order in which equal histories stand together, and the value of a unit of money that each row spends, where it has any.
pub(super) struct Members<'a> {
    pub(super) customers: &'a Customers,
    pub(super) rows: &'a [usize],
    pub(super) scales: &'a [Option<f64>],
}

impl<M: PurchaseModel> Places<'_, M> {
    /// The totals of a group; `None` where purchases are not nearly normal given the parameters, because its members are few or some of them make up most of
    /// them. Value that is not is left to a simulation alone.
    pub(super) fn forecast(&self, members: &Members<'_>, level: Level, seed: u64, group: u64) -> Option<Told> {
        let weight = members.rows.iter().map(|&i| members.customers.weight(i)).sum();
        let has_value = members.rows.iter().any(|&i| members.scales[i].is_some());
        self.told(|places| places.sums(members), weight, has_value, level, seed, group)
    }

    /// The same of members who add up to `sums` at whatever places, and are so many by weight.
    pub(super) fn told(
        &self,
        sums: impl Fn(&Places<'_, M>) -> Sums,
        customers: f64,
        has_value: bool,
        level: Level,
        seed: u64,
        group: u64,
    ) -> Option<Told> {
        let centre = (self.purchases.centre(), self.spend.map(Surface::centre));
        let centre = Places { purchases: &centre.0, spend: centre.1.as_ref(), horizon: self.horizon };
        // The centre alone decides, and takes a fraction of the time.
        let at_centre = sums(&centre);
        at_centre.purchases(&centre)?;
        let with_value = at_centre.value(&centre).is_some();
        let places = Places { purchases: self.purchases, spend: self.spend.filter(|_| with_value), horizon: self.horizon };
        let sums = sums(&places);
        let purchases = sums.purchases(&places)?;
        let value = sums.value(&places);
        let draws: Vec<Vec<(f64, f64)>> = map_indices(BLOCKS, |block| {
            let stream = BLOCKS as u64 * group + block as u64;
            let (mut rng, mut of_value) = (random_stream(seed, FIRST_STREAM + stream), random_stream(seed, FIRST_STREAM_OF_VALUE + stream));
            let draw = |_| {
                let weights = self.purchases.stencil.draw_weights(&mut rng);
                let total = purchases.draw(&weights, &[1.0], &mut rng);
                let Some((value, spend)) = value.as_ref().zip(self.spend) else { return (total, 0.0) };
                let of_spend = spend.stencil.draw_weights(&mut of_value);
                (total, value.draw(&weights, &of_spend, &mut of_value))
            };
            (0..DRAWS_PER_BLOCK).map(draw).collect()
        });
        let interval = |of: fn(&(f64, f64)) -> f64| Interval::central(draws.iter().flatten().map(of).collect(), level);
        let forecast =
            GroupForecast { customers, purchases: interval(|total| total.0), clv: value.is_some().then(|| interval(|total| total.1)) };
        Some(Told { lacks_value: self.spend.is_some() && has_value && value.is_none(), forecast })
    }

    /// Adds up the members.
    pub(super) fn sums(&self, members: &Members<'_>) -> Sums {
        self.in_pieces(members.rows, |none, rows| self.piece(none, &Members { rows, ..*members }))
    }

    /// Adds up pieces of members, each added to nothing.
    pub(super) fn in_pieces<T: Sync>(&self, members: &[T], piece: impl Fn(Sums, &[T]) -> Sums + Sync + Send) -> Sums {
        let none = || Sums::none(self.purchases.models.len(), self.spend.map_or(0, |spend| spend.models.len()));
        let pieces: Vec<&[T]> = members.chunks(PIECE).collect();
        let of_pieces = map_indices(pieces.len(), |k| piece(none(), pieces[k]));
        of_pieces.into_iter().reduce(|sum, piece| sum.plus(&piece)).unwrap_or_else(none)
    }

    fn piece(&self, mut sums: Sums, &Members { customers, rows, scales }: &Members<'_>) -> Sums {
        let (models, spends) = (&self.purchases.models, self.spend.map_or(&[][..], |spend| &spend.models));
        let (mut last, mut if_alive) = (None, (Moments::NONE, Vec::new()));
        let (mut moments, mut means) = (Moments::NONE, Vec::new());
        for &i in rows {
            let (history, weight) = (customers.history(i), customers.weight(i));
            let same = |other: &History| (other.frequency(), other.age()) == (history.frequency(), history.age());
            if !last.as_ref().is_some_and(same) {
                let futures: Vec<M::Alive> = models.iter().map(|model| model.given_alive(&history)).collect();
                let expected = futures.iter().map(|future| future.expected_purchases(self.horizon)).collect();
                if_alive = (Moments::of_purchases(&futures[0], self.horizon), expected);
            }
            if last != Some(history) {
                moments = if_alive.0.with_probability(models[0].p_alive(&history));
                means = models.iter().zip(&if_alive.1).map(|(model, expected)| model.p_alive(&history) * expected).collect();
                last = Some(history);
            }
            sums.add_customer(weight, moments, &means, spends, scales[i].map(|scale| (scale, customers.spend(i))));
        }
        sums
    }
}

/// What the members of a group come to, added up.
pub(super) struct Sums {
    /// With the purchase model at its centre: purchases, and value by place of the spend model.
    purchases: Cumulants,
    values: Vec<Cumulants>,
    /// Means by place of the purchase model, and by place of the purchase model and, within it, of the spend model.
    mean_purchases: Vec<f64>,
    mean_values: Vec<f64>,
    /// Whether the value of nobody varies without bounds.
    is_bounded: bool,
}

impl Sums {
    fn none(purchase_places: usize, spend_places: usize) -> Self {
        Sums {
            purchases: Cumulants::default(),
            values: vec![Cumulants::default(); spend_places],
            mean_purchases: vec![0.0; purchase_places],
            mean_values: vec![0.0; purchase_places * spend_places],
            is_bounded: true,
        }
    }

    /// Adds customers with these moments of their purchases and these means by place, and their value by the models of spend: what a unit of money is worth,
    /// and what is known of their spend.
    pub(super) fn add_customer(
        &mut self,
        weight: f64,
        moments: Moments,
        means: &[f64],
        spends: &[GammaGamma],
        worth: Option<(f64, SpendHistory)>,
    ) {
        self.add_purchases(weight, moments, means);
        let Some((scale, spend)) = worth else { return };
        for (place, model) in spends.iter().enumerate() {
            let given = model.given(&spend);
            match (moments.of_spend(&given), given.expected_average_spend(&SpendHistory::UNKNOWN)) {
                (Some(spend), Some(average)) => self.add_value(place, weight, scale, (spend, average), means),
                _ => self.is_bounded = false,
            }
        }
    }

    /// Adds customers with these moments of their purchases, and these means by place.
    fn add_purchases(&mut self, weight: f64, moments: Moments, means: &[f64]) {
        self.purchases.add(weight, 1.0, moments);
        for (sum, mean) in self.mean_purchases.iter_mut().zip(means) {
            *sum += weight * mean;
        }
    }

    /// Adds their value by one place of the spend model: `scale` for a unit of money spent, of which the moments and the average per purchase are given.
    fn add_value(&mut self, place: usize, weight: f64, scale: f64, (spend, average): (Moments, f64), mean_purchases: &[f64]) {
        self.values[place].add(weight, scale, spend);
        let of_purchase = weight * scale * average;
        let places = self.values.len();
        for (row, mean) in self.mean_values.chunks_mut(places).zip(mean_purchases) {
            row[place] += of_purchase * mean;
        }
    }

    pub(super) fn plus(mut self, other: &Sums) -> Self {
        let add = |sums: &mut [f64], others: &[f64]| sums.iter_mut().zip(others).for_each(|(sum, other)| *sum += other);
        self.purchases.add_all(&other.purchases);
        self.values.iter_mut().zip(&other.values).for_each(|(sum, other)| sum.add_all(other));
        add(&mut self.mean_purchases, &other.mean_purchases);
        add(&mut self.mean_values, &other.mean_values);
        self.is_bounded &= other.is_bounded;
        self
    }

    /// Of purchases; `None` where they are not nearly normal.
    fn purchases<M>(&self, places: &Places<'_, M>) -> Option<Response> {
        Response::new(&self.mean_purchases, &[self.purchases], [places.purchases.stencil, Stencil::new(0)])
    }

    /// Of value; `None` where there is none, or it is not nearly normal.
    fn value<M>(&self, places: &Places<'_, M>) -> Option<Response> {
        let of_spend = places.spend?.stencil;
        let is_some = self.is_bounded && self.values[0].mean > 0.0;
        if is_some { Response::new(&self.mean_values, &self.values, [places.purchases.stencil, of_spend]) } else { None }
    }
}

/// How a total depends on the parameters, and on chance.
struct Response {
    /// ln of the mean by place of the purchase model and, within it, place of the spend model.
    ln_means: Vec<f64>,
    /// ln of the variance by place of the spend model, purchases at the centre.
    ln_variances: Vec<f64>,
    /// Of chance, at the centre.
    chance: Cumulants,
}

impl Response {
    /// `None` where it is not nearly normal, nothing at some place, or so uncertain that a quadratic would not do.
    fn new(means: &[f64], chances: &[Cumulants], [purchases, spend]: [Stencil; 2]) -> Option<Self> {
        let ln = |value: f64| Some(value.ln()).filter(|ln| ln.is_finite());
        let ln_means = means.iter().map(|&mean| ln(mean)).collect::<Option<Vec<f64>>>()?;
        let ln_variances = chances.iter().map(|chance| ln(chance.variance)).collect::<Option<Vec<f64>>>()?;
        let chance = *chances.first().filter(|chance| chance.is_nearly_normal())?;
        let (slope, bend) = purchases.slope_and_bend(|place| ln_means[place * chances.len()]);
        let (slope_of_spend, bend_of_spend) = spend.slope_and_bend(|place| ln_means[place]);
        // As far out as the places.
        let by_chance = DISTANCE * DISTANCE * chance.variance / chance.mean / chance.mean;
        let deviation = (slope + slope_of_spend + by_chance).sqrt();
        (bend + bend_of_spend <= LARGEST_BEND * deviation).then_some(Response { ln_means, ln_variances, chance })
    }

    /// Draws a total, given what the places of either model count. Where more is bought, the variance grows alike.
    fn draw<R: Rng>(&self, purchases: &[f64], spend: &[f64], rng: &mut R) -> f64 {
        let weighted = |values: &[f64]| values.iter().zip(spend).map(|(value, weight)| value * weight).sum::<f64>();
        let (mut ln_mean, mut ln_purchases) = (0.0, -self.ln_means[0]);
        for (weight, row) in purchases.iter().zip(self.ln_means.chunks(self.ln_variances.len())) {
            ln_mean += weight * weighted(row);
            ln_purchases += weight * row[0];
        }
        let ln_variance = weighted(&self.ln_variances) + ln_purchases;
        (ln_mean.exp() + (0.5 * ln_variance).exp() * self.chance.draw_standardised(rng)).max(0.0)
    }
}
