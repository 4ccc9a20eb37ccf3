//! Tiny wheels and sdists that real installers accept.
//!
//! Invariant: deterministic bytes. Left out: native code, entry points beyond
//! console scripts, and wheels that are broken on purpose (pass bytes instead).

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use larder_pypi::ProjectName;
use sha2::{Digest as _, Sha256};

use crate::sdist::write_sdist;
use crate::zip::write_zip;

/// A distribution file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dist {
    /// Normalised name of its project.
    pub project: ProjectName,
    /// Version as given.
    pub version: String,
    /// File name as an uploader would send it.
    pub filename: String,
    /// The whole file.
    pub bytes: Bytes,
    /// 64 lower-case hex digits.
    pub sha256: String,
    /// `METADATA` or `PKG-INFO`, byte for byte.
    pub metadata: Bytes,
    /// As in the metadata.
    pub requires_python: Option<String>,
}

impl Dist {
    /// Whether this is a wheel, and so has a metadata sidecar.
    pub fn is_wheel(&self) -> bool {
        Path::new(&self.filename)
            .extension()
            .is_some_and(|extension| extension == "whl")
    }

    /// Writes the file into a folder and says where.
    pub fn write_into(&self, folder: &Path) -> std::io::Result<PathBuf> {
        let path = folder.join(&self.filename);
        std::fs::write(&path, &self.bytes)?;
        Ok(path)
    }
}

/// Makes a [`Dist`].
#[derive(Debug, Clone)]
pub struct DistBuilder {
    name: String,
    version: String,
    kind: Kind,
    tag: String,
    fields: Vec<(String, String)>,
    description: Option<String>,
    files: Vec<(String, Vec<u8>)>,
    scripts: Vec<(String, String)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Wheel,
    Sdist,
}

impl DistBuilder {
    /// A pure Python wheel.
    pub fn wheel(name: &str, version: &str) -> Self {
        Self::new(name, version, Kind::Wheel)
    }

    /// A `.tar.gz` that builds without any build requirement.
    pub fn sdist(name: &str, version: &str) -> Self {
        Self::new(name, version, Kind::Sdist)
    }

    fn new(name: &str, version: &str, kind: Kind) -> Self {
        Self {
            name: name.to_owned(),
            version: version.to_owned(),
            kind,
            tag: "py3-none-any".to_owned(),
            fields: Vec::new(),
            description: None,
            files: Vec::new(),
            scripts: Vec::new(),
        }
    }

    /// `Requires-Python`.
    pub fn requires_python(self, specifier: &str) -> Self {
        self.field("Requires-Python", specifier)
    }

    /// One more `Requires-Dist`.
    pub fn requires(self, requirement: &str) -> Self {
        self.field("Requires-Dist", requirement)
    }

    /// `Summary`.
    pub fn summary(self, text: &str) -> Self {
        self.field("Summary", text)
    }

