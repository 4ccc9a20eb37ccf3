//! What a request says about a user (devpi: 2.5).
//!
//! Invariant: only the keys that a user may write are taken over; nothing that
//! the server maintains, and no hash of a password, comes from a request
//! (reliability: D19-D24). Hashing and storing are elsewhere.

use serde_json::{Map, Value};

/// Keys that hold what a user says about themselves.
const PROFILE_KEYS: [&str; 4] = ["email", "title", "description", "custom_data"];

/// Keys that devpi's client sends back because it was shown them, and a few to spare.
const MAX_KEYS: usize = 64;

/// Largest profile: every node keeps all users in memory.
const MAX_PROFILE_BYTES: usize = 256 << 10;

/// What a user says about themselves; any JSON, because devpi never asked for more.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct UserProfile {
    /// Shown to those who may.
    pub email: Option<Value>,
    /// Free text.
    pub title: Option<Value>,
    /// Free text.
    pub description: Option<Value>,
    /// Anything.
    pub custom_data: Option<Value>,
}

/// What becomes of the password.
#[derive(Clone, PartialEq, Eq)]
pub enum PasswordChange {
    /// This is the new one; it may be empty.
    Set(String),
    /// Nobody can log in as this user.
    Unset,
}

/// A user to be created, or what is to change about one.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct UserChange {
    /// `None`: the password stays.
    pub password: Option<PasswordChange>,
    /// The values that are given.
    pub profile: UserProfile,
    /// The keys that are taken away.
    removed: Vec<&'static str>,
}

/// A body that is refused. The text is what the client shows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UserError {
    /// A new user without the key `password`.
    #[error("password needs to be set")]
    NoPassword,
    /// A password that is no text.
    #[error("the password needs to be a text")]
    PasswordForm,
    /// A hash in place of a password.
    #[error("'{0}' can't be set in a request: set 'password'")]
    Hash(&'static str),
    /// Keys that mean nothing.
    #[error("Unknown keys in user config: {}", .0.join(", "))]
    UnknownKeys(Vec<String>),
    /// Far more keys than there are.
    #[error("too many keys in user config")]
    TooManyKeys,
    /// The profile is too large.
    #[error("the user config is larger than {MAX_PROFILE_BYTES} bytes")]
    TooLarge,
}

impl UserChange {
    /// A new user. `"password": null` makes one who cannot log in.
    pub fn create(body: &Map<String, Value>) -> Result<Self, UserError> {
        let password = body.get("password").ok_or(UserError::NoPassword)?;
        let is_known = |key: &str| key == "password" || PROFILE_KEYS.contains(&key);
        let unknown = body.keys().filter(|key| !is_known(key)).take(10);
        let unknown: Vec<String> = unknown.map(|key| key.chars().take(80).collect()).collect();
        if !unknown.is_empty() {
            return Err(UserError::UnknownKeys(unknown));
        }
        let password = text(password)?.map_or(PasswordChange::Unset, PasswordChange::Set);
        Ok(Self {
            password: Some(password),
            ..Self::of_profile(body)?
        })
    }

    /// A change. devpi's client sends back all it was shown, so unknown keys
    /// and those that the server maintains are ignored; `"password": null` is
    /// no change, and a falsy value takes a key away.
    pub fn modify(body: &Map<String, Value>) -> Result<Self, UserError> {
        if body.len() > MAX_KEYS {
            return Err(UserError::TooManyKeys);
        }
        if let Some(hash) = ["pwhash", "pwsalt"]
            .into_iter()
            .find(|key| body.contains_key(*key))
        {
            return Err(UserError::Hash(hash));
        }
        let password = body.get("password").map(text).transpose()?.flatten();
        Ok(Self {
            password: password.map(PasswordChange::Set),
            ..Self::of_profile(body)?
        })
    }

    /// Whether anything but the password is given.
    pub fn changes_profile(&self) -> bool {
        !self.removed.is_empty() || self.profile != UserProfile::default()
    }

    /// The stored profile as it shall be; keys that nobody here knows stay.
    pub fn apply_to(&self, profile: &Map<String, Value>) -> Map<String, Value> {
        let mut changed = profile.clone();
        changed.extend(self.profile.to_json());
        changed.retain(|key, _| !self.removed.contains(&key.as_str()));
        changed
    }

    fn of_profile(body: &Map<String, Value>) -> Result<Self, UserError> {
        let mut change = Self::default();
        for key in PROFILE_KEYS {
            match body.get(key) {
                Some(value) if is_falsy(value) => change.removed.push(key),
                Some(value) => *change.profile.entry(key) = Some(value.clone()),
                None => {}
            }
        }
        let bytes = Value::Object(change.profile.to_json()).to_string().len();
        if bytes > MAX_PROFILE_BYTES {
            Err(UserError::TooLarge)
        } else {
            Ok(change)
        }
    }
}

impl UserProfile {
    /// The keys that have a value.
    pub fn to_json(&self) -> Map<String, Value> {
        let values = [
            &self.email,
            &self.title,
            &self.description,
            &self.custom_data,
        ];
        let entries = PROFILE_KEYS.into_iter().zip(values);
        entries
            .filter_map(|(key, value)| Some((key.to_owned(), value.clone()?)))
            .collect()
    }

    /// The place of a profile key.
    fn entry(&mut self, key: &str) -> &mut Option<Value> {
        match key {
            "email" => &mut self.email,
            "title" => &mut self.title,
            "description" => &mut self.description,
            _ => &mut self.custom_data,
        }
    }
}

impl std::fmt::Debug for PasswordChange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Set(_) => "Set(****)",
            Self::Unset => "Unset",
        })
    }
}

fn text(password: &Value) -> Result<Option<String>, UserError> {
    match password {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text.clone())),
        _ => Err(UserError::PasswordForm),
    }
}

