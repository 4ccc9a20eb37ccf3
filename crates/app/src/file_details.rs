//! What is known of a file, for clients that ask for JSON (devpi: 1.11).

use larder_model::{Caller, IndexKind, IndexName};
use larder_pypi::{Hashes, ProjectName};
use larder_store::FileRow;

use crate::authorize::Right;
use crate::file::{no_file, without_credentials};
use crate::file_path::FilePath;
use crate::{App, Result};

/// A file, told but not opened.
#[derive(Debug, Clone)]
pub struct FileDetails {
    /// The project it belongs to.
    pub project: ProjectName,
    /// The release it belongs to.
    pub version: String,
    /// All that are known.
    pub hashes: Hashes,
    /// `algorithm=hex` of the hash in its path, empty if none is known.
    pub hash_spec: String,
    /// HTTP date; of a mirrored file once it is here.
    pub last_modified: Option<String>,
    /// Where a mirrored file comes from, without credentials.
    pub url: Option<String>,
}

impl App {
    /// Finds out what is known of the file at a path.
    pub async fn file_details(
        &self,
        caller: &Caller,
        index: &IndexName,
        path: &FilePath,
    ) -> Result<FileDetails> {
        // Says what is there, gone, or refused.
        let file = self.file(caller, index, path).await?;
        let grant = self.grant(caller, index, Right::Read).await?;
        let mut tx = self.store.read().await?;
        let row = tx
            .find_file(grant.index().id, path.area, &path.dir, &path.filename)
            .await?;
        drop(tx);
        if let Some(row) = row {
            return Ok(of_row(row, path));
        }
        if grant.index().kind() == IndexKind::Stage {
            return Err(no_file());
        }
        let wanted = self.find_upstream(&grant, path, false).await?;
        Ok(FileDetails {
            project: wanted.project,
            version: file.meta.version,
            hash_spec: hash_spec(&wanted.entry.hashes, path),
            hashes: wanted.entry.hashes,
            last_modified: None,
            url: without_credentials(&wanted.entry.url),
        })
    }
}

fn of_row(row: FileRow, path: &FilePath) -> FileDetails {
    let mut hashes = row.hashes;
    hashes.insert("sha256", &row.digest.to_string());
    let uploaded = || row.uploaded.to_http_date();
    FileDetails {
        project: row.project,
        version: row.version,
        hash_spec: hash_spec(&hashes, path),
        hashes,
        last_modified: Some(row.last_modified.unwrap_or_else(uploaded)),
        url: row.url.as_deref().and_then(without_credentials),
    }
}

/// The hash whose digits stand in the path: what the upstream announced.
fn hash_spec(hashes: &Hashes, path: &FilePath) -> String {
    let digits = path.dir.replace('/', "");
    let in_path = hashes.iter().find(|(_, hex)| hex.starts_with(&digits));
    let best = in_path.or_else(|| hashes.preferred());
    best.map(|(algorithm, hex)| format!("{algorithm}={hex}"))
        .unwrap_or_default()
}
