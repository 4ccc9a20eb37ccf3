//! The configuration of an index that follows an upstream (devpi: 3.1).

use serde_json::{Map, Value};
use url::Url;

use super::error::ConfigError;
use super::{Source, View, value};
use crate::MirrorUrl;

/// Ten years: more would only overflow clocks.
pub(super) const MAX_CACHE_EXPIRY_SECS: u64 = 10 * 365 * 24 * 3600;

/// What only mirrors have. The names are devpi's keys; `None` is a key that was not given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MirrorConfig {
    /// The upstream; without one the mirror knows nothing.
    pub mirror_url: Option<MirrorUrl>,
    /// How long an upstream's page counts as fresh, in seconds.
    pub mirror_cache_expiry: Option<u64>,
    /// Where people read about a project: an http(s) URL, in which `{name}`
    /// stands for the project and nothing else is replaced.
    pub mirror_web_url_fmt: Option<String>,
    /// Send clients to the upstream for files that are not here.
    pub mirror_use_external_urls: Option<bool>,
    /// Never ask for the list of all projects.
    pub mirror_no_project_list: Option<bool>,
    /// The upstream serves metadata files although its pages do not say so.
    pub mirror_provides_core_metadata: Option<bool>,
    /// Take pages whose serial goes backwards.
    pub mirror_ignore_serial_header: Option<bool>,
}

impl MirrorConfig {
    /// Sets a key; false when mirrors have no such key.
    pub(super) fn set(
        &mut self,
        key: &str,
        given: &Value,
        source: Source,
    ) -> Result<bool, ConfigError> {
        match key {
            "mirror_url" => {
                let text = given.as_str().unwrap_or_default();
                self.mirror_url = match source {
                    Source::Request => Some(MirrorUrl::replacing(self.mirror_url.as_ref(), text)?),
                    Source::Store => MirrorUrl::lenient(text),
                };
            }
            "mirror_cache_expiry" => {
                self.mirror_cache_expiry = optional(cache_expiry(given).map(Some), source)?;
            }
            "mirror_web_url_fmt" => self.mirror_web_url_fmt = optional(web_url_fmt(given), source)?,
            _ => match self.switch(key) {
                Some(switch) => *switch = optional(value::boolean(given).map(Some), source)?,
                None => return Ok(false),
            },
        }
        Ok(true)
    }

    /// Forgets a key; false when mirrors have no such key.
    pub(super) fn unset(&mut self, key: &str) -> bool {
        match key {
            "mirror_url" => self.mirror_url = None,
            "mirror_cache_expiry" => self.mirror_cache_expiry = None,
            "mirror_web_url_fmt" => self.mirror_web_url_fmt = None,
            _ => match self.switch(key) {
                Some(switch) => *switch = None,
                None => return false,
            },
        }
        true
    }

    /// Only the keys that were given (devpi: 3.1).
    pub(super) fn write(&self, map: &mut Map<String, Value>, view: View) {
        let url = self.mirror_url.as_ref().map(|url| match view {
            View::Public => url.to_string(),
            View::Stored => url.with_secret().to_owned(),
        });
        let entries: [(&str, Option<Value>); 7] = [
            ("mirror_url", url.map(Value::from)),
            (
                "mirror_cache_expiry",
                self.mirror_cache_expiry.map(Value::from),
            ),
            (
                "mirror_web_url_fmt",
                self.mirror_web_url_fmt.clone().map(Value::from),
            ),
            (
                "mirror_use_external_urls",
                self.mirror_use_external_urls.map(Value::from),
            ),
            (
                "mirror_no_project_list",
                self.mirror_no_project_list.map(Value::from),
            ),
            (
                "mirror_provides_core_metadata",
                self.mirror_provides_core_metadata.map(Value::from),
            ),
            (
                "mirror_ignore_serial_header",
                self.mirror_ignore_serial_header.map(Value::from),
            ),
        ];
        map.extend(
            entries
                .into_iter()
                .filter_map(|(key, value)| Some((key.to_owned(), value?))),
        );
    }

    fn switch(&mut self, key: &str) -> Option<&mut Option<bool>> {
        match key {
            "mirror_use_external_urls" => Some(&mut self.mirror_use_external_urls),
            "mirror_no_project_list" => Some(&mut self.mirror_no_project_list),
            "mirror_provides_core_metadata" => Some(&mut self.mirror_provides_core_metadata),
            "mirror_ignore_serial_header" => Some(&mut self.mirror_ignore_serial_header),
            _ => None,
        }
    }
}

/// A stored value that today's rules refuse counts as not given.
fn optional<T>(
    read: Result<Option<T>, ConfigError>,
    source: Source,
) -> Result<Option<T>, ConfigError> {
    match (read, source) {
        (Err(_), Source::Store) => Ok(None),
        (read, _) => read,
    }
}

/// Seconds, as a number or as text.
fn cache_expiry(given: &Value) -> Result<u64, ConfigError> {
    let secs = match given {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    let secs = secs.ok_or(ConfigError::CacheExpiry)?;
    u64::try_from(secs)
        .ok()
        .filter(|secs| *secs <= MAX_CACHE_EXPIRY_SECS)
        .ok_or(ConfigError::CacheExpiryRange)
}

/// Pages link to it, so it must be http(s) whatever the name (reliability: E63, E64).
/// An empty text takes the format away.
fn web_url_fmt(given: &Value) -> Result<Option<String>, ConfigError> {
    let text = given.as_str().ok_or(ConfigError::WebUrlFormat)?.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let url = text.replace("{name}", "name");
    let is_plain =
        !url.contains(['{', '}']) && !url.chars().any(|c| c.is_control() || c.is_whitespace());
    let is_http = Url::parse(&url).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
    if is_plain && is_http {
        Ok(Some(text.to_owned()))
    } else {
        Err(ConfigError::WebUrlFormat)
    }
}
