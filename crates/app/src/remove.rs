//! Deleting files, releases and projects of a stage (devpi: 1.12).
//!
//! Invariant: on an index that is not volatile nothing is deleted without
//! `force`. The bytes stay until nothing names them.

use larder_model::{Caller, IndexKind, IndexName};
use larder_pypi::{ProjectName, Version};
use larder_store::Tx;

use crate::authorize::{Grant, Right};
use crate::error::Error;
use crate::file_path::FilePath;
use crate::{App, Result};

impl App {
    /// Deletes one file; its release too if that was the last of it, and then
    /// the project likewise.
    pub async fn remove_file(
        &self,
        caller: &Caller,
        index: &IndexName,
        path: &FilePath,
        force: bool,
    ) -> Result<()> {
        let grant = self.grant(caller, index, Right::Remove).await?;
        let mut tx = self.store.write().await?;
        let Some(file) = tx
            .find_file(grant.index().id, path.area, &path.dir, &path.filename)
            .await?
        else {
            let removed = tx.was_removed(index, &path.to_string()).await?;
            let gone = || {
                Error::gone(format!(
                    "file '{index}/{path}' existed, deleted in later serial"
                ))
            };
            // devpi's words.
            let absent = || Error::not_found(format!("package '{index}/{path}' doesn't exist"));
            return Err(if removed { gone() } else { absent() });
        };
        self.check_volatile(&mut tx, &grant, force).await?;
        tx.remove_file(file.id, self.clock.now(), caller.name())
            .await?;
        let (id, version) = (grant.index().id, &file.version);
        let rest = tx.release_files(id, &file.project, version, "").await?;
        if grant.index().kind() == IndexKind::Stage && rest.is_empty() {
            let (now, who) = (self.clock.now(), caller.name());
            tx.remove_release(id, &file.project, version, now, who)
                .await?;
            // devpi: a project goes with its last release.
            if tx.versions(&[id], &file.project).await?.is_empty() {
                tx.remove_project(id, &file.project, now, who).await?;
            }
        }
        tx.commit().await?;
        tracing::info!(%index, file = %file.filename, by = ?caller.name(), "file deleted");
        Ok(())
    }

    /// Deletes a release with its files; the project too, if that was its last.
    pub async fn remove_release(
        &self,
        caller: &Caller,
        index: &IndexName,
        project: &ProjectName,
        version: &str,
        force: bool,
    ) -> Result<()> {
        let grant = self.grant(caller, index, Right::Remove).await?;
        let mut tx = self.store.write().await?;
        if grant.index().kind() == IndexKind::Mirror {
            return self
                .uncache_release(tx, &grant, project, version, force)
                .await;
        }
        let releases = tx.versions(&[grant.index().id], project).await?;
        if releases.is_empty() {
            return Err(Error::not_found(format!(
                "project {project} not found on stage '{index}'"
            )));
        }
        let wanted = Version::lenient(version);
        let absent = || {
            Error::not_found(format!(
                "version '{version}' of project {project} not found on stage '{index}'"
            ))
        };
        let known = releases.iter().map(|(_, known)| known.as_str());
        let found = wanted.spelled(known).ok_or_else(absent)?;
        self.check_volatile(&mut tx, &grant, force).await?;
        tx.remove_release(
            grant.index().id,
            project,
            found,
            self.clock.now(),
            caller.name(),
        )
        .await?;
        if releases.len() == 1 {
            tx.remove_project(grant.index().id, project, self.clock.now(), caller.name())
                .await?;
        }
        tx.commit().await?;
        tracing::info!(%index, %project, version, by = ?caller.name(), "release deleted");
        Ok(())
    }

    /// Deletes what a mirror has cached of a release; its links stay (devpi: 7.7).
    async fn uncache_release(
        &self,
        mut tx: Tx,
        grant: &Grant,
        project: &ProjectName,
        version: &str,
        force: bool,
    ) -> Result<()> {
        let (id, who) = (grant.index().id, grant.caller().name());
        if tx.has_project(&[id], project).await?.is_empty() {
            return Err(Error::not_found(format!(
                "project {project} not found on stage '{}'",
                grant.index().name
            )));
        }
        self.check_volatile(&mut tx, grant, force).await?;
        let wanted = Version::lenient(version);
        for file in tx.files(&[id], project).await? {
            if wanted.same_release(&Version::lenient(&file.version)) {
                tx.remove_file(file.id, self.clock.now(), who).await?;
            }
        }
        tx.commit().await?;
        tracing::info!(index = %grant.index().name, %project, version, by = ?who, "cached files of a release deleted");
        Ok(())
    }

    /// Deletes a project with all its releases. On a mirror: forgets its page and cached files.
    pub async fn remove_project(
        &self,
        caller: &Caller,
        index: &IndexName,
        project: &ProjectName,
        force: bool,
    ) -> Result<()> {
        let grant = self.grant(caller, index, Right::Remove).await?;
        let mirror = grant.index().kind() == IndexKind::Mirror;
        let mut tx = self.store.write().await?;
        let known = if mirror {
            tx.mirror_page(grant.index().id, project).await?.is_some()
        } else {
            !tx.has_project(&[grant.index().id], project)
                .await?
                .is_empty()
        };
        if !known {
            return Err(Error::not_found("project not found"));
        }
        let config = self.regrant(&mut tx, &grant).await?;
        if !config.volatile && !force {
            return Err(Error::forbidden(format!(
                "project {project} is on non-volatile index {index}"
            )));
        }
        tx.remove_project(grant.index().id, project, self.clock.now(), caller.name())
            .await?;
        tx.commit().await?;
        if mirror {
            self.forget_freshness(grant.index(), project);
        }
        tracing::info!(%index, %project, by = ?caller.name(), "project deleted");
        Ok(())
    }

    /// Whether the index lets files go, as it is now.
    async fn check_volatile(&self, tx: &mut Tx, grant: &Grant, force: bool) -> Result<()> {
        if self.regrant(tx, grant).await?.volatile || force {
            return Ok(());
        }
        Err(Error::forbidden(
            "cannot delete version on non-volatile index",
        ))
    }
}
