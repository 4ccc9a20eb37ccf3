//! What the indexes of a resolution order know about one project: the common
//! ground of simple pages and JSON views.
//!
//! Invariant: everything comes from one snapshot of the database; mirrors are
//! asked before it is taken, and only where the whitelist rules admit them.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use larder_model::{Admission, IndexKind, Inheritance, Layer, Whitelist, admit};
use larder_pypi::simple::ProjectPage;
use larder_pypi::{ProjectName, Version};
use larder_store::{FileRow, Serial, Tx};

use crate::directory::Index;
use crate::error::Error;
use crate::mirror_refresh::{Freshness, Plan};
use crate::sight::Sight;
use crate::{App, Result};

/// One project through a whole resolution order.
#[derive(Debug)]
pub(crate) struct Layers {
    /// The snapshot.
    pub(crate) serial: Serial,
    /// The participating indexes that know the project, nearest first.
    pub(crate) found: Vec<Found>,
    /// The earliest moment a mirror has to be asked again.
    pub(crate) fresh_until: Option<Duration>,
    /// Some mirror's answer is older than it should be.
    pub(crate) stale: bool,
    /// Why a mirror without a stored page could not answer.
    pub(crate) failure: Option<Error>,
}

/// What one index knows.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) index: Arc<Index>,
    /// Uploads of a stage, cached files of a mirror.
    pub(crate) files: Vec<FileRow>,
    pub(crate) known: Known,
}

/// The list of what there is.
#[derive(Debug)]
pub(crate) enum Known {
    /// A stage: all registered versions.
    Versions(Vec<String>),
    /// A mirror: the upstream's page.
    Page(Box<ProjectPage>),
}

/// One reading of the database.
struct Snapshot {
    serial: Serial,
    found: Vec<Found>,
    /// Admitted mirrors, and whether their page is stored.
    mirrors: Vec<(Arc<Index>, bool)>,
}

impl App {
    /// The mirrors that may be asked about a project (L17).
    pub(crate) async fn admitted_mirrors(
        &self,
        sight: &Sight,
        project: &ProjectName,
    ) -> Result<Vec<Arc<Index>>> {
        if self.settings.offline {
            return Ok(Vec::new());
        }
        let snapshot = self.snapshot(sight, project, None).await?;
        Ok(snapshot
            .mirrors
            .into_iter()
            .map(|(mirror, _)| mirror)
            .collect())
    }

    /// Gathers what an index and its bases know about a project.
    pub(crate) async fn layers(&self, sight: &Sight, project: &ProjectName) -> Result<Layers> {
        self.layers_of(sight, project, None).await
    }

    /// The same; of the stages only one release, however many the project has.
    pub(crate) async fn release_layers(
        &self,
        sight: &Sight,
        project: &ProjectName,
        version: &Version,
    ) -> Result<Layers> {
        self.layers_of(sight, project, Some(version)).await
    }

    async fn layers_of(
        &self,
        sight: &Sight,
        project: &ProjectName,
        only: Option<&Version>,
    ) -> Result<Layers> {
        let mut snapshot = self.snapshot(sight, project, only).await?;
        if self.settings.offline {
            return Ok(offline(snapshot));
        }
        let answers = self.ask_mirrors(&snapshot, project).await;
        if answers.waited {
            snapshot = self.snapshot(sight, project, only).await?;
        }
        Ok(judge(snapshot, &answers))
    }

    async fn snapshot(
        &self,
        sight: &Sight,
        project: &ProjectName,
        only: Option<&Version>,
    ) -> Result<Snapshot> {
        let mut tx = self.store.read().await?;
        let serial = tx.serial().await?;
        let (order, stages) = (sight.order(), sight.stage_ids());
        let registered = if stages.is_empty() {
            Vec::new()
        } else {
            tx.has_project(&stages, project).await?
        };
        let admission = admission(order, &registered, project);
        let taking_part: Vec<&Arc<Index>> = order
            .iter()
            .zip(&admission.admitted)
            .filter(|(index, admitted)| {
                **admitted
                    && sight.shows(index.id)
                    && (index.kind() == IndexKind::Mirror || registered.contains(&index.id))
            })
            .map(|(index, _)| index)
            .collect();
        let (found, mirrors) = self
            .read_found(&mut tx, &taking_part, project, only)
            .await?;
        Ok(Snapshot {
            serial,
            found,
            mirrors,
        })
    }

