//! The address of a mirror's upstream, which may hold a secret.
//!
//! Invariant: the secret leaves only through [`MirrorUrl::credentials`] and
//! the text for the database; `Display` and `Debug` show `****` in its place
//! (reliability: E55, E59). Whether the address may be connected to is not
//! decided here.

use std::fmt;

use url::Url;

use crate::ConfigError;

/// What stands in the place of a secret.
const MASK: &str = "****";

const MAX_LEN: usize = 2048;

/// An http(s) URL without query and fragment, maybe with credentials.
#[derive(Clone, PartialEq, Eq)]
pub struct MirrorUrl {
    /// As given, with credentials.
    given: Url,
    /// With a slash at the end and without credentials.
    base: Url,
}

impl MirrorUrl {
    /// The address to ask: ends with a slash, holds no credentials.
    pub fn base(&self) -> &Url {
        &self.base
    }

    /// User and password, decoded; a lone token is a user with an empty password.
    pub fn credentials(&self) -> Option<(String, String)> {
        let password = self.given.password();
        if self.given.username().is_empty() && password.is_none() {
            return None;
        }
        Some((
            percent_decode(self.given.username()),
            percent_decode(password.unwrap_or_default()),
        ))
    }

    /// The address a request gives.
    pub(crate) fn strict(text: &str) -> Result<Self, ConfigError> {
        let url = parse(text).ok_or(ConfigError::MirrorUrl)?;
        if url.query().is_some() || url.fragment().is_some() {
            return Err(ConfigError::MirrorUrlTail);
        }
        Self::of(url).ok_or(ConfigError::MirrorUrl)
    }

    /// A stored address; query and fragment never had a meaning.
    pub(crate) fn lenient(text: &str) -> Option<Self> {
        let mut url = parse(text)?;
        url.set_query(None);
        url.set_fragment(None);
        Self::of(url)
    }

    /// What becomes of `current` when a request gives `text`: the text that
    /// was shown, mask and all, means no change. A mask anywhere else is
    /// refused, so that a kept secret never goes to another host.
    pub(crate) fn replacing(current: Option<&Self>, text: &str) -> Result<Self, ConfigError> {
        let new = Self::strict(text)?;
        if !new.is_masked() {
            return Ok(new);
        }
        match current {
            Some(current) if current.to_string() == new.to_string() => Ok(current.clone()),
            _ => Err(ConfigError::MaskedSecret),
        }
    }

    /// The text with the secret, for the database.
    pub(crate) fn with_secret(&self) -> &str {
        self.given.as_str()
    }

    fn of(given: Url) -> Option<Self> {
        let mut base = without_credentials(&given)?;
        if !base.path().ends_with('/') {
            base.set_path(&format!("{}/", base.path()));
        }
        Some(Self { given, base })
    }

    fn is_masked(&self) -> bool {
        match self.credentials() {
            Some((user, password)) if password.is_empty() => user == MASK,
            Some((_, password)) => password == MASK,
            None => false,
        }
    }
}

/// An http or https URL, spelled as people mean one.
pub(crate) fn parse(text: &str) -> Option<Url> {
    let text = text.trim();
    // The URL standard drops control characters silently; what is stored shall be what was read.
    if text.len() > MAX_LEN || text.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return None;
    }
    let url = Url::parse(text).ok()?;
    let is_http = matches!(url.scheme(), "http" | "https");
    // It also reads `http:a` and `http:///a` as `http://a/`, which nobody means.
    let (_, authority) = text.split_once("://")?;
    (is_http && !authority.starts_with(['/', '\\'])).then_some(url)
}

impl fmt::Display for MirrorUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = self.given.clone();
        // Setting credentials fails only for URLs without host, which `parse` refuses.
        let masked = match self.credentials() {
            // A token without password: the user's name is the secret.
            Some((_, password)) if password.is_empty() => shown
                .set_password(None)
                .and_then(|()| shown.set_username(MASK)),
            Some(_) => shown.set_password(Some(MASK)),
            None => Ok(()),
        };
        masked.map_err(|()| fmt::Error)?;
        f.write_str(shown.as_str())
    }
}

impl fmt::Debug for MirrorUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("MirrorUrl").field(&self.to_string()).finish()
    }
}

fn without_credentials(url: &Url) -> Option<Url> {
    let mut plain = url.clone();
    plain.set_password(None).ok()?;
    plain.set_username("").ok()?;
    Some(plain)
}

/// RFC 3986, 2.1; bytes that are no UTF-8 become replacement characters.
fn percent_decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        let hex = |at: usize| {
            let digit = tail
                .get(at)
                .and_then(|&digit| char::from(digit).to_digit(16));
            digit.and_then(|digit| u8::try_from(digit).ok())
        };
        if let (b'%', Some(high), Some(low)) = (byte, hex(0), hex(1)) {
            bytes.push(high << 4 | low);
            rest = &tail[2..];
        } else {
            bytes.push(byte);
            rest = tail;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The text with `****` in place of the credentials of every URL in it.
pub(crate) fn hide_credentials(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        shown.push_str(before);
        let end = after
            .find(|c: char| matches!(c, '/' | '?' | '#' | '\\') || c.is_whitespace())
            .unwrap_or(after.len());
        let host = after[..end]
            .rfind('@')
            .inspect(|_| shown.push_str(MASK))
            .unwrap_or(0);
        rest = &after[host..];
    }
    shown.push_str(rest);
    shown
}

