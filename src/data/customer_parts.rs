//! Summaries taken apart and put together: some of the rows, and the rows of all parts in order.

use std::mem;

use super::acquisition::Birth;
use super::customer::Customer;
use super::customers::Customers;
use super::ids::{Ids, ids_in_order};
use crate::error::Result;

impl Customers {
    /// The rows of these numbers.
    pub(crate) fn where_row(&self, chosen: impl Fn(usize) -> bool) -> Result<Customers> {
        let mut some = self.emptied();
        (0..self.len()).filter(|&row| chosen(row)).try_for_each(|row| some.push_born(self.row(row), self.birth(row)))?;
        some.report.clone_from(&self.report);
        Ok(some)
    }

    fn row(&self, row: usize) -> Customer<'_> {
        Customer {
            id: self.id(row),
            history: self.history(row),
            average_spend: self.average_spend[row],
            weight: self.weight(row),
            purchases: self.purchases.get(row).copied(),
        }
    }

    /// Adds the rows of customers who are measured alike.
    #[cfg(feature = "cli")]
    pub(crate) fn append(&mut self, others: &Customers) -> Result<()> {
        (0..others.len()).try_for_each(|row| self.push_born(others.row(row), others.birth(row)))
    }

    /// The same rows in byte order of their ids.
    #[cfg(feature = "cli")]
    pub(crate) fn sorted_by_id(&self) -> Customers {
        self.emptied().joined(vec![self.clone()])
    }

    /// No row yet, and room for so many with ids of so many bytes together.
    pub(super) fn with_capacity(mut self, rows: usize, bytes: usize) -> Self {
        self.ids = Ids::with_capacity(rows, bytes);
        self.frequency.reserve_exact(rows);
        for column in [&mut self.recency, &mut self.age, &mut self.average_spend] {
            column.reserve_exact(rows);
        }
        self.purchases.reserve_exact(rows);
        self
    }

    /// The same measures without a row.
    pub(super) fn emptied(&self) -> Customers {
        let empty = Customers { observation_end: self.observation_end, ..Customers::new(self.unit) };
        empty.spend_over(self.spend_basis).merged_by(self.merge)
    }

    /// The rows of all parts, measured alike, in byte order of their ids. Column by column, so that little is there twice.
    pub(super) fn joined(mut self, mut parts: Vec<Customers>) -> Customers {
        fn gathered<T: Copy>(order: &[(u32, u32)], parts: &mut [Customers], column: fn(&mut Customers) -> &mut Vec<T>) -> Vec<T> {
            let columns: Vec<Vec<T>> = parts.iter_mut().map(|part| mem::take(column(part))).collect();
            if columns.iter().all(Vec::is_empty) {
                return Vec::new();
            }
            order.iter().map(|&(part, row)| columns[part as usize][row as usize]).collect()
        }
        let order = ids_in_order(&parts.iter().map(|part| &part.ids).collect::<Vec<_>>());
        if parts.iter().any(Customers::is_weighted) {
            for part in &mut parts {
                part.weight.resize(part.len(), 1.0);
            }
        }
        if parts.iter().any(Customers::has_births) {
            for part in &mut parts {
                part.births.resize(part.frequency.len(), Birth::InLog);
            }
        }
        self.excluded = parts.iter_mut().flat_map(|part| mem::take(&mut part.excluded)).collect();
        self.excluded.sort_unstable_by(|one, other| one.id.cmp(&other.id));
        self.births = gathered(&order, &mut parts, |part| &mut part.births);
        self.frequency = gathered(&order, &mut parts, |part| &mut part.frequency);
        self.recency = gathered(&order, &mut parts, |part| &mut part.recency);
        self.age = gathered(&order, &mut parts, |part| &mut part.age);
        self.average_spend = gathered(&order, &mut parts, |part| &mut part.average_spend);
        self.weight = gathered(&order, &mut parts, |part| &mut part.weight);
        self.purchases = gathered(&order, &mut parts, |part| &mut part.purchases);
        self.ids = Ids::with_capacity(order.len(), parts.iter().map(|part| part.ids.bytes()).sum());
        for (part, row) in order {
            self.ids.push(parts[part as usize].ids.get(row as usize));
        }
        self
    }
}
