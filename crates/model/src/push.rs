//! What a push asks for (devpi: 5), read from the JSON of its request.
//!
//! Invariants: a push has one target, an index here or an address elsewhere;
//! what is not understood is refused, so that nothing is pushed that was not
//! meant (reliability: G01 to G13). The password is shown by nothing.

use std::fmt;

use larder_pypi::{ProjectName, Version};
use serde_json::{Map, Value};
use url::Url;

use crate::{IndexName, mirror_url};

/// A push, understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushRequest {
    /// The project as the client spells it: the answer repeats it.
    pub name: String,
    /// The project.
    pub project: ProjectName,
    /// The version as the client spells it.
    pub version: String,
    /// What of the release.
    pub part: PushPart,
    /// Where to.
    pub target: PushTarget,
}

/// What of a release is pushed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PushPart {
    /// Files, their test results, documentation.
    All,
    /// Everything but the documentation.
    WithoutDocs,
    /// The documentation alone.
    DocsOnly,
}

/// Where a push goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PushTarget {
    /// Another index of this server.
    Index(IndexName),
    /// Another server.
    Elsewhere(PushAddress),
}

/// An address that takes uploads, and as whom.
#[derive(Clone, PartialEq, Eq)]
pub struct PushAddress {
    /// http or https.
    pub url: Url,
    /// For HTTP Basic.
    pub username: String,
    /// For HTTP Basic.
    pub password: String,
    /// Register the release before its files are sent, as old indexes want it.
    pub register: bool,
}

/// Why a body asks for no push; the texts are devpi's where it has one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PushError {
    /// A key that has to be there.
    #[error("the push has no '{0}'")]
    Missing(&'static str),
    /// Something else where a text has to be.
    #[error("'{0}' must be a text")]
    NotText(&'static str),
    /// Something else where true or false has to be.
    #[error("'{0}' must be true or false")]
    NotFlag(&'static str),
    /// The name is none.
    #[error("'name': {0}")]
    Name(String),
    /// Longer than any version.
    #[error("'version' is too long")]
    VersionTooLong,
    /// Documentation left out and nothing but it.
    #[error("can't use 'no_docs' and 'only_docs' together")]
    BothFlags,
    /// Not `user/index`.
    #[error("targetindex not in format user/index")]
    TargetForm,
    /// Neither kind of target.
    #[error(
        "the push has no target: give 'targetindex', or 'posturl' with 'username' and 'password'"
    )]
    NoTarget,
    /// Not a URL to post to.
    #[error("'posturl' must be an http or https URL")]
    PostUrl,
    /// Keys nobody knows.
    #[error("unknown additional options: {0}")]
    Unknown(String),
}

/// Keys that are named in a refusal, and characters of each.
const MAX_NAMED: usize = 10;
const MAX_KEY_CHARS: usize = 40;

impl PushRequest {
    /// Reads the JSON object of a request.
    pub fn from_json(body: &Map<String, Value>) -> Result<Self, PushError> {
        let mut keys = Keys {
            body,
            used: Vec::new(),
        };
        let name = keys.required("name")?;
        let version = keys.required("version")?;
        if version.len() > Version::MAX_LEN {
            return Err(PushError::VersionTooLong);
        }
        let project = name
            .parse::<ProjectName>()
            .map_err(|error| PushError::Name(error.to_string()))?;
        let part = match (keys.flag("no_docs")?, keys.flag("only_docs")?) {
            (true, true) => return Err(PushError::BothFlags),
            (true, false) => PushPart::WithoutDocs,
            (false, true) => PushPart::DocsOnly,
            (false, false) => PushPart::All,
        };
        let target = keys.target()?;
        keys.nothing_else()?;
        Ok(Self {
            name,
            project,
            version,
            part,
            target,
        })
    }
}

/// The keys of a body, and which of them were looked at.
struct Keys<'a> {
    body: &'a Map<String, Value>,
    used: Vec<&'static str>,
}

impl<'a> Keys<'a> {
    fn get(&mut self, key: &'static str) -> Option<&'a Value> {
        self.used.push(key);
        // devpi-client leaves a key out; others may send `null` for it.
        self.body.get(key).filter(|value| !value.is_null())
    }

    fn text(&mut self, key: &'static str) -> Result<Option<String>, PushError> {
        match self.get(key) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(PushError::NotText(key)),
        }
    }

