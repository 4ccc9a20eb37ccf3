//! When the upstream of a mirror is asked again, and what its answer means.
//!
//! A page is fresh for the index's expiry, or less if the upstream says so
//! (P-04). A stale page is asked for again with its validators: the client
//! waits as long as the request timeout allows and gets the known page
//! otherwise. While an upstream fails, known pages are served at once and the
//! question is repeated in the background.
//!
//! Invariants: an upstream's failure never turns into an empty page or a "not
//! found"; a page is stored whole or not at all; one question at a time per page.

use std::sync::Arc;
use std::time::Duration;

use larder_model::{IndexConfig, IndexName, MirrorConfig};
use larder_pypi::ProjectName;
use larder_store::{MirrorPage, NewMirrorPage, Tx};
use larder_upstream::{Addresses, Endpoint, FreshPage, PageAnswer, Validators};
use quick_cache::sync::Cache;

use crate::directory::Index;
use crate::error::{Error, Kind};
use crate::flight::Flights;
use crate::{App, Result};

/// How long "there is no such project" is believed (P-04: short).
const MISSING_FOR: Duration = Duration::from_mins(1);
/// How long after a failure the upstream is left alone.
const FAILED_FOR: Duration = Duration::from_secs(2);
/// The least time a page is fresh, whatever its upstream says: enough for all
/// who ask at the same moment.
const SHORTEST: Duration = Duration::from_secs(2);
/// How often a page is refreshed by hand.
const BY_HAND_EVERY: Duration = Duration::from_secs(1);
/// Projects whose freshness is remembered; forgetting one costs a question.
const MAX_REMEMBERED: usize = 100_000;
/// Refreshes by hand that are remembered.
const MAX_BY_HAND: usize = 10_000;

/// What is known of the freshness of mirrored pages on this node.
#[derive(Debug)]
pub(crate) struct Mirrors {
    known: Cache<Key, Arc<Freshness>>,
    /// Until when a refresh by hand is not repeated.
    by_hand: Cache<Key, Duration>,
    flights: Flights<Key, Outcome>,
}

impl Default for Mirrors {
    fn default() -> Self {
        Self {
            known: Cache::new(MAX_REMEMBERED),
            by_hand: Cache::new(MAX_BY_HAND),
            flights: Flights::default(),
        }
    }
}

/// Index, its upstream's address, project: another address is another question.
type Key = (i64, String, ProjectName);

fn key(index: &Index, project: &ProjectName) -> Key {
    (
        index.id,
        mirror_url(index).unwrap_or_default(),
        project.clone(),
    )
}

/// The last answer about a page, and until when it counts.
#[derive(Debug, Clone)]
pub(crate) struct Freshness {
    /// On the clock of [`crate::Clock::elapsed`].
    pub(crate) until: Duration,
    pub(crate) outcome: Outcome,
}

/// What asking the upstream came to.
#[derive(Debug, Clone)]
pub(crate) enum Outcome {
    /// The stored page is what the upstream has.
    Known,
    /// The upstream has no such project.
    Missing,
    /// It could not be found out; why, for client and log.
    Failed(Kind, String),
}

impl Outcome {
    /// The refusal, when nothing is cached either.
    pub(crate) fn error(&self) -> Option<Error> {
        match self {
            Self::Failed(kind, message) => Some(Error::new(*kind, message.clone())),
            Self::Known | Self::Missing => None,
        }
    }
}

/// What a request should do about a mirrored page.
#[derive(Debug)]
pub(crate) enum Plan {
    /// Use what is stored.
    Use(Arc<Freshness>),
    /// Use what is stored, and ask again beside it.
    UseAndAsk(Arc<Freshness>),
    /// Ask, then decide.
    Ask,
}

impl App {
    /// What to do about a page, given whether a copy is stored.
    pub(crate) fn plan_refresh(&self, index: &Index, project: &ProjectName, stored: bool) -> Plan {
        let Some(known) = self.memory.mirrors.known.get(&key(index, project)) else {
            return Plan::Ask;
        };
        let fresh = self.clock.elapsed() < known.until;
        match (&known.outcome, fresh) {
            (_, true) => Plan::Use(known),
            (Outcome::Failed(..), false) if stored => Plan::UseAndAsk(known),
            (_, false) => Plan::Ask,
        }
    }

