//! Numbers and ids as people read them on the page.

use maud::{Markup, html};

use crate::report::format::{grouped, money as amount, significant};

/// The longest id shown whole.
const LONGEST_ID: usize = 40;

pub(super) fn count(value: f64) -> String {
    grouped(value, 0)
}

pub(super) fn one_decimal(value: f64) -> String {
    grouped(value, 1)
}

pub(super) fn two_decimals(value: f64) -> String {
    grouped(value, 2)
}

pub(super) fn three_decimals(value: f64) -> String {
    grouped(value, 3)
}

pub(super) fn money(value: f64) -> String {
    amount(value)
}

pub(super) fn four_digits(value: f64) -> String {
    significant(value, 4)
}

/// 57 %
pub(super) fn share(value: f64) -> String {
    format!("{:.0} %", 100.0 * value)
}

/// 57.3 %
pub(super) fn fine_share(value: f64) -> String {
    format!("{:.1} %", 100.0 * value)
}

/// 12.3 % too low
pub(super) fn off(bias: f64) -> String {
    let size = format!("{:.1}", 100.0 * bias.abs());
    match size.as_str() {
        "0.0" => "right to a tenth of a per cent".to_owned(),
        size => format!("{size} % too {}", if bias > 0.0 { "high" } else { "low" }),
    }
}

/// A sentence in which no per cent sign begins a line.
pub(super) fn bound(text: &str) -> String {
    text.replace(" %", "\u{a0}%")
}

/// A sentence in which neither a per cent sign begins a line nor a date is broken.
pub(super) fn prose(text: &str) -> Markup {
    let text = bound(text);
    html! {
        @for (k, word) in text.split(' ').enumerate() {
            @if k > 0 { " " }
            @if is_date(word) { span class="whole" { (word) } } @else { (word) }
        }
    }
}

/// 1998-06-30, 1998-06 or the like, whatever stands behind it.
fn is_date(word: &str) -> bool {
    let date = word.trim_end_matches(|c: char| c.is_ascii_punctuation());
    let mut parts = date.split('-');
    let (year, months) = (parts.next().unwrap_or_default(), parts.collect::<Vec<_>>());
    let digits = |part: &str, count: usize| part.len() == count && part.bytes().all(|byte| byte.is_ascii_digit());
    digits(year, 4) && (1..=2).contains(&months.len()) && months.iter().all(|part| digits(part, 2))
}

/// An id as text: cut where it is too long for a page, without characters that steer a terminal or a parser.
pub(super) fn id(id: &str) -> String {
    cut(id, LONGEST_ID)
}

/// Text of no more than so many characters, those that cannot be read replaced.
pub(super) fn cut(text: &str, longest: usize) -> String {
    let readable = |c: char| if c.is_control() { '\u{fffd}' } else { c };
    match text.char_indices().nth(longest) {
        None => text.chars().map(readable).collect(),
        Some(_) => text.chars().take(longest.saturating_sub(1)).map(readable).chain(['…']).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_cut_and_readable() {
        assert_eq!(id("C-1"), "C-1");
        assert_eq!(id(&"x".repeat(40)), "x".repeat(40));
        assert_eq!(id(&"ä".repeat(10_000)), format!("{}…", "ä".repeat(39)));
        assert_eq!(id("a\0b\u{7f}"), "a\u{fffd}b\u{fffd}");
    }

    #[test]
    fn dates_and_shares_are_not_broken() {
        let text = prose("On 1998-06-30, 5 % of 1-2 <b>").into_string();
        assert_eq!(text, "On <span class=\"whole\">1998-06-30,</span> 5\u{a0}% of 1-2 &lt;b&gt;");
        assert!(["1998-06", "1998-06-30;"].into_iter().all(is_date) && !["1998", "98-06", "2012-2013", "-21"].into_iter().any(is_date));
    }

    #[test]
    fn how_far_off_in_words() {
        assert_eq!([0.1234, -0.05, 0.0001].map(off), ["12.3 % too high", "5.0 % too low", "right to a tenth of a per cent"]);
        assert_eq!((share(0.574), fine_share(0.574)), ("57 %".to_owned(), "57.4 %".to_owned()));
    }
}
