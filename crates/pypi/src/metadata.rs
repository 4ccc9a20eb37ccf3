//! Core metadata: METADATA of wheels, PKG-INFO of sdists.
//!
//! Invariant: lenient (M-01, M-02): unknown fields and newer minor versions are
//! no error; only a higher major version, which may mean something else, is,
//! and what says twice whose metadata it is. Left out: writing. The bytes
//! themselves are kept and served as they are.

use serde_json::{Map, Value};

use crate::version_data::{Field, known, version_data};

/// Core metadata, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CoreMetadata {
    /// `Metadata-Version`.
    pub metadata_version: String,
    /// `Name`, as written.
    pub name: String,
    /// `Version`, as written.
    pub version: String,
    /// All headers in order, names in lower case, values with their line breaks.
    headers: Vec<(String, String)>,
    /// What follows the headers: the description since metadata 2.1.
    body: String,
}

/// Why bytes are not core metadata that can be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MetadataError {
    /// `Metadata-Version`, `Name` or `Version` is missing or empty.
    #[error("its metadata has no field '{0}'")]
    Missing(&'static str),
    /// One of these is there twice: readers choose differently.
    #[error("its metadata has the field '{0}' twice")]
    Twice(&'static str),
    /// A major version that this reader does not know (7.1: refuse to interpret).
    #[error("its metadata has an unknown version, not 1.x or 2.x")]
    UnknownVersion,
    /// A NUL character, which no text has.
    #[error("its metadata is not text")]
    NotText,
}

impl CoreMetadata {
    /// Reads METADATA or PKG-INFO; bytes that are not UTF-8 are replaced.
    pub fn parse(bytes: &[u8]) -> Result<Self, MetadataError> {
        if bytes.contains(&0) {
            return Err(MetadataError::NotText);
        }
        let text = String::from_utf8_lossy(bytes);
        let (headers, body) = split(text.strip_prefix('\u{feff}').unwrap_or(&text));
        let required = |shown: &'static str| {
            let mut named = headers
                .iter()
                .filter(|(name, _)| name.eq_ignore_ascii_case(shown));
            let value = named.next().map_or("", |(_, value)| value.trim());
            match named.next() {
                Some(_) => Err(MetadataError::Twice(shown)),
                None if value.is_empty() => Err(MetadataError::Missing(shown)),
                None => Ok(value.to_owned()),
            }
        };
        let metadata_version = required("Metadata-Version")?;
        if !matches!(metadata_version.split('.').next(), Some("1" | "2")) {
            return Err(MetadataError::UnknownVersion);
        }
        let (name, version) = (required("Name")?, required("Version")?);
        Ok(Self {
            metadata_version,
            name,
            version,
            body: body.to_owned(),
            headers,
        })
    }

    /// `Requires-Python`, unchanged (M-03), unless it says nothing.
    pub fn requires_python(&self) -> Option<&str> {
        let value = self.all("requires-python").next().map(str::trim)?;
        Some(known(value)).filter(|value| !value.is_empty())
    }

    /// devpi's version data: every key, empty where the metadata says nothing.
    pub fn to_json(&self) -> Map<String, Value> {
        version_data(|field| self.values(field))
    }

    fn all(&self, header: &str) -> impl Iterator<Item = &str> {
        let named = self.headers.iter().filter(move |(name, _)| name == header);
        named.map(|(_, value)| value.as_str())
    }

    fn values(&self, field: &Field) -> Vec<String> {
        if field.header == "description" && !self.body.trim().is_empty() {
            return vec![self.body.clone()];
        }
        let value = |value| match field.header {
            // Texts of many lines; in all others folding is only folding.
            "description" | "license" => unindented(value),
            _ => value.lines().map(str::trim).collect::<Vec<_>>().join(" "),
        };
        let values = self.all(field.header).map(value);
        values.map(|value| known(value.trim()).to_owned()).collect()
    }
}

/// The lines without the indentation that folding put there.
fn unindented(folded: &str) -> String {
    const INDENTS: [&str; 2] = ["       |", "        "];
    let line = |line: &str| {
        let stripped = INDENTS.iter().find_map(|indent| line.strip_prefix(indent));
        stripped.unwrap_or(line).to_owned()
    };
    folded.lines().map(line).collect::<Vec<_>>().join("\n")
}

