//! Why a configuration is refused, in devpi's words where clients know them.

use larder_pypi::name::InvalidName;
use serde_json::Value;

use crate::mirror_url::hide_credentials;

/// A configuration that is refused. The text is what the client shows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// A `type` that is neither `stage` nor `mirror`.
    #[error("unknown index type {0}")]
    UnknownType(String),
    /// A change of `type`.
    #[error("the 'type' of an index can't be changed")]
    TypeChanged,
    /// An index of a type that only a devpi plugin knew.
    #[error("index is marked read only")]
    ReadOnly,
    /// Keys that mean nothing, as `key=value`.
    #[error("indexconfig got unexpected keyword arguments: {}", .0.join(", "))]
    UnknownKeys(Vec<String>),
    /// No boolean.
    #[error("Unknown boolean value {0}.")]
    Boolean(String),
    /// No list of texts.
    #[error("Unknown list value {0}.")]
    List(String),
    /// `null` for a key that takes anything else.
    #[error("The '{0}' setting can't be null.")]
    Null(&'static str),
    /// Bases that cannot be, one sentence each.
    #[error("{}", .0.join(", "))]
    Bases(Vec<String>),
    /// More bases than an index may have.
    #[error("an index can have at most {} bases", super::bases::MAX_BASES)]
    TooManyBases,
    /// A whitelist entry that is no project name.
    #[error("invalid mirror_whitelist entry: {0}")]
    Whitelist(InvalidName),
    /// Neither of the two words.
    #[error(
        "Unknown value {0} for mirror_whitelist_inheritance, must be 'intersection' or 'union'."
    )]
    Inheritance(String),
    /// Rules of devpi 7 that `mirror_whitelist` cannot say.
    #[error(
        "project_inheritance_rules takes 'allow all' or 'block type:remote if local_exists', not {0}; set it as a whole"
    )]
    Rules(String),
    /// Whose rules count, in none of devpi 7's two ways.
    #[error(
        "Unknown value {0} for trust_inheritance_rules_from, must be 'none' or 'type:not remote'."
    )]
    Trust(String),
    /// Not an http(s) URL.
    #[error("'mirror_url' option must be a URL.")]
    MirrorUrl,
    /// A URL that cannot be extended by a project name.
    #[error("'mirror_url' option must be a URL without '?' and '#'.")]
    MirrorUrlTail,
    /// The mask of a secret where the secret itself is needed.
    #[error("'mirror_url' holds **** instead of the secret: give the secret again")]
    MaskedSecret,
    /// Not a number of seconds.
    #[error("'mirror_cache_expiry' option must be an integer")]
    CacheExpiry,
    /// A number of seconds that makes no sense.
    #[error(
        "'mirror_cache_expiry' option must be an integer from 0 to {}",
        super::mirror::MAX_CACHE_EXPIRY_SECS
    )]
    CacheExpiryRange,
    /// Not an http(s) URL around `{name}`.
    #[error(
        "'mirror_web_url_fmt' option must be an http(s) URL with no other placeholder than {{name}}"
    )]
    WebUrlFormat,
    /// `key-=` for a key that always has a value.
    #[error("Default values can't be removed.")]
    DefaultRemoved,
    /// `key-=value` for a value that is not there.
    #[error("The '{key}' setting doesn't have value '{value}'")]
    NoSuchValue {
        /// The key, cut.
        key: String,
        /// The value, cut.
        value: String,
    },
    /// `key+=value` or `key-=value` for a key that holds no list.
    #[error("The '{0}' setting is not a list.")]
    NotAList(String),
    /// An operation that is none.
    #[error("{0} is none of key=value, key+=value, key-=value and key-=")]
    Operation(String),
    /// More operations than one change may have.
    #[error("at most {} operations in one change", super::patch::MAX_OPERATIONS)]
    TooManyOperations,
    /// The whole is too large.
    #[error(
        "the index configuration is larger than {} bytes",
        super::builder::MAX_CONFIG_BYTES
    )]
    TooLarge,
}

/// A value as devpi's messages show it: Python's `repr`, roughly, cut.
pub(super) fn repr(value: &Value) -> String {
    match value {
        Value::String(text) => format!("'{}'", cut(text)),
        other => plain(other),
    }
}

/// As [`repr`], texts without quotes and without credentials.
pub(super) fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => cut(&hide_credentials(text)),
        Value::Null => "None".to_owned(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        other => cut(&hide_credentials(&other.to_string())),
    }
}

/// The first 80 characters: a message never repeats a large input.
pub(super) fn cut(text: &str) -> String {
    text.chars().take(80).collect()
}
