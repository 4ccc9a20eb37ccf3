//! The response headers that are read, and no others (H42).

use std::time::Duration;

use reqwest::header::{
    AGE, CACHE_CONTROL, CONTENT_RANGE, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue,
    RETRY_AFTER,
};

/// A header as text; `None` if it is missing or not visible ASCII.
pub(crate) fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

/// Sets a header, unless the value cannot be one.
pub(crate) fn put(headers: &mut HeaderMap, name: HeaderName, value: Option<&str>) {
    if let Some(Ok(value)) = value.map(HeaderValue::from_str) {
        headers.insert(name, value);
    }
}

/// A header that is a number.
pub(crate) fn number(headers: &HeaderMap, name: HeaderName) -> Option<u64> {
    text(headers, name)?.parse().ok()
}

/// The media type without parameters, in lower case.
pub(crate) fn media_type(headers: &HeaderMap) -> Option<String> {
    let essence = text(headers, CONTENT_TYPE)?.split(';').next()?;
    Some(essence.trim().to_ascii_lowercase())
}

/// How much longer the answer may be taken as fresh (RFC 9111): `s-maxage` or
/// `max-age`, less the `Age` it has; zero when it must not be. `None` if the
/// upstream does not say.
pub(crate) fn max_age(headers: &HeaderMap) -> Option<Duration> {
    let (mut shared, mut private) = (None, None);
    for value in headers.get_all(CACHE_CONTROL) {
        for directive in value.to_str().ok()?.split(',') {
            let (name, argument) = directive.split_once('=').unwrap_or((directive, ""));
            let seconds = argument.trim().trim_matches('"').parse::<u64>().ok();
            match name.trim().to_ascii_lowercase().as_str() {
                "no-store" | "no-cache" => return Some(Duration::ZERO),
                "s-maxage" => shared = seconds,
                "max-age" => private = seconds,
                _ => {}
            }
        }
    }
    let age = number(headers, AGE).unwrap_or_default();
    shared
        .or(private)
        .map(|lifetime| Duration::from_secs(lifetime.saturating_sub(age)))
}

/// `Retry-After` in seconds; the form with a date needs a clock and counts as missing.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    number(headers, RETRY_AFTER).map(Duration::from_secs)
}

/// First byte and whole length of `Content-Range: bytes 10-19/100`.
pub(crate) fn content_range(headers: &HeaderMap) -> Option<(u64, Option<u64>)> {
    let (range, whole) = text(headers, CONTENT_RANGE)?
        .strip_prefix("bytes ")?
        .split_once('/')?;
    let (first, _) = range.split_once('-')?;
    let whole = if whole == "*" {
        None
    } else {
        Some(whole.trim().parse().ok()?)
    };
    Some((first.trim().parse().ok()?, whole))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| {
                (
                    HeaderName::from_static(name),
                    HeaderValue::from_static(value),
                )
            })
            .collect()
    }

    #[test]
    fn freshness_is_what_is_left_of_it() {
        let table = [
            ("max-age=600, public", None, Some(600)),
            ("public, MAX-AGE=600", Some("30"), Some(570)),
            ("max-age=600", Some("700"), Some(0)),
            ("max-age=\"60\"", None, Some(60)),
            ("max-age=600, s-maxage=10", None, Some(10)),
            ("no-cache, max-age=600", None, Some(0)),
            ("no-store", None, Some(0)),
            ("public", None, None),
            ("max-age=-1", None, None),
            ("max-age=99999999999999999999", None, None),
        ];
        for (control, age, expected) in table {
            let mut all = headers(&[("cache-control", control)]);
            put(&mut all, AGE, age);
            assert_eq!(
                max_age(&all),
                expected.map(Duration::from_secs),
                "{control}"
            );
        }
        assert_eq!(max_age(&HeaderMap::new()), None);
    }

    #[test]
    fn media_types_lose_case_and_parameters() {
        let all = headers(&[("content-type", "Text/HTML; charset=utf-8")]);
        assert_eq!(media_type(&all).as_deref(), Some("text/html"));
    }

    #[test]
    fn content_ranges_are_read() {
        let table = [
            ("bytes 10-19/100", Some((10, Some(100)))),
            ("bytes 10-19/*", Some((10, None))),
            ("bytes */100", None),
            ("items 1-2/3", None),
            ("bytes 10-19", None),
        ];
        for (value, expected) in table {
            assert_eq!(
                content_range(&headers(&[("content-range", value)])),
                expected,
                "{value}"
            );
        }
    }
}
