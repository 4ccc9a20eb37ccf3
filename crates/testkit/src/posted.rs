//! Forms that were posted to the fake index, which takes any on any path.
//!
//! Invariant: a form is kept as its parts stood in the body; a body that is
//! not the multipart form it says it is fails the test that looks at it.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::request::Parts;

/// A form that was posted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posted {
    /// Path without query.
    pub path: String,
    /// Text fields in the order sent.
    pub fields: Vec<(String, String)>,
    /// Name and bytes of the field that is a file.
    pub file: Option<(String, Bytes)>,
}

impl Posted {
    /// All values of a field.
    pub fn all(&self, name: &str) -> Vec<&str> {
        let fields = self.fields.iter().filter(|(key, _)| key == name);
        fields.map(|(_, value)| value.as_str()).collect()
    }

    /// The first value of a field.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.all(name).first().copied()
    }

    /// Reads a multipart form; `None` if it is none.
    pub(crate) fn read(parts: &Parts, body: &Bytes) -> Option<Self> {
        let kind = parts.headers.get(CONTENT_TYPE)?.to_str().ok()?;
        let boundary = kind.strip_prefix("multipart/form-data; boundary=")?;
        let mut posted = Self {
            path: parts.uri.path().to_owned(),
            fields: Vec::new(),
            file: None,
        };
        let opening = format!("--{boundary}\r\n");
        let between = format!("\r\n--{boundary}");
        body.strip_prefix(opening.as_bytes())?;
        let mut rest = body.slice(opening.len()..);
        loop {
            let end = find(&rest, between.as_bytes())?;
            posted.take(&rest.slice(..end))?;
            rest = rest.slice(end + between.len()..);
            if &rest[..] == b"--\r\n" {
                return Some(posted);
            }
            rest.strip_prefix(b"\r\n")?;
            rest = rest.slice(2..);
        }
    }

    fn take(&mut self, part: &Bytes) -> Option<()> {
        let end = find(part, b"\r\n\r\n")?;
        let head = std::str::from_utf8(&part[..end]).ok()?;
        let content = part.slice(end + 4..);
        let name = parameter(head, "; name=\"")?;
        match parameter(head, "; filename=\"") {
            Some(filename) => self.file = Some((filename, content)),
            None => self
                .fields
                .push((name, String::from_utf8(content.to_vec()).ok()?)),
        }
        Some(())
    }
}

fn parameter(head: &str, opening: &str) -> Option<String> {
    let (_, rest) = head.split_once(opening)?;
    let (value, _) = rest.split_once('"')?;
    Some(value.to_owned())
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes
        .windows(wanted.len())
        .position(|window| window == wanted)
}
