//! Core metadata: METADATA of wheels, PKG-INFO of sdists.
//!
//! Invariant: lenient (M-01, M-02): unknown fields and newer minor versions are
//! no error; only a higher major version, which may mean something else, is.
//! Left out: writing. The bytes themselves are kept and served as they are.

use serde_json::{Map, Value, json};

/// Core metadata, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CoreMetadata {
    /// `Metadata-Version`.
    pub metadata_version: String,
    /// `Name`, as written.
    pub name: String,
    /// `Version`, as written.
    pub version: String,
    /// All headers in order, names in lower case.
    headers: Vec<(String, String)>,
    /// What follows the headers: the description since metadata 2.1.
    body: Option<String>,
}

/// Why bytes are not core metadata that can be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MetadataError {
    /// `Metadata-Version`, `Name` or `Version` is missing or empty.
    #[error("its metadata has no field '{0}'")]
    Missing(&'static str),
    /// A major version that this reader does not know (PEP 566: refuse).
    #[error("its metadata has the unknown version '{0}'")]
    UnknownVersion(String),
}

/// devpi's name of a field, its header, and whether it may be repeated
/// (devpi-api 1.8). Shared with the upload form.
pub(crate) const FIELDS: [(&str, &str, bool); 30] = [
    ("name", "name", false),
    ("version", "version", false),
    ("metadata_version", "metadata-version", false),
    ("summary", "summary", false),
    ("home_page", "home-page", false),
    ("author", "author", false),
    ("author_email", "author-email", false),
    ("maintainer", "maintainer", false),
    ("maintainer_email", "maintainer-email", false),
    ("license", "license", false),
    ("description", "description", false),
    ("keywords", "keywords", false),
    ("platform", "platform", true),
    ("classifiers", "classifier", true),
    ("download_url", "download-url", false),
    ("supported_platform", "supported-platform", true),
    ("comment", "comment", false),
    ("provides", "provides", true),
    ("requires", "requires", true),
    ("obsoletes", "obsoletes", true),
    ("project_urls", "project-url", true),
    ("provides_dist", "provides-dist", true),
    ("obsoletes_dist", "obsoletes-dist", true),
    ("requires_dist", "requires-dist", true),
    ("requires_external", "requires-external", true),
    ("requires_python", "requires-python", false),
    (
        "description_content_type",
        "description-content-type",
        false,
    ),
    ("provides_extras", "provides-extra", true),
    ("dynamic", "dynamic", true),
    ("license_expression", "license-expression", false),
];

/// The one field whose devpi name is not its header's plural.
pub(crate) const LICENSE_FILE: (&str, &str) = ("license_file", "license-file");

/// The widest value shown in a message.
const SHOWN: usize = 40;

impl CoreMetadata {
    /// Reads METADATA or PKG-INFO; bytes that are not UTF-8 are replaced.
    pub fn parse(bytes: &[u8]) -> Result<Self, MetadataError> {
        let text = String::from_utf8_lossy(bytes);
        let (headers, body) = split(text.strip_prefix('\u{feff}').unwrap_or(&text));
        let value = |wanted: &str| {
            headers
                .iter()
                .find(|(name, _)| name == wanted)
                .map(|(_, value)| value.trim().to_owned())
        };
        let required = |wanted: &'static str, shown: &'static str| {
            value(wanted)
                .filter(|value| !value.is_empty())
                .ok_or(MetadataError::Missing(shown))
        };
        let metadata_version = required("metadata-version", "Metadata-Version")?;
        let major = metadata_version
            .split('.')
            .next()
            .and_then(|major| major.parse::<u32>().ok());
        if !matches!(major, Some(1 | 2)) {
            return Err(MetadataError::UnknownVersion(
                metadata_version.chars().take(SHOWN).collect(),
            ));
        }
        let (name, version) = (required("name", "Name")?, required("version", "Version")?);
        Ok(Self {
            metadata_version,
            name,
            version,
            headers,
            body,
        })
    }

    /// `Requires-Python`, unchanged (M-03).
    pub fn requires_python(&self) -> Option<&str> {
        self.first("requires-python")
            .filter(|value| !value.is_empty())
    }

    /// devpi's version data: every key, empty where the metadata says nothing.
    pub fn to_json(&self) -> Map<String, Value> {
        let field = |(key, header, repeated): &(&str, &str, bool)| {
            let value = if *repeated {
                json!(self.all(header))
            } else {
                json!(self.single(header))
            };
            ((*key).to_owned(), value)
        };
        let mut data: Map<String, Value> = FIELDS.iter().map(field).collect();
        data.insert(LICENSE_FILE.0.to_owned(), json!(self.all(LICENSE_FILE.1)));
        data
    }