#[cfg(test)]
mod tests {
    use super::{MirrorUrl, hide_credentials};
    use crate::ConfigError;

    #[test]
    fn only_http_addresses_are_taken() {
        for bad in [
            "",
            "   ",
            "simple",
            "file:///etc/passwd",
            "javascript:alert(1)",
            "gopher://127.0.0.1:6379/_",
            "ftp://example.com/",
            "http://",
            "http:///simple",
            "http:example.com",
            "http:\\\\example.com",
            "http://\\example.com",
            "https://exa\nmple.com/",
            "https://exam ple.com/",
            "https://example.com/a\u{7}",
        ] {
            assert_eq!(
                MirrorUrl::strict(bad),
                Err(ConfigError::MirrorUrl),
                "{bad:?}"
            );
            assert_eq!(MirrorUrl::lenient(bad), None, "{bad:?}");
        }
        let long = format!("https://example.com/{}", "a".repeat(3000));
        assert_eq!(MirrorUrl::strict(&long), Err(ConfigError::MirrorUrl));
    }

    #[test]
    fn query_and_fragment_are_refused_in_requests_and_dropped_from_old_data() {
        for tail in ["?token=1", "#top"] {
            let text = format!("https://example.com/simple/{tail}");
            assert_eq!(MirrorUrl::strict(&text), Err(ConfigError::MirrorUrlTail));
            assert_eq!(
                MirrorUrl::lenient(&text).unwrap().to_string(),
                "https://example.com/simple/"
            );
        }
    }

    #[test]
    fn the_base_ends_with_a_slash_and_the_text_stays_as_given() {
        for (given, base) in [
            ("https://example.com/simple", "https://example.com/simple/"),
            ("https://example.com/simple/", "https://example.com/simple/"),
            (
                "https://u:p@example.com/simple",
                "https://example.com/simple/",
            ),
        ] {
            let url = MirrorUrl::strict(given).unwrap();
            assert_eq!(url.base().as_str(), base);
            assert_eq!(url.with_secret(), given);
        }
    }

    #[test]
    fn secrets_are_kept_and_never_shown() {
        for (given, shown, user, password) in [
            (
                "https://u:secretpw@example.com/s/",
                "https://u:****@example.com/s/",
                "u",
                "secretpw",
            ),
            (
                "https://secretpw@example.com/s/",
                "https://****@example.com/s/",
                "secretpw",
                "",
            ),
            (
                "https://secretpw:@example.com/s/",
                "https://****@example.com/s/",
                "secretpw",
                "",
            ),
            (
                "https://:secretpw@example.com/s/",
                "https://:****@example.com/s/",
                "",
                "secretpw",
            ),
            (
                "https://u:secretpw%2541%40@example.com/",
                "https://u:****@example.com/",
                "u",
                "secretpw%41@",
            ),
        ] {
            let url = MirrorUrl::strict(given).unwrap();
            assert_eq!(url.to_string(), shown);
            assert!(!format!("{url:?}").contains("secretpw"), "{url:?}");
            assert_eq!(
                url.credentials(),
                Some((user.to_owned(), password.to_owned()))
            );
            let again = MirrorUrl::lenient(url.with_secret()).unwrap();
            assert_eq!(again.credentials(), url.credentials());
        }
        let plain = MirrorUrl::strict("https://example.com/").unwrap();
        assert_eq!(plain.credentials(), None);
    }

    #[test]
    fn the_shown_text_means_no_change_and_nothing_else_does() {
        for given in [
            "https://u:pw@example.com/s/",
            "https://token@example.com/s/",
        ] {
            let current = MirrorUrl::strict(given).unwrap();
            let unchanged = MirrorUrl::replacing(Some(&current), &current.to_string());
            assert_eq!(unchanged, Ok(current.clone()));
            for other in [
                "https://u:****@evil.example.com/s/",
                "http://u:****@example.com/s/",
                "https://u:****@example.com/other/",
                "https://v:****@example.com/s/",
                "https://****@evil.example.com/s/",
                "https://u:%2A%2A%2A%2A@evil.example.com/s/",
            ] {
                let refused = MirrorUrl::replacing(Some(&current), other);
                assert_eq!(refused, Err(ConfigError::MaskedSecret), "{given} {other}");
            }
        }
        let refused = MirrorUrl::replacing(None, "https://u:****@example.com/");
        assert_eq!(refused, Err(ConfigError::MaskedSecret));
    }

    #[test]
    fn credentials_are_hidden_in_any_text() {
        for (given, shown) in [
            ("no url", "no url"),
            ("mail a@b.example", "mail a@b.example"),
            ("http://h/x@y", "http://h/x@y"),
            (
                "http://u:p@h/x and ftp://t@h",
                "http://****@h/x and ftp://****@h",
            ),
            ("http://u:p@q@h", "http://****@h"),
            ("://", "://"),
            ("http://u:p@", "http://****@"),
        ] {
            assert_eq!(hide_credentials(given), shown);
        }
    }
}