    fn required(&mut self, key: &'static str) -> Result<String, PushError> {
        let text = self.text(key)?.filter(|text| !text.is_empty());
        text.ok_or(PushError::Missing(key))
    }

    fn flag(&mut self, key: &'static str) -> Result<bool, PushError> {
        match self.get(key) {
            None => Ok(false),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(_) => Err(PushError::NotFlag(key)),
        }
    }

    fn target(&mut self) -> Result<PushTarget, PushError> {
        if let Some(target) = self.text("targetindex")? {
            let (user, index) = target.split_once('/').ok_or(PushError::TargetForm)?;
            let index = IndexName::from_parts(user, index).map_err(|_| PushError::TargetForm)?;
            return Ok(PushTarget::Index(index));
        }
        let url = self.text("posturl")?.ok_or(PushError::NoTarget)?;
        let url = mirror_url::parse(&url).ok_or(PushError::PostUrl)?;
        Ok(PushTarget::Elsewhere(PushAddress {
            url,
            username: self.required("username")?,
            password: self
                .text("password")?
                .ok_or(PushError::Missing("password"))?,
            register: self.flag("register_project")?,
        }))
    }

    fn nothing_else(&self) -> Result<(), PushError> {
        let used = |key: &str| self.used.contains(&key);
        let mut unknown: Vec<&String> = self.body.keys().filter(|key| !used(key)).collect();
        if unknown.is_empty() {
            return Ok(());
        }
        unknown.sort();
        let shown = unknown.iter().take(MAX_NAMED);
        let shown: Vec<String> = shown
            .map(|key| key.chars().take(MAX_KEY_CHARS).collect())
            .collect();
        Err(PushError::Unknown(shown.join(", ")))
    }
}

