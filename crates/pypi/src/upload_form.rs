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
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn form(fields: &[(&str, &str)]) -> Result<UploadForm, FormError> {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        UploadForm::from_fields(fields.iter().map(owned).collect())
    }

    const GOOD: [(&str, &str); 3] = [
        (":action", "file_upload"),
        ("name", "Demo.Pkg"),
        ("version", "1.0"),
    ];

    fn with(more: &[(&str, &str)]) -> Result<UploadForm, FormError> {
        form(&[more, &GOOD[..]].concat())
    }

    #[test]
    fn u04_spellings_of_all_clients_come_to_one_name() {
        let sent = [
            ("provides_extra", "x"),
            ("provides_extras", "y"),
            ("license_files", "LICENSE"),
            ("license_file", "NOTICE"),
            ("classifiers", "A"),
            ("classifiers", "B"),
            ("classifiers", ""),
            ("platform", "UNKNOWN"),
            ("import_names", "demo"),
            ("import_name", "demo2"),
            ("import_namespace", "ns"),
            ("summary", "UNKNOWN"),
            ("keywords", " a, b "),
            ("description", "    code\n"),
            ("future", "1"),
            ("future", "2"),
            ("metadata_version", "2.9"),
            ("yanked", "x"),
        ];
        let data = with(&sent).unwrap().metadata_json();
        assert_eq!(data["provides_extras"], json!(["x", "y"]));
        assert_eq!(data["license_file"], json!(["LICENSE", "NOTICE"]));
        assert_eq!(data["classifiers"], json!(["A", "B"]));
        assert_eq!(data["platform"], json!([]));
        assert_eq!(data["import_name"], json!(["demo", "demo2"]));
        assert_eq!(data["import_namespace"], json!(["ns"]));
        assert_eq!(
            (&data["summary"], &data["keywords"]),
            (&json!(""), &json!("a, b"))
        );
        assert_eq!(data["description"], "    code\n");
        assert_eq!(data["metadata_version"], "2.9");
        assert!(!data.contains_key("future") && !data.contains_key("yanked"));
    }

    #[test]
    fn every_key_of_devpi_is_there_and_no_other() {
        let form = with(&[]).unwrap();
        let data = form.metadata_json();
        let keys: Vec<_> = data.keys().map(String::as_str).collect();
        assert_eq!(keys, FIELDS.map(|field| field.key));
        for field in &FIELDS[2..] {
            let nothing = if field.is_list { json!([]) } else { json!("") };
            assert_eq!(data[field.key], nothing, "{}", field.key);
        }
        assert_eq!((form.name(), form.version()), ("Demo.Pkg", "1.0"));
        assert_eq!(
            (form.action(), form.requires_python()),
            (Action::FileUpload, None)
        );
    }

    #[test]
    fn f51_f54_digests_are_lower_case_hex_or_absent() {
        let upper = "AB".repeat(32);
        let form = with(&[
            ("sha256_digest", &upper),
            ("md5_digest", ""),
            ("blake2_256_digest", "UNKNOWN"),
        ]);
        let form = form.unwrap();
        assert_eq!(form.sha256_digest(), Some("ab".repeat(32).as_str()));
        assert_eq!((form.md5_digest(), form.blake2_256_digest()), (None, None));
        for (key, value) in [
            ("sha256_digest", "zz"),
            ("md5_digest", "0"),
            ("blake2_256_digest", &upper[2..]),
        ] {
            assert_eq!(
                with(&[(key, value)]),
                Err(FormError::NotADigest(key)),
                "{key}"
            );
        }
    }

    #[test]
    fn f04_f08_f32_f83_required_fields() {
        assert_eq!(form(&GOOD[1..]), Err(FormError::NoAction));
        assert_eq!(form(&[(":action", "")]), Err(FormError::NoAction));
        let unknown = form(&[(":action", "ver\nify")]).unwrap_err();
        assert_eq!(unknown.to_string(), "action 'ver?ify' not supported");
        for action in ["submit", "file_upload"] {
            let action = (":action", action);
            assert_eq!(
                form(&[action, ("version", "1")]),
                Err(FormError::Missing("name"))
            );
            assert_eq!(
                form(&[action, ("name", "a")]),
                Err(FormError::Missing("version"))
            );
            assert_eq!(
                form(&[action, ("name", "a"), ("version", "UNKNOWN")]),
                Err(FormError::Missing("version"))
            );
        }
        let doc = form(&[(":action", "doc_upload"), ("name", "a")]).unwrap();
        assert_eq!((doc.action(), doc.version()), (Action::DocUpload, ""));
    }

    #[test]
    fn f56_a_field_that_means_one_thing_has_one_value() {
        let digest = "ab".repeat(32);
        let cases = [("name", "other"), (":action", "submit"), ("version", "2.0")];
        for (key, value) in cases {
            assert_eq!(with(&[(key, value)]), Err(FormError::Twice(key)));
        }
        for key in ["summary", "requires_python", "protocol_version"] {
            assert_eq!(with(&[(key, "1"), (key, "2")]), Err(FormError::Twice(key)));
        }
        assert_eq!(
            with(&[("sha256_digest", &digest), ("sha256_digest", "")]),
            Err(FormError::Twice("sha256_digest"))
        );
        assert!(
            with(&[("name", "Demo.Pkg")]).is_ok(),
            "the same twice says nothing else"
        );
    }

    #[test]
    fn f34_f36_names_and_versions_that_break_urls_are_refused() {
        for version in [
            "1.0<script>",
            "..",
            ".",
            "1/0",
            "1\\0",
            "1\n0",
            "1%200",
            "1#0",
            "1?0",
            "1\"0",
        ] {
            let refused = form(&[GOOD[0], GOOD[1], ("version", version)]);
            assert_eq!(refused, Err(FormError::Unsafe), "{version:?}");
        }
        assert_eq!(
            form(&[GOOD[0], GOOD[2], ("name", "../../x")]),
            Err(FormError::Unsafe)
        );
        let long = "1".repeat(5000);
        assert_eq!(
            form(&[GOOD[0], GOOD[1], ("version", &long)]),
            Err(FormError::TooLong("version"))
        );
        assert_eq!(
            form(&[GOOD[0], GOOD[2], ("name", &long)]),
            Err(FormError::TooLong("name"))
        );
    }

    #[test]
    fn f07_f80_fields_that_say_something_is_wrong() {
        assert_eq!(with(&[("content", "text")]), Err(FormError::ContentIsText));
        assert_eq!(with(&[("summary", "a\0b")]), Err(FormError::NotText));
        assert_eq!(
            with(&[("protocol_version", "2")]),
            Err(FormError::UnknownProtocol)
        );
        assert!(with(&[("protocol_version", "1")]).is_ok());
    }

    #[test]
    fn u14_attestations_are_kept_as_they_are() {
        let form = with(&[("attestations", "[not even json")]).unwrap();
        assert_eq!(form.attestations(), Some("[not even json"));
    }

    proptest! {
        #[test]
        fn any_fields_are_read_or_refused(fields: Vec<(String, String)>) {
            let _ = UploadForm::from_fields(fields);
        }

        #[test]
        fn the_order_of_fields_does_not_matter(mut lists in proptest::collection::vec(("[a-z_]{1,8}", "[a-z]{0,4}"), 0..6)) {
            lists.extend(GOOD.map(|(key, value)| (key.to_owned(), value.to_owned())));
            let there = UploadForm::from_fields(lists.clone()).map(|form| form.action());
            lists.reverse();
            let back = UploadForm::from_fields(lists).map(|form| form.action());
            prop_assert_eq!(there.is_ok(), back.is_ok());
        }
    }
}
