//! Pages of real shapes, hostile pages, and round trips over generated ones.

mod lists;
mod read;
mod round_trips;
mod written;

use proptest::prelude::*;
use serde_json::{Value, json};
use url::Url;

use super::html::{read_html, read_project_list_html, write_html, write_project_list_html};
use super::json::{read_json, read_project_list_json, write_json, write_project_list_json};
use super::*;

const SHA256: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const MD5: &str = "d41d8cd98f00b204e9800998ecf8427e";

fn demo() -> ProjectName {
    "demo".parse().unwrap()
}

fn base() -> Url {
    Url::parse("https://up.example.com/simple/demo/").unwrap()
}

fn from_json(page: &Value) -> Result<ProjectPage, PageError> {
    read_json(page.to_string().as_bytes(), &demo(), &base())
}

fn from_html(page: &str) -> Result<ProjectPage, PageError> {
    read_html(page.as_bytes(), &demo(), &base())
}

/// A page with one file, which `keys` are added to.
fn with_keys(keys: &Value) -> Value {
    let mut file = json!({"filename": "demo-1.0.zip", "url": "demo-1.0.zip", "hashes": {}});
    for (key, value) in keys.as_object().unwrap() {
        file[key] = value.clone();
    }
    json!({"meta": {"api-version": "1.4"}, "name": "demo", "files": [file]})
}

fn file_with(keys: &Value) -> PageFile {
    from_json(&with_keys(keys)).unwrap().files.remove(0)
}

/// The one anchor's file.
fn file_of(anchor: &str) -> PageFile {
    from_html(anchor).unwrap().files.remove(0)
}

fn plain(filename: &str) -> PageFile {
    PageFile {
        filename: filename.to_owned(),
        url: format!("https://up.example.com/files/{filename}"),
        hashes: Hashes::default(),
        requires_python: None,
        size: Some(1),
        upload_time: None,
        yanked: None,
        core_metadata: CoreMetadata::Absent,
        provenance: None,
        gpg_sig: None,
    }
}

fn page_of(files: Vec<PageFile>) -> ProjectPage {
    ProjectPage {
        name: demo(),
        status: None,
        versions: Vec::new(),
        files,
        last_serial: None,
    }
}

fn full_page() -> ProjectPage {
    let digest: Digest = SHA256.parse().unwrap();
    let wheel = PageFile {
        hashes: Hashes::of(digest),
        requires_python: Some(">=3.9,<4".to_owned()),
        size: Some(1234),
        upload_time: Some("2026-11-23T10:00:00.123456Z".to_owned()),
        yanked: Some("it \"broke\" <b>".to_owned()),
        core_metadata: CoreMetadata::Sha256(digest),
        provenance: Some("https://up.example.com/p?a=1&b=2".to_owned()),
        gpg_sig: Some(false),
        ..plain("demo-1.0-py3-none-any.whl")
    };
    ProjectPage {
        status: Some(ProjectStatus {
            status: "archived".to_owned(),
            reason: Some("use <other> & \"more\"".to_owned()),
        }),
        versions: ["1.10", "1.9", "2004d", "1.0"].map(str::to_owned).to_vec(),
        last_serial: Some(42),
        ..page_of(vec![
            wheel,
            plain("demo-1.10.tar.gz"),
            plain("demo-1.9.tar.gz"),
        ])
    }
}
