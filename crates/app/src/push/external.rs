//! A push to another server, as an upload client would make it (devpi: 5.2).
//!
//! Invariants: only who is logged in makes this server send anything, and only
//! to addresses that they may name; the credentials go to that address alone
//! and into no log; what another server says is shown cut and without control
//! characters. What was sent before a failure stays where it was sent.

use std::io;
use std::ops::ControlFlow;

use futures_util::StreamExt;
use larder_model::{Caller, PushAddress, PushRequest, may_use_private_upstreams};
use larder_pypi::filename::upload_type;
use larder_store::FileRow;
use larder_upstream::{Addresses, Endpoint, FilePart, Submission, Submitted, check_public_host};
use serde_json::Value;

use super::PushAction;
use super::source::{Source, read_source};
use crate::authorize::Grant;
use crate::error::{Error, Kind};
use crate::{App, Result};

/// Longest sentence of another server that is shown, in characters.
const MAX_SENTENCE: usize = 500;
/// What is said of a release whose metadata does not say it; indexes ask for it.
const METADATA_VERSION: &str = "2.1";

impl App {
    pub(super) async fn push_elsewhere(
        &self,
        from: &Grant,
        address: &PushAddress,
        request: &PushRequest,
    ) -> Result<Vec<PushAction>> {
        let endpoint = self.push_endpoint(from.caller(), address)?;
        let prepared = self.prepare(from, request).await?;
        let mut tx = self.store.read().await?;
        let source = read_source(&mut tx, from, &prepared, request).await?;
        drop(tx);
        let host = address.url.host_str().unwrap_or_default();
        let mut sending = Sending {
            app: self,
            from,
            address,
            request,
            endpoint,
            actions: Vec::new(),
        };
        // Stops where going on is of no use; the log says so either way.
        let _: ControlFlow<()> = sending.run(&source).await;
        let actions = sending.actions;
        let done = actions.iter().all(PushAction::is_done);
        tracing::info!(from = %from.index().name, host, project = %request.project, version = request.version, by = ?from.caller().name(), done, "release pushed to another server");
        Ok(actions)
    }

    /// Where to send to, if this caller may make the server send there
    /// (reliability: G08).
    fn push_endpoint(&self, caller: &Caller, address: &PushAddress) -> Result<Endpoint> {
        if caller.name().is_none() {
            return Err(Error::unauthenticated(
                "pushing to another server needs a login: log in first",
            ));
        }
        if self.settings.offline {
            return Err(Error::new(
                Kind::Upstream,
                "the server runs in offline mode: nothing is sent to other servers",
            ));
        }
        let trusted =
            may_use_private_upstreams(caller, &self.settings.policy, self.settings.devpi_compat);
        if !trusted {
            check_public_host(&address.url)
                .map_err(|error| Error::invalid(format!("'posturl': {}", error.sentence())))?;
        }
        let addresses = if trusted {
            Addresses::Any
        } else {
            Addresses::PublicOnly
        };
        let credentials = (address.username.clone(), address.password.clone());
        Ok(Endpoint::new(
            address.url.clone(),
            Some(credentials),
            addresses,
        ))
    }
}

/// A release on its way to another server.
struct Sending<'a> {
    app: &'a App,
    from: &'a Grant,
    address: &'a PushAddress,
    request: &'a PushRequest,
    endpoint: Endpoint,
    actions: Vec<PushAction>,
}