impl fmt::Debug for PushAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PushAddress")
            .field("host", &self.url.host_str())
            .field("register", &self.register)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(body: &Value) -> Result<PushRequest, PushError> {
        PushRequest::from_json(body.as_object().unwrap())
    }

    /// The body of a good push with these keys set, or taken away by `null`.
    fn with(base: Value, changes: Value) -> Value {
        let (Value::Object(mut body), Value::Object(changes)) = (base, changes) else {
            panic!("objects")
        };
        for (key, value) in changes {
            if value.is_null() {
                body.remove(&key);
            } else {
                body.insert(key, value);
            }
        }
        Value::Object(body)
    }

    fn here(changes: Value) -> Value {
        let base = json!({"name": "Demo.Pkg", "version": "1.0", "targetindex": "alice/prod"});
        with(base, changes)
    }

    fn elsewhere(changes: Value) -> Value {
        let base = json!({
            "name": "demo",
            "version": "1.0",
            "posturl": "https://index.example.com/legacy/",
            "username": "alice",
            "password": "hunter2",
        });
        with(base, changes)
    }

    #[test]
    fn what_devpi_client_sends_is_understood() {
        let push = read(&here(json!({}))).unwrap();
        assert_eq!(
            (push.name.as_str(), push.version.as_str()),
            ("Demo.Pkg", "1.0")
        );
        assert_eq!(push.project.as_str(), "demo-pkg");
        assert_eq!(push.part, PushPart::All);
        assert_eq!(
            push.target,
            PushTarget::Index("alice/prod".parse().unwrap())
        );
        for (flags, part) in [
            (json!({"no_docs": true}), PushPart::WithoutDocs),
            (json!({"only_docs": true}), PushPart::DocsOnly),
            (
                json!({"only_docs": false, "no_docs": true}),
                PushPart::WithoutDocs,
            ),
            (json!({"only_docs": false, "no_docs": false}), PushPart::All),
        ] {
            assert_eq!(read(&here(flags)).unwrap().part, part);
        }
        let PushTarget::Elsewhere(address) = read(&elsewhere(json!({}))).unwrap().target else {
            panic!("an address")
        };
        assert_eq!(address.url.as_str(), "https://index.example.com/legacy/");
        assert_eq!(
            (address.username.as_str(), address.password.as_str()),
            ("alice", "hunter2")
        );
        assert!(!address.register);
        let empty = elsewhere(json!({"password": "", "register_project": true}));
        let PushTarget::Elsewhere(address) = read(&empty).unwrap().target else {
            panic!("an address")
        };
        assert!(address.register && address.password.is_empty());
    }

    fn check(table: impl IntoIterator<Item = (Value, &'static str)>) {
        for (body, sentence) in table {
            assert_eq!(read(&body).unwrap_err().to_string(), sentence, "{body}");
        }
    }

    #[test]
    fn names_and_versions_are_texts() {
        check([
            (json!({}), "the push has no 'name'"),
            (json!({"name": "x"}), "the push has no 'version'"),
            (here(json!({"name": null})), "the push has no 'name'"),
            (here(json!({"name": ""})), "the push has no 'name'"),
            (here(json!({"name": 1})), "'name' must be a text"),
            (here(json!({"name": ["x"]})), "'name' must be a text"),
            (here(json!({"version": null})), "the push has no 'version'"),
            (here(json!({"version": 1.0})), "'version' must be a text"),
        ]);
        let long = here(json!({"version": "1".repeat(201)}));
        assert_eq!(read(&long), Err(PushError::VersionTooLong));
        let no_name = read(&here(json!({"name": "-x"}))).unwrap_err().to_string();
        assert!(
            no_name.starts_with("'name': '-x' is not a valid project name"),
            "{no_name}"
        );
    }

    #[test]
    fn a_target_is_an_index() {
        let wrong = "targetindex not in format user/index";
        let texts = ["x", "", "/", "a/", "/b", "a/b/c", "a/b c"];
        check(texts.map(|text| (here(json!({"targetindex": text})), wrong)));
        let object = here(json!({"targetindex": {"a": 1}}));
        check([(object, "'targetindex' must be a text")]);
        let neither = elsewhere(json!({"posturl": null, "username": null, "password": null}));
        assert_eq!(read(&neither), Err(PushError::NoTarget));
    }

    #[test]
    fn flags_are_true_or_false_and_nothing_is_overlooked() {
        check([
            (
                here(json!({"no_docs": "yes"})),
                "'no_docs' must be true or false",
            ),
            (
                here(json!({"only_docs": 1})),
                "'only_docs' must be true or false",
            ),
            (
                here(json!({"only_docs": true, "no_docs": true})),
                "can't use 'no_docs' and 'only_docs' together",
            ),
            (
                elsewhere(json!({"register_project": "x"})),
                "'register_project' must be true or false",
            ),
            (
                here(json!({"foo": 1, "bar": 2})),
                "unknown additional options: bar, foo",
            ),
            (
                here(json!({"posturl": "https://index.example.com/"})),
                "unknown additional options: posturl",
            ),
            (
                elsewhere(json!({"foo": 1})),
                "unknown additional options: foo",
            ),
        ]);
    }

    #[test]
    fn another_server_needs_user_and_password() {
        check([
            (elsewhere(json!({"posturl": 1})), "'posturl' must be a text"),
            (
                elsewhere(json!({"username": null})),
                "the push has no 'username'",
            ),
            (
                elsewhere(json!({"password": null})),
                "the push has no 'password'",
            ),
            (
                elsewhere(json!({"password": 1})),
                "'password' must be a text",
            ),
        ]);
    }

    #[test]
    fn only_web_addresses_are_posted_to() {
        for url in [
            "",
            "file:///etc/passwd",
            "ftp://index.example.com/",
            "index.example.com/legacy/",
            "https:index.example.com",
            "https://",
            "https://index.example.com/\nHost: other",
            "https://index.example.com/ x",
        ] {
            assert_eq!(
                read(&elsewhere(json!({"posturl": url}))),
                Err(PushError::PostUrl),
                "{url}"
            );
        }
        for url in [
            "http://localhost:3141/root/dev",
            "https://index.example.com/up?x=1",
        ] {
            assert!(read(&elsewhere(json!({"posturl": url}))).is_ok(), "{url}");
        }
    }

    #[test]
    fn the_password_is_shown_by_nothing() {
        let body = elsewhere(json!({"posturl": "https://alice:hunter2@index.example.com/"}));
        assert!(!format!("{:?}", read(&body)).contains("hunter2"));
        let bad = elsewhere(json!({"version": ["hunter2"], "posturl": "hunter2"}));
        assert!(!read(&bad).unwrap_err().to_string().contains("hunter2"));
    }

    #[test]
    fn a_long_list_of_unknown_keys_is_cut() {
        let many = (0..50).map(|n| (format!("{n:02}{}", "k".repeat(100)), json!(1)));
        let sentence = read(&here(Value::Object(many.collect())))
            .unwrap_err()
            .to_string();
        assert!(sentence.len() < 500, "{sentence}");
    }
}
