//! A push to an index of this server (devpi: 5.1).
//!
//! Invariants: one transaction checks the rights again, reads the source and
//! makes release, files, test results and documentation true together, or
//! nothing of it; what is on the target already, byte for byte, is left alone.

use larder_model::{Caller, IndexConfig, IndexName, PushRequest, Timestamp};
use larder_pypi::Version;
use larder_store::{FileRole, FileRow, NewFile, NewRelease, Tx};
use serde_json::{Value, json};

use super::PushAction;
use super::source::{Source, SourceFile, read_source};
use crate::authorize::{Grant, Right};
use crate::error::{Error, Kind};
use crate::failpoint::reach;
use crate::file_path::FilePath;
use crate::toxresult::free_name;
use crate::upload::admit::{Candidate, Verdict, admit};
use crate::upload::record::{overwritten, refuse_removed_name, same_release, taken};
use crate::{App, Result};

impl App {
    pub(super) async fn push_here(
        &self,
        from: &Grant,
        target: &IndexName,
        request: &PushRequest,
    ) -> Result<Vec<PushAction>> {
        let refused = |error| cannot_upload(error, from.caller(), target);
        let granted = self.grant(from.caller(), target, Right::Upload).await;
        let to = granted.map_err(refused)?;
        if to.index().id == from.index().id {
            return Err(Error::invalid(format!(
                "the target {target} is the index that is pushed from"
            )));
        }
        let prepared = self.prepare(from, request).await?;
        reach("app.push.prepared");
        let mut tx = self.store.write().await?;
        self.regrant(&mut tx, from).await?;
        let config = self.regrant(&mut tx, &to).await.map_err(refused)?;
        let source = read_source(&mut tx, from, &prepared, request).await?;
        let (id, project) = (to.index().id, &request.project);
        let releases = tx.versions(&[id], project).await?;
        let known = releases.iter().map(|(_, version)| version.as_str());
        let version = same_release(&Version::lenient(&source.version), known);
        let there = tx.release_files(id, project, &version, "").await?;
        let is_registered = releases.iter().any(|(_, known)| *known == version);
        let copying = Copying {
            from,
            to: &to,
            request,
            config,
            version,
            there,
            at: self.clock.now(),
            actions: Vec::new(),
        };
        let actions = copying.run(&mut tx, source, is_registered).await?;
        reach("app.push.before_commit");
        tx.commit().await?;
        reach("app.push.after_commit");
        tracing::info!(from = %from.index().name, to = %target, %project, version = request.version, by = ?from.caller().name(), "release pushed");
        Ok(actions)
    }
}

/// devpi: 401 and these words, also for who is logged in.
fn cannot_upload(error: Error, caller: &Caller, target: &IndexName) -> Error {
    if !matches!(error.kind(), Kind::Forbidden | Kind::Unauthenticated) {
        return error;
    }
    Error::unauthenticated(match caller.name() {
        Some(user) => format!("user '{user}' cannot upload to '{target}'"),
        None => format!("nobody is logged in: cannot upload to '{target}'"),
    })
}

/// A release on its way into its target.
struct Copying<'a> {
    from: &'a Grant,
    to: &'a Grant,
    request: &'a PushRequest,
    /// Of the target.
    config: IndexConfig,
    /// As the target spells it.
    version: String,
    /// The project's files on the target.
    there: Vec<FileRow>,
    at: Timestamp,
    actions: Vec<PushAction>,
}

/// What becomes of one file.
enum Fate {
    /// It is there already.
    Kept(FileRow),
    /// It is new, or takes the place of another.
    Stored { old: Option<FileRow> },
}