impl Sending<'_> {
    async fn run(&mut self, source: &Source) -> ControlFlow<()> {
        if self.address.register {
            self.register(source).await?;
        }
        for file in &source.files {
            self.send_file(source, &file.file).await?;
        }
        if let Some(docs) = &source.docs {
            self.send_docs(docs).await?;
        }
        ControlFlow::Continue(())
    }

    async fn register(&mut self, source: &Source) -> ControlFlow<()> {
        let mut fields = action("submit");
        fields.extend(self.metadata(source));
        let answer = self.post("register", fields, None).await?;
        let action = PushAction::Submitted {
            code: answer.code,
            name: self.request.name.clone(),
            version: self.request.version.clone(),
        };
        let is_done = action.is_done();
        self.actions.push(action);
        // devpi: files of a release that could not be registered are not sent.
        if is_done {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        }
    }

    async fn send_file(&mut self, source: &Source, file: &FileRow) -> ControlFlow<()> {
        let mut fields = action("file_upload");
        fields.extend(self.metadata(source));
        let (filetype, pyversion) = upload_type(&file.filename, &file.project);
        fields.extend([
            field("filetype", filetype),
            field("pyversion", pyversion),
            field("sha256_digest", file.digest.to_string()),
        ]);
        let content = (file, file.filename.clone());
        let answer = self.post("release upload", fields, Some(content)).await?;
        let (index, area) = (&self.from.index().name, file.area.as_str());
        self.actions.push(PushAction::Sent {
            code: answer.code,
            path: format!("{index}/{area}/{}/{}", file.dir, file.filename),
            text: sentence(&answer),
        });
        go_on(answer.code)
    }

    async fn send_docs(&mut self, docs: &FileRow) -> ControlFlow<()> {
        let mut fields = action("doc_upload");
        fields.extend([
            field("name", &*self.request.name),
            field("version", &*self.request.version),
        ]);
        let content = (docs, format!("{}.zip", self.request.project));
        let answer = self.post("docs upload", fields, Some(content)).await?;
        self.actions.push(PushAction::SentDocs {
            code: answer.code,
            name: self.request.name.clone(),
            text: sentence(&answer),
        });
        go_on(answer.code)
    }

    /// devpi: texts even when they are empty, lists field by field.
    fn metadata(&self, source: &Source) -> Vec<(String, String)> {
        let mut fields = vec![field("protocol_version", "1")];
        for (key, fallback) in [
            ("name", self.request.name.as_str()),
            ("version", &source.version),
            ("metadata_version", METADATA_VERSION),
        ] {
            let stored = source.metadata.get(key).and_then(Value::as_str);
            let given = stored.filter(|text| !text.is_empty());
            fields.push(field(key, given.unwrap_or(fallback)));
        }
        for (key, value) in &source.metadata {
            match value {
                _ if matches!(key.as_str(), "name" | "version" | "metadata_version") => {}
                Value::String(text) => fields.push(field(key, text.as_str())),
                Value::Array(items) => {
                    let texts = items.iter().filter_map(Value::as_str);
                    fields.extend(texts.map(|text| field(key, text)));
                }
                _ => {}
            }
        }
        fields
    }

    /// Posts a form; no answer at all is the end of the push.
    async fn post(
        &mut self,
        what: &'static str,
        fields: Vec<(String, String)>,
        content: Option<(&FileRow, String)>,
    ) -> ControlFlow<(), Submitted> {
        match self.try_post(fields, content).await {
            Ok(answer) => ControlFlow::Continue(answer),
            Err(error) => {
                tracing::warn!(what, error = %crate::error_chain(&error), "another server did not take a push");
                let message = error.message().to_owned();
                self.actions.push(PushAction::Unanswered { what, message });
                ControlFlow::Break(())
            }
        }
    }

    async fn try_post(
        &self,
        fields: Vec<(String, String)>,
        content: Option<(&FileRow, String)>,
    ) -> Result<Submitted> {
        let file = match content {
            None => None,
            Some((row, filename)) => Some(self.open(row, filename).await?),
        };
        let submission = Submission { fields, file };
        let upstreams = &self.app.upstreams;
        Ok(upstreams
            .submit(&self.endpoint, &self.address.url, submission)
            .await?)
    }

    async fn open(&self, row: &FileRow, filename: String) -> Result<FilePart> {
        let body = self.app.blobs.open(&row.digest, None).await?;
        let body = body.ok_or_else(|| {
            Error::internal(io::Error::other("the bytes of a stored file are missing"))
        })?;
        let len = body.len();
        let bytes = body
            .into_stream()
            .map(|chunk| chunk.map_err(io::Error::other));
        Ok(FilePart {
            filename,
            len,
            bytes: bytes.boxed(),
        })
    }
}

/// One file that is refused is no reason not to send the next; a refused
/// caller is.
fn go_on(code: u16) -> ControlFlow<()> {
    if matches!(code, 401 | 403) {
        ControlFlow::Break(())
    } else {
        ControlFlow::Continue(())
    }
}

fn action(name: &str) -> Vec<(String, String)> {
    vec![field(":action", name)]
}

fn field(name: &str, value: impl Into<String>) -> (String, String) {
    (name.to_owned(), value.into())
}

/// What an answer says, wherever its server put it.
fn sentence(answer: &Submitted) -> String {
    if let Some(location) = &answer.location {
        return clean(&format!(
            "redirects are not followed; this one leads to {location}"
        ));
    }
    let body = answer.body.trim();
    let in_json = || {
        let value: Value = serde_json::from_str(body).ok()?;
        let texts = ["message", "title", "detail"].into_iter();
        let mut texts = texts.filter_map(|key| value.get(key)?.as_str().map(str::trim));
        let text = texts.find(|text| !text.is_empty());
        text.map(str::to_owned)
    };
    let is_markup = body.starts_with('<');
    let text = in_json().or_else(|| match &answer.reason {
        // A page tells a person in a browser what the reason tells a client.
        Some(reason) if body.is_empty() || is_markup => Some(reason.clone()),
        _ => None,
    });
    clean(text.as_deref().unwrap_or(body))
}

fn clean(text: &str) -> String {
    let shown = text.chars().filter(|c| *c == '\n' || !c.is_control());
    shown.take(MAX_SENTENCE).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(code: u16, reason: Option<&str>, body: &str) -> Submitted {
        Submitted {
            code,
            reason: reason.map(str::to_owned),
            location: None,
            body: body.to_owned(),
        }
    }

    #[test]
    fn the_sentence_is_found_wherever_servers_put_it() {
        let table = [
            (answer(200, None, ""), ""),
            (answer(200, None, "OK\n"), "OK"),
            (answer(409, Some("x.whl exists"), ""), "x.whl exists"),
            (
                answer(409, Some("x.whl exists"), "<html>…</html>"),
                "x.whl exists",
            ),
            (
                answer(409, Some("Conflict!"), "x.whl exists"),
                "x.whl exists",
            ),
            (answer(400, None, "{\"message\": \"no\"}"), "no"),
            (
                answer(
                    409,
                    None,
                    "{\"message\": \"\\n\\n\", \"title\": \"x.whl exists\"}",
                ),
                "x.whl exists",
            ),
            (answer(400, None, "{\"other\": 1}"), "{\"other\": 1}"),
            (answer(400, None, "\u{1b}[31mred\u{7}"), "[31mred"),
        ];
        for (answer, expected) in table {
            assert_eq!(sentence(&answer), expected, "{answer:?}");
        }
        let long = answer(400, None, &"x".repeat(3000));
        assert_eq!(sentence(&long).len(), MAX_SENTENCE);
        let moved = Submitted {
            location: Some("https://index.example.com/legacy/".to_owned()),
            ..answer(301, None, "moved")
        };
        assert!(sentence(&moved).contains("https://index.example.com/legacy/"));
    }
}
