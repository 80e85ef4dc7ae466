//! Numbers as people read them.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::data::{decimals_for, exponent};
pub(crate) use crate::data::{grouped, significant};

/// Columns of a terminal.
pub(crate) const WIDTH: usize = 80;

/// Columns that there are, where these are fewer.
static COLUMNS: AtomicUsize = AtomicUsize::new(WIDTH);

/// The terminal has so many columns. Below 40 nothing can be laid out.
pub(crate) fn set_columns(columns: usize) {
    COLUMNS.store(columns.clamp(40, WIDTH), Ordering::Relaxed);
}

/// Columns to lay tables and text out in, at most [`WIDTH`].
pub(crate) fn columns() -> usize {
    COLUMNS.load(Ordering::Relaxed)
}

/// Breaks the lines of a text that are longer than `width`; what follows is indented as they are.
pub(crate) fn fitted(text: &str, width: usize) -> String {
    let fit = |line: &str| {
        let indent = &line[..line.len() - line.trim_start().len()];
        if line.chars().count() <= width { line.to_owned() } else { wrapped(line, indent, width) }
    };
    text.lines().map(fit).collect::<Vec<_>>().join("\n")
}

/// Text from the data as a terminal may show it: what would steer the terminal (control characters, and those that turn the direction of writing) is escaped.
pub(crate) fn printable(text: &str) -> String {
    let steers = |c: char| {
        c.is_control()
            || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if steers(c) { shown.extend(c.escape_default()) } else { shown.push(c) }
    }
    shown
}

/// Decimals for amounts of money that are read together: cents matter up to a thousand.
pub(crate) fn money_decimals(largest: f64) -> usize {
    if largest.abs() < 1000.0 { 2 } else { 0 }
}

/// An amount of money on its own.
pub(crate) fn money(amount: f64) -> String {
    grouped(amount, money_decimals(amount))
}

/// A fraction in per cent, without needless zeros: 10 %, 7.5 %.
pub(crate) fn percent(fraction: f64) -> String {
    let digits = format!("{:.2}", 100.0 * fraction);
    format!("{} %", digits.trim_end_matches('0').trim_end_matches('.'))
}

/// An estimate and its standard error, both to the third digit of the error: more would be noise.
pub(crate) fn estimate(value: f64, standard_error: Option<f64>) -> (String, String) {
    match standard_error {
        Some(error) if error > 0.0 && error.is_finite() => {
            let decimals = decimals_for(exponent(&format!("{error:.2e}")), 3);
            if decimals > 8 || error >= 1e9 {
                return (format!("{value:.3e}"), format!("{error:.1e}"));
            }
            (grouped(value, decimals), grouped(error, decimals))
        }
        _ => (significant(value, 4), "-".to_owned()),
    }
}

/// Breaks text into lines of at most `width` characters, the first one after `indent`, the others below it.
pub(crate) fn wrapped(text: &str, indent: &str, width: usize) -> String {
    let hanging = " ".repeat(indent.chars().count());
    let mut lines = Vec::new();
    let mut line = indent.to_owned();
    let mut empty = true;
    for word in text.split_whitespace() {
        if !empty && line.chars().count() + 1 + word.chars().count() > width {
            lines.push(std::mem::replace(&mut line, hanging.clone()));
            empty = true;
        }
        if !empty {
            line.push(' ');
        }
        line.push_str(word);
        empty = false;
    }
    lines.push(line);
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_no_false_precision() {
        assert_eq!(estimate(0.242_594_6, Some(0.012_6)), ("0.2426".to_owned(), "0.0126".to_owned()));
        assert_eq!(estimate(4.413_6, Some(0.378_2)), ("4.414".to_owned(), "0.378".to_owned()));
        assert_eq!(estimate(12_345.6, Some(2_345.6)), ("12,346".to_owned(), "2,346".to_owned()));
        assert_eq!(estimate(1e5, None), ("100,000".to_owned(), "-".to_owned()));
        assert_eq!([0.1, 0.075, 1.0].map(percent), ["10 %", "7.5 %", "100 %"]);
    }

    #[test]
    fn what_steers_a_terminal_is_escaped() {
        let shown = ["a\u{1b}[2Jb", "a\0\n\tb", "\u{202e}b", "M\u{fc}ller \u{5d0}"].map(printable);
        assert_eq!(shown, ["a\\u{1b}[2Jb", "a\\u{0}\\n\\tb", "\\u{202e}b", "M\u{fc}ller \u{5d0}"]);
    }

    #[test]
    fn lines_are_broken_between_words() {
        assert_eq!(wrapped("one two three four", "- ", 10), "- one two\n  three\n  four");
        assert_eq!(fitted("short\n  one two three\n", 10), "short\n  one two\n  three");
    }
}
