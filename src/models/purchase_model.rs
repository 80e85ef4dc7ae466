//! What every purchase model can tell.

use ndarray::ArrayViewMut2;

use super::alive_column::SeenHistories;
use super::{FOR_EVER, at_least_zero, at_most_one};
use crate::data::{Histories, History};
use crate::numeric::log_concave::crossing;
use crate::numeric::remembered::Remembered;

/// A model of when customers buy and when they stop, for customers who need not tell that they left.
///
/// Times (`t`, the recency and age of a history) are in the unit of the parameters; `delta` is a continuous discount rate per that unit. Both count as
/// 0 when they are negative or no number, and as 1e120 beyond that; a `t` below 1e-120 counts as 0. So after construction nothing fails and nothing is
/// NaN.
///
/// The methods without a history are about a *new* customer, at the moment of the first purchase; that first purchase is not counted. The
/// `conditional_` ones are about a customer with a history, at T. They all follow from P(alive) and the new-customer quantity of
/// [`given_alive`](Self::given_alive).
pub trait PurchaseModel: Copy + std::fmt::Debug + Send + Sync {
    /// The model of a customer who is known to be alive.
    type Alive: PurchaseModel;

    /// ln L(x, t_x, T): the log-density of one customer's purchase times, without combinatorial constants, as the papers print it.
    fn ln_likelihood(&self, history: &History) -> f64;

    /// P(alive at T | x, t_x, T): the customer has not dropped out.
    fn p_alive(&self, history: &History) -> f64;

    /// P(dropped out by T | x, t_x, T), accurate also where it is tiny and 1 - P(alive) would be rounding noise.
    fn p_dead(&self, history: &History) -> f64;

    /// The model of this customer's future, given that they are alive at T; its time 0 is T.
    ///
    /// It depends on x and T alone: with purchases at random in time, when the last one came says nothing about the rate of a customer who is alive.
    /// Batch scoring relies on that.
    fn given_alive(&self, history: &History) -> Self::Alive;

    /// E\[X(t)\]: expected number of purchases in (0, t].
    fn expected_purchases(&self, t: f64) -> f64;

    /// E\[X(t) (X(t) - 1)\]: the second factorial moment.
    fn second_factorial_moment(&self, t: f64) -> f64;

    /// Var\[X(t)\], from positive parts: the difference of the moments would cancel where many purchases are expected.
    fn purchase_variance(&self, t: f64) -> f64;

    /// P(X(t) = n).
    fn purchase_pmf(&self, n: u64, t: f64) -> f64;

    /// P(X(t) > n), with all its digits where it is tiny.
    fn purchase_sf(&self, n: u64, t: f64) -> f64;

    /// P(X(t) > 0): at least one purchase in (0, t]. Also the distribution function of the time to the next purchase.
    fn p_active(&self, t: f64) -> f64;

    /// The time by which the next purchase has come with probability `q`; `None` when it never does with that probability.
    fn next_purchase_quantile(&self, q: f64) -> Option<f64>;

    /// P(not dropped out by t).
    fn p_alive_at(&self, t: f64) -> f64;

    /// Expected purchases in (0, t], each discounted by e^(-delta u) to time 0.
    fn discounted_expected_purchases(&self, t: f64, delta: f64) -> f64;

    /// DERT: expected purchases for life, each discounted by e^(-delta u); `None` where the sum is infinite (delta = 0 and too few drop out).
    fn dert(&self, delta: f64) -> Option<f64>;

    /// ([`expected_purchases`](Self::expected_purchases), [`discounted_expected_purchases`](Self::discounted_expected_purchases)), which a model may work out
    /// together.
    fn expected_and_discounted_purchases(&self, t: f64, delta: f64) -> (f64, f64) {
        (self.expected_purchases(t), self.discounted_expected_purchases(t, delta))
    }

    /// P(X(t) <= n).
    fn purchase_cdf(&self, n: u64, t: f64) -> f64 {
        1.0 - self.purchase_sf(n, t)
    }

    /// The smallest n with P(X(t) <= n) >= q, for 0 <= q < 1; beyond 2^53 to the nearest double, and 2^63 at most.
    fn purchase_quantile(&self, q: f64, t: f64) -> u64 {
        count_quantile(q, |n| self.purchase_sf(n, t))
    }

    /// E\[Y(t) | x, t_x, T\]: expected number of purchases in (T, T + t].
    fn conditional_expected_purchases(&self, history: &History, t: f64) -> f64 {
        self.p_alive(history) * self.given_alive(history).expected_purchases(t)
    }

    /// Var\[Y(t) | x, t_x, T\] of the number of purchases in (T, T + t].
    fn conditional_purchase_variance(&self, history: &History, t: f64) -> f64 {
        // Within the living, and between the living and the dead: nothing cancels.
        let (p_alive, future) = (self.p_alive(history), self.given_alive(history));
        let mean = future.expected_purchases(t);
        p_alive * (future.purchase_variance(t) + self.p_dead(history) * mean * mean)
    }

    /// P(Y(t) = n | x, t_x, T): exactly n purchases in (T, T + t].
    fn conditional_purchase_pmf(&self, history: &History, n: u64, t: f64) -> f64 {
        let alive = self.p_alive(history) * self.given_alive(history).purchase_pmf(n, t);
        if n == 0 { at_most_one(self.p_dead(history) + alive) } else { alive }
    }

    /// P(Y(t) > n | x, t_x, T).
    fn conditional_purchase_sf(&self, history: &History, n: u64, t: f64) -> f64 {
        self.p_alive(history) * self.given_alive(history).purchase_sf(n, t)
    }

    /// P(Y(t) <= n | x, t_x, T).
    fn conditional_purchase_cdf(&self, history: &History, n: u64, t: f64) -> f64 {
        1.0 - self.conditional_purchase_sf(history, n, t)
    }

