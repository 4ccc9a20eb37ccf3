//! Where blobs are kept, as an operator writes it.

use std::fmt;
use std::path::PathBuf;

/// Where blobs are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// A data folder on a local file system; blobs lie in `blobs/sha256/ab/cd/` below it.
    Local(PathBuf),
    /// A bucket of an S3 server. Endpoint, region and credentials come from
    /// the usual `AWS_*` variables.
    S3 {
        /// The bucket's name.
        bucket: String,
        /// What comes before `sha256/ab/cd/` in keys; no slash at either end, may be empty.
        prefix: String,
    },
}

/// The text names no place for blobs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{input}' is no place for blobs: give a folder or s3://bucket/prefix")]
pub struct InvalidLocation {
    /// What was given.
    pub input: String,
}

impl Location {
    /// Reads `s3://bucket`, `s3://bucket/prefix` or a path. Other schemes are refused
    /// rather than taken for a folder of that name.
    pub fn parse(text: &str) -> Result<Self, InvalidLocation> {
        let invalid = || InvalidLocation {
            input: text.to_owned(),
        };
        let Some((scheme, rest)) = text.split_once("://") else {
            return if text.is_empty() {
                Err(invalid())
            } else {
                Ok(Self::Local(PathBuf::from(text)))
            };
        };
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let prefix = prefix.trim_matches('/');
        if scheme != "s3" || !is_bucket(bucket) || object_store::path::Path::parse(prefix).is_err()
        {
            return Err(invalid());
        }
        Ok(Self::S3 {
            bucket: bucket.to_owned(),
            prefix: prefix.to_owned(),
        })
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Local(path) => path.display().fmt(f),
            Self::S3 { bucket, prefix } if prefix.is_empty() => write!(f, "s3://{bucket}"),
            Self::S3 { bucket, prefix } => write!(f, "s3://{bucket}/{prefix}"),
        }
    }
}

/// 3 to 63 of `[a-z0-9.-]` (S3: "bucket naming rules"); older servers also take upper case and `_`.
fn is_bucket(name: &str) -> bool {
    (3..=63).contains(&name.len())
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_and_buckets_are_told_apart() {
        let s3 = |bucket: &str, prefix: &str| Location::S3 {
            bucket: bucket.into(),
            prefix: prefix.into(),
        };
        let table = [
            (
                "/var/lib/larder/blobs",
                Location::Local("/var/lib/larder/blobs".into()),
            ),
            ("blobs", Location::Local("blobs".into())),
            ("s3:odd", Location::Local("s3:odd".into())),
            ("s3://wheels", s3("wheels", "")),
            ("s3://wheels/", s3("wheels", "")),
            ("s3://my.wheels-1/a/b/", s3("my.wheels-1", "a/b")),
        ];
        for (text, expected) in table {
            assert_eq!(Location::parse(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_is_neither_is_refused_with_the_input() {
        for text in [
            "",
            "s3://",
            "s3:///prefix",
            "s3://a b/x",
            "s3://wheels/a//b",
            "gs://wheels",
            "file:///x",
        ] {
            let error = Location::parse(text).unwrap_err();
            assert!(error.to_string().contains(text), "{error}");
        }
    }

    #[test]
    fn display_can_be_parsed_again() {
        for text in ["/srv/blobs", "s3://wheels", "s3://wheels/a/b"] {
            assert_eq!(Location::parse(text).unwrap().to_string(), text);
        }
    }
}
