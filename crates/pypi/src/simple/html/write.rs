//! Writing HTML.
//!
//! Invariant: attributes are in double quotes and escaped, so that neither a
//! quote nor a `>` of a value ends one; hatch scans with `<a [^>]+>([^<]+)</a>`.

use std::fmt::Write;

use html_escape::{encode_double_quoted_attribute_to_string, encode_text_to_string};

use crate::ProjectName;
use crate::simple::{
    API_VERSION, CoreMetadata, PageFile, ProjectPage, order, safe_url, upload_time,
};

/// Writes a project page (2.5, S-22 to S-26).
pub fn write_html(page: &ProjectPage) -> Vec<u8> {
    let mut out = String::with_capacity(512 + page.files.len() * 640);
    open(&mut out);
    if let Some(status) = page
        .status
        .as_ref()
        .filter(|status| !status.status.is_empty())
    {
        meta(&mut out, "pypi:project-status", &status.status);
        if let Some(reason) = &status.reason {
            meta(&mut out, "pypi:project-status-reason", reason);
        }
    }
    // A project name is ASCII letters, digits and `-`: nothing to escape.
    let name = &page.name;
    push(
        &mut out,
        format_args!("<title>Links for {name}</title></head>\n"),
    );
    push(&mut out, format_args!("<body><h1>Links for {name}</h1>\n"));
    for file in order::files(page) {
        anchor(&mut out, file);
    }
    close(out, page.last_serial)
}

/// Writes a project list, in the order given.
pub fn write_project_list_html<'a>(
    names: impl Iterator<Item = &'a ProjectName>,
    last_serial: Option<u64>,
) -> Vec<u8> {
    let mut out = String::new();
    open(&mut out);
    out.push_str("<title>Simple index</title></head>\n<body>\n");
    for name in names {
        push(
            &mut out,
            format_args!("<a href=\"{name}/\">{name}</a><br>\n"),
        );
    }
    close(out, last_serial)
}

fn open(out: &mut String) {
    out.push_str("<!DOCTYPE html>\n<html><head>");
    meta(out, "pypi:repository-version", API_VERSION);
}

/// The serial stands where PyPI has it.
fn close(mut out: String, last_serial: Option<u64>) -> Vec<u8> {
    out.push_str("</body></html>\n");
    if let Some(serial) = last_serial {
        push(&mut out, format_args!("<!--SERIAL {serial}-->\n"));
    }
    out.into_bytes()
}

fn meta(out: &mut String, name: &str, content: &str) {
    push(out, format_args!("<meta name=\"{name}\""));
    attribute(out, "content", content);
    out.push('>');
}

/// One line: every attribute of 2.5 (S-22), and the two that uv reads beyond it (S-25).
fn anchor(out: &mut String, file: &PageFile) {
    out.push_str("<a href=\"");
    for part in safe_url(&file.url) {
        encode_double_quoted_attribute_to_string(part, out);
    }
    if let Some((algorithm, hex)) = file.hashes.preferred() {
        push(out, format_args!("#{algorithm}={hex}"));
    }
    out.push('"');
    if let Some(specifier) = file
        .requires_python
        .as_deref()
        .filter(|text| !text.is_empty())
    {
        attribute(out, "data-requires-python", specifier);
    }
    if let Some(reason) = &file.yanked {
        attribute(out, "data-yanked", reason);
    }
    if let Some(signed) = file.gpg_sig {
        push(out, format_args!(" data-gpg-sig=\"{signed}\""));
    }
    sidecar(out, file.core_metadata);
    if let Some(url) = &file.provenance {
        attribute(out, "data-provenance", url);
    }
    if let Some(size) = file.size {
        push(out, format_args!(" data-size=\"{size}\""));
    }
    if let Some(time) = file
        .upload_time
        .as_deref()
        .filter(|time| upload_time::is_valid(time))
    {
        attribute(out, "data-upload-time", time);
    }
    out.push('>');
    encode_text_to_string(&file.filename, out);
    out.push_str("</a><br>\n");
}

/// S-22: under the new and the old name.
fn sidecar(out: &mut String, announced: CoreMetadata) {
    for name in ["data-core-metadata", "data-dist-info-metadata"] {
        match announced {
            CoreMetadata::Absent => {}
            CoreMetadata::Present => push(out, format_args!(" {name}=\"true\"")),
            CoreMetadata::Sha256(digest) => {
                push(out, format_args!(" {name}=\"sha256={digest}\""));
            }
        }
    }
}

fn attribute(out: &mut String, name: &str, value: &str) {
    push(out, format_args!(" {name}=\""));
    encode_double_quoted_attribute_to_string(value, out);
    out.push('"');
}

#[expect(clippy::expect_used, reason = "writing to a String cannot fail")]
fn push(out: &mut String, text: std::fmt::Arguments<'_>) {
    out.write_fmt(text)
        .expect("invariant: a String takes all text");
}
