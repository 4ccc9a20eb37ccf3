//! What devpi-client lists: the releases of a project and their files (devpi: 1.8).

use std::collections::HashMap;

use larder_model::{Caller, IndexName};
use larder_pypi::{ProjectName, Version, filename};
use larder_store::{FileRole, FileRow, Release};
use serde_json::{Map, Value, json};

use crate::authorize::Right;
use crate::error::Error;
use crate::file_path::FilePath;
use crate::layers::{Found, Known, Layers};
use crate::links;
use crate::{App, Result};

/// One release as one index has it.
#[derive(Debug, Clone)]
pub struct ReleaseView {
    /// The index that has it.
    pub index: IndexName,
    /// As uploaded, or as the upstream's file names spell it.
    pub version: String,
    /// The metadata, with devpi's keys.
    pub metadata: Map<String, Value>,
    /// Its files, in upload order.
    pub links: Vec<FileLink>,
    /// The same version in later indexes of the order.
    pub shadowed: Vec<ReleaseView>,
}

/// One file of a release.
#[derive(Debug, Clone)]
pub struct FileLink {
    /// `releasefile`, `doczip` or `toxresult`.
    pub rel: &'static str,
    /// From the root, encoded; no host.
    pub path: String,
    /// Of a test result: the path of the file it is about.
    pub for_path: Option<String>,
    /// `algorithm=hex`, empty if none is known.
    pub hash_spec: String,
    /// What happened to it; `None` on mirrors.
    pub log: Option<Vec<Value>>,
}

impl App {
    /// All releases of a project, newest first.
    pub async fn releases(
        &self,
        caller: &Caller,
        index: &IndexName,
        project: &ProjectName,
        ignore_bases: bool,
    ) -> Result<Vec<ReleaseView>> {
        let grant = self.grant(caller, index, Right::Read).await?;
        let sight = grant.sight(&self.settings.policy);
        let mut layers = self.layers(&sight, project).await?;
        if layers.found.is_empty() {
            // devpi's words for this view.
            let absent = || Error::not_found(format!("no project '{project}'"));
            return Err(layers.failure.unwrap_or_else(absent));
        }
        if ignore_bases {
            // devpi: a project that only a base has is known, and has nothing here.
            layers
                .found
                .retain(|layer| layer.index.id == grant.index().id);
        }
        self.views(layers, project).await
    }

    /// One release.
    pub async fn release(
        &self,
        caller: &Caller,
        index: &IndexName,
        project: &ProjectName,
        version: &str,
    ) -> Result<ReleaseView> {
        let absent = || {
            Error::not_found(format!(
                "The version {version} of project {project} does not exist."
            ))
        };
        let grant = self.grant(caller, index, Right::Read).await?;
        let sight = grant.sight(&self.settings.policy);
        let wanted = Version::lenient(version);
        let mut layers = self.release_layers(&sight, project, &wanted).await?;
        let failure = layers.failure.take();
        let views = self.views(layers, project).await?;
        let found = views
            .into_iter()
            .find(|release| wanted.same_release(&Version::lenient(&release.version)));
        found.ok_or_else(|| failure.unwrap_or_else(absent))
    }

    /// Newest first; the same version in an index further away is shadowed.
    async fn views(&self, layers: Layers, project: &ProjectName) -> Result<Vec<ReleaseView>> {
        let mut all = Vec::new();
        for (distance, found) in layers.found.into_iter().enumerate() {
            let own = match &found.known {
                Known::Versions(versions) if versions.is_empty() => Vec::new(),
                Known::Versions(_) => self.stage_views(found, project).await?,
                Known::Page(_) => mirror_views(found, project),
            };
            all.extend(
                own.into_iter()
                    .map(|view| (Version::lenient(&view.version), distance, view)),
            );
        }
        // Spellings of one version are neighbours in this order.
        all.sort_by(|(a, ..), (b, ..)| b.cmp(a));
        let mut views: Vec<ReleaseView> = Vec::new();
        for group in all.chunk_by_mut(|(a, ..), (b, ..)| a.same_release(b)) {
            group.sort_by_key(|(_, distance, _)| *distance);
            let mut spellings = group.iter().map(|(.., view)| view.clone());
            if let Some(mut nearest) = spellings.next() {
                nearest.shadowed = spellings.collect();
                views.push(nearest);
            }
        }
        Ok(views)
    }

