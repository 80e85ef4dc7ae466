//! What a model makes of every history of one age: the map over frequency and recency.

use super::scorer::Scorer;
use crate::data::{Customers, History, SpendHistory};
use crate::models::PurchaseModel;

/// Classes of recency.
const RECENCIES: usize = 12;

/// Frequencies shown at most, and at least.
const MOST_FREQUENCIES: u32 = 16;
const FEWEST_FREQUENCIES: u32 = 4;

/// The share of the customers whose frequency is shown.
const SHOWN: f64 = 0.99;

/// What the model says of one history.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MapCell {
    /// x: repeat purchases.
    pub frequency: u32,
    /// t_x: the middle of a class of recency; 0 without a repeat purchase.
    pub recency: f64,
    /// P(alive).
    pub p_alive: f64,
    /// Expected purchases within the horizon; `None` for a lifetime in which they add up to no finite number.
    pub expected_purchases: Option<f64>,
}

/// P(alive) and expected purchases of customers of the median age, by frequency and recency.
///
/// ```
/// # #[cfg(feature = "csv")] {
/// use clv::{BgNbd, ClvDefinition, Fit, HistoryMap, Observation, Scorer, TransactionLog};
///
/// let log = TransactionLog::from_csv("examples/data/cdnow_sample.csv")?;
/// let end = "1997-09-30".parse()?;
/// let customers = log.summarize(&Observation::until(end).in_weeks())?;
/// let purchases = BgNbd::fit(&customers)?;
/// let map = HistoryMap::of(&Scorer::from_fits(&purchases, None, &ClvDefinition::default(), Some(end))?, &customers).unwrap();
/// // Of two who bought seven times, the one who bought lately is alive.
/// let p_alive: Vec<f64> = map.cells().iter().filter(|cell| cell.frequency == 7).map(|cell| cell.p_alive).collect();
/// assert_eq!((format!("{:.3}", p_alive[0]), format!("{:.3}", p_alive[11])), ("0.000".to_owned(), "0.890".to_owned()));
/// # }
/// # Ok::<(), clv::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct HistoryMap {
    age: f64,
    cells: Vec<MapCell>,
}

impl HistoryMap {
    /// By this scorer, for the ages and frequencies that these customers have; `None` when there is nobody, or their median age is 0.
    #[must_use]
    pub fn of<M: PurchaseModel>(scorer: &Scorer<M>, customers: &Customers) -> Option<Self> {
        let at_most = |share: f64, mut values: Vec<f64>| {
            let place = ((share * values.len() as f64) as usize).min(values.len().checked_sub(1)?);
            Some(*values.select_nth_unstable_by(place, f64::total_cmp).1)
        };
        let age = at_most(0.5, customers.age().to_vec()).filter(|&age| age > 0.0)?;
        let frequencies = at_most(SHOWN, customers.frequency().iter().map(|&x| f64::from(x)).collect())?;
        let most = (frequencies as u32).clamp(FEWEST_FREQUENCIES, MOST_FREQUENCIES);
        let width = age / RECENCIES as f64;
        let classes = (1..=most).flat_map(|x| (0..RECENCIES).map(move |class| (x, width * (class as f64 + 0.5))));
        let cell = |(frequency, recency): (u32, f64)| {
            let score = scorer.score(&History::new(frequency, recency, age).ok()?, &SpendHistory::UNKNOWN);
            Some(MapCell { frequency, recency, p_alive: score.p_alive, expected_purchases: score.expected_purchases })
        };
        Some(HistoryMap { age, cells: [(0, 0.0)].into_iter().chain(classes).filter_map(cell).collect() })
    }

    /// T: the age that all histories of the map have.
    #[must_use]
    pub fn age(&self) -> f64 {
        self.age
    }

    /// The width of a class of recency.
    #[must_use]
    pub fn recency_width(&self) -> f64 {
        self.age / RECENCIES as f64
    }

    /// The histories: without a repeat purchase, and then by frequency and recency.
    #[must_use]
    pub fn cells(&self) -> &[MapCell] {
        &self.cells
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Customer;
    use crate::models::{Nbd, NbdParams};
    use crate::score::ClvDefinition;
    use crate::time::TimeUnit;

    #[test]
    fn the_map_covers_the_customers_and_asks_the_model() {
        let mut customers = Customers::new(TimeUnit::Week);
        for x in 0..300 {
            let came_back = f64::from((x / 50).min(1));
            let history = History::new(x / 50, came_back, 24.0).unwrap();
            customers.push(Customer { id: &x.to_string(), history, average_spend: came_back, weight: 1.0, purchases: None }).unwrap();
        }
        let nbd = Nbd::new(NbdParams { r: 1.0, alpha: 12.0 }).unwrap();
        let terms =
            ClvDefinition { horizon: "12 weeks".parse().unwrap(), ..ClvDefinition::default() }.resolve(TimeUnit::Week, None).unwrap();
        let map = HistoryMap::of(&Scorer::new(nbd, None, terms), &customers).unwrap();
        // Frequencies 0 to 5, twelve recencies for all but the first.
        assert_eq!((map.age(), map.recency_width(), map.cells().len()), (24.0, 2.0, 61));
        let last = map.cells()[60];
        // NBD: (1 + 5) / (12 + 24) a week.
        assert_eq!((last.frequency, last.recency, last.p_alive), (5, 23.0, 1.0));
        assert!((last.expected_purchases.unwrap() - 2.0).abs() < 1e-12);
        assert_eq!(HistoryMap::of(&Scorer::new(nbd, None, terms), &Customers::new(TimeUnit::Week)), None);
    }
}
