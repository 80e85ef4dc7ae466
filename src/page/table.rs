//! The numbers of a chart: a table on the page, and a CSV beside it.

use maud::{Markup, html};

use crate::time::Date;

/// Rows that a table on the page has at most; the CSV has all.
const MOST_ROWS: usize = 160;

/// A table of the page, its columns of equal length.
#[derive(Debug, Clone, Default)]
pub(crate) struct DataTable {
    columns: Vec<DataColumn>,
}

/// A column under two names: for programs, and for people with its unit.
#[derive(Debug, Clone)]
pub(crate) struct DataColumn {
    pub(crate) name: &'static str,
    heading: String,
    pub(crate) cells: Cells,
}

/// What is in a column.
#[derive(Debug, Clone)]
pub(crate) enum Cells {
    Day(Vec<Date>),
    Text(Vec<String>),
    /// Numbers, and how people read them; one that is not finite is none.
    Number(Vec<Option<f64>>, Show),
}

/// How a number is written for people.
pub(crate) type Show = fn(f64) -> String;

impl DataTable {
    pub(super) fn with(mut self, name: &'static str, heading: impl Into<String>, cells: Cells) -> Self {
        debug_assert!(self.columns.first().is_none_or(|first| first.cells.len() == cells.len()), "columns are of equal length");
        self.columns.push(DataColumn { name, heading: heading.into(), cells });
        self
    }

    /// A column of numbers.
    pub(super) fn numbers(
        self,
        name: &'static str,
        heading: impl Into<String>,
        show: Show,
        values: impl IntoIterator<Item = Option<f64>>,
    ) -> Self {
        let values = values.into_iter().map(|value| value.filter(|value| value.is_finite())).collect();
        self.with(name, heading, Cells::Number(values, show))
    }

    pub(crate) fn columns(&self) -> &[DataColumn] {
        &self.columns
    }

    fn rows(&self) -> usize {
        self.columns.first().map_or(0, |column| column.cells.len())
    }

    /// The table for people: the first column names the row.
    pub(super) fn markup(&self, caption: &str, file: &str) -> Markup {
        let step = self.rows().div_ceil(MOST_ROWS).max(1);
        // Counted from the end, because the last row is the one that matters.
        let shown = (0..self.rows()).filter(|row| (self.rows() - 1 - row).is_multiple_of(step));
        html! {
            table {
                caption {
                    (caption)
                    @if step > 1 {
                        @if !caption.ends_with('.') { "." }
                        " Every " (ordinal(step)) " row; all of them are in " (file) "."
                    }
                }
                thead { tr { @for column in &self.columns { th scope="col" { (column.heading) } } } }
                tbody {
                    @for row in shown {
                        tr {
                            @for (place, column) in self.columns.iter().enumerate() {
                                @if place == 0 { th scope="row" { (column.cells.text(row)) } } @else { td { (column.cells.text(row)) } }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// 2nd, 3rd, 4th, 11th, 22nd
fn ordinal(number: usize) -> String {
    let ending = match (number % 100, number % 10) {
        (11..=13, _) => "th",
        (_, 1) => "st",
        (_, 2) => "nd",
        (_, 3) => "rd",
        _ => "th",
    };
    format!("{number}{ending}")
}

impl Cells {
    fn len(&self) -> usize {
        match self {
            Cells::Day(days) => days.len(),
            Cells::Text(texts) => texts.len(),
            Cells::Number(values, _) => values.len(),
        }
    }

    fn text(&self, row: usize) -> String {
        match self {
            Cells::Day(days) => days[row].to_string(),
            Cells::Text(texts) => texts[row].clone(),
            Cells::Number(values, show) => values[row].map_or_else(|| "–".to_owned(), show),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_tables_are_thinned_and_say_so() {
        let table = |rows: u32| DataTable::default().numbers("x", "x", |x| x.to_string(), (0..rows).map(|x| Some(f64::from(x))));
        let html = table(400).markup("Numbers.", "x.csv").into_string();
        assert_eq!([2, 3, 4, 11, 21].map(ordinal), ["2nd", "3rd", "4th", "11th", "21st"]);
        assert!(table(200).markup("Numbers", "x.csv").into_string().contains("Numbers. Every 2nd row;"));
        assert!(html.contains("Every 3rd row; all of them are in x.csv.") && html.contains(">399<") && !html.contains(">398<"));
        assert_eq!(html.matches("scope=\"row\"").count(), 134);
        assert!(!table(160).markup("Numbers.", "x.csv").into_string().contains("Every"));
    }

    #[test]
    fn no_number_is_a_dash() {
        let table = DataTable::default().numbers("x", "x", |x| x.to_string(), [Some(f64::NAN), None, Some(1.0)]);
        assert!(matches!(&table.columns[0].cells, Cells::Number(values, _) if *values == [None, None, Some(1.0)]));
        assert_eq!(table.markup("", "").into_string().matches('–').count(), 2);
    }
}