    /// Asks the upstream about a page, together with everybody who wants to
    /// know, and waits at most the request timeout.
    pub(crate) async fn refresh_page(
        &self,
        index: &Arc<Index>,
        project: &ProjectName,
    ) -> Arc<Freshness> {
        let flight = self.start_refresh(index, project);
        let late = || {
            let message = format!(
                "the upstream of {} did not answer in time about {project}",
                index.name
            );
            Outcome::Failed(Kind::UpstreamTimeout, message)
        };
        // The flight has this deadline too, and remembers its own failure; the
        // extra second lets its answer win.
        let patience = self.settings.request_timeout + Duration::from_secs(1);
        let outcome = match tokio::time::timeout(patience, flight).await {
            Ok(Some(outcome)) => outcome,
            Ok(None) => Outcome::Failed(
                Kind::Internal,
                "refreshing the page failed inside the server".to_owned(),
            ),
            Err(_) => return Arc::new(self.freshness(index, late(), None)),
        };
        let known = self.memory.mirrors.known.get(&key(index, project));
        known.unwrap_or_else(|| Arc::new(self.freshness(index, outcome, None)))
    }

    /// Starts asking without waiting.
    pub(crate) fn start_refresh(
        &self,
        index: &Arc<Index>,
        project: &ProjectName,
    ) -> impl Future<Output = Option<Outcome>> + use<> {
        let (app, index, project) = (self.clone(), Arc::clone(index), project.clone());
        let key = key(&index, &project);
        self.memory.mirrors.flights.join(&key.clone(), &self.tasks, move || async move {
            let (outcome, max_age) = match app.ask_upstream(&index, &project).await {
                Ok(answer) => answer,
                Err(error) => {
                    tracing::warn!(index = %index.name, %project, error = %crate::error_chain(&error), "the upstream's page could not be refreshed");
                    (Outcome::Failed(error.kind(), error.message().to_owned()), None)
                }
            };
            let freshness = Arc::new(app.freshness(&index, outcome.clone(), max_age));
            app.memory.mirrors.known.insert(key, freshness);
            outcome
        })
        .flight
    }

    /// Asks without waiting; until the answer comes what is known counts on,
    /// so that pages made from it may be kept.
    pub(crate) fn ask_beside(
        &self,
        index: &Arc<Index>,
        project: &ProjectName,
        known: &Freshness,
    ) -> Arc<Freshness> {
        let until = self.clock.elapsed() + FAILED_FOR;
        let extended = Arc::new(Freshness {
            until,
            ..known.clone()
        });
        let known = &self.memory.mirrors.known;
        known.insert(key(index, project), Arc::clone(&extended));
        drop(self.start_refresh(index, project));
        extended
    }

    /// Forgets that a page is fresh, so that the next request asks.
    pub(crate) fn forget_freshness(&self, index: &Index, project: &ProjectName) {
        self.memory.mirrors.known.remove(&key(index, project));
    }

    /// Whether a page may be asked for by hand: not again within a second, so
    /// that strangers drive no traffic.
    pub(crate) fn may_refresh(&self, index: &Index, project: &ProjectName) -> bool {
        let (by_hand, key) = (&self.memory.mirrors.by_hand, key(index, project));
        let now = self.clock.elapsed();
        let is_new = by_hand.get(&key).is_none_or(|until| until <= now);
        if is_new {
            by_hand.insert(key, now.saturating_add(BY_HAND_EVERY));
        }
        is_new
    }

    fn freshness(&self, index: &Index, outcome: Outcome, max_age: Option<Duration>) -> Freshness {
        let expiry = index
            .config
            .mirror()
            .and_then(|mirror| mirror.mirror_cache_expiry)
            .map_or(self.settings.mirror_cache_expiry, Duration::from_secs);
        let lifetime = match outcome {
            Outcome::Known => max_age.unwrap_or(expiry).max(SHORTEST).min(expiry),
            Outcome::Missing => MISSING_FOR.min(expiry),
            Outcome::Failed(..) => FAILED_FOR,
        };
        Freshness {
            until: self.clock.elapsed().saturating_add(lifetime),
            outcome,
        }
    }

