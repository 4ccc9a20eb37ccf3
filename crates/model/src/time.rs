//! Points in time as values: the clock itself is elsewhere.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Microseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// From microseconds since the epoch.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// From RFC 3339 text, as `upload-time` is on simple pages.
    pub fn from_rfc3339(text: &str) -> Option<Self> {
        let at = text.parse::<jiff::Timestamp>().ok()?;
        Some(Self(at.as_microsecond()))
    }

    /// Microseconds since the epoch.
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// Whole seconds since the epoch, rounded down.
    pub const fn as_secs(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// This many seconds later; saturates.
    pub const fn plus_secs(self, secs: i64) -> Self {
        Self(self.0.saturating_add(secs.saturating_mul(1_000_000)))
    }

    /// `2026-11-23T10:00:00.000000Z`: `upload-time` on simple pages (S-14).
    pub fn to_rfc3339(self) -> String {
        self.format("%Y-%m-%dT%H:%M:%S.%6fZ")
    }

    /// `2026-11-23T10:00:00Z`: `created` and `modified` of users (devpi: 2.5).
    pub fn to_devpi(self) -> String {
        self.format("%Y-%m-%dT%H:%M:%SZ")
    }

    /// `Mon, 23 Nov 2026 10:00:00 GMT`: `Last-Modified` (RFC 9110, 5.6.7).
    pub fn to_http_date(self) -> String {
        self.format("%a, %d %b %Y %H:%M:%S GMT")
    }

    /// `[2026, 11, 23, 10, 0, 0]`: `when` in the log of a link (devpi: 1.8).
    pub fn to_log_list(self) -> [i16; 6] {
        let at = self.civil();
        [
            at.year(),
            at.month().into(),
            at.day().into(),
            at.hour().into(),
            at.minute().into(),
            at.second().into(),
        ]
    }

    /// `20261123100000`: in the name of a test result (devpi: 6.1).
    pub fn to_digits(self) -> String {
        self.format("%Y%m%d%H%M%S")
    }

    fn format(self, pattern: &str) -> String {
        self.civil().strftime(pattern).to_string()
    }

    fn civil(self) -> jiff::civil::DateTime {
        let at = jiff::Timestamp::from_microsecond(self.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        at.to_zoned(jiff::tz::TimeZone::UTC).datetime()
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_rfc3339())
    }
}

#[cfg(test)]
mod tests {
    use super::Timestamp;

    #[test]
    fn upload_times_are_read_back() {
        let at = Timestamp::from_micros(1_795_428_000_000_007);
        assert_eq!(Timestamp::from_rfc3339(&at.to_rfc3339()), Some(at));
        let whole = Timestamp::from_micros(1_795_428_000_000_000);
        assert_eq!(Timestamp::from_rfc3339("2026-11-23T10:00:00Z"), Some(whole));
        assert_eq!(Timestamp::from_rfc3339("yesterday"), None);
    }

    #[test]
    fn a_timestamp_is_written_in_every_form_clients_read() {
        let at = Timestamp::from_micros(1_795_428_000_000_007);
        assert_eq!(at.to_rfc3339(), "2026-11-23T10:00:00.000007Z");
        assert_eq!(at.to_devpi(), "2026-11-23T10:00:00Z");
        assert_eq!(at.to_http_date(), "Mon, 23 Nov 2026 10:00:00 GMT");
        assert_eq!(at.to_log_list(), [2026, 11, 23, 10, 0, 0]);
    }
}