/// Python's idea of nothing.
fn is_falsy(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Bool(true) => false,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(entries) => entries.is_empty(),
        Value::Object(map) => map.is_empty(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value, json};

    use super::{PasswordChange, UserChange, UserError};

    fn body(value: &Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    fn set(password: &str) -> PasswordChange {
        PasswordChange::Set(password.to_owned())
    }

    #[test]
    fn bodies_of_new_users_that_are_refused() {
        for (row, given, message) in [
            ("D16", json!({}), "password needs to be set"),
            (
                "2.5",
                json!({"pwhash": "$argon2id$"}),
                "password needs to be set",
            ),
            (
                "2.5",
                json!({"password": "x", "foo": 1, "baz": 2}),
                "Unknown keys in user config: foo, baz",
            ),
            (
                "D19",
                json!({"password": "x", "indexes": {"dev": {}}}),
                "Unknown keys in user config: indexes",
            ),
            (
                "D20",
                json!({"password": "x", "username": "root"}),
                "Unknown keys in user config: username",
            ),
            (
                "D21",
                json!({"password": "x", "pwhash": "$argon2id$"}),
                "Unknown keys in user config: pwhash",
            ),
            (
                "2.5",
                json!({"password": "x", "created": "2026"}),
                "Unknown keys in user config: created",
            ),
            (
                "2.5",
                json!({"password": 5}),
                "the password needs to be a text",
            ),
            (
                "2.5",
                json!({"password": ["x"]}),
                "the password needs to be a text",
            ),
        ] {
            let error = UserChange::create(&body(&given)).unwrap_err();
            assert_eq!(error.to_string(), message, "{row} {given}");
        }
    }

    #[test]
    fn a_message_never_repeats_a_large_body() {
        let mut many = body(&json!({"password": "x"}));
        many.extend((0..10_000).map(|at| (format!("{at}{}", "k".repeat(500)), Value::Null)));
        let message = UserChange::create(&many).unwrap_err().to_string();
        assert!(message.len() < 1000, "{} bytes", message.len());
    }

    #[test]
    fn new_users_have_what_was_given() {
        let change = UserChange::create(&body(&json!({
            "password": "x", "email": "a\r\nBcc: x", "title": "", "custom_data": {"a": [1]},
        })));
        let change = change.unwrap();
        assert_eq!(change.password, Some(set("x")));
        assert_eq!(
            Value::Object(change.profile.to_json()),
            json!({"email": "a\r\nBcc: x", "custom_data": {"a": [1]}})
        );
        let locked = UserChange::create(&body(&json!({"password": null}))).unwrap();
        assert_eq!(locked.password, Some(PasswordChange::Unset));
        let empty = UserChange::create(&body(&json!({"password": ""}))).unwrap();
        assert_eq!(empty.password, Some(set("")));
    }

    #[test]
    fn changes_that_are_refused() {
        for (row, given, error) in [
            (
                "D24",
                json!({"pwhash": "$argon2$weak"}),
                UserError::Hash("pwhash"),
            ),
            (
                "D24",
                json!({"pwsalt": "c2FsdA=="}),
                UserError::Hash("pwsalt"),
            ),
            ("2.5", json!({"password": 5}), UserError::PasswordForm),
            (
                "2.5",
                json!({"title": "x".repeat(300 << 10)}),
                UserError::TooLarge,
            ),
        ] {
            assert_eq!(UserChange::modify(&body(&given)), Err(error), "{row}");
        }
        let many: Map<_, _> = (0..10_000)
            .map(|at| (at.to_string(), Value::Null))
            .collect();
        assert_eq!(
            UserChange::modify(&many),
            Err(UserError::TooManyKeys),
            "D32"
        );
    }

    #[test]
    fn changes_take_over_only_what_users_write() {
        let stored = body(&json!({"email": "old", "title": "T", "plugin": 1}));
        for (given, changes, expected) in [
            (
                json!({}),
                false,
                json!({"email": "old", "title": "T", "plugin": 1}),
            ),
            (
                json!({"foo": 1}),
                false,
                json!({"email": "old", "title": "T", "plugin": 1}),
            ),
            (
                json!({"username": "root", "created": "x", "modified": "y", "indexes": {}}),
                false,
                json!({"email": "old", "title": "T", "plugin": 1}),
            ),
            (
                json!({"email": "new"}),
                true,
                json!({"email": "new", "title": "T", "plugin": 1}),
            ),
            (
                json!({"email": ""}),
                true,
                json!({"title": "T", "plugin": 1}),
            ),
            (
                json!({"title": null, "email": []}),
                true,
                json!({"plugin": 1}),
            ),
            (
                json!({"custom_data": 0}),
                true,
                json!({"email": "old", "title": "T", "plugin": 1}),
            ),
        ] {
            let change = UserChange::modify(&body(&given)).unwrap();
            assert_eq!(change.changes_profile(), changes, "{given}");
            assert_eq!(Value::Object(change.apply_to(&stored)), expected, "{given}");
            assert_eq!(change.password, None, "{given}");
        }
    }

    #[test]
    fn a_password_is_changed_by_a_text_only() {
        let modify = |given: Value| UserChange::modify(&body(&given)).unwrap();
        assert_eq!(
            modify(json!({"password": "y", "email": "e"})).password,
            Some(set("y"))
        );
        assert_eq!(modify(json!({"password": ""})).password, Some(set("")));
        // devpi: null is no change here.
        assert_eq!(modify(json!({"password": null})).password, None);
    }

    #[test]
    fn passwords_never_reach_a_log() {
        let change = UserChange::modify(&body(&json!({"password": "secretpw"}))).unwrap();
        assert!(!format!("{change:?}").contains("secretpw"));
    }
}
