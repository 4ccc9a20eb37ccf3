//! devpi's version data: the names and the order of its fields (devpi: 1.8),
//! filled alike from core metadata and from the upload form.
//!
//! Invariant: every key of devpi is always there, `""` or `[]` for nothing;
//! keys that devpi does not have are there only with a value.

use serde_json::{Map, Value};

/// One field.
#[derive(Debug)]
pub(crate) struct Field {
    /// devpi's name, and the name in the upload form.
    pub(crate) key: &'static str,
    /// The header of core metadata, in lower case.
    pub(crate) header: &'static str,
    /// Whether it may be there more than once.
    pub(crate) is_list: bool,
}

const fn text(key: &'static str, header: &'static str) -> Field {
    Field {
        key,
        header,
        is_list: false,
    }
}

const fn list(key: &'static str, header: &'static str) -> Field {
    Field {
        key,
        header,
        is_list: true,
    }
}

pub(crate) const FIELDS: [Field; 31] = [
    text("name", "name"),
    text("version", "version"),
    text("metadata_version", "metadata-version"),
    text("summary", "summary"),
    text("home_page", "home-page"),
    text("author", "author"),
    text("author_email", "author-email"),
    text("maintainer", "maintainer"),
    text("maintainer_email", "maintainer-email"),
    text("license", "license"),
    text("description", "description"),
    text("keywords", "keywords"),
    list("platform", "platform"),
    list("classifiers", "classifier"),
    text("download_url", "download-url"),
    list("supported_platform", "supported-platform"),
    text("comment", "comment"),
    list("provides", "provides"),
    list("requires", "requires"),
    list("obsoletes", "obsoletes"),
    list("project_urls", "project-url"),
    list("provides_dist", "provides-dist"),
    list("obsoletes_dist", "obsoletes-dist"),
    list("requires_dist", "requires-dist"),
    list("requires_external", "requires-external"),
    text("requires_python", "requires-python"),
    text("description_content_type", "description-content-type"),
    list("provides_extras", "provides-extra"),
    list("dynamic", "dynamic"),
    text("license_expression", "license-expression"),
    list("license_file", "license-file"),
];

/// PEP 794, which devpi does not know.
const MORE: [Field; 2] = [
    list("import_name", "import-name"),
    list("import_namespace", "import-namespace"),
];

/// The version data of whatever has these values for a field.
pub(crate) fn version_data(values: impl Fn(&Field) -> Vec<String>) -> Map<String, Value> {
    let mut data = Map::new();
    for field in FIELDS.iter().chain(&MORE) {
        let mut found = values(field).into_iter().filter(|value| !value.is_empty());
        let is_more = MORE.iter().any(|more| more.key == field.key);
        let value = if field.is_list {
            let found: Vec<Value> = found.map(Value::String).collect();
            if found.is_empty() && is_more {
                continue;
            }
            Value::Array(found)
        } else {
            Value::String(found.next().unwrap_or_default())
        };
        data.insert(field.key.to_owned(), value);
    }
    data
}

/// Old tools wrote `UNKNOWN` for nothing (U-04).
pub(crate) fn known(value: &str) -> &str {
    if value == "UNKNOWN" { "" } else { value }
}
