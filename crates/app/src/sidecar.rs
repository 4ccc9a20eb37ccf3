//! The metadata sidecar of a wheel (PEP 658): the request that resolvers send most.
//!
//! Invariant: what is sent has the hash that the page announced. A mirror's
//! sidecar is asked of its upstream once, however many wait, and kept.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::StreamExt;
use larder_model::{Caller, IndexKind, IndexName};
use larder_pypi::Digest;
use larder_pypi::simple::CoreMetadata;
use quick_cache::sync::Cache;

use crate::authorize::{Grant, Right};
use crate::directory::anybody_reads;
use crate::error::Error;
use crate::fetch::{Fetched, Wanted};
use crate::file::no_file;
use crate::file_path::FilePath;
use crate::flight::Flights;
use crate::mirror_refresh::{endpoint, still_mirrors};
use crate::{App, Result};

/// Sidecars larger than this are no METADATA.
const MAX_SIDECAR_BYTES: u64 = 16 << 20;
/// Sidecars of mirrors whose hash is remembered.
const MAX_REMEMBERED: usize = 20_000;

/// A metadata sidecar.
#[derive(Debug, Clone)]
pub struct SidecarReply {
    /// The METADATA file, byte for byte.
    pub body: Bytes,
    /// Its sha256.
    pub digest: Digest,
    /// Anybody may have it; otherwise it is nothing for a shared cache (P10).
    pub is_open: bool,
}

type Key = (i64, FilePath);

/// Which blob is the sidecar of a mirrored wheel, and the questions under way.
/// A path names one content for ever, so nothing here grows old.
#[derive(Debug)]
pub(crate) struct Sidecars {
    known: Cache<Key, Digest>,
    flights: Flights<Key, std::result::Result<Digest, Arc<Error>>>,
}

impl Default for Sidecars {
    fn default() -> Self {
        Self {
            known: Cache::new(MAX_REMEMBERED),
            flights: Flights::default(),
        }
    }
}

impl App {
    /// The METADATA of a wheel: from here, the upstream, or the wheel itself.
    pub async fn sidecar(
        &self,
        caller: &Caller,
        index: &IndexName,
        path: &FilePath,
    ) -> Result<SidecarReply> {
        let grant = self.grant(caller, index, Right::Read).await?;
        if grant.index().kind() == IndexKind::Stage {
            let digest = self.recorded(&grant, path).await?;
            return self.read_sidecar(&grant, digest).await?.ok_or_else(no_file);
        }
        let key = (grant.index().id, path.clone());
        let known = self.memory.sidecars.known.get(&key);
        if let Some(reply) = self.read_sidecar(&grant, known).await? {
            return Ok(reply);
        }
        let digest = self.find_sidecar(&grant, key).await?;
        let reply = self.read_sidecar(&grant, Some(digest)).await?;
        reply.ok_or_else(no_file)
    }

    /// Finds the sidecar of a mirrored wheel, together with all who want it.
    async fn find_sidecar(&self, grant: &Grant, key: Key) -> Result<Digest> {
        let (app, own_grant, path) = (self.clone(), grant.clone(), key.1.clone());
        let sidecars = &self.memory.sidecars;
        let finding = sidecars.flights.join(&key, &self.tasks, || async move {
            let found = app.seek_sidecar(&own_grant, &path).await;
            found.map_err(Arc::new)
        });
        let found = finding.flight.await;
        let found = found.ok_or_else(|| Error::internal("finding a sidecar panicked"))?;
        let digest = found.map_err(|error| error.for_another())?;
        sidecars.known.insert(key, digest);
        Ok(digest)
    }

    async fn seek_sidecar(&self, grant: &Grant, path: &FilePath) -> Result<Digest> {
        if let Some(digest) = self.recorded(grant, path).await?
            && self.blobs.exists(&digest).await?
        {
            return Ok(digest);
        }
        let wanted = self.find_upstream(grant, path, false).await?;
        let announced = match wanted.entry.core_metadata {
            CoreMetadata::Absent => return Err(no_file()),
            CoreMetadata::Present => None,
            CoreMetadata::Sha256(digest) => Some(digest),
        };
        match self.fetch_sidecar(&wanted, announced).await? {
            Some(digest) => Ok(digest),
            None => self.sidecar_from_wheel(grant, wanted).await,
        }
    }

    /// What the database says.
    async fn recorded(&self, grant: &Grant, path: &FilePath) -> Result<Option<Digest>> {
        let id = grant.index().id;
        let mut tx = self.store.read().await?;
        let row = tx
            .find_file(id, path.area, &path.dir, &path.filename)
            .await?;
        match row.and_then(|row| row.metadata_digest) {
            Some(digest) => Ok(Some(digest)),
            None => Ok(tx.find_sidecar(id, &path.to_string()).await?),
        }
    }

    async fn read_sidecar(
        &self,
        grant: &Grant,
        digest: Option<Digest>,
    ) -> Result<Option<SidecarReply>> {
        let Some(digest) = digest else {
            return Ok(None);
        };
        let Some(body) = self.blobs.open(&digest, None).await? else {
            return Ok(None);
        };
        let body = body.collect(MAX_SIDECAR_BYTES).await?;
        Ok(Some(SidecarReply {
            body,
            digest,
            is_open: anybody_reads(grant.index()),
        }))
    }

    /// P-09: the upstream's, checked against what its page announced, and
    /// kept. `None` if it is gone or wrong.
    async fn fetch_sidecar(
        &self,
        wanted: &Wanted,
        announced: Option<Digest>,
    ) -> Result<Option<Digest>> {
        let mut url = url::Url::parse(&wanted.entry.url).map_err(Error::internal)?;
        url.set_path(&format!("{}.metadata", url.path()));
        let endpoint = endpoint(&wanted.index)?;
        let (index, file) = (&wanted.index.name, &wanted.path.filename);
        let fetched = self
            .upstreams
            .fetch_small(&endpoint, &url, MAX_SIDECAR_BYTES)
            .await;
        let body = match fetched {
            Err(error) if error.is_missing() => {
                tracing::warn!(%index, file, "the upstream's sidecar is gone; the wheel is read instead");
                return Ok(None);
            }
            fetched => fetched?,
        };
        let digest = Digest::of(&body);
        if announced.is_some_and(|announced| announced != digest) {
            tracing::error!(%index, file, "the upstream's sidecar does not have the announced hash; the wheel is read instead");
            return Ok(None);
        }
        self.blobs.publish_bytes(body).await?;
        let mut tx = self.store.write().await?;
        if still_mirrors(&mut tx, &wanted.index).await? {
            let path = wanted.path.to_string();
            tx.put_sidecar(wanted.index.id, &path, digest).await?;
            tx.commit().await?;
        }
        Ok(Some(digest))
    }

    /// S-28: what was announced is not refused because the upstream lost it.
    async fn sidecar_from_wheel(&self, grant: &Grant, wanted: Wanted) -> Result<Digest> {
        let path = wanted.path.clone();
        if let Fetched::Streaming(stream) = self.fetch(wanted).await? {
            let mut bytes = stream.following.follow();
            while let Some(chunk) = bytes.next().await {
                chunk?;
            }
            self.fetches.landed(grant.index().id, &path).await;
        }
        self.recorded(grant, &path).await?.ok_or_else(no_file)
    }
}
