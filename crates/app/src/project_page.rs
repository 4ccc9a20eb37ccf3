//! Trip A: a project page of the simple repository API.

use std::collections::HashMap;
use std::io::Write as _;
use std::sync::Arc;

use bytes::Bytes;
use larder_model::{IndexKind, IndexName, merge_pages};
use larder_pypi::negotiate::{Coding, PageFormat};
use larder_pypi::simple::{CoreMetadata, PageFile, ProjectPage, html, json};
use larder_pypi::{Hashes, ProjectName};
use larder_store::{FileRole, FileRow};
use sha2::{Digest as _, Sha256};

use crate::authorize::Right;
use crate::error::{Error, Kind, error_chain};
use crate::file_path::FilePath;
use crate::layers::{Found, Known, Layers};
use crate::page_cache::{Entry, PageKey, PageReply, PageRequest, Served};
use crate::sight::Readable;
use crate::{App, LinkStyle, Result};
use larder_model::Caller;

/// Pages larger than this are rendered off the request threads.
const SMALL_PAGE_FILES: usize = 100;

impl App {
    /// The page, from memory when that is still true.
    pub async fn project_page(&self, caller: &Caller, request: PageRequest) -> Result<PageReply> {
        let grant = self.grant(caller, &request.index, Right::Read).await?;
        let readable = grant.sight(&self.settings.policy).readable().clone();
        let key = PageKey { request, readable };
        if let Some(entry) = self
            .memory
            .pages
            .get(&key)
            .filter(|entry| self.is_good(entry, &key.request))
        {
            self.metrics.pages_hit.increment();
            return Ok(entry.reply(self.clock.elapsed(), Served::Hit));
        }
        self.metrics.pages_missed.increment();
        // Boxed: a hit needs none of its room.
        Box::pin(self.page_anew(caller, key)).await
    }

    /// Makes the page, once for all who want it now. A flight that was on its
    /// way when this request came may not show what was acknowledged in
    /// between; the one after it began later, and does.
    async fn page_anew(&self, caller: &Caller, key: PageKey) -> Result<PageReply> {
        let request = &key.request;
        for round in 0.. {
            let (app, caller, own_key) = (self.clone(), caller.clone(), key.clone());
            let making = self
                .memory
                .pages
                .making
                .join(&key, &self.tasks, || async move {
                    let made = app.make_page(&caller, &own_key).await;
                    made.map(Arc::new)
                        .inspect(|entry| app.memory.pages.insert(own_key, Arc::clone(entry)))
                        .inspect_err(log_fault)
                        .map_err(Arc::new)
                });
            let is_recent = making.started || round > 0;
            let made = making
                .flight
                .await
                .unwrap_or_else(|| Err(Arc::new(Error::internal("making a page panicked"))));
            match made {
                Ok(entry) if is_recent || self.is_good(&entry, request) => {
                    if entry.stale {
                        self.metrics.pages_stale.increment();
                    }
                    return Ok(entry.reply(self.clock.elapsed(), Served::Miss));
                }
                Err(error) if is_recent => return Err(error.for_another()),
                Ok(_) | Err(_) => {}
            }
        }
        unreachable!("the second round returns")
    }

    /// Whether an entry is what the database would say now. Call after [`App::catch_up`].
    fn is_good(&self, entry: &Entry, request: &PageRequest) -> bool {
        self.memory
            .holds(entry.rules, entry.serial, &request.project)
            && entry
                .fresh_until
                .is_none_or(|until| self.clock.elapsed() < until)
    }

    /// Under the rules of this moment: a caller whose sight has changed since
    /// the key was made is turned away or gets the page that holds now.
    async fn make_page(&self, caller: &Caller, key: &PageKey) -> Result<Entry> {
        let request = &key.request;
        let grant = self.grant(caller, &request.index, Right::Read).await?;
        let sight = grant.sight(&self.settings.policy);
        if sight.readable() != &key.readable {
            return Err(rules_changed());
        }
        let (index, rules) = (grant.index(), grant.directory().serial);
        let layers = self.layers(&sight, &request.project).await?;
        if layers.found.is_empty() {
            return Err(layers
                .failure
                .unwrap_or_else(|| no_project(&request.project)));
        }
        let keepable = index.kind() == IndexKind::Mirror;
        let (serial, fresh_until, stale) = (layers.serial, layers.fresh_until, layers.stale);
        let file_count: usize = layers.found.iter().map(Found::file_count).sum();
        let own_request = request.clone();
        let write = move || {
            let page = merge(&own_request, layers);
            (
                page.last_serial,
                encode(render(&page, own_request.format), own_request.coding),
            )
        };
        let (last_serial, body) = if file_count <= SMALL_PAGE_FILES {
            write()
        } else {
            tokio::task::spawn_blocking(write)
                .await
                .map_err(Error::internal)?
        };
        let etag = etag(&body, request.coding);
        let last_serial = last_serial.filter(|_| keepable);
        Ok(Entry {
            body,
            etag,
            last_serial,
            rules,
            serial,
            fresh_until,
            keepable,
            is_open: sight.readable() == &Readable::Everything,
            stale,
        })
    }