    fn first(&self, header: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(name, _)| name == header)
            .map(|(_, value)| value.trim())
    }

    fn single(&self, header: &str) -> String {
        if header == "description" {
            return self.description();
        }
        known(self.first(header).unwrap_or_default()).to_owned()
    }

    fn all(&self, header: &str) -> Vec<&str> {
        let values = self.headers.iter().filter(|(name, _)| name == header);
        values
            .map(|(_, value)| known(value.trim()))
            .filter(|value| !value.is_empty())
            .collect()
    }

    /// The body since metadata 2.1, else the folded header with its line
    /// breaks and without the indentation that folding put there.
    fn description(&self) -> String {
        if let Some(body) = self.body.as_deref().filter(|body| !body.trim().is_empty()) {
            return body.to_owned();
        }
        let folded = self
            .headers
            .iter()
            .find(|(name, _)| name == "description")
            .map_or("", |(_, value)| value);
        let unindent = |line: &str| {
            line.strip_prefix("       |")
                .or_else(|| line.strip_prefix("        "))
                .unwrap_or(line)
                .to_owned()
        };
        let text = folded
            .split('\n')
            .map(unindent)
            .collect::<Vec<_>>()
            .join("\n");
        known(text.trim_start()).to_owned()
    }
}

/// Old tools wrote `UNKNOWN` for nothing (U-04).
pub(crate) fn known(value: &str) -> &str {
    if value == "UNKNOWN" { "" } else { value }
}

/// Headers with their continuation lines, then the body.
fn split(text: &str) -> (Vec<(String, String)>, Option<String>) {
    let mut headers: Vec<(String, String)> = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (line, after) = rest.split_once('\n').unwrap_or((rest, ""));
        let line = line.strip_suffix('\r').unwrap_or(line);
        if line.is_empty() {
            return (headers, Some(after.to_owned()));
        }
        rest = after;
        if line.starts_with([' ', '\t']) {
            if let Some((_, value)) = headers.last_mut() {
                value.push('\n');
                value.push_str(line);
            }
        } else if let Some((name, value)) = line.split_once(':') {
            headers.push((
                name.trim().to_ascii_lowercase(),
                value.strip_prefix(' ').unwrap_or(value).to_owned(),
            ));
        }
    }
    (headers, None)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::{CoreMetadata, MetadataError};

    const NEW: &str = "Metadata-Version: 2.4\r\nName: Demo.Pkg\nVersion: 1.0\nRequires-Python: >=3.9\n\
        Requires-Dist: a>=1\nRequires-Dist: b ; extra == 'x'\nProvides-Extra: x\nLicense-File: LICENSE\n\
        Home-page: UNKNOWN\nFuture-Field: kept quiet\n\n# Demo\n\ntext\n";

    #[test]
    fn fields_have_devpis_names_and_every_key_is_there() {
        let metadata = CoreMetadata::parse(NEW.as_bytes()).expect("good metadata");
        assert_eq!(
            (metadata.name.as_str(), metadata.version.as_str()),
            ("Demo.Pkg", "1.0")
        );
        assert_eq!(metadata.requires_python(), Some(">=3.9"));
        let data = metadata.to_json();
        assert_eq!(data["requires_dist"], json!(["a>=1", "b ; extra == 'x'"]));
        assert_eq!(data["provides_extras"], json!(["x"]));
        assert_eq!(data["license_file"], json!(["LICENSE"]));
        assert_eq!(data["home_page"], json!(""), "UNKNOWN is nothing");
        assert_eq!(data["description"], json!("# Demo\n\ntext\n"));
        assert_eq!(data["classifiers"], json!([]));
        assert_eq!(data.len(), 31);
    }

    #[test]
    fn a_folded_description_keeps_its_lines() {
        let old = "Metadata-Version: 1.1\nName: demo\nVersion: 1\nDescription: Demo\n        ====\n        \n        text\nPlatform: UNKNOWN\n";
        let data = CoreMetadata::parse(old.as_bytes())
            .expect("good metadata")
            .to_json();
        assert_eq!(data["description"], json!("Demo\n====\n\ntext"));
        assert_eq!(data["platform"], json!([]));
    }

    #[test]
    fn newer_minor_versions_are_read_and_other_majors_refused() {
        let with = |version: &str| {
            CoreMetadata::parse(
                format!("Metadata-Version: {version}\nName: a\nVersion: 1\n").as_bytes(),
            )
        };
        for version in ["1.0", "1.2", "2.1", "2.5", "2.6", "2.9"] {
            assert!(with(version).is_ok(), "M-02: {version}");
        }
        for version in ["3.0", "0.9", "x"] {
            assert_eq!(
                with(version),
                Err(MetadataError::UnknownVersion(version.to_owned()))
            );
        }
        assert_eq!(
            CoreMetadata::parse(b"Metadata-Version: 2.1\nName: a\n"),
            Err(MetadataError::Missing("Version"))
        );
        assert_eq!(
            CoreMetadata::parse(b""),
            Err(MetadataError::Missing("Metadata-Version"))
        );
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
            if let Ok(metadata) = CoreMetadata::parse(&bytes) {
                metadata.to_json();
            }
        }
    }
}
