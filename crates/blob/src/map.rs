//! Files as memory: the only unsafe code of the house.
//!
//! Invariant: only files are mapped that nobody writes any more, finished
//! spools and blobs. Somebody who truncates one by hand while it is being
//! served ends the process (SIGBUS) or, more often, one connection.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use memmap2::{Advice, Mmap, MmapOptions};

/// A mapped file. Clones and slices share the mapping, which outlives the file's name.
#[derive(Debug, Clone)]
pub(crate) struct Map {
    mapping: Arc<Mmap>,
    bytes: Bytes,
}

struct Owner(Arc<Mmap>);

impl AsRef<[u8]> for Owner {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Map {
    /// Maps the first `len` bytes, which the file must have.
    pub(crate) fn new(file: &File, len: u64) -> io::Result<Self> {
        let len = usize::try_from(len).map_err(|_| io::ErrorKind::FileTooLarge)?;
        #[expect(unsafe_code, reason = "sends files without copying them")]
        // SAFETY: the bytes behind a mapping must not change or vanish. The file is a finished
        // spool or a blob: both are private to this user (0600), are never opened for writing
        // again and never truncated; a blob is removed by unlinking, which leaves mappings whole.
        let mapping = unsafe { MmapOptions::new().len(len).map(file)? };
        let mapping = Arc::new(mapping);
        Ok(Self {
            bytes: Bytes::from_owner(Owner(Arc::clone(&mapping))),
            mapping,
        })
    }

    /// Brings a part into memory, so that who reads it next does not wait for the
    /// disk; an error if the file has no such part any more. Blocks.
    pub(crate) fn load(&self, part: &Range<usize>) -> io::Result<()> {
        match self
            .mapping
            .advise_range(Advice::PopulateRead, part.start, part.len())
        {
            // Before Linux 5.14 the pages come when they are touched.
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => Ok(()),
            loaded => loaded,
        }
    }

    /// Lets the kernel read ahead.
    pub(crate) fn expect_sequential(&self) {
        // Only a hint: nothing depends on it.
        let _ = self.mapping.advise(Advice::Sequential);
    }

    /// A part of the bytes, shared, not copied.
    pub(crate) fn slice(&self, part: Range<usize>) -> Bytes {
        self.bytes.slice(part)
    }

    /// All bytes, shared, not copied.
    pub(crate) fn into_bytes(self) -> Bytes {
        self.bytes
    }
}