    /// The releases that were found, with their metadata.
    async fn stage_releases(&self, found: &Found, project: &ProjectName) -> Result<Vec<Release>> {
        let (id, mut tx) = (found.index.id, self.store.read().await?);
        match &found.known {
            Known::Versions(versions) if versions.len() == 1 => {
                let release = tx.find_release(id, project, &versions[0]).await?;
                Ok(release.into_iter().collect())
            }
            _ => Ok(tx.releases(id, project).await?),
        }
    }

    async fn stage_views(&self, found: Found, project: &ProjectName) -> Result<Vec<ReleaseView>> {
        let releases = self.stage_releases(&found, project).await?;
        let mut by_version: HashMap<String, Vec<FileRow>> = HashMap::new();
        for file in found.files {
            by_version
                .entry(file.version.clone())
                .or_default()
                .push(file);
        }
        Ok(releases
            .into_iter()
            .map(|release| {
                let files = by_version.remove(&release.version).unwrap_or_default();
                let mut metadata = release.metadata;
                if let Some(reason) = yanked(&files) {
                    metadata.insert("yanked".to_owned(), yanked_json(reason));
                }
                let links = stage_links(&found.index.name, files);
                ReleaseView {
                    index: found.index.name.clone(),
                    version: release.version,
                    metadata,
                    links,
                    shadowed: Vec::new(),
                }
            })
            .collect())
    }
}

/// The reason, if every file of the release is yanked.
fn yanked(files: &[FileRow]) -> Option<&str> {
    let mut releases = files.iter().filter(|file| file.kind == FileRole::Release);
    let first = releases.next()?.yanked.as_deref()?;
    releases.all(|file| file.yanked.is_some()).then_some(first)
}

/// PEP 592: `true`, or the reason.
fn yanked_json(reason: &str) -> Value {
    if reason.is_empty() {
        json!(true)
    } else {
        json!(reason)
    }
}

fn stage_links(index: &IndexName, files: Vec<FileRow>) -> Vec<FileLink> {
    let paths: HashMap<i64, String> = files
        .iter()
        .filter(|file| file.kind == FileRole::Release)
        .map(|file| (file.id, links::rooted(index, &FilePath::of_row(file))))
        .collect();
    let mut links = Vec::with_capacity(files.len());
    for file in files {
        let for_path = file.parent.and_then(|parent| paths.get(&parent).cloned());
        links.push(stage_link(index, file, for_path));
    }
    links
}

fn stage_link(index: &IndexName, file: FileRow, for_path: Option<String>) -> FileLink {
    let rel = match file.kind {
        FileRole::Release => "releasefile",
        FileRole::DocZip => "doczip",
        FileRole::Toxresult => "toxresult",
    };
    FileLink {
        rel,
        path: links::rooted(index, &FilePath::of_row(&file)),
        for_path,
        hash_spec: format!("sha256={}", file.digest),
        log: Some(file.log),
    }
}

/// devpi derives the releases of a mirror from the names of its files.
fn mirror_views(found: Found, project: &ProjectName) -> Vec<ReleaseView> {
    let Known::Page(page) = found.known else {
        return Vec::new();
    };
    let mut views: Vec<ReleaseView> = Vec::new();
    let mut at = HashMap::new();
    for entry in page.files {
        let Ok(parsed) = filename::parse(&entry.filename, Some(project)) else {
            continue;
        };
        let position = *at.entry(parsed.version.clone()).or_insert_with(|| {
            let metadata = Map::from_iter([
                ("name".to_owned(), json!(project)),
                ("version".to_owned(), json!(parsed.version)),
            ]);
            views.push(ReleaseView {
                index: found.index.name.clone(),
                version: parsed.version,
                metadata,
                links: Vec::new(),
                shadowed: Vec::new(),
            });
            views.len() - 1
        });
        let view = &mut views[position];
        if let Some(requires_python) = &entry.requires_python {
            view.metadata
                .insert("requires_python".to_owned(), json!(requires_python));
        }
        if let Some(reason) = &entry.yanked {
            view.metadata
                .insert("yanked".to_owned(), yanked_json(reason));
        }
        let hash_spec = entry
            .hashes
            .preferred()
            .map(|(algorithm, hex)| format!("{algorithm}={hex}"))
            .unwrap_or_default();
        let path = links::rooted(&found.index.name, &FilePath::of_mirrored(&entry));
        view.links.push(FileLink {
            rel: "releasefile",
            path,
            for_path: None,
            hash_spec,
            log: None,
        });
    }
    views
}
