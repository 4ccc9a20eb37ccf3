//! The fields of the legacy upload form.
//!
//! Invariant: a field that means one thing is there once; spellings of old and
//! new clients come to one name (U-04). The form is a hint: what the artifact
//! says about itself counts (U-03). Left out: the file, and limits of size,
//! which whoever reads the form from the network keeps.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use crate::metadata::{FIELDS, LICENSE_FILE, known};

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
    /// A field that has to be there.
    #[error("invalid metadata: Missing required field \"{0}\"")]
    Missing(&'static str),
    /// A field that means one thing, with two values.
    #[error("the form has the field '{0}' twice")]
    Twice(String),
    /// Longer than any real one.
    #[error("the field '{0}' is too long")]
    TooLong(&'static str),
    /// Characters that no name or version has.
    #[error("invalid metadata: Invalid package name or version (URL safety)")]
    Unsafe,
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

/// Longest name or version, in bytes.
const MAX_NAME: usize = 255;
const MAX_VERSION: usize = 200;

impl UploadForm {
    /// Reads the fields in the order sent; which is none in particular.
    pub fn from_fields(fields: Vec<(String, String)>) -> Result<Self, FormError> {
        let mut values: HashMap<String, Vec<String>> = HashMap::new();
        for (name, value) in fields {
            values.entry(canonical(name)).or_default().push(value);
        }
        let action = action(values.get(":action"))?;
        let form = Self { action, values };
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
        Some(self.single("requires_python")).filter(|value| !value.is_empty())
    }

    /// Lower-case hex, if sent.
    pub fn md5_digest(&self) -> Option<&str> {
        self.digest("md5_digest")
    }

    /// Lower-case hex, if sent.
    pub fn sha256_digest(&self) -> Option<&str> {
        self.digest("sha256_digest")
    }

    /// Lower-case hex, if sent.
    pub fn blake2_256_digest(&self) -> Option<&str> {
        self.digest("blake2_256_digest")
    }

    /// devpi's version data (1.8): every key, empty where nothing was sent.
    pub fn metadata_json(&self) -> Map<String, Value> {
        let field = |(key, _, repeated): &(&str, &str, bool)| {
            let value = if *repeated {
                json!(self.all(key))
            } else {
                json!(self.single(key))
            };
            ((*key).to_owned(), value)
        };
        let mut data: Map<String, Value> = FIELDS.iter().map(field).collect();
        data.insert(LICENSE_FILE.0.to_owned(), json!(self.all(LICENSE_FILE.0)));
        data
    }

    fn single(&self, key: &str) -> &str {
        self.values
            .get(key)
            .and_then(|values| values.first())
            .map_or("", |value| known(value.trim()))
    }

    fn all(&self, key: &str) -> Vec<&str> {
        let values = self.values.get(key).map_or(&[][..], Vec::as_slice);
        values
            .iter()
            .map(|value| known(value.trim()))
            .filter(|value| !value.is_empty())
            .collect()
    }

    fn digest(&self, key: &str) -> Option<&str> {
        Some(self.single(key)).filter(|value| !value.is_empty())
    }

    fn check_single(&self) -> Result<(), FormError> {
        let single = FIELDS
            .iter()
            .filter(|(_, _, repeated)| !repeated)
            .map(|(key, _, _)| *key);
        for key in single.chain([":action"]).chain(DIGESTS.map(|(key, _)| key)) {
            if self.values.get(key).is_some_and(|values| values.len() > 1) {
                return Err(FormError::Twice(key.to_owned()));
            }
        }
        Ok(())
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

    fn check_digests(&self) -> Result<(), FormError> {
        for (key, digits) in DIGESTS {
            let Some(value) = self.digest(key) else {
                continue;
            };
            if value.len() != digits || !value.bytes().all(|b| b.is_ascii_hexdigit()) {
                return Err(FormError::NotADigest(key));
            }
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
            Err(FormError::UnknownAction(
                other.chars().take(40).map(printable).collect(),
            ))
        }
    }
}

/// One name for the spellings of different clients (standards 5.1).
fn canonical(name: String) -> String {
    match name.as_str() {
        "provides_extra" => "provides_extras".to_owned(),
        "license_files" => "license_file".to_owned(),
        "classifier" => "classifiers".to_owned(),
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::{Action, FormError, UploadForm};

    fn form(fields: &[(&str, &str)]) -> Result<UploadForm, FormError> {
        UploadForm::from_fields(
            fields
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
        )
    }

    const GOOD: [(&str, &str); 3] = [
        (":action", "file_upload"),
        ("name", "Demo.Pkg"),
        ("version", "1.0"),
    ];

    fn with(more: &[(&str, &str)]) -> Result<UploadForm, FormError> {
        form(&[&GOOD[..], more].concat())
    }

    #[test]
    fn spellings_of_all_clients_come_to_one_name() {
        let sent = [
            ("provides_extra", "x"),
            ("provides_extras", "y"),
            ("license_files", "LICENSE"),
            ("classifiers", "A"),
            ("classifiers", "B"),
            ("summary", "UNKNOWN"),
            ("future", "1"),
            ("future", "2"),
        ];
        let form = with(&sent).expect("a good form");
        let data = form.metadata_json();
        assert_eq!(data["provides_extras"], json!(["x", "y"]), "U-04");
        assert_eq!(data["license_file"], json!(["LICENSE"]));
        assert_eq!(data["classifiers"], json!(["A", "B"]));
        assert_eq!(data["summary"], json!(""), "UNKNOWN is nothing");
        assert_eq!(
            (form.action(), form.name(), form.version()),
            (Action::FileUpload, "Demo.Pkg", "1.0")
        );
        assert_eq!(data.len(), 31);
    }

    #[test]
    fn a_form_that_cannot_be_right_is_refused() {
        assert_eq!(form(&GOOD[1..]), Err(FormError::NoAction));
        assert_eq!(
            form(&[(":action", "verify")]),
            Err(FormError::UnknownAction("verify".to_owned()))
        );
        assert_eq!(
            form(&[(":action", "submit"), ("version", "1")]),
            Err(FormError::Missing("name"))
        );
        assert_eq!(
            form(&[(":action", "submit"), ("name", "a")]),
            Err(FormError::Missing("version"))
        );
        assert!(form(&[(":action", "doc_upload"), ("name", "a")]).is_ok());
        assert_eq!(
            with(&[("name", "other")]),
            Err(FormError::Twice("name".to_owned()))
        );
        assert_eq!(
            with(&[("sha256_digest", "zz")]),
            Err(FormError::NotADigest("sha256_digest"))
        );
        assert_eq!(
            with(&[("md5_digest", "0")]),
            Err(FormError::NotADigest("md5_digest"))
        );
        for version in ["1.0<script>", "..", "1/0", "1\n0"] {
            assert_eq!(
                form(&[GOOD[0], GOOD[1], ("version", version)]),
                Err(FormError::Unsafe),
                "{version:?}"
            );
        }
        assert_eq!(
            form(&[GOOD[0], GOOD[1], ("version", &"1".repeat(5000))]),
            Err(FormError::TooLong("version"))
        );
    }

    proptest! {
        #[test]
        fn any_fields_are_read_or_refused(fields: Vec<(String, String)>) {
            if let Ok(form) = UploadForm::from_fields(fields) {
                form.metadata_json();
            }
        }
    }
}
