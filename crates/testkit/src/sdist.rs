//! A source distribution that needs nothing to be built: it brings its own
//! build backend (PEP 517, in-tree).
//!
//! Invariant: deterministic bytes, one top folder, `PKG-INFO` in it.

use std::io::Write;

use flate2::{Compression, GzBuilder};

const PYPROJECT: &str =
    "[build-system]\nrequires = []\nbuild-backend = \"backend\"\nbackend-path = [\".\"]\n";
const BACKEND: &str = include_str!("backend.py");

/// The `.tar.gz` with these files below its top folder.
pub(crate) fn write_sdist(top: &str, files: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    let own = [("pyproject.toml", PYPROJECT), ("backend.py", BACKEND)];
    let own = own.map(|(path, text)| (path.to_owned(), text.as_bytes().to_owned()));
    for (path, content) in files.iter().chain(&own) {
        let mut header = tar::Header::new_ustar();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        header.set_mtime(0);
        archive
            .append_data(&mut header, format!("{top}/{path}"), content.as_slice())
            .expect("a Vec takes every byte and test paths are short");
    }
    let plain = archive.into_inner().expect("a Vec takes every byte");
    let mut packed = GzBuilder::new()
        .mtime(0)
        .write(Vec::new(), Compression::default());
    packed.write_all(&plain).expect("a Vec takes every byte");
    packed.finish().expect("a Vec takes every byte")
}