impl Copying<'_> {
    async fn run(
        mut self,
        tx: &mut Tx,
        source: Source,
        is_registered: bool,
    ) -> Result<Vec<PushAction>> {
        let mut fates = Vec::with_capacity(source.files.len());
        for SourceFile { file, .. } in &source.files {
            fates.push(self.decide(tx, file, &file.filename).await?);
        }
        // Where nothing is added the metadata is not touched either.
        let adds_files = fates.iter().any(|fate| matches!(fate, Fate::Stored { .. }));
        if adds_files || !is_registered {
            self.register(tx, &source).await?;
        }
        self.actions.push(PushAction::Registered {
            name: self.request.name.clone(),
            version: self.request.version.clone(),
            target: self.to.index().name.clone(),
        });
        for (SourceFile { file, toxresults }, fate) in source.files.iter().zip(fates) {
            let placed = self.place(tx, file, file.filename.clone(), fate).await?;
            let path = self.path(&placed);
            self.actions.push(PushAction::Stored { path });
            for result in toxresults {
                self.place_toxresult(tx, &placed, result).await?;
            }
        }
        if let Some(docs) = &source.docs {
            self.place_docs(tx, docs).await?;
        }
        Ok(self.actions)
    }

    async fn register(&self, tx: &mut Tx, source: &Source) -> Result<()> {
        let release = NewRelease {
            index_id: self.to.index().id,
            project: self.request.project.clone(),
            version: self.version.clone(),
            metadata: source.metadata.clone(),
        };
        let who = self.to.caller().name();
        tx.upsert_release(release, self.at, who).await?;
        Ok(())
    }

    /// The rule for names that are taken, the same as for uploads (U-08).
    async fn decide(&self, tx: &mut Tx, file: &FileRow, filename: &str) -> Result<Fate> {
        let candidate = Candidate {
            project: &self.request.project,
            filename,
            kind: file.kind,
            digest: file.digest,
        };
        match admit(&self.config, candidate, &self.there)? {
            Verdict::Identical(same) => Ok(Fate::Kept(same.clone())),
            Verdict::Replace(old) => Ok(Fate::Stored {
                old: Some(old.clone()),
            }),
            Verdict::New => {
                let target = &self.to.index().name;
                refuse_removed_name(tx, target, &self.config, filename).await?;
                Ok(Fate::Stored { old: None })
            }
        }
    }

    async fn place(
        &mut self,
        tx: &mut Tx,
        file: &FileRow,
        filename: String,
        fate: Fate,
    ) -> Result<FileRow> {
        let old = match fate {
            Fate::Kept(there) => return Ok(there),
            Fate::Stored { old } => old,
        };
        if let Some(old) = &old {
            let who = self.to.caller().name();
            tx.remove_file(old.id, self.at, who).await?;
            let goes = |file: &FileRow| file.id == old.id || file.parent == Some(old.id);
            self.there.retain(|file| !goes(file));
        }
        let path = FilePath::of_upload(&file.digest, &filename);
        let log = self.log(file, old.as_ref());
        self.insert(tx, file, path, log).await
    }

    /// devpi: named by the moment and the number of results there are.
    async fn place_toxresult(
        &mut self,
        tx: &mut Tx,
        about: &FileRow,
        result: &FileRow,
    ) -> Result<()> {
        let of_file = |file: &&FileRow| file.parent == Some(about.id);
        let mut known = self.there.iter().filter(of_file);
        let same = known.find(|known| known.digest == result.digest);
        let placed = if let Some(same) = same {
            same.clone()
        } else {
            let path = FilePath {
                area: about.area,
                dir: about.dir.clone(),
                filename: free_name(about, &self.there, self.at),
            };
            let log = self.log(result, None);
            self.insert(tx, result, path, log).await?
        };
        let path = self.path(&placed);
        self.actions.push(PushAction::StoredToxresult { path });
        Ok(())
    }

    async fn place_docs(&mut self, tx: &mut Tx, docs: &FileRow) -> Result<()> {
        let filename = format!("{}-{}.doc.zip", self.request.project, self.version);
        let fate = self.decide(tx, docs, &filename).await?;
        self.place(tx, docs, filename, fate).await?;
        self.actions.push(PushAction::StoredDocs {
            name: self.request.name.clone(),
            version: self.request.version.clone(),
            target: self.to.index().name.clone(),
        });
        Ok(())
    }

    /// A row of the target for the bytes of a row of the source.
    async fn insert(
        &mut self,
        tx: &mut Tx,
        file: &FileRow,
        path: FilePath,
        log: Vec<Value>,
    ) -> Result<FileRow> {
        let new = NewFile {
            index_id: self.to.index().id,
            project: self.request.project.clone(),
            version: self.version.clone(),
            filename: path.filename,
            kind: file.kind,
            area: path.area,
            dir: path.dir,
            digest: file.digest,
            size: file.size,
            hashes: file.hashes.clone(),
            requires_python: file.requires_python.clone(),
            yanked: file.yanked.clone(),
            metadata_digest: file.metadata_digest,
            // Decision: a file keeps the time of its first upload.
            uploaded: file.uploaded,
            last_modified: file.last_modified.clone(),
            url: None,
            log,
        };
        let who = self.to.caller().name();
        let placed = tx.insert_file(new, self.at, who).await.map_err(taken)?;
        if placed.kind == FileRole::Toxresult {
            self.there.push(placed.clone());
        }
        Ok(placed)
    }

    /// devpi: what happened to the file before, without what it took the place of.
    fn log(&self, file: &FileRow, old: Option<&FileRow>) -> Vec<Value> {
        let when = self.at.to_log_list();
        let is_kept = |entry: &&Value| entry.get("what").is_none_or(|what| what != "overwrite");
        let mut log: Vec<Value> = old.map(|old| overwritten(old, when)).into_iter().collect();
        log.extend(file.log.iter().filter(is_kept).cloned());
        log.push(json!({
            "what": "push",
            "who": self.to.caller().name(),
            "when": when,
            "src": self.from.index().name,
            "dst": self.to.index().name,
        }));
        log
    }

    fn path(&self, file: &FileRow) -> String {
        let area = file.area.as_str();
        format!(
            "{}/{area}/{}/{}",
            self.to.index().name,
            file.dir,
            file.filename
        )
    }
}
