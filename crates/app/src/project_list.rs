//! The project list of an index: the names of all its layers, each once.

use std::collections::BTreeSet;

use larder_model::{Caller, IndexKind, IndexName};
use larder_pypi::ProjectName;
use larder_pypi::negotiate::{Coding, PageFormat};
use larder_pypi::simple::{html, json};
use larder_store::Serial;

use crate::authorize::Right;
use crate::error::Error;
use crate::page_cache::{PageReply, Served};
use crate::project_page::{encode, etag};
use crate::sight::Readable;
use crate::{App, Result};

/// All names that an index and its bases know.
#[derive(Debug)]
pub struct ProjectListing {
    /// Sorted.
    pub names: BTreeSet<ProjectName>,
    /// The snapshot it shows.
    pub serial: Serial,
    /// Anybody sees the same.
    pub is_open: bool,
}

impl App {
    /// Uploaded projects of the stages and known projects of the mirrors of
    /// the resolution order. A mirror's upstream is not asked: names are
    /// checked by asking for their page (P-07).
    pub async fn project_list(&self, caller: &Caller, index: &IndexName) -> Result<ProjectListing> {
        let grant = self.grant(caller, index, Right::Read).await?;
        let sight = grant.sight(&self.settings.policy);
        let mut tx = self.store.read().await?;
        let serial = tx.serial().await?;
        let mut names = BTreeSet::new();
        for layer in sight.seen() {
            names.extend(match layer.kind() {
                IndexKind::Stage => tx.projects(layer.id).await?,
                IndexKind::Mirror => tx.mirror_projects(layer.id).await?,
            });
        }
        let is_open = sight.readable() == &Readable::Everything;
        Ok(ProjectListing {
            names,
            serial,
            is_open,
        })
    }
}

impl ProjectListing {
    /// The list as a client wants it. Links are relative to an address with a final slash.
    pub async fn render(self, format: PageFormat, coding: Coding) -> Result<PageReply> {
        let is_open = self.is_open;
        let write = move || {
            let body = match format {
                PageFormat::Json => json::write_project_list_json(self.names.iter(), None),
                PageFormat::HtmlV1 | PageFormat::Html => {
                    html::write_project_list_html(self.names.iter(), None)
                }
            };
            encode(body, coding)
        };
        let body = tokio::task::spawn_blocking(write)
            .await
            .map_err(Error::internal)?;
        let etag = etag(&body, coding);
        Ok(PageReply {
            body,
            etag,
            max_age: None,
            last_serial: None,
            served: Served::Miss,
            is_open,
        })
    }
}
