//! How a page points at files: relative to itself, from the root, or by whole URLs.

use std::fmt::Write as _;
use std::sync::Arc;

use larder_model::IndexName;

use crate::file_path::FilePath;

/// How the links of a page are written.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum LinkStyle {
    /// Relative to `/{user}/{index}/+simple/{project}/`: survives any proxy.
    Relative,
    /// From the root, below this prefix (empty, or `/prefix` of the outside
    /// URL): right at every depth, for the other spellings of the page (S-04).
    Rooted(Arc<str>),
    /// With scheme and host (devpi: 0.7).
    Absolute {
        /// The server's URL as the client sees it, without a final slash.
        base: Arc<str>,
        /// Few clients see another: such pages may be kept in memory.
        keep: bool,
    },
}

impl LinkStyle {
    /// Whether a page with such links may be kept: memory does not grow with
    /// what strangers write into a header.
    pub(crate) fn is_kept(&self) -> bool {
        !matches!(self, Self::Absolute { keep: false, .. })
    }

    /// The link from the page of `from` to a file of `owner`. The last
    /// segment decodes to the file's name (S-17).
    pub fn link(&self, from: &IndexName, owner: &IndexName, path: &FilePath) -> String {
        let mut link = String::with_capacity(64 + path.filename.len());
        match self {
            Self::Relative if from == owner => link.push_str("../../"),
            Self::Relative if from.user() == owner.user() => {
                link.push_str("../../../");
                encode_segment(&mut link, owner.index());
                link.push('/');
            }
            Self::Relative => {
                link.push_str("../../../../");
                push_index(&mut link, owner);
            }
            Self::Rooted(base) | Self::Absolute { base, .. } => {
                link.push_str(base);
                link.push('/');
                push_index(&mut link, owner);
            }
        }
        push_path(&mut link, path);
        link
    }
}

/// `user/index/`, encoded.
fn push_index(link: &mut String, index: &IndexName) {
    encode_segment(link, index.user().as_str());
    link.push('/');
    encode_segment(link, index.index());
    link.push('/');
}

/// `+f/AAA/BBB/FILENAME`, encoded; devpi leaves `+` as it is.
fn push_path(link: &mut String, path: &FilePath) {
    let text = path.to_string();
    for (position, segment) in text.split('/').enumerate() {
        if position > 0 {
            link.push('/');
        }
        encode_segment(link, segment);
    }
}

/// Percent-encodes everything that is not safe in a path segment.
pub(crate) fn encode_segment(out: &mut String, segment: &str) {
    for byte in segment.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~+!@:,".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
}

/// A path from the root, encoded; a part may hold slashes of its own.
pub fn encoded_path(parts: &[&str]) -> String {
    let mut path = String::with_capacity(64);
    for segment in parts.iter().flat_map(|part| part.split('/')) {
        path.push('/');
        encode_segment(&mut path, segment);
    }
    path
}

/// The path of a file from the root, encoded: `/user/index/+f/...`.
pub(crate) fn rooted(owner: &IndexName, path: &FilePath) -> String {
    LinkStyle::Rooted("".into()).link(owner, owner, path)
}

#[cfg(test)]
mod tests {
    use super::LinkStyle;
    use crate::FilePath;

    #[test]
    fn links_lead_from_the_page_to_the_owning_index() {
        let path = FilePath::from_segments("+f", &["abc", "0123456789abc", "a b-1.0+x.whl"])
            .expect("a path");
        let name = |text: &str| text.parse().expect("an index name");
        let relative = |owner| LinkStyle::Relative.link(&name("app/dev"), &name(owner), &path);
        assert_eq!(
            relative("app/dev"),
            "../../+f/abc/0123456789abc/a%20b-1.0+x.whl"
        );
        assert_eq!(
            relative("app/b1"),
            "../../../b1/+f/abc/0123456789abc/a%20b-1.0+x.whl"
        );
        assert_eq!(
            relative("root/pypi"),
            "../../../../root/pypi/+f/abc/0123456789abc/a%20b-1.0+x.whl"
        );
        let rooted =
            LinkStyle::Rooted("/px".into()).link(&name("app/dev"), &name("root/pypi"), &path);
        assert_eq!(rooted, "/px/root/pypi/+f/abc/0123456789abc/a%20b-1.0+x.whl");
        let absolute = LinkStyle::Absolute {
            base: "https://example.com/px".into(),
            keep: true,
        };
        assert_eq!(
            absolute.link(&name("app/dev"), &name("app/dev"), &path),
            "https://example.com/px/app/dev/+f/abc/0123456789abc/a%20b-1.0+x.whl"
        );
    }
}
