//! Project pages and the project list, as PyPI writes them: JSON 1.4, HTML,
//! both also gzipped.
//!
//! Written apart from Larder's own writer on purpose: a test that reads its
//! own writer's output proves little.

use std::fmt::Write as _;
use std::io::Write as _;

use bytes::Bytes;
use flate2::{Compression, GzBuilder};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use crate::catalog::{FileEntry, Project};

pub(crate) const JSON: &str = "application/vnd.pypi.simple.v1+json";
pub(crate) const HTML_V1: &str = "application/vnd.pypi.simple.v1+html";
pub(crate) const HTML: &str = "text/html; charset=utf-8";

/// One document in one format.
#[derive(Debug)]
pub(crate) struct Document {
    pub(crate) plain: Bytes,
    pub(crate) gzip: Bytes,
    pub(crate) etag: String,
}

/// One document in both formats.
#[derive(Debug)]
pub(crate) struct Rendered {
    pub(crate) json: Document,
    pub(crate) html: Document,
    pub(crate) serial: Option<u64>,
}

pub(crate) fn render_page(
    name: &str,
    project: &Project,
    files_base: &str,
    hashes: bool,
) -> Rendered {
    let quarantined = project
        .status
        .as_ref()
        .is_some_and(|(status, _)| status == "quarantined");
    let files: Vec<&FileEntry> = project
        .files
        .values()
        .map(AsRef::as_ref)
        .filter(|_| !quarantined)
        .collect();
    let url = |file: &FileEntry| {
        let own = || format!("{files_base}/files/{name}/{}", file.filename);
        file.url.clone().unwrap_or_else(own)
    };
    let json = json_page(name, project, &files, &url, hashes);
    let html = html_page(name, project, &files, &url, hashes);
    Rendered {
        json: document(json.to_string().into_bytes()),
        html: document(html.into_bytes()),
        serial: project.serial,
    }
}

pub(crate) fn render_list<'a>(names: impl Iterator<Item = &'a String> + Clone) -> Rendered {
    let projects: Vec<Value> = names.clone().map(|name| json!({ "name": name })).collect();
    let json = json!({ "meta": { "api-version": "1.4" }, "projects": projects });
    let mut html = head("Simple index", "");
    for name in names {
        let _ = writeln!(html, "<a href=\"/simple/{name}/\">{name}</a>");
    }
    html.push_str("</body></html>\n");
    Rendered {
        json: document(json.to_string().into_bytes()),
        html: document(html.into_bytes()),
        serial: None,
    }
}

/// Bytes as one gzip member.
pub(crate) fn gzip(plain: &[u8]) -> Bytes {
    let mut packed = GzBuilder::new()
        .mtime(0)
        .write(Vec::new(), Compression::default());
    packed.write_all(plain).expect("a Vec takes every byte");
    packed.finish().expect("a Vec takes every byte").into()
}

fn document(plain: Vec<u8>) -> Document {
    let etag = format!("\"{}\"", &hex::encode(Sha256::digest(&plain))[..32]);
    Document {
        gzip: gzip(&plain),
        plain: plain.into(),
        etag,
    }
}

fn json_page(
    name: &str,
    project: &Project,
    files: &[&FileEntry],
    url: &dyn Fn(&FileEntry) -> String,
    hashes: bool,
) -> Value {
    let mut meta = json!({ "api-version": "1.4" });
    if let Some(serial) = project.serial {
        meta["_last-serial"] = serial.into();
    }
    let files_json: Vec<Value> = files
        .iter()
        .map(|file| json_file(file, url(file), hashes))
        .collect();
    let mut page =
        json!({ "meta": meta, "name": name, "versions": versions(files), "files": files_json });
    if let Some((status, reason)) = &project.status {
        page["project-status"] = json!({ "status": status });
        if let Some(reason) = reason {
            page["project-status"]["reason"] = reason.as_str().into();
        }
    }
    page
}

fn json_file(file: &FileEntry, url: String, hashes: bool) -> Value {
    let mut object = Map::new();
    object.insert("filename".to_owned(), file.filename.as_str().into());
    object.insert("url".to_owned(), url.into());
    let sha256 = file.sha256.as_deref().filter(|_| hashes);
    object.insert(
        "hashes".to_owned(),
        sha256.map_or_else(|| json!({}), |hex| json!({ "sha256": hex })),
    );
    let mut put = |key: &str, value: Option<Value>| {
        if let Some(value) = value {
            object.insert(key.to_owned(), value);
        }
    };
    put("size", file.size.map(Into::into));
    put("upload-time", file.upload_time.clone().map(Into::into));
    put(
        "requires-python",
        file.requires_python.clone().map(Into::into),
    );
    let yanked = |reason: &String| {
        if reason.is_empty() {
            Value::Bool(true)
        } else {
            reason.as_str().into()
        }
    };
    put("yanked", file.yanked.as_ref().map(yanked));
    let sidecar = file
        .metadata
        .as_ref()
        .map(|bytes| json!({ "sha256": sha256_hex(bytes) }));
    put("core-metadata", sidecar.clone());
    put("data-dist-info-metadata", sidecar);
    put("provenance", file.provenance.clone().map(Into::into));
    Value::Object(object)
}

/// The versions of the files, in order of appearance.
fn versions(files: &[&FileEntry]) -> Vec<String> {
    let mut versions: Vec<String> = Vec::new();
    for file in files {
        let stem = file
            .filename
            .trim_end_matches(".tar.gz")
            .trim_end_matches(".zip");
        let version = stem.split('-').nth(1).unwrap_or_default().to_owned();
        if !versions.contains(&version) {
            versions.push(version);
        }
    }
    versions
}

fn html_page(
    name: &str,
    project: &Project,
    files: &[&FileEntry],
    url: &dyn Fn(&FileEntry) -> String,
    hashes: bool,
) -> String {
    let mut meta = String::new();
    if let Some((status, reason)) = &project.status {
        let _ = write!(
            meta,
            "<meta name=\"pypi:project-status\" content=\"{}\">",
            escape(status)
        );
        if let Some(reason) = reason {
            let _ = write!(
                meta,
                "<meta name=\"pypi:project-status-reason\" content=\"{}\">",
                escape(reason)
            );
        }
    }
    let mut html = head(&format!("Links for {name}"), &meta);
    for file in files {
        let fragment = file
            .sha256
            .as_ref()
            .filter(|_| hashes)
            .map(|hex| format!("#sha256={hex}"));
        let href = format!("{}{}", url(file), fragment.unwrap_or_default());
        let _ = write!(html, "<a href=\"{}\"", escape(&href));
        let mut attribute = |name: &str, value: &str| {
            let _ = write!(html, " {name}=\"{}\"", escape(value));
        };
        if let Some(specifier) = &file.requires_python {
            attribute("data-requires-python", specifier);
        }
        if let Some(reason) = &file.yanked {
            attribute("data-yanked", reason);
        }
        if let Some(metadata) = &file.metadata {
            let value = format!("sha256={}", sha256_hex(metadata));
            attribute("data-core-metadata", &value);
            attribute("data-dist-info-metadata", &value);
        }
        let _ = writeln!(html, ">{}</a><br />", escape(&file.filename));
    }
    html.push_str("</body></html>\n");
    html
}

fn head(title: &str, meta: &str) -> String {
    format!(
        "<!DOCTYPE html>\n<html><head><meta name=\"pypi:repository-version\" content=\"1.4\">{meta}\
         <title>{title}</title></head><body><h1>{title}</h1>\n"
    )
}

fn sha256_hex(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
