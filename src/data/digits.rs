//! Numbers as people read them, in every message.

/// A number of things: 1 row, 1,234 rows.
pub(crate) fn counted(count: u64, thing: &str) -> String {
    format!("{} {thing}{}", grouped(count as f64, 0), if count == 1 { "" } else { "s" })
}

/// A number with thousands separators and so many decimals: 1,234.50.
pub(crate) fn grouped(value: f64, decimals: usize) -> String {
    let digits = format!("{:.decimals$}", value.abs());
    let (whole, fraction) = digits.split_at(digits.find('.').unwrap_or(digits.len()));
    let mut text = String::with_capacity(digits.len() + digits.len() / 3 + 1);
    if value < 0.0 && digits.bytes().any(|byte| byte.is_ascii_digit() && byte != b'0') {
        text.push('-');
    }
    for (position, digit) in whole.chars().enumerate() {
        if position > 0 && (whole.len() - position) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text + fraction
}

/// A number in so many significant digits, with an exponent where there would be many zeros.
pub(crate) fn significant(value: f64, digits: usize) -> String {
    if value == 0.0 || !value.is_finite() {
        return value.to_string();
    }
    let scientific = format!("{value:.*e}", digits.saturating_sub(1));
    match exponent(&scientific) {
        exponent if (-4..9).contains(&exponent) => grouped(value, decimals_for(exponent, digits)),
        _ => scientific,
    }
}

/// Of a number written with an exponent.
pub(crate) fn exponent(scientific: &str) -> i32 {
    scientific.split_once('e').and_then(|(_, exponent)| exponent.parse().ok()).unwrap_or_default()
}

/// The decimals that so many significant digits take.
pub(crate) fn decimals_for(exponent: i32, digits: usize) -> usize {
    usize::try_from(digits as i32 - 1 - exponent).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_by_thousands() {
        assert_eq!([0.0, 999.0, 1234567.0].map(|value| grouped(value, 0)), ["0", "999", "1,234,567"]);
        assert_eq!([1234.5, -0.001, -1000.0].map(|value| grouped(value, 2)), ["1,234.50", "0.00", "-1,000.00"]);
    }

    #[test]
    fn digits_are_as_many_as_tell_something() {
        let shown = [1e-7, 0.012_345, 1258.3043, 379_905.669_8, 1.23e6].map(|value| significant(value, 4));
        assert_eq!(shown, ["1.000e-7", "0.01235", "1,258", "379,906", "1,230,000"]);
    }
}
