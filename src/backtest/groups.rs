//! Customers who share a future: sorted once at a cut, for all models and all that is asked of them.

use crate::parallel::map_indices;

/// Rows that share a key, together.
#[derive(Debug, Clone)]
pub(super) struct Groups {
    order: Vec<usize>,
    /// Where each group ends.
    ends: Vec<usize>,
}

impl Groups {
    /// Of the rows 0 to `count`.
    pub(super) fn by<K: Ord>(count: usize, key: impl Fn(usize) -> K) -> Self {
        let mut order: Vec<usize> = (0..count).collect();
        order.sort_by_cached_key(|&row| key(row));
        let ends = order
            .chunk_by(|&one, &other| key(one) == key(other))
            .scan(0, |end, group| {
                *end += group.len();
                Some(*end)
            })
            .collect();
        Groups { order, ends }
    }

    fn group(&self, index: usize) -> &[usize] {
        let start = if index == 0 { 0 } else { self.ends[index - 1] };
        &self.order[start..self.ends[index]]
    }

    /// What `of` says of each group, in order.
    pub(super) fn map<T: Send>(&self, of: impl Fn(&[usize]) -> T + Sync + Send) -> Vec<T> {
        map_indices(self.ends.len(), |index| of(self.group(index)))
    }

    /// What `of` says of the rows of each group, in the order of the rows.
    pub(super) fn map_rows<T: Send>(&self, of: impl Fn(&[usize]) -> Vec<T> + Sync + Send) -> Vec<T> {
        let mut placed: Vec<(usize, T)> = self.order.iter().copied().zip(self.map(of).into_iter().flatten()).collect();
        placed.sort_unstable_by_key(|&(row, _)| row);
        placed.into_iter().map(|(_, of_row)| of_row).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_back_in_their_order() {
        let keys = [3, 1, 3, 2, 1];
        let groups = Groups::by(keys.len(), |row| keys[row]);
        assert_eq!(groups.map(<[usize]>::to_vec), [vec![1, 4], vec![3], vec![0, 2]]);
        assert_eq!(groups.map_rows(|rows| rows.iter().map(|&row| 10 * row).collect()), [0, 10, 20, 30, 40]);
    }
}
