//! Reading HTML: anchors with their attributes, `<base>`, and three `<meta>`.
//!
//! Invariant: a document without a link of the project and without the API's
//! marker is not a page (H09, H10), however well it parses.

use std::borrow::Cow;

use url::Url;

use super::tags::{Tag, Token, tokens};
use crate::ProjectName;
use crate::simple::collect::{Collector, Link, without_nul};
use crate::simple::{CoreMetadata, PageError, ProjectPage, ProjectStatus, check_api_version};

/// Reads a project page (P-02). `base` is the page's final URL.
pub fn read_html(
    bytes: &[u8],
    expected: &ProjectName,
    base: &Url,
) -> Result<ProjectPage, PageError> {
    let html = String::from_utf8_lossy(bytes);
    let mut head = Head::default();
    let mut collector = Collector::new(expected, base);
    let mut rebased = false;
    for token in tokens(&html) {
        match token {
            Token::Start(tag) if tag.is("a") => {
                if let Some(link) = link(&tag) {
                    collector.add(link)?;
                }
            }
            // Only the first `<base>` with an address counts.
            Token::Start(tag) if tag.is("base") && !rebased => {
                if let Some(href) = tag.attribute("href") {
                    collector.rebase(&href);
                    rebased = true;
                }
            }
            other => head.take(&other)?,
        }
    }
    if !head.marked && !collector.has_mention() {
        return Err(PageError::NotAPage);
    }
    let status = head.status.map(|status| ProjectStatus {
        status,
        reason: head.reason,
    });
    Ok(collector.into_page(status, Vec::new(), head.last_serial))
}

/// Reads a project list: the last segment of every link that is a valid name;
/// normalised, sorted, each once.
pub fn read_project_list_html(bytes: &[u8]) -> Result<Vec<ProjectName>, PageError> {
    let html = String::from_utf8_lossy(bytes);
    let mut head = Head::default();
    let mut names = Vec::new();
    for token in tokens(&html) {
        match token {
            Token::Start(tag) if tag.is("a") => {
                let href = tag.attribute("href").unwrap_or_default();
                let path = href.split(['?', '#']).next().unwrap_or_default();
                let segment = path.trim().trim_end_matches('/').rsplit('/').next();
                names.extend(segment.and_then(|name| name.parse::<ProjectName>().ok()));
            }
            other => head.take(&other)?,
        }
    }
    if !head.marked && names.is_empty() {
        return Err(PageError::NotAPage);
    }
    names.sort_unstable();
    names.dedup();
    Ok(names)
}

/// What stands around the links.
#[derive(Debug, Default)]
struct Head {
    /// The marker of PEP 629 is there.
    marked: bool,
    status: Option<String>,
    reason: Option<String>,
    last_serial: Option<u64>,
}

impl Head {
    fn take(&mut self, token: &Token<'_>) -> Result<(), PageError> {
        match token {
            Token::Comment(text) => {
                // PyPI ends its pages with `<!--SERIAL n-->`.
                let serial = text.trim().strip_prefix("SERIAL ");
                if let Some(serial) = serial.and_then(|text| text.trim().parse().ok()) {
                    self.last_serial = Some(serial);
                }
            }
            Token::Start(tag) if tag.is("meta") => {
                let content = tag.attribute("content").unwrap_or_default();
                let name = tag.attribute("name").unwrap_or_default();
                match name.trim().to_ascii_lowercase().as_str() {
                    "pypi:repository-version" => {
                        check_api_version(&content)?;
                        self.marked = true;
                    }
                    "pypi:project-status" => self.status = Some(content.trim().to_owned()),
                    "pypi:project-status-reason" => {
                        self.reason = Some(without_nul(content.into_owned()));
                    }
                    _ => {}
                }
            }
            Token::Start(_) => {}
        }
        Ok(())
    }
}

fn link(tag: &Tag<'_>) -> Option<Link> {
    let text = |name| tag.attribute(name).map(Cow::into_owned);
    let sidecar = text("data-core-metadata").or_else(|| text("data-dist-info-metadata"));
    Some(Link {
        url: text("href")?,
        requires_python: text("data-requires-python").filter(|value| !value.is_empty()),
        size: text("data-size").and_then(|value| value.trim().parse().ok()),
        upload_time: text("data-upload-time"),
        yanked: text("data-yanked"),
        core_metadata: sidecar.map_or(CoreMetadata::Absent, |value| announced(value.trim())),
        provenance: text("data-provenance"),
        gpg_sig: text("data-gpg-sig").and_then(|value| value.trim().parse().ok()),
        ..Link::default()
    })
}

fn announced(value: &str) -> CoreMetadata {
    if value.eq_ignore_ascii_case("false") {
        return CoreMetadata::Absent;
    }
    let hex = value.strip_prefix("sha256=");
    let digest = hex.and_then(|hex| hex.parse().ok());
    digest.map_or(CoreMetadata::Present, CoreMetadata::Sha256)
}
