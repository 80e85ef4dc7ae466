//! What a reader of results has to know of the data behind them.

use super::format::{grouped, printable};
use super::methods::share;
use crate::data::{Far, FarEnd, Unusable, counted_things};

/// Skipped rows are many where they are more than one in so many.
const MANY_SKIPPED: u64 = 20;

/// That many rows were skipped, where they were.
pub(crate) fn many_skipped(rows: &Unusable) -> Option<String> {
    let Unusable { skipped, read, first } = rows;
    let first = first.as_ref().map_or_else(String::new, |first| format!("; the first is {}", printable(first)));
    (skipped * MANY_SKIPPED > *read).then(|| {
        format!(
            "{} of {} ({}) {}, and all results are those of the others{first}. Where so large a part is wrong, most likely the file is read in another way than it was \
             written",
            grouped(*skipped as f64, 0),
            counted_things(*read, "row"),
            share(*skipped as f64 / *read as f64),
            if *skipped == 1 { "was skipped because it cannot be used" } else { "were skipped because they cannot be used" }
        )
    })
}

/// What lies far from all else of the log, and the way out.
pub(crate) fn far_end(far: &FarEnd) -> String {
    let FarEnd { what, day, near, next, customer } = far;
    let gap = far.gap();
    let (which, side) = match what {
        Far::Last => ("last", "after the one before"),
        Far::First => ("first", "before the one after"),
        Far::End => {
            return format!(
                "the observation end, {day}, lies {gap} after the last row, {next}, longer than the log was ever without one: all customers are taken to have bought nothing \
                 since then; if the data end earlier, give --observation-end {next}"
            );
        }
    };
    let customer = customer.as_ref().map_or_else(String::new, |customer| format!(" (customer {})", printable(customer)));
    let (lies, if_wrong, row) = match (day == near, what) {
        (true, _) => (format!("{which} day, {day}{customer}, lies"), "that is", "row"),
        (false, Far::First) => (format!("first days, from {day}{customer} to {near}, lie"), "these are", "rows"),
        (false, _) => (format!("last days, from {near} to {day}{customer}, lie"), "these are", "rows"),
    };
    let it = if row == "row" { "it" } else { "them" };
    let way = match what {
        Far::First => format!("correct the {row} or take {it} out: every length of time, and the cuts of back-tests, count from there"),
        _ => format!("correct the {row}, or give --observation-end {next}, which leaves {it} out"),
    };
    format!("the {lies} {gap} {side} {it}, {next}; if {if_wrong} a mistake, {way}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_one_row_in_twenty_is_many() {
        let of = |skipped, read| many_skipped(&Unusable { skipped, read, first: Some("a.csv:2: column \"date\": it is empty".to_owned()) });
        assert_eq!(of(50, 1000), None);
        assert!(of(1, 1).unwrap().starts_with("1 of 1 row (100 %) was skipped because it cannot be used, and"));
        assert!(of(1, 9).unwrap().starts_with("1 of 9 rows (11 %) was skipped because it cannot be used, and"));
        let words = of(51, 1000).unwrap();
        assert!(
            words.starts_with("51 of 1,000 rows (5 %) were skipped")
                && words.contains("the first is a.csv:2: column \"date\": it is empty."),
            "{words}"
        );
    }

    #[test]
    fn what_lies_far_from_all_else_is_named_with_the_way_out() {
        let far = |what, day: &str, near: &str, next: &str, customer: Option<&str>| {
            let [day, near, next] = [day, near, next].map(|text| text.parse().unwrap());
            far_end(&FarEnd { what, day, near, next, customer: customer.map(str::to_owned) })
        };
        assert_eq!(
            far(Far::Last, "2026-06-30", "2026-06-30", "2025-12-31", Some("a")),
            "the last day, 2026-06-30 (customer a), lies 181 days after the one before it, 2025-12-31; if that is a mistake, correct the row, or give \
             --observation-end 2025-12-31, which leaves it out"
        );
        assert_eq!(
            far(Far::First, "0001-01-01", "0002-01-01", "2023-01-01", None),
            "the first days, from 0001-01-01 to 0002-01-01, lie 2021 years before the one after them, 2023-01-01; if these are a mistake, correct the rows or take \
             them out: every length of time, and the cuts of back-tests, count from there"
        );
        assert!(
            far(Far::End, "2030-01-01", "2030-01-01", "2025-12-31", None).contains("lies 4 years after the last row, 2025-12-31, longer")
        );
    }
}
