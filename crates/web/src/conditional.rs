//! Conditions and ranges (RFC 9110), on plain text.

use std::ops::Range;

/// Longest `If-None-Match` looked at, in bytes.
const MAX_TAGS_BYTES: usize = 8192;

/// Whether `If-None-Match` names this strong tag (C-01: list, `*`, weak comparison).
pub(crate) fn matches_none(header: &str, etag: &str) -> bool {
    let header = header.trim();
    if header == "*" {
        return true;
    }
    header.len() <= MAX_TAGS_BYTES
        && header
            .split(',')
            .map(str::trim)
            .any(|tag| tag.strip_prefix("W/").unwrap_or(tag) == etag)
}

/// What a `Range` header comes to for a body of known length (F-01).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Part {
    /// The whole: no range, several, or one that is no valid byte range.
    Whole,
    /// One part.
    Bytes(Range<u64>),
    /// A range beyond the end: 416.
    Beyond,
}

/// Reads a `Range` header. Several ranges are answered whole: nobody needs
/// them, and they multiply work.
pub(crate) fn part(header: Option<&str>, len: u64) -> Part {
    let Some(spec) = header.and_then(|header| header.trim().strip_prefix("bytes=")) else {
        return Part::Whole;
    };
    let Some((first, last)) = spec.split_once('-').filter(|_| !spec.contains(',')) else {
        return Part::Whole;
    };
    let (first, last) = (first.trim(), last.trim());
    if first.is_empty() {
        return match number(last) {
            Some(0) => Part::Beyond,
            Some(_) if len == 0 => Part::Beyond,
            Some(suffix) => Part::Bytes(len.saturating_sub(suffix)..len),
            None => Part::Whole,
        };
    }
    let Some(first) = number(first) else {
        return Part::Whole;
    };
    let last = if last.is_empty() {
        Some(u64::MAX)
    } else {
        number(last)
    };
    match last {
        None => Part::Whole,
        Some(last) if last < first => Part::Whole,
        Some(_) if first >= len => Part::Beyond,
        Some(last) => Part::Bytes(first..last.saturating_add(1).min(len)),
    }
}

/// Digits only; a number too large to hold is larger than any file.
fn number(text: &str) -> Option<u64> {
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    Some(text.parse().unwrap_or(u64::MAX))
}

/// Whether `If-Range` lets a range stand: a strong tag or the very date.
pub(crate) fn range_stands(
    if_range: Option<&str>,
    etag: Option<&str>,
    last_modified: Option<&str>,
) -> bool {
    match if_range.map(str::trim) {
        None => true,
        Some(condition) if condition.starts_with("W/") => false,
        Some(condition) if condition.starts_with('"') => etag == Some(condition),
        Some(condition) => last_modified == Some(condition),
    }
}

#[cfg(test)]
mod tests {
    use super::{Part, matches_none, part, range_stands};

    #[test]
    fn tags_are_compared_weakly_and_in_lists() {
        assert!(matches_none("\"a\", W/\"b\"", "\"b\""));
        assert!(matches_none("*", "\"b\""));
        assert!(!matches_none("\"bb\"", "\"b\""));
        assert!(!matches_none(&"\"x\", ".repeat(10_000), "\"b\""));
    }

    #[test]
    fn ranges_are_read_as_rfc_9110_says() {
        let table = [
            (None, Part::Whole),
            (Some("bytes=0-0"), Part::Bytes(0..1)),
            (Some("bytes=2-"), Part::Bytes(2..10)),
            (Some("bytes=-3"), Part::Bytes(7..10)),
            (Some("bytes=-99"), Part::Bytes(0..10)),
            (Some("bytes=5-99"), Part::Bytes(5..10)),
            (Some("bytes=10-"), Part::Beyond),
            (Some("bytes=-0"), Part::Beyond),
            (Some("bytes=5-2"), Part::Whole),
            (Some("bytes=0-0,1-1"), Part::Whole),
            (Some("bytes=+1-2"), Part::Whole),
            (Some("bytes=-99999999999999999999"), Part::Bytes(0..10)),
            (Some("bytes=99999999999999999999-"), Part::Beyond),
            (Some("lines=1-2"), Part::Whole),
        ];
        for (header, expected) in table {
            assert_eq!(part(header, 10), expected, "{header:?}");
        }
        assert_eq!(part(Some("bytes=-1"), 0), Part::Beyond);
        assert_eq!(part(Some("bytes=0-"), 0), Part::Beyond);
    }

    #[test]
    fn a_range_stands_only_for_the_same_bytes() {
        assert!(range_stands(None, None, None));
        assert!(range_stands(Some("\"a\""), Some("\"a\""), None));
        assert!(!range_stands(Some("W/\"a\""), Some("\"a\""), None));
        assert!(!range_stands(Some("\"b\""), Some("\"a\""), None));
        assert!(range_stands(
            Some("Mon, 23 Nov 2026 10:00:00 GMT"),
            None,
            Some("Mon, 23 Nov 2026 10:00:00 GMT")
        ));
    }
}
