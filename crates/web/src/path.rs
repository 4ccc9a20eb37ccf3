//! From the path of a URL to decoded segments.
//!
//! Invariant: segments are split before they are decoded, so that an encoded
//! slash never separates; what cannot be decoded is refused, not guessed.

use std::borrow::Cow;

/// The decoded segments of a path, and whether it ends in a slash.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Segments<'a> {
    pub(crate) parts: Vec<Cow<'a, str>>,
    pub(crate) slash: bool,
}

/// Why a path is unusable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BadPath {
    /// Broken escape, invalid UTF-8, NUL or control character.
    Malformed,
    /// Longer than any real one.
    TooLong,
}

/// Longest path looked at, in bytes.
const MAX_PATH_BYTES: usize = 4096;

/// Splits and decodes. devpi: one leading double slash is tolerated.
pub(crate) fn segments(path: &str) -> Result<Segments<'_>, BadPath> {
    if path.len() > MAX_PATH_BYTES {
        return Err(BadPath::TooLong);
    }
    let path = path.strip_prefix('/').ok_or(BadPath::Malformed)?;
    let path = path.strip_prefix('/').unwrap_or(path);
    let (path, slash) = match path.strip_suffix('/') {
        Some(path) => (path, true),
        None => (path, false),
    };
    if path.is_empty() {
        return Ok(Segments {
            parts: Vec::new(),
            slash: true,
        });
    }
    let parts = path.split('/').map(decode).collect::<Result<_, _>>()?;
    Ok(Segments { parts, slash })
}

fn decode(segment: &str) -> Result<Cow<'_, str>, BadPath> {
    if !segment.contains('%') {
        return if segment.bytes().any(|b| b.is_ascii_control()) {
            Err(BadPath::Malformed)
        } else {
            Ok(segment.into())
        };
    }
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let (high, low) = (
            rest.next().and_then(hex_digit),
            rest.next().and_then(hex_digit),
        );
        let (Some(high), Some(low)) = (high, low) else {
            return Err(BadPath::Malformed);
        };
        bytes.push(high << 4 | low);
    }
    let text = String::from_utf8(bytes).map_err(|_| BadPath::Malformed)?;
    if text.chars().any(char::is_control) {
        return Err(BadPath::Malformed);
    }
    Ok(text.into())
}

fn hex_digit(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::{BadPath, segments};

    fn parts(path: &str) -> Vec<String> {
        segments(path)
            .expect("a good path")
            .parts
            .into_iter()
            .map(String::from)
            .collect()
    }

    #[test]
    fn pip_encodes_the_plus_and_an_encoded_slash_does_not_split() {
        assert_eq!(
            parts("/root/pypi/%2Bf/abc/x-1.0%2Bl.whl"),
            ["root", "pypi", "+f", "abc", "x-1.0+l.whl"]
        );
        assert_eq!(
            parts("/alice%2fdev/+simple/demo/"),
            ["alice/dev", "+simple", "demo"]
        );
        assert_eq!(parts("//u/i"), ["u", "i"]);
        assert_eq!(parts("/"), Vec::<String>::new());
        assert_eq!(parts("/u//i"), ["u", "", "i"]);
    }

    #[test]
    fn broken_paths_are_refused() {
        for path in [
            "/%zz/",
            "/a%",
            "/%ff%fe/",
            "/a%00b",
            "/a%0d%0aSet-Cookie",
            "no-slash",
        ] {
            assert_eq!(segments(path), Err(BadPath::Malformed), "{path}");
        }
        assert_eq!(
            segments(&format!("/{}", "a/".repeat(3000))),
            Err(BadPath::TooLong)
        );
    }
}