    /// The smallest n with P(Y(t) <= n | x, t_x, T) >= q, for 0 <= q < 1.
    fn conditional_purchase_quantile(&self, history: &History, q: f64, t: f64) -> u64 {
        let (p_alive, future) = (self.p_alive(history), self.given_alive(history));
        count_quantile(q, |n| p_alive * future.purchase_sf(n, t))
    }

    /// P(at least one purchase in (T, T + t] | x, t_x, T). Unlike P(alive) it can be checked against what happens.
    fn conditional_p_active(&self, history: &History, t: f64) -> f64 {
        self.p_alive(history) * self.given_alive(history).p_active(t)
    }

    /// The time after T by which the next purchase has come with probability `q`; `None` when it never does with that probability.
    fn conditional_next_purchase_quantile(&self, history: &History, q: f64) -> Option<f64> {
        self.given_alive(history).next_purchase_quantile(q / self.p_alive(history))
    }

    /// P(alive at T + t | x, t_x, T).
    fn conditional_p_alive_at(&self, history: &History, t: f64) -> f64 {
        self.p_alive(history) * self.given_alive(history).p_alive_at(t)
    }

    /// Expected purchases in (T, T + t], each discounted by e^(-delta u) from T + u to T.
    fn conditional_discounted_expected_purchases(&self, history: &History, t: f64, delta: f64) -> f64 {
        self.p_alive(history) * self.given_alive(history).discounted_expected_purchases(t, delta)
    }

    /// P(alive) of many customers, into a column of the caller: the same bits as [`p_alive`](Self::p_alive) of each, and faster where a model can work on
    /// several rows at once. On one thread; the rows may be split between threads as one likes.
    ///
    /// # Panics
    /// When the column is not as long as there are customers.
    fn p_alive_column(&self, histories: &Histories<'_>, p_alive: &mut [f64]) {
        assert_eq!(histories.len(), p_alive.len(), "one P(alive) per customer");
        for (row, p_alive) in p_alive.iter_mut().enumerate() {
            *p_alive = self.p_alive(&histories.get(row));
        }
    }

    /// The same bits, batch after batch, by a model that may know a history from an earlier one.
    ///
    /// # Panics
    /// When the column is not as long as there are customers.
    fn p_alive_column_after(&self, _seen: &mut SeenHistories, histories: &Histories<'_>, p_alive: &mut [f64]) {
        self.p_alive_column(histories, p_alive);
    }

    /// Expected purchases of many customers in (T, T + t], a row for each and a column for each t: the same bits as
    /// [`conditional_expected_purchases`](Self::conditional_expected_purchases). What customers of one frequency and age have in common is worked out once.
    ///
    /// ```
    /// use clv::{Histories, ParetoNbd, ParetoNbdParams, PurchaseModel};
    /// use ndarray::Array2;
    ///
    /// let model = ParetoNbd::new(ParetoNbdParams { r: 0.553, alpha: 10.578, s: 0.606, beta: 11.669 })?;
    /// let histories = Histories::new(&[7, 0], &[29.43, 0.0], &[38.86, 38.86])?;
    /// let mut expected = Array2::zeros((2, 2));
    /// model.conditional_expected_purchases_columns(&histories, &[39.0, 52.0], expected.view_mut());
    /// assert!((expected[[0, 0]] - 3.712_251_380_470_545).abs() < 1e-13);
    /// # Ok::<(), clv::Error>(())
    /// ```
    ///
    /// # Panics
    /// When there is not a row for each customer and a column for each horizon.
    fn conditional_expected_purchases_columns(&self, histories: &Histories<'_>, horizons: &[f64], mut expected: ArrayViewMut2<'_, f64>) {
        assert_eq!(expected.dim(), (histories.len(), horizons.len()), "a row for each customer and a column for each horizon");
        let mut p_alive = vec![0.0; histories.len()];
        self.p_alive_column(histories, &mut p_alive);
        for (&t, mut column) in horizons.iter().zip(expected.columns_mut()) {
            let mut remembered = Remembered::default();
            for (row, expected) in column.iter_mut().enumerate() {
                let history = histories.get(row);
                let if_alive =
                    remembered.get([f64::from(history.frequency()), history.age()], || self.given_alive(&history).expected_purchases(t));
                *expected = p_alive[row] * if_alive;
            }
        }
    }

    /// DERT of a customer with a history: expected purchases after T for life, each discounted to T.
    fn conditional_dert(&self, history: &History, delta: f64) -> Option<f64> {
        Some(self.p_alive(history) * self.given_alive(history).dert(delta)?)
    }
}

/// The time at which a distribution function `p_active` of the next purchase time reaches q; some leave first, so that it does not reach 1.
pub(super) fn time_quantile(q: f64, p_active: impl Fn(f64) -> f64) -> Option<f64> {
    let q = at_least_zero(q);
    if q == 0.0 || q >= p_active(FOR_EVER) {
        return (q == 0.0).then_some(0.0);
    }
    Some(crossing(|ln_t| q - p_active(ln_t.exp()), f64::MIN_POSITIVE.ln(), FOR_EVER.ln()).exp())
}

/// The smallest n whose survival function is at most 1 - q: doubling, then bisection.
pub(crate) fn count_quantile(q: f64, sf: impl Fn(u64) -> f64) -> u64 {
    let beyond = 1.0 - at_least_zero(q).min(1.0 - f64::EPSILON);
    if sf(0) <= beyond {
        return 0;
    }
    let (mut low, mut high) = (0, 1);
    while sf(high) > beyond && high < 1 << 63 {
        (low, high) = (high, 2 * high);
    }
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if sf(middle) > beyond { low = middle } else { high = middle }
    }
    high
}
