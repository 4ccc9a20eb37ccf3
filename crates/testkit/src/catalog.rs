//! What the fake index holds: projects and their files, in memory.
//!
//! Invariant: a page is written once per change and then handed out as it is.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use bytes::Bytes;
use larder_pypi::ProjectName;
use sha2::{Digest as _, Sha256};

use crate::dist::Dist;
use crate::page::{Rendered, render_page};

/// When every file claims to have been uploaded, unless told otherwise.
const UPLOAD_TIME: &str = "2024-01-02T03:04:05.000006Z";

/// One file, and what its project's page says about it.
#[derive(Debug, Clone)]
pub struct FileEntry {
    /// Its name on the page and in its path.
    pub filename: String,
    /// What its path answers with.
    pub bytes: Bytes,
    /// What the page says about its sha256; `None` is no hash.
    pub sha256: Option<String>,
    /// What the page says about its size; `None` is nothing.
    pub size: Option<u64>,
    /// The sidecar, announced on the page; `None` is no sidecar.
    pub metadata: Option<Bytes>,
    /// `requires-python`.
    pub requires_python: Option<String>,
    /// Yanked, with this reason (may be empty).
    pub yanked: Option<String>,
    /// `upload-time`.
    pub upload_time: Option<String>,
    /// `provenance`.
    pub provenance: Option<String>,
    /// Stands on the page instead of the file's own URL.
    pub url: Option<String>,
}

impl FileEntry {
    /// A file that nothing is known of but its bytes.
    pub fn new(filename: &str, bytes: Bytes) -> Self {
        Self {
            filename: filename.to_owned(),
            sha256: Some(hex::encode(Sha256::digest(&bytes))),
            size: Some(bytes.len() as u64),
            bytes,
            metadata: None,
            requires_python: None,
            yanked: None,
            upload_time: Some(UPLOAD_TIME.to_owned()),
            provenance: None,
            url: None,
        }
    }
}

impl From<&Dist> for FileEntry {
    fn from(dist: &Dist) -> Self {
        Self {
            metadata: dist.is_wheel().then(|| dist.metadata.clone()),
            requires_python: dist.requires_python.clone(),
            ..Self::new(&dist.filename, dist.bytes.clone())
        }
    }
}

/// A project and its files, by file name.
#[derive(Debug, Default)]
pub(crate) struct Project {
    pub(crate) files: BTreeMap<String, Arc<FileEntry>>,
    /// PEP 792: status and reason.
    pub(crate) status: Option<(String, Option<String>)>,
    pub(crate) serial: Option<u64>,
    rendered: Option<Arc<Rendered>>,
}

/// All projects, by normalised name.
#[derive(Debug, Default)]
pub(crate) struct Catalog {
    pub(crate) projects: BTreeMap<String, Project>,
    /// File name to project.
    owners: HashMap<String, String>,
    /// What stands before `/files/…` on pages.
    pub(crate) files_base: String,
}

/// What a file's path stands for.
#[derive(Debug)]
pub(crate) enum Found {
    File(Arc<FileEntry>),
    Sidecar(Bytes),
}

impl Catalog {
    /// The project, made if it is not there; its page will be written anew.
    pub(crate) fn project_mut(&mut self, name: &str) -> &mut Project {
        let name: ProjectName = name.parse().expect("a test uses valid project names");
        let project = self.projects.entry(name.into()).or_default();
        project.rendered = None;
        project
    }

    pub(crate) fn insert(&mut self, project: &str, file: FileEntry) {
        let name: ProjectName = project.parse().expect("a test uses valid project names");
        self.owners.insert(file.filename.clone(), name.into());
        self.project_mut(project)
            .files
            .insert(file.filename.clone(), Arc::new(file));
    }

    /// Changes a file; says whether there is one.
    pub(crate) fn edit(&mut self, filename: &str, change: impl FnOnce(&mut FileEntry)) -> bool {
        let Some(project) = self
            .owners
            .get(filename)
            .and_then(|name| self.projects.get_mut(name))
        else {
            return false;
        };
        project.rendered = None;
        let Some(file) = project.files.get_mut(filename) else {
            return false;
        };
        change(Arc::make_mut(file));
        true
    }

    /// Removes a file; says whether there was one.
    pub(crate) fn remove(&mut self, filename: &str) -> bool {
        let Some(name) = self.owners.remove(filename) else {
            return false;
        };
        self.project_mut(&name).files.remove(filename).is_some()
    }

    pub(crate) fn remove_project(&mut self, name: &str) {
        let name: ProjectName = name.parse().expect("a test uses valid project names");
        if let Some(project) = self.projects.remove(name.as_str()) {
            for filename in project.files.keys() {
                self.owners.remove(filename);
            }
        }
    }

    /// The path of a file, `/files/PROJECT/FILE`.
    pub(crate) fn file_path(&self, filename: &str) -> Option<String> {
        Some(format!("/files/{}/{filename}", self.owners.get(filename)?))
    }

    /// What lies at `PROJECT/FILE`, with or without `.metadata`.
    pub(crate) fn find(&self, project: &str, filename: &str) -> Option<Found> {
        let files = &self.projects.get(project)?.files;
        if let Some(file) = files.get(filename) {
            return Some(Found::File(Arc::clone(file)));
        }
        let file = files.get(filename.strip_suffix(".metadata")?)?;
        file.metadata.clone().map(Found::Sidecar)
    }

    /// The project's page, ready to be sent.
    pub(crate) fn page(&mut self, name: &str) -> Option<Arc<Rendered>> {
        let Self {
            projects,
            files_base,
            ..
        } = self;
        let project = projects.get_mut(name)?;
        if project.rendered.is_none() {
            project.rendered = Some(Arc::new(render_page(name, project, files_base, true)));
        }
        project.rendered.clone()
    }

    /// The page without hashes, written for this one answer.
    pub(crate) fn page_without_hashes(&self, name: &str) -> Option<Arc<Rendered>> {
        let project = self.projects.get(name)?;
        Some(Arc::new(render_page(
            name,
            project,
            &self.files_base,
            false,
        )))
    }
}