/// Headers with their continuation lines, then the body: as Python's email
/// parser, which installers use, what is no header ends the headers.
fn split(text: &str) -> (Vec<(String, String)>, &str) {
    let mut headers: Vec<(String, String)> = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (line, after) = rest.split_once('\n').unwrap_or((rest, ""));
        let line = line.strip_suffix('\r').unwrap_or(line);
        if line.is_empty() {
            return (headers, after);
        }
        if line.starts_with([' ', '\t']) {
            if let Some((_, value)) = headers.last_mut() {
                value.push('\n');
                value.push_str(line);
            }
        } else if let Some((name, value)) = header(line) {
            headers.push((name.to_ascii_lowercase(), value.trim_start().to_owned()));
        } else {
            return (headers, rest);
        }
        rest = after;
    }
    (headers, "")
}

fn header(line: &str) -> Option<(&str, &str)> {
    let (name, value) = line.split_once(':')?;
    (!name.is_empty() && name.bytes().all(|b| b.is_ascii_graphic())).then_some((name, value))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn parse(text: &str) -> Result<CoreMetadata, MetadataError> {
        CoreMetadata::parse(text.as_bytes())
    }

    /// The fields with their keys, in devpi's words.
    fn data(more: &str) -> Map<String, Value> {
        parse(&format!(
            "Metadata-Version: 2.1\nName: a\nVersion: 1\n{more}"
        ))
        .unwrap()
        .to_json()
    }

    #[test]
    fn fields_have_devpis_names_and_order_and_every_key_is_there() {
        let text = "Metadata-Version: 2.4\r\nName: Demo.Pkg\r\nVERSION: 1.0\r\n\
            Requires-Python: >=3.9\r\nRequires-Dist: a>=1\r\nRequires-Dist: b ; extra == 'x'\r\n\
            Provides-Extra: x\r\nLicense-File: LICENSE\r\nClassifier: A\r\nProject-URL: H, https://h\r\n\
            Home-page: UNKNOWN\r\nPlatform: UNKNOWN\r\nFuture-Field: kept quiet\r\n\r\n# Demo\r\n\r\ntext";
        let metadata = parse(text).unwrap();
        assert_eq!(metadata.requires_python(), Some(">=3.9"));
        assert_eq!(
            (metadata.name.as_str(), metadata.version.as_str()),
            ("Demo.Pkg", "1.0")
        );
        let expected = json!({
            "name": "Demo.Pkg", "version": "1.0", "metadata_version": "2.4", "summary": "",
            "home_page": "", "author": "", "author_email": "", "maintainer": "",
            "maintainer_email": "", "license": "", "description": "# Demo\r\n\r\ntext",
            "keywords": "", "platform": [], "classifiers": ["A"], "download_url": "",
            "supported_platform": [], "comment": "", "provides": [], "requires": [],
            "obsoletes": [], "project_urls": ["H, https://h"], "provides_dist": [],
            "obsoletes_dist": [], "requires_dist": ["a>=1", "b ; extra == 'x'"],
            "requires_external": [], "requires_python": ">=3.9",
            "description_content_type": "", "provides_extras": ["x"], "dynamic": [],
            "license_expression": "", "license_file": ["LICENSE"],
        });
        let read = Value::Object(metadata.to_json());
        // Compared as text, since the order of keys counts.
        assert_eq!(read.to_string(), expected.to_string());
    }

    #[test]
    fn folded_texts_keep_their_lines() {
        let cases = [
            (
                "Description: Demo\n        ====\n        \n        text\nPlatform: x\n",
                "Demo\n====\n\ntext",
            ),
            (
                "Description: Demo\n       |  indented\n       |\n       |text\n",
                "Demo\n  indented\n\ntext",
            ),
            ("Description: Demo\n  odd\n", "Demo\n  odd"),
            ("Description: UNKNOWN\n", ""),
            ("Description: header\n\n  body\n", "  body\n"),
            ("Description: header\n\n \n", "header"),
            ("\nbody: not a header\n", "body: not a header\n"),
        ];
        for (text, expected) in cases {
            assert_eq!(data(text)["description"], expected, "{text:?}");
        }
        assert_eq!(data("License: one\n        two\n")["license"], "one\ntwo");
        assert_eq!(data("Summary: one\n   two\n")["summary"], "one two");
        assert_eq!(
            data("Requires-Dist: a\n ; extra=='x'\n")["requires_dist"],
            json!(["a ; extra=='x'"])
        );
    }

    #[test]
    fn what_is_no_header_ends_the_headers() {
        for line in ["no colon", "two words: x", ": no name", "n\u{e4}me: x"] {
            let read = data(&format!("Summary: s\n{line}\nAuthor: hidden\n"));
            assert_eq!(
                (&read["summary"], &read["author"]),
                (&json!("s"), &json!("")),
                "{line}"
            );
            assert_eq!(read["description"], format!("{line}\nAuthor: hidden\n"));
        }
    }

    #[test]
    fn m02_newer_minor_versions_are_read_and_other_majors_refused() {
        let with = |version: &str| {
            parse(&format!(
                "Metadata-Version: {version}\nName: a\nVersion: 1\n"
            ))
        };
        for version in ["1.0", "1.2", "2.1", "2.5", "2.6", "2.99"] {
            assert!(with(version).is_ok(), "{version}");
        }
        for version in ["3.0", "0.9", "x", "20.1"] {
            assert_eq!(
                with(version),
                Err(MetadataError::UnknownVersion),
                "{version}"
            );
        }
        let import_names = data("Import-Name: a\nImport-Name: b ; private\nImport-Namespace: n\n");
        assert_eq!(import_names["import_name"], json!(["a", "b ; private"]));
        assert_eq!(import_names["import_namespace"], json!(["n"]));
    }

    #[test]
    fn metadata_that_does_not_say_whose_it_is_is_refused() {
        let cases = [
            ("", MetadataError::Missing("Metadata-Version")),
            (
                "Metadata-Version: 2.1\nName: a\n",
                MetadataError::Missing("Version"),
            ),
            (
                "Metadata-Version: 2.1\nName: \nVersion: 1\n",
                MetadataError::Missing("Name"),
            ),
            (
                "Metadata-Version: 2.1\n\nName: a\nVersion: 1\n",
                MetadataError::Missing("Name"),
            ),
            (
                "Metadata-Version: 2.1\nName: a\nVersion: 1\nname: b\n",
                MetadataError::Twice("Name"),
            ),
            (
                "Metadata-Version: 2.1\nName: a\nVersion: 1\nVersion: 1\n",
                MetadataError::Twice("Version"),
            ),
            (
                "Metadata-Version: 2.1\nName: a\nVersion: 1\nSummary: \0\n",
                MetadataError::NotText,
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(parse(text), Err(expected), "{text:?}");
        }
        let odd = CoreMetadata::parse(
            b"\xef\xbb\xbfMetadata-Version: 2.1\nName: a\nVersion: 1\nAuthor: \xff",
        );
        assert_eq!(odd.unwrap().to_json()["author"], "\u{fffd}");
    }

    #[test]
    fn m03_requires_python_is_unchanged_unless_it_says_nothing() {
        let cases = [
            (">=3.9, <4", Some(">=3.9, <4")),
            ("not a specifier", Some("not a specifier")),
            ("", None),
            ("UNKNOWN", None),
        ];
        for (text, expected) in cases {
            let text =
                format!("Metadata-Version: 2.1\nName: a\nVersion: 1\nRequires-Python: {text}\n");
            assert_eq!(parse(&text).unwrap().requires_python(), expected);
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
            let _ = CoreMetadata::parse(&bytes);
        }

        #[test]
        fn any_further_lines_are_read(lines in "([A-Za-z: \t|\r\n\u{e9}]{0,40}\n){0,4}") {
            if let Ok(metadata) = parse(&format!("Metadata-Version: 2.1\nName: a\nVersion: 1\n{lines}")) {
                prop_assert!(metadata.to_json().len() >= 31);
            }
        }
    }
}
