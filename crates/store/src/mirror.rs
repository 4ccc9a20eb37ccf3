//! What a mirror knows of its upstream: project pages, and metadata files of
//! wheels that are not cached themselves.
//!
//! Invariant: a page is stored as it was read, so that it can be compared with
//! the next answer; one row holds it whole, compressed.

use larder_model::Timestamp;
use larder_pypi::simple::ProjectPage;
use larder_pypi::{Digest, ProjectName};
use serde_json::Map;

use crate::changelog::{Change, Scope};
use crate::project::read_name;
use crate::{Error, Result, Tx};

/// The upstream's page of a project, as last fetched.
#[derive(Debug, Clone, PartialEq)]
pub struct MirrorPage {
    /// Validator to ask again with.
    pub etag: Option<String>,
    /// Validator to ask again with, an HTTP date.
    pub last_modified: Option<String>,
    /// The upstream's serial, the page's `last_serial`.
    pub serial: Option<u64>,
    /// When it was fetched.
    pub fetched: Timestamp,
    /// The page.
    pub page: ProjectPage,
}

/// A page to be stored; it says itself which project it is about.
#[derive(Debug, Clone, PartialEq)]
pub struct NewMirrorPage {
    /// Validator to ask again with.
    pub etag: Option<String>,
    /// Validator to ask again with, an HTTP date.
    pub last_modified: Option<String>,
    /// When it was fetched.
    pub fetched: Timestamp,
    /// The page.
    pub page: ProjectPage,
}

/// Fast, and a fifth of the size.
const COMPRESSION_LEVEL: i32 = 3;

/// Compressed pages beyond this are unpacked off the request threads (about 1 ms).
const SMALL_PAGE_BYTES: usize = 16 << 10;

/// Pages with more files are packed off the request threads.
const SMALL_PAGE_FILES: usize = 100;

#[derive(sqlx::FromRow)]
struct PageRow {
    project_id: i64,
    etag: Option<String>,
    last_modified: Option<String>,
    upstream_serial: Option<i64>,
    fetched: i64,
    page: Vec<u8>,
}

impl Tx {
    /// The stored page of a project.
    pub async fn mirror_page(
        &mut self,
        index_id: i64,
        project: &ProjectName,
    ) -> Result<Option<MirrorPage>> {
        let row = sql!(
            self,
            fetch_optional as PageRow,
            "select m.project_id, m.etag, m.last_modified, m.upstream_serial, m.fetched, m.page \
             from mirror_pages m join projects p on p.id = m.project_id \
             where p.index_id = $1 and p.name = $2",
            index_id,
            project.as_str(),
        )?;
        let Some(PageRow {
            project_id,
            etag,
            last_modified,
            upstream_serial,
            fetched,
            page,
        }) = row
        else {
            return Ok(None);
        };
        let unreadable = |column| Error::inconsistent("mirror_pages", column, project_id);
        let page = if page.len() <= SMALL_PAGE_BYTES {
            unpack(&page)
        } else {
            tokio::task::spawn_blocking(move || unpack(&page))
                .await
                .ok()
                .flatten()
        };
        Ok(Some(MirrorPage {
            etag,
            last_modified,
            serial: upstream_serial
                .map(u64::try_from)
                .transpose()
                .map_err(|_| unreadable("upstream_serial"))?,
            fetched: Timestamp::from_micros(fetched),
            page: page.ok_or_else(|| unreadable("page"))?,
        }))
    }

    /// Stores a page in place of an older one. [`Error::Missing`] without the index.
    pub async fn put_mirror_page(&mut self, index_id: i64, new: NewMirrorPage) -> Result<()> {
        let NewMirrorPage {
            etag,
            last_modified,
            fetched,
            page,
        } = new;
        let index = self.index_name(index_id).await?;
        let project = page.name.clone();
        let project_id = self.ensure_project(index_id, &project, fetched).await?;
        let upstream_serial = page
            .last_serial
            .and_then(|serial| i64::try_from(serial).ok());
        let packed = if page.files.len() <= SMALL_PAGE_FILES {
            pack(&page)
        } else {
            tokio::task::spawn_blocking(move || pack(&page))
                .await
                .ok()
                .flatten()
        };
        let packed = packed.ok_or(Error::inconsistent("mirror_pages", "page", project_id))?;
        sql!(
            self,
            execute,
            "insert into mirror_pages (project_id, etag, last_modified, upstream_serial, fetched, page) \
             values ($1, $2, $3, $4, $5, $6) on conflict (project_id) do update set \
             etag = excluded.etag, last_modified = excluded.last_modified, \
             upstream_serial = excluded.upstream_serial, fetched = excluded.fetched, page = excluded.page",
            project_id,
            etag,
            last_modified,
            upstream_serial,
            fetched.as_micros(),
            packed,
        )?;
        let (scope, detail) = (Scope::Project { index, project }, Map::new());
        self.log(Change {
            at: fetched,
            who: None,
            scope,
            what: "page refreshed",
            detail,
        })
        .await?;
        Ok(())
    }

    /// Forgets every page and sidecar of a mirror: they came from an upstream
    /// that it has no more. Files that are here stay. Part of a change of the
    /// index, which raises the serial.
    pub async fn forget_pages(&mut self, index_id: i64) -> Result<()> {
        sql!(
            self,
            execute,
            "delete from mirror_pages where project_id in (select id from projects where index_id = $1)",
            index_id,
        )?;
        sql!(
            self,
            execute,
            "delete from sidecars where index_id = $1",
            index_id,
        )?;
        Ok(())
    }

    /// The projects whose page a mirror has stored, by name.
    pub async fn mirror_projects(&mut self, index_id: i64) -> Result<Vec<ProjectName>> {
        let rows = sql!(
            self,
            fetch_all as (i64, String),
            "select p.id, p.name from projects p join mirror_pages m on m.project_id = p.id \
             where p.index_id = $1 order by p.name",
            index_id,
        )?;
        rows.into_iter()
            .map(|(id, name)| read_name(id, &name))
            .collect()
    }

    /// The metadata file of the wheel at this path (`+f/aaa/bbb/name`) of a mirror.
    pub async fn find_sidecar(&mut self, index_id: i64, path: &str) -> Result<Option<Digest>> {
        let row = sql!(
            self,
            fetch_optional as (i64, String),
            "select id, digest from sidecars where index_id = $1 and path = $2",
            index_id,
            path,
        )?;
        row.map(|(id, digest)| {
            digest
                .parse()
                .map_err(|_| Error::inconsistent("sidecars", "digest", id))
        })
        .transpose()
    }

    /// Remembers where the metadata file of the wheel at this path is. Nothing
    /// anybody can see depends on it, so no serial rises. [`Error::Missing`]
    /// without the index.
    pub async fn put_sidecar(&mut self, index_id: i64, path: &str, digest: Digest) -> Result<()> {
        let touched = sql!(
            self,
            execute,
            "insert into sidecars (index_id, path, digest) select id, $2, $3 from indexes where id = $1 \
             on conflict (index_id, path) do update set digest = excluded.digest",
            index_id,
            path,
            digest.to_string(),
        )?;
        if touched == 0 {
            Err(Error::Missing { what: "index" })
        } else {
            Ok(())
        }
    }
}

fn pack(page: &ProjectPage) -> Option<Vec<u8>> {
    let json = serde_json::to_vec(page).ok()?;
    zstd::bulk::compress(&json, COMPRESSION_LEVEL).ok()
}

fn unpack(packed: &[u8]) -> Option<ProjectPage> {
    let json = zstd::decode_all(packed).ok()?;
    serde_json::from_slice(&json).ok()
}