    /// Asks the admitted mirrors of the order again (devpi: refresh).
    pub async fn refresh_project(
        &self,
        caller: &Caller,
        index: &IndexName,
        project: &ProjectName,
    ) -> Result<()> {
        let grant = self.grant(caller, index, Right::Refresh).await?;
        let sight = grant.sight(&self.settings.policy);
        for mirror in self.admitted_mirrors(&sight, project).await? {
            if !self.may_refresh(&mirror, project) {
                continue;
            }
            self.forget_freshness(&mirror, project);
            let answer = self.refresh_page(&mirror, project).await;
            if let Some(error) = answer.outcome.error() {
                return Err(error);
            }
        }
        Ok(())
    }
}

/// The cause of a shared failure is logged where it happens; waiting clients get only its sentence.
fn log_fault(error: &Error) {
    if matches!(error.kind(), Kind::Internal | Kind::Unavailable) {
        tracing::error!(error = %error_chain(error), "a project page could not be made");
    }
}

/// Somebody changed who may read what between two looks at the rules.
fn rules_changed() -> Error {
    Error::new(
        Kind::Unavailable,
        "the access rules changed at this moment; try again",
    )
}

/// devpi's words for a project that no index of the order has.
pub(crate) fn no_project(project: &ProjectName) -> Error {
    Error::not_found(format!("The project {project} does not exist."))
}

impl Found {
    fn file_count(&self) -> usize {
        match &self.known {
            Known::Versions(_) => self.files.len(),
            Known::Page(page) => page.files.len(),
        }
    }
}

/// One page out of all layers, with links as the request wants them.
fn merge(request: &PageRequest, layers: Layers) -> ProjectPage {
    let pages = layers
        .found
        .into_iter()
        .enumerate()
        .map(|(layer, found)| {
            (
                layer,
                layer_page(&request.index, &request.links, &request.project, found),
            )
        })
        .collect();
    merge_pages(&request.project, pages)
}

fn layer_page(
    from: &IndexName,
    links: &LinkStyle,
    project: &ProjectName,
    found: Found,
) -> ProjectPage {
    let Found {
        index,
        files,
        known,
    } = found;
    match known {
        Known::Versions(versions) => ProjectPage {
            name: project.clone(),
            status: None,
            versions,
            files: files
                .into_iter()
                .filter(|file| file.kind == FileRole::Release)
                .map(|file| uploaded_entry(from, links, &index.name, file))
                .collect(),
            last_serial: None,
        },
        Known::Page(mut page) => {
            let cached: HashMap<&str, &FileRow> = files
                .iter()
                .map(|file| (file.filename.as_str(), file))
                .collect();
            for entry in &mut page.files {
                mirrored_entry(
                    from,
                    links,
                    &index.name,
                    entry,
                    cached.get(entry.filename.as_str()).copied(),
                );
            }
            *page
        }
    }
}

fn uploaded_entry(
    from: &IndexName,
    links: &LinkStyle,
    owner: &IndexName,
    file: FileRow,
) -> PageFile {
    let path = FilePath {
        area: file.area,
        dir: file.dir,
        filename: file.filename.clone(),
    };
    PageFile {
        url: links.link(from, owner, &path),
        filename: file.filename,
        hashes: Hashes::of(file.digest),
        requires_python: file.requires_python.filter(|text| !text.is_empty()),
        size: Some(file.size),
        upload_time: Some(file.uploaded.to_rfc3339()),
        yanked: file.yanked,
        core_metadata: file
            .metadata_digest
            .map_or(CoreMetadata::Absent, CoreMetadata::Sha256),
        provenance: None,
        gpg_sig: None,
    }
}

/// Points an upstream's entry at this mirror, and adds what is known since the
/// file is here: its sha256 and size (S-16).
fn mirrored_entry(
    from: &IndexName,
    links: &LinkStyle,
    owner: &IndexName,
    entry: &mut PageFile,
    cached: Option<&FileRow>,
) {
    let path = FilePath::of_mirrored(entry);
    entry.url = links.link(from, owner, &path);
    if let Some(cached) = cached.filter(|file| file.area == path.area && file.dir == path.dir) {
        entry.size = Some(cached.size);
        if entry.hashes.sha256().is_none() {
            entry.hashes = Hashes::of(cached.digest);
        }
    }
}

fn render(page: &ProjectPage, format: PageFormat) -> Vec<u8> {
    match format {
        PageFormat::Json => json::write_json(page),
        PageFormat::HtmlV1 | PageFormat::Html => html::write_html(page),
    }
}

/// Compresses once; every hit sends these bytes.
pub(crate) fn encode(body: Vec<u8>, coding: Coding) -> Bytes {
    let packed = match coding {
        Coding::Identity => None,
        Coding::Gzip => {
            let mut encoder = flate2::write::GzEncoder::new(
                Vec::with_capacity(body.len() / 4),
                flate2::Compression::new(6),
            );
            encoder
                .write_all(&body)
                .and_then(|()| encoder.finish())
                .ok()
        }
        Coding::Zstd => zstd::bulk::compress(&body, 6).ok(),
    };
    packed.map_or_else(|| body.into(), Bytes::from)
}

/// C-01: strong, from the bytes that are sent, so it differs by format and coding.
pub(crate) fn etag(body: &[u8], coding: Coding) -> Arc<str> {
    let digest = hex::encode(&Sha256::digest(body)[..12]);
    let suffix = match coding {
        Coding::Identity => "",
        Coding::Gzip => "-gz",
        Coding::Zstd => "-zst",
    };
    format!("\"{digest}{suffix}\"").into()
}
