//! Archives built byte by byte, straight and bent.

mod build;
mod docs;
mod sdist;
mod wheel;

use super::*;

const METADATA: &[u8] = b"Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n\ntext\n";
