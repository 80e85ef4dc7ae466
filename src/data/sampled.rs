//! Some of the customers of a log, for figures that do not need them all.

use std::borrow::Cow;

use crate::data::log::TransactionLog;
use crate::error::Result;

impl TransactionLog {
    /// The log of about so many of the customers, each with all rows; of a log with no more customers, all of it.
    ///
    /// Who is taken follows from the id alone, so that it is the same customers whatever the order of the rows.
    pub(crate) fn of_some_customers(&self, most: usize) -> Result<Cow<'_, TransactionLog>> {
        let customers = self.customer_count();
        if customers <= most {
            return Ok(Cow::Borrowed(self));
        }
        let one_in = u32::try_from(customers.div_ceil(most.max(1))).unwrap_or(u32::MAX);
        let mut some = TransactionLog::new();
        for partition in self.partitions() {
            let mut rows: Vec<Vec<(i32, f64)>> = vec![Vec::new(); partition.customers().ids().len()];
            let is_taken: Vec<bool> =
                partition.customers().ids().iter().map(|id| crc32fast::hash(id.as_bytes()).is_multiple_of(one_in)).collect();
            for event in partition.events().filter(|event| is_taken[event.customer as usize]) {
                rows[event.customer as usize].push((event.hour, event.amount));
            }
            for (id, rows) in partition.customers().ids().iter().zip(rows).filter(|(_, rows)| !rows.is_empty()) {
                some.push_all(id, &rows)?;
            }
        }
        Ok(Cow::Owned(some))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Transaction;
    use crate::time::Date;

    #[test]
    fn about_so_many_customers_are_taken_with_all_their_rows_whatever_their_order() {
        let day = |day: i32| Date::from_days_since_1970(day).unwrap().into();
        let ids: Vec<String> = (0..1000).map(|id| format!("C-{id}")).collect();
        let rows = || ids.iter().flat_map(|id| [1, 2, 3].map(|k| Transaction { customer: id, time: day(k), amount: f64::from(k) }));
        let log = TransactionLog::from_events(rows()).unwrap();
        let turned = TransactionLog::from_events(rows().collect::<Vec<_>>().into_iter().rev()).unwrap();
        let (some, others) = (log.of_some_customers(250).unwrap(), turned.of_some_customers(250).unwrap());
        // One in four by chance: 250 with a standard deviation of 14.
        assert!((200..300).contains(&some.customer_count()), "{}", some.customer_count());
        assert_eq!(some.len(), 3 * some.customer_count());
        let sorted = |log: &TransactionLog| {
            let mut ids: Vec<String> = log.customer_ids().map(str::to_owned).collect();
            ids.sort();
            ids
        };
        assert_eq!(sorted(&some), sorted(&others));
        assert_eq!(log.of_some_customers(1000).unwrap().len(), 3000);
    }
}