    /// One question to the upstream, its answer stored.
    async fn ask_upstream(
        &self,
        index: &Index,
        project: &ProjectName,
    ) -> Result<(Outcome, Option<Duration>)> {
        let endpoint = endpoint(index)?;
        let stored = self
            .store
            .read()
            .await?
            .mirror_page(index.id, project)
            .await?;
        let validators = stored.as_ref().map(validators_of).unwrap_or_default();
        match self
            .upstreams
            .project_page(&endpoint, project, &validators)
            .await?
        {
            PageAnswer::NotModified { max_age } => Ok((Outcome::Known, max_age)),
            // A project that vanishes upstream stays installable here.
            PageAnswer::Missing if stored.is_some() => {
                tracing::warn!(index = %index.name, %project, "the upstream no longer has the project; the known page is kept");
                Ok((Outcome::Known, None))
            }
            PageAnswer::Missing => Ok((Outcome::Missing, None)),
            PageAnswer::Fresh(fresh) => {
                let max_age = fresh.max_age;
                self.keep_page(index, *fresh, stored).await?;
                Ok((Outcome::Known, max_age))
            }
        }
    }

    /// Stores a fresh page when it says something new.
    async fn keep_page(
        &self,
        index: &Index,
        fresh: FreshPage,
        stored: Option<MirrorPage>,
    ) -> Result<()> {
        let ignore_serial = index
            .config
            .mirror()
            .and_then(|m| m.mirror_ignore_serial_header)
            .unwrap_or(false);
        let FreshPage {
            mut page,
            validators,
            serial,
            ..
        } = fresh;
        page.last_serial = serial;
        if let Some(stored) = stored {
            let older = match (serial, stored.page.last_serial) {
                (Some(new), Some(old)) => new < old,
                _ => false,
            };
            // P-06: a lower serial comes from a lagging cache of the upstream.
            if older && !ignore_serial {
                tracing::warn!(index = %index.name, project = %page.name, "the upstream answered with an older serial; the known page is kept");
                return Ok(());
            }
            if stored.page == page && validators_of(&stored) == validators {
                return Ok(());
            }
        }
        let new = NewMirrorPage {
            etag: validators.etag,
            last_modified: validators.last_modified,
            fetched: self.clock.now(),
            page,
        };
        let mut tx = self.store.write().await?;
        if !still_mirrors(&mut tx, index).await? {
            tracing::info!(index = %index.name, "the index has another upstream by now; the old one's answer is dropped");
            return Ok(());
        }
        tx.put_mirror_page(index.id, new).await?;
        tx.commit().await?;
        Ok(())
    }
}

/// Whether the index still is, and mirrors the address that was asked.
pub(crate) async fn still_mirrors(tx: &mut Tx, index: &Index) -> Result<bool> {
    let Some(row) = tx
        .find_index(&index.name)
        .await?
        .filter(|row| row.id == index.id)
    else {
        return Ok(false);
    };
    let config = IndexConfig::from_stored(&row.config).map_err(Error::internal)?;
    Ok(url_of(&config) == mirror_url(index))
}

fn validators_of(stored: &MirrorPage) -> Validators {
    Validators {
        etag: stored.etag.clone(),
        last_modified: stored.last_modified.clone(),
    }
}

/// The address of a mirror's upstream, as text to compare.
fn mirror_url(index: &Index) -> Option<String> {
    url_of(&index.config)
}

/// The address in a configuration, without its password.
pub(crate) fn url_of(config: &IndexConfig) -> Option<String> {
    let url = config.mirror()?.mirror_url.as_ref()?;
    Some(url.base().to_string())
}

/// Where and how to ask a mirror's upstream.
pub(crate) fn endpoint(index: &Index) -> Result<Endpoint> {
    let no_url = || no_upstream(&index.name);
    let MirrorConfig { mirror_url, .. } = index.config.mirror().ok_or_else(no_url)?;
    let url = mirror_url.as_ref().ok_or_else(no_url)?;
    let addresses = if index.private_upstream {
        Addresses::Any
    } else {
        Addresses::PublicOnly
    };
    Ok(Endpoint::new(
        url.base().clone(),
        url.credentials(),
        addresses,
    ))
}

fn no_upstream(index: &IndexName) -> Error {
    Error::new(
        Kind::Upstream,
        format!(
            "the mirror {index} has no mirror_url; set it with: devpi index {index} mirror_url=URL"
        ),
    )
}
