//! Where a redirect leads, and whether it is followed (H11, H13, P-03).

use reqwest::StatusCode;
use reqwest::header::{HeaderMap, LOCATION};
use url::Url;

use crate::endpoint::without_secrets;
use crate::error::{Error, host_of};
use crate::headers::text;

/// Redirects followed for one question.
pub(crate) const MAX_REDIRECTS: usize = 10;

pub(crate) fn is_redirect(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

/// The next URL, made absolute, without user and password.
///
/// # Errors
/// [`Error::BadRedirect`]: no usable target, a scheme other than http and
/// https, or from https to http.
pub(crate) fn next_hop(from: &Url, headers: &HeaderMap) -> Result<Url, Error> {
    let bad = |reason| Error::BadRedirect {
        host: host_of(from),
        reason,
    };
    let target = text(headers, LOCATION).ok_or_else(|| bad("no target"))?;
    let target = from
        .join(target)
        .map_err(|_| bad("the target is not a URL"))?;
    match (from.scheme(), target.scheme()) {
        ("https", "http") => Err(bad("from https to http")),
        (_, "http" | "https") => Ok(without_secrets(target)),
        _ => Err(bad("neither http nor https")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redirects_are_resolved_and_judged() {
        let table = [
            ("/b", Ok("https://example.com/b")),
            (
                "https://other.example.com/x?y#z",
                Ok("https://other.example.com/x?y"),
            ),
            ("//other.example.com/x", Ok("https://other.example.com/x")),
            (
                "https://user:pass@other.example.com/",
                Ok("https://other.example.com/"),
            ),
            ("http://example.com/", Err("from https to http")),
            ("file:///etc/passwd", Err("neither http nor https")),
            ("ftp://example.com/", Err("neither http nor https")),
            ("data:text/html,x", Err("neither http nor https")),
            ("https://[::1", Err("the target is not a URL")),
        ];
        let from = Url::parse("https://example.com/a").unwrap();
        for (target, expected) in table {
            let headers = HeaderMap::from_iter([(LOCATION, target.parse().unwrap())]);
            match (next_hop(&from, &headers), expected) {
                (Ok(url), Ok(expected)) => assert_eq!(url.as_str(), expected),
                (Err(Error::BadRedirect { reason, .. }), Err(expected)) => {
                    assert_eq!(reason, expected);
                }
                (found, expected) => panic!("{target}: {found:?} instead of {expected:?}"),
            }
        }
        assert!(next_hop(&from, &HeaderMap::new()).is_err());
        let plain = Url::parse("http://example.com/a").unwrap();
        let headers = HeaderMap::from_iter([(LOCATION, "https://example.com/".parse().unwrap())]);
        assert!(next_hop(&plain, &headers).is_ok());
    }
}
