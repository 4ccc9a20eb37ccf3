//! The fields of the legacy upload form.
//!
//! Invariant: a field that means one thing is there once; spellings of old and
//! new clients come to one name (U-04). The form is a hint: what the artifact
//! says about itself counts (U-03). Left out: the file, and limits of size,
//! which whoever reads the form from the network keeps.

use std::collections::HashMap;

use serde_json::{Map, Value};

use crate::version_data::{FIELDS, Field, known, version_data};

/// What a client wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Metadata and a file.
    FileUpload,
    /// Metadata alone.
    Submit,
    /// Documentation.
    DocUpload,
}

/// An upload form's text fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UploadForm {
    action: Action,
    values: HashMap<String, Vec<String>>,
}

/// Why a form cannot be used; the texts are devpi's where it has one (4.1, 4.3).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FormError {
    /// No `:action`.
    #[error("the form has no ':action'")]
    NoAction,
    /// An `:action` nobody knows.
    #[error("action '{0}' not supported")]
    UnknownAction(String),
    /// A `protocol_version` other than 1 (U-01).
    #[error("unknown protocol version")]
    UnknownProtocol,
    /// A field that has to be there.
    #[error("invalid metadata: Missing required field \"{0}\"")]
    Missing(&'static str),
    /// A field that means one thing, with two values.
    #[error("the form has the field '{0}' twice")]
    Twice(&'static str),
    /// Longer than any real one.
    #[error("the field '{0}' is too long")]
    TooLong(&'static str),
    /// Characters that no name or version has.
    #[error("invalid metadata: Invalid package name or version (URL safety)")]
    Unsafe,
    /// A NUL character, which no text has.
    #[error("a field of the form is not text")]
    NotText,
    /// The file came as a text field.
    #[error("content file field not found")]
    ContentIsText,
    /// A digest that is none.
    #[error("the field '{0}' is not the hexadecimal form of such a digest")]
    NotADigest(&'static str),
}

/// Digest fields and the number of hex digits each has.
const DIGESTS: [(&str, usize); 3] = [
    ("md5_digest", 32),
    ("sha256_digest", 64),
    ("blake2_256_digest", 64),
];

/// Longest name and version, in bytes.
const MAX_NAME: usize = 255;
const MAX_VERSION: usize = 200;

impl UploadForm {
    /// Reads the text fields in the order sent, which is none in particular.
    pub fn from_fields(fields: Vec<(String, String)>) -> Result<Self, FormError> {
        let mut values: HashMap<String, Vec<String>> = HashMap::new();
        for (name, value) in fields {
            if name.contains('\0') || value.contains('\0') {
                return Err(FormError::NotText);
            }
            values.entry(canonical(name)).or_default().push(value);
        }
        let mut form = Self {
            action: action(values.get(":action"))?,
            values,
        };
        form.check_single()?;
        form.check_release()?;
        form.check_digests()?;
        Ok(form)
    }

    /// What the client wants.
    pub fn action(&self) -> Action {
        self.action
    }

    /// The project's name as sent.
    pub fn name(&self) -> &str {
        self.single("name")
    }

    /// The version as sent; empty only with [`Action::DocUpload`].
    pub fn version(&self) -> &str {
        self.single("version")
    }

    /// `requires_python`, unless empty.
    pub fn requires_python(&self) -> Option<&str> {
        self.given("requires_python")
    }

    /// Lower-case hex, if sent.
    pub fn md5_digest(&self) -> Option<&str> {
        self.given("md5_digest")
    }

    /// Lower-case hex, if sent.
    pub fn sha256_digest(&self) -> Option<&str> {
        self.given("sha256_digest")
    }

    /// Lower-case hex, if sent.
    pub fn blake2_256_digest(&self) -> Option<&str> {
        self.given("blake2_256_digest")
    }

    /// The attestations as they were sent: JSON, unchecked (U-14).
    pub fn attestations(&self) -> Option<&str> {
        self.given("attestations")
    }

    /// devpi's version data (1.8): every key, empty where nothing was sent.
    pub fn metadata_json(&self) -> Map<String, Value> {
        version_data(|field| self.all(field))
    }

    fn single(&self, key: &str) -> &str {
        let values = self.values.get(key);
        let first = values.and_then(|values| values.first());
        first.map_or("", |value| known(value.trim()))
    }

    fn given(&self, key: &str) -> Option<&str> {
        Some(self.single(key)).filter(|value| !value.is_empty())
    }

    fn all(&self, field: &Field) -> Vec<String> {
        let values = self.values.get(field.key).map_or(&[][..], Vec::as_slice);
        let value = |value: &String| match field.key {
            // Indentation means something at its beginning.
            "description" => known(value).to_owned(),
            _ => known(value.trim()).to_owned(),
        };
        values.iter().map(value).collect()
    }

    /// Equal values are one value (F56 is about different ones).
    fn check_single(&self) -> Result<(), FormError> {
        let texts = FIELDS
            .iter()
            .filter(|field| !field.is_list)
            .map(|field| field.key);
        let further = [":action", "protocol_version", "attestations"];
        for key in texts.chain(further).chain(DIGESTS.map(|(key, _)| key)) {
            let values = self.values.get(key).map_or(&[][..], Vec::as_slice);
            if values.iter().any(|value| *value != values[0]) {
                return Err(FormError::Twice(key));
            }
        }
        if self.values.contains_key("content") {
            return Err(FormError::ContentIsText);
        }
        match self.given("protocol_version") {
            None | Some("1") => Ok(()),
            Some(_) => Err(FormError::UnknownProtocol),
        }
    }

    fn check_release(&self) -> Result<(), FormError> {
        let (name, version) = (self.name(), self.version());
        if name.is_empty() {
            return Err(FormError::Missing("name"));
        }
        if version.is_empty() && self.action != Action::DocUpload {
            return Err(FormError::Missing("version"));
        }
        for (value, limit, what) in [(name, MAX_NAME, "name"), (version, MAX_VERSION, "version")] {
            if value.len() > limit {
                return Err(FormError::TooLong(what));
            }
            let unsafe_in_urls = |c: char| {
                c.is_control() || matches!(c, '<' | '>' | '%' | '#' | '"' | '/' | '\\' | '?')
            };
            if value.contains(unsafe_in_urls)
                || (!value.is_empty() && value.chars().all(|c| c == '.'))
            {
                return Err(FormError::Unsafe);
            }
        }
        Ok(())
    }

    /// Checks the digests and brings them to lower case.
    fn check_digests(&mut self) -> Result<(), FormError> {
        for (key, digits) in DIGESTS {
            let Some(value) = self.given(key) else {
                continue;
            };
            if value.len() != digits || !value.bytes().all(|b| b.is_ascii_hexdigit()) {
                return Err(FormError::NotADigest(key));
            }
            let value = value.to_ascii_lowercase();
            self.values.insert(key.to_owned(), vec![value]);
        }
        Ok(())
    }
}

fn action(values: Option<&Vec<String>>) -> Result<Action, FormError> {
    match values.and_then(|values| values.first()).map(String::as_str) {
        None | Some("") => Err(FormError::NoAction),
        Some("file_upload") => Ok(Action::FileUpload),
        Some("submit") => Ok(Action::Submit),
        Some("doc_upload") => Ok(Action::DocUpload),
        Some(other) => {
            let printable = |c: char| if c.is_ascii_graphic() { c } else { '?' };
            let shown = other.chars().take(40).map(printable).collect();
            Err(FormError::UnknownAction(shown))
        }
    }
}

/// One name for the spellings of different clients (U-04; standards 5.1).
fn canonical(name: String) -> String {
    let canonical = match name.as_str() {
        "provides_extra" => "provides_extras",
        "license_files" => "license_file",
        "classifier" => "classifiers",
        "import_names" => "import_name",
        "import_namespaces" => "import_namespace",
        _ => return name,
    };
    canonical.to_owned()
}

#[cfg(test)]
mod tests;
