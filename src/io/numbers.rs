//! Numbers as files write them: with a decimal point or, where the reader was told so, with a decimal comma.

use crate::error::quoted;
#[cfg(feature = "csv")]
use crate::error::{Error, Result};
use crate::io::options::DecimalMark;

/// What may stand between groups of three digits before a decimal comma: points, spaces of three widths, apostrophes.
const SEPARATORS: [char; 6] = ['.', ' ', '\u{a0}', '\u{202f}', '\'', '\u{2019}'];

/// A finite number, or what is wrong with it; `what` is the word for it.
pub(super) fn number(text: &str, what: &str, decimal: DecimalMark) -> std::result::Result<f64, String> {
    let text = text.trim();
    let (value, expected) = match decimal {
        DecimalMark::Point => (text.parse().ok(), with_a_point(text)),
        DecimalMark::Comma => (with_comma(text), with_a_comma(text)),
    };
    match value {
        Some(value) if f64::is_finite(value) => Ok(value),
        Some(_) => Err(format!("{what} {text} is not finite")),
        None => Err(format!("{what} {} {expected}", quoted(text))),
    }
}

/// Refuses a decimal mark that would also end the field.
#[cfg(feature = "csv")]
pub(crate) fn check_decimal(delimiter: u8, decimal: DecimalMark) -> Result<()> {
    if decimal != DecimalMark::Comma || delimiter != b',' {
        return Ok(());
    }
    Err(Error::parameter(
        "a comma cannot be the decimal mark and separate the fields as well; name what separates the fields with --delimiter, such as --delimiter ';', or leave \
         out --decimal for amounts with a decimal point",
    ))
}

fn with_a_point(text: &str) -> &'static str {
    if text.contains(',') && text.bytes().any(|byte| byte.is_ascii_digit()) {
        "has a decimal comma or thousands separators; write it with a decimal point and nothing else, such as 1234.56, or, if all amounts have a decimal comma, say \
         so with --decimal ','"
    } else {
        "is no number; write it as digits with a decimal point, such as 1234.56"
    }
}

fn with_a_comma(text: &str) -> &'static str {
    if text.matches('.').count() == 1 && !text.contains(',') && text.bytes().any(|byte| byte.is_ascii_digit()) {
        "has a point and no decimal comma, so that it has two readings; write 1.234 as 1234 or 1234,00, and 12.50 as 12,50, or leave out --decimal ',' if all \
         amounts have a decimal point"
    } else {
        "is no number with a decimal comma; write it as digits with a comma before the decimals, such as 1234,56 or 1.234,56"
    }
}

/// Digits with a decimal comma, and whatever separates their groups of three before it taken out: the number that the same digits with a point are. `None` where they
/// have no reading, or, as 1.234, two.
fn with_comma(text: &str) -> Option<f64> {
    let (whole, decimals) = text.split_once(',').map_or((text, None), |(whole, decimals)| (whole, Some(decimals)));
    let mut number = ungrouped(whole, decimals.is_some())?;
    if let Some(decimals) = decimals {
        // 1,e5 and 1.234, end where decimals should begin.
        decimals.starts_with(|mark: char| mark.is_ascii_digit()).then_some(())?;
        number.push('.');
        number.push_str(decimals);
    }
    number.parse().ok()
}

/// The whole part without separators.
fn ungrouped(whole: &str, with_decimals: bool) -> Option<String> {
    let Some(separator) = whole.chars().find(|mark| SEPARATORS.contains(mark)) else { return Some(whole.to_owned()) };
    let mut groups = whole.strip_prefix(['-', '+']).unwrap_or(whole).split(separator);
    let digits = |group: &str| group.bytes().all(|byte| byte.is_ascii_digit());
    let first = groups.next().filter(|first| (1..=3).contains(&first.len()) && digits(first) && !first.starts_with('0'))?;
    let rest: Vec<&str> = groups.collect();
    let grouped = rest.iter().all(|group| group.len() == 3 && digits(group));
    let two_readings = separator == '.' && rest.len() == 1 && !with_decimals;
    let sign = if whole.starts_with('-') { "-" } else { "" };
    (grouped && !two_readings).then(|| format!("{sign}{first}{}", rest.concat()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn comma(text: &str) -> Option<f64> {
        number(text, "amount", DecimalMark::Comma).ok()
    }

    #[test]
    fn a_decimal_comma_gives_the_bits_of_a_decimal_point() {
        for (with_comma, with_point) in [
            ("12,5", "12.5"),
            ("-26,48", "-26.48"),
            ("+0,1", "0.1"),
            (" 7 ", "7"),
            (",5", ".5"),
            ("1,5e-3", "1.5e-3"),
            ("1234,56", "1234.56"),
            ("1.234,50", "1234.50"),
            ("-1.234.567,89", "-1234567.89"),
            ("1.234.567", "1234567"),
            ("12 345,6", "12345.6"),
            ("12\u{a0}345", "12345"),
            ("1\u{202f}234,5", "1234.5"),
            ("1'234,5", "1234.5"),
            ("1,234", "1.234"),
        ] {
            assert_eq!(comma(with_comma).map(f64::to_bits), with_point.parse().ok().map(f64::to_bits), "{with_comma}");
        }
    }

    #[test]
    fn what_has_no_reading_or_two_is_no_number() {
        for text in [
            "",
            "1.234",
            "12.50",
            "0.5",
            "1,234.50",
            "1,234,567",
            "1,e5",
            "1.234,",
            "3,",
            ",",
            "1.23,4",
            "12.34.567",
            "1234.567,0",
            "0.123,4",
            "1.234 567,8",
            "1,5 6",
            "--1.234,0",
            "1..234,0",
            ".234,5",
            "12,5 EUR",
            "1.234e5",
            "inf",
            "NaN",
            "1e999",
        ] {
            assert_eq!(comma(text), None, "{text}");
        }
        assert!(number("1.234", "amount", DecimalMark::Comma).unwrap_err().contains("two readings"));
        assert!(number("1,5", "amount", DecimalMark::Point).unwrap_err().contains("--decimal ','"));
    }
}
