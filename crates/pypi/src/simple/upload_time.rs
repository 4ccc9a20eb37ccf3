//! `upload-time` (PEP 700): RFC 3339 in UTC, `yyyy-mm-ddThh:mm:ss[.ffffff]Z`.
//!
//! Invariant: what pip would fail on is never let through (S-14).

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

/// The time as pages write it. A conforming one stays as it is, letter by
/// letter (T-01); another offset becomes UTC, no offset means UTC.
pub(super) fn read(text: &str) -> Option<String> {
    let text = text.trim();
    let at = match text.parse::<Timestamp>() {
        Ok(at) => at,
        Err(_) => text
            .parse::<DateTime>()
            .ok()?
            .to_zoned(TimeZone::UTC)
            .ok()?
            .timestamp(),
    };
    if is_valid(text) {
        return Some(text.to_owned());
    }
    let written = at.strftime("%Y-%m-%dT%H:%M:%S%.6fZ").to_string();
    is_valid(&written).then_some(written)
}

/// Whether the text has the form that pages write, with every part in its range.
pub(super) fn is_valid(text: &str) -> bool {
    let bytes = text.as_bytes();
    let (Some(head), Some(tail)) = (bytes.get(..19), bytes.get(19..)) else {
        return false;
    };
    let shape = b"dddd-dd-ddTdd:dd:dd";
    let fits = head.iter().zip(shape).all(|(byte, form)| match form {
        b'd' => byte.is_ascii_digit(),
        other => byte == other,
    });
    if !fits {
        return false;
    }
    let number = |at: usize| (head[at] - b'0') * 10 + (head[at + 1] - b'0');
    let year = i16::from(number(0)) * 100 + i16::from(number(2));
    let (month, day) = (number(5).cast_signed(), number(8).cast_signed());
    Date::new(year, month, day).is_ok()
        && number(11) < 24
        && number(14) < 60
        && number(17) < 60
        && is_fraction(tail)
}

fn is_fraction(tail: &[u8]) -> bool {
    match tail {
        b"Z" => true,
        [b'.', digits @ .., b'Z'] => {
            (1..=6).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn t01_conforming_times_stay_as_they_are() {
        for text in [
            "2026-11-23T10:00:00Z",
            "2026-11-23T10:00:00.5Z",
            "2026-11-23T10:00:00.123456Z",
            "2024-02-29T23:59:59.000000Z",
        ] {
            assert_eq!(read(text).as_deref(), Some(text));
            assert!(is_valid(text));
        }
    }

    #[test]
    fn s14_other_forms_become_conforming_or_nothing() {
        let cases = [
            (
                "2026-11-23T12:00:00+02:00",
                Some("2026-11-23T10:00:00.000000Z"),
            ),
            ("2026-11-23 10:00:00", Some("2026-11-23T10:00:00.000000Z")),
            (
                "2026-11-23T10:00:00.123456789Z",
                Some("2026-11-23T10:00:00.123456Z"),
            ),
            ("2026-11-23t10:00:00z", Some("2026-11-23T10:00:00.000000Z")),
            (" 2026-11-23T10:00:00Z ", Some("2026-11-23T10:00:00Z")),
            ("2026-02-30T10:00:00Z", None),
            ("2026-13-01T10:00:00Z", None),
            ("2026-11-23", Some("2026-11-23T00:00:00.000000Z")),
            ("", None),
            ("yesterday", None),
            ("-000001-01-01T00:00:00Z", None),
        ];
        for (text, expected) in cases {
            assert_eq!(read(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn malformed_times_are_not_valid() {
        for text in [
            "",
            "2026-11-23T10:00:00",
            "2026-11-23T10:00:00.Z",
            "2026-11-23T10:00:00.1234567Z",
            "2026-11-23T24:00:00Z",
            "2026-11-23T10:60:00Z",
            "2026-11-23T10:00:60Z",
            "2026-00-23T10:00:00Z",
            "2025-02-29T10:00:00Z",
            "2026-11-32T10:00:00Z",
            "2026-11-23T10:00:00Zé",
            "ééééééééééééééééééééé",
        ] {
            assert!(!is_valid(text), "{text}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_read_is_valid(text in "[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}(:[0-9]{2})?(\\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})?") {
            if let Some(read) = read(&text) {
                prop_assert!(is_valid(&read));
            }
        }
    }
}