    async fn read_found(
        &self,
        tx: &mut Tx,
        taking_part: &[&Arc<Index>],
        project: &ProjectName,
        only: Option<&Version>,
    ) -> Result<(Vec<Found>, Vec<(Arc<Index>, bool)>)> {
        let ids: Vec<i64> = taking_part.iter().map(|index| index.id).collect();
        let stages: Vec<i64> = taking_part
            .iter()
            .filter(|i| i.kind() == IndexKind::Stage)
            .map(|i| i.id)
            .collect();
        let mut versions = if stages.is_empty() {
            Vec::new()
        } else {
            tx.versions(&stages, project).await?
        };
        let mut files = match only {
            _ if ids.is_empty() => Vec::new(),
            None => tx.files(&ids, project).await?,
            Some(only) => {
                versions.retain(|(_, version)| only.same_release(&Version::lenient(version)));
                let mut files = Vec::new();
                for (id, version) in &versions {
                    files.extend(tx.release_files(*id, project, version, "").await?);
                }
                files
            }
        };
        let (mut found, mut mirrors) = (Vec::with_capacity(ids.len()), Vec::new());
        for index in taking_part {
            let own = files
                .extract_if(.., |file| file.index_id == index.id)
                .collect::<Vec<_>>();
            let known = if index.kind() == IndexKind::Stage {
                Some(Known::Versions(
                    versions
                        .extract_if(.., |(id, _)| *id == index.id)
                        .map(|(_, version)| version)
                        .collect(),
                ))
            } else {
                let page = tx.mirror_page(index.id, project).await?;
                mirrors.push((Arc::clone(index), page.is_some()));
                page.map(|stored| Known::Page(Box::new(stored.page)))
            };
            if let Some(known) = known {
                found.push(Found {
                    index: Arc::clone(index),
                    files: own,
                    known,
                });
            }
        }
        Ok((found, mirrors))
    }

    /// Asks the mirrors whose answer is due.
    async fn ask_mirrors(&self, snapshot: &Snapshot, project: &ProjectName) -> Answers {
        let mut answers = Answers::default();
        let mut due = Vec::new();
        for (index, stored) in &snapshot.mirrors {
            match self.plan_refresh(index, project, *stored) {
                Plan::Use(known) => {
                    answers.of.insert(index.id, known);
                }
                Plan::UseAndAsk(known) => {
                    answers
                        .of
                        .insert(index.id, self.ask_beside(index, project, &known));
                }
                Plan::Ask => {
                    due.push(async { (index.id, self.refresh_page(index, project).await) });
                }
            }
        }
        answers.waited = !due.is_empty();
        answers.of.extend(join_all(due).await);
        answers
    }
}

/// What the mirrors of an order said, by index id.
#[derive(Debug, Default)]
struct Answers {
    of: HashMap<i64, Arc<Freshness>>,
    /// Some were asked just now, so the database may have changed.
    waited: bool,
}

/// Draws the conclusions from a snapshot and from what the mirrors said.
fn judge(snapshot: Snapshot, answers: &Answers) -> Layers {
    let mut layers = Layers {
        serial: snapshot.serial,
        found: snapshot.found,
        fresh_until: None,
        stale: false,
        failure: None,
    };
    for (index, stored) in snapshot.mirrors {
        // A mirror that only the second snapshot admits was not asked: the page is not kept.
        let until = answers
            .of
            .get(&index.id)
            .map_or(Duration::ZERO, |known| known.until);
        layers.fresh_until = Some(
            layers
                .fresh_until
                .map_or(until, |earliest| earliest.min(until)),
        );
        let failure = answers
            .of
            .get(&index.id)
            .and_then(|known| known.outcome.error());
        layers.stale |= failure.is_some();
        if !stored && failure.is_some() {
            layers.failure = failure;
        }
    }
    layers
}

/// devpi: offline, a mirror's page lists only what is here.
fn offline(snapshot: Snapshot) -> Layers {
    let Snapshot {
        serial, mut found, ..
    } = snapshot;
    found.iter_mut().for_each(keep_cached_only);
    found.retain(|layer| !matches!(&layer.known, Known::Page(page) if page.files.is_empty()));
    Layers {
        serial,
        found,
        fresh_until: None,
        stale: false,
        failure: None,
    }
}

/// The whitelist walk over a resolution order (devpi: 8.3).
fn admission(order: &[Arc<Index>], registered: &[i64], project: &ProjectName) -> Admission {
    let nothing = Whitelist::default();
    let layers: Vec<Layer<'_>> = order
        .iter()
        .map(|index| Layer {
            kind: index.kind(),
            whitelist: index
                .config
                .stage()
                .map_or(&nothing, |stage| &stage.mirror_whitelist),
            has_project: registered.contains(&index.id),
        })
        .collect();
    let inheritance = order
        .first()
        .and_then(|index| index.config.stage())
        .map_or(Inheritance::Intersection, |stage| {
            stage.mirror_whitelist_inheritance
        });
    admit(&layers, project, inheritance)
}

fn keep_cached_only(layer: &mut Found) {
    if let Known::Page(page) = &mut layer.known {
        let here: HashSet<&str> = layer
            .files
            .iter()
            .map(|file| file.filename.as_str())
            .collect();
        page.files
            .retain(|file| here.contains(file.filename.as_str()));
    }
}