    /// Any further metadata field, as it stands.
    pub fn field(mut self, name: &str, value: &str) -> Self {
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The long description, with its media type (`text/markdown`).
    pub fn description(self, content_type: &str, text: &str) -> Self {
        let mut this = self.field("Description-Content-Type", content_type);
        this.description = Some(text.to_owned());
        this
    }

    /// The wheel's tag; `py3-none-any` if not called.
    pub fn tag(mut self, tag: &str) -> Self {
        tag.clone_into(&mut self.tag);
        self
    }

    /// One more file. Without any, there is a module that knows its version.
    pub fn file(mut self, path: &str, content: &[u8]) -> Self {
        self.files.push((path.to_owned(), content.to_owned()));
        self
    }

    /// A file of that many bytes that do not compress.
    pub fn ballast(self, path: &str, len: usize) -> Self {
        let noise = noise(len);
        self.file(path, &noise)
    }

    /// A console script: its name and `module:function`.
    pub fn script(mut self, name: &str, target: &str) -> Self {
        self.scripts.push((name.to_owned(), target.to_owned()));
        self
    }

    /// The finished file.
    pub fn build(self) -> Dist {
        let project = self.name.parse().expect("a test uses valid project names");
        let metadata = self.metadata();
        let (filename, bytes) = match self.kind {
            Kind::Wheel => (
                format!("{}-{}.whl", self.stem(), self.tag),
                self.wheel_bytes(&metadata),
            ),
            Kind::Sdist => (
                format!("{}.tar.gz", self.stem()),
                self.sdist_bytes(&metadata),
            ),
        };
        let requires_python = self
            .fields
            .iter()
            .find(|(name, _)| name == "Requires-Python");
        Dist {
            project,
            filename,
            sha256: hex::encode(Sha256::digest(&bytes)),
            bytes: bytes.into(),
            metadata: metadata.into(),
            requires_python: requires_python.map(|(_, value)| value.clone()),
            version: self.version,
        }
    }

    /// Name and version as file names have them.
    fn stem(&self) -> String {
        format!("{}-{}", self.module(), self.version.replace('-', "_"))
    }

    fn module(&self) -> String {
        let name: ProjectName = self.name.parse().expect("a test uses valid project names");
        name.as_str().replace('-', "_")
    }

    fn metadata(&self) -> Vec<u8> {
        let mut text = format!(
            "Metadata-Version: 2.1\nName: {}\nVersion: {}\n",
            self.name, self.version
        );
        for (name, value) in &self.fields {
            let _ = writeln!(text, "{name}: {value}");
        }
        if let Some(description) = &self.description {
            let _ = write!(text, "\n{description}");
        }
        text.into_bytes()
    }

    /// The files of the project itself.
    fn content(&self) -> Vec<(String, Vec<u8>)> {
        if !self.files.is_empty() {
            return self.files.clone();
        }
        let module = format!("__version__ = \"{}\"\n", self.version);
        vec![(
            format!("{}/__init__.py", self.module()),
            module.into_bytes(),
        )]
    }

    fn wheel_bytes(&self, metadata: &[u8]) -> Vec<u8> {
        let info = format!("{}.dist-info", self.stem());
        let mut wheel =
            "Wheel-Version: 1.0\nGenerator: larder-testkit\nRoot-Is-Purelib: true\n".to_owned();
        for tag in expand_tag(&self.tag) {
            let _ = writeln!(wheel, "Tag: {tag}");
        }
        let mut entries = self.content();
        entries.push((format!("{info}/METADATA"), metadata.to_owned()));
        entries.push((format!("{info}/WHEEL"), wheel.into_bytes()));
        if !self.scripts.is_empty() {
            let path = format!("{info}/entry_points.txt");
            entries.push((path, self.entry_points().into_bytes()));
        }
        entries.push(record(&info, &entries));
        write_zip(&entries)
    }

    fn sdist_bytes(&self, metadata: &[u8]) -> Vec<u8> {
        let mut entries = vec![("PKG-INFO".to_owned(), metadata.to_owned())];
        if !self.scripts.is_empty() {
            entries.push((
                "entry_points.txt".to_owned(),
                self.entry_points().into_bytes(),
            ));
        }
        let content = self.content().into_iter();
        entries.extend(content.map(|(path, bytes)| (format!("src/{path}"), bytes)));
        write_sdist(&self.stem(), &entries)
    }

    fn entry_points(&self) -> String {
        let mut text = "[console_scripts]\n".to_owned();
        for (name, target) in &self.scripts {
            let _ = writeln!(text, "{name} = {target}");
        }
        text
    }
}

/// `RECORD`: path, hash and size of everything but itself.
fn record(info: &str, entries: &[(String, Vec<u8>)]) -> (String, Vec<u8>) {
    let mut text = String::new();
    for (path, content) in entries {
        let hash = URL_SAFE_NO_PAD.encode(Sha256::digest(content));
        let _ = writeln!(text, "{path},sha256={hash},{}", content.len());
    }
    let path = format!("{info}/RECORD");
    let _ = writeln!(text, "{path},,");
    (path, text.into_bytes())
}

/// `py2.py3-none-any` stands for one tag per combination.
fn expand_tag(tag: &str) -> Vec<String> {
    let parts: Vec<Vec<&str>> = tag
        .split('-')
        .map(|part| part.split('.').collect())
        .collect();
    let mut tags = vec![String::new()];
    for part in parts {
        let joined = |head: &String, tail: &&str| {
            if head.is_empty() {
                (*tail).to_owned()
            } else {
                format!("{head}-{tail}")
            }
        };
        tags = tags
            .iter()
            .flat_map(|head| part.iter().map(move |tail| joined(head, tail)))
            .collect();
    }
    tags
}

/// Bytes of a linear congruential generator: no pattern that deflate finds.
fn noise(len: usize) -> Vec<u8> {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        state.to_be_bytes()[0]
    };
    std::iter::repeat_with(next).take(len).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_calls_give_the_same_bytes() {
        let make = || {
            DistBuilder::wheel("Demo.Pkg", "1.0")
                .requires_python(">=3.9")
                .build()
        };
        assert_eq!(make(), make());
        let make = || DistBuilder::sdist("demo", "1.0").build();
        assert_eq!(make(), make());
    }

    #[test]
    fn names_follow_the_standards() {
        let wheel = DistBuilder::wheel("Demo.Pkg", "1.0").build();
        assert_eq!(wheel.filename, "demo_pkg-1.0-py3-none-any.whl");
        assert_eq!(wheel.project.as_str(), "demo-pkg");
        let sdist = DistBuilder::sdist("Demo.Pkg", "1.0").build();
        assert_eq!(sdist.filename, "demo_pkg-1.0.tar.gz");
    }

    #[test]
    fn metadata_has_every_field_in_order() {
        let dist = DistBuilder::wheel("demo", "1.0")
            .requires_python(">=3.9")
            .requires("other>=2")
            .description("text/markdown", "# Demo\n")
            .build();
        let expected = "Metadata-Version: 2.1\nName: demo\nVersion: 1.0\nRequires-Python: >=3.9\n\
            Requires-Dist: other>=2\nDescription-Content-Type: text/markdown\n\n# Demo\n";
        assert_eq!(dist.metadata, expected);
        assert_eq!(dist.requires_python.as_deref(), Some(">=3.9"));
    }

    #[test]
    fn tags_expand_to_every_combination() {
        assert_eq!(
            expand_tag("py2.py3-none-any"),
            ["py2-none-any", "py3-none-any"]
        );
    }

    #[test]
    fn ballast_does_not_compress() {
        let dist = DistBuilder::wheel("demo", "1.0")
            .ballast("demo/data.bin", 100_000)
            .build();
        assert!(dist.bytes.len() > 100_000);
    }
}
