//! Customers who are alike in all that is compared: one row for all of them, so that hundreds of samples pass over fewer rows.

use std::borrow::Cow;
use std::collections::HashMap;

/// Customers in classes of those whose values are the same to the last bit.
#[derive(Debug, Clone)]
pub(super) struct Alike {
    /// The class of each customer.
    class: Vec<u32>,
    /// The first customer of each class.
    first: Vec<usize>,
}

impl Alike {
    /// So many customers, by columns with a value for each.
    pub(super) fn in_all(customers: usize, columns: &[Cow<'_, [f64]>]) -> Self {
        let (mut classes, mut first) = (HashMap::<Vec<u64>, u32>::new(), Vec::new());
        let mut key = Vec::with_capacity(columns.len());
        let class = |customer: usize| {
            key.clear();
            key.extend(columns.iter().map(|column| column[customer].to_bits()));
            if let Some(&class) = classes.get(&key) {
                return class;
            }
            let class = first.len() as u32;
            first.push(customer);
            classes.insert(key.clone(), class);
            class
        };
        Alike { class: (0..customers).map(class).collect(), first }
    }

    /// The value of each class, of values by customer.
    pub(super) fn values<T: Clone>(&self, values: &[T]) -> Vec<T> {
        self.first.iter().map(|&customer| values[customer].clone()).collect()
    }

    /// How many of these customers, who may come repeatedly, are of each class.
    pub(super) fn counts(&self, customers: impl Iterator<Item = usize>) -> Vec<f64> {
        let mut counts = vec![0.0; self.first.len()];
        customers.for_each(|customer| counts[self.class[customer] as usize] += 1.0);
        counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn customers_are_alike_who_agree_in_every_column() {
        let columns = [[1.0, 2.0, 1.0, 1.0, 2.0], [0.5, 0.5, 0.5, 0.0, 0.5]].map(|column| Cow::from(column.to_vec()));
        let alike = Alike::in_all(5, &columns);
        assert_eq!(alike.values(&columns[0]), [1.0, 2.0, 1.0]);
        assert_eq!(alike.values(&["a", "b", "c", "d", "e"]), ["a", "b", "d"]);
        assert_eq!(alike.counts(0..5), [2.0, 2.0, 1.0]);
        assert_eq!(alike.counts([3, 3, 2, 3].into_iter()), [1.0, 0.0, 3.0]);
        // Of nothing to compare all are alike, and of nobody there is no class.
        assert_eq!(Alike::in_all(3, &[]).counts(0..3), [3.0]);
        assert_eq!(Alike::in_all(0, &columns).counts(0..0), [0.0; 0]);
    }
}
