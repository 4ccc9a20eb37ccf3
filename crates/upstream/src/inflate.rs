//! Gzip, inflated up to a limit (H17): never by the HTTP client, which has none.

use std::io::Read;

use flate2::read::MultiGzDecoder;

/// Why there is no inflated text.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum InflateError {
    /// It is longer than the limit.
    TooLarge,
    /// It is not gzip, or was cut.
    Broken,
}

/// Inflates at most `limit` bytes. Blocks for as long as that takes.
pub(crate) fn inflate(packed: &[u8], limit: u64) -> Result<Vec<u8>, InflateError> {
    // An honest bomb says so in its last four bytes; a lying one is stopped below.
    let announced = announced_len(packed);
    if announced > limit {
        return Err(InflateError::TooLarge);
    }
    let mut plain = Vec::with_capacity(usize::try_from(announced).unwrap_or_default());
    let mut reader = MultiGzDecoder::new(packed).take(limit.saturating_add(1));
    reader
        .read_to_end(&mut plain)
        .map_err(|_| InflateError::Broken)?;
    if plain.len() as u64 > limit {
        Err(InflateError::TooLarge)
    } else {
        Ok(plain)
    }
}

/// The length of the last member, modulo 4 GiB, as it says itself.
fn announced_len(packed: &[u8]) -> u64 {
    packed
        .last_chunk()
        .map_or(0, |bytes| u64::from(u32::from_le_bytes(*bytes)))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn gzip(plain: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(plain).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn what_fits_is_inflated() {
        let packed = gzip(b"hello");
        assert_eq!(inflate(&packed, 5).unwrap(), b"hello");
        assert_eq!(inflate(&packed, 4), Err(InflateError::TooLarge));
        let two = [gzip(b"hello "), gzip(b"world")].concat();
        assert_eq!(inflate(&two, 11).unwrap(), b"hello world");
        assert_eq!(inflate(&two, 10), Err(InflateError::TooLarge));
    }

    #[test]
    fn a_bomb_that_lies_is_stopped_too() {
        let mut packed = gzip(&vec![0; 100_000]);
        let end = packed.len();
        packed[end - 4..].copy_from_slice(&5_u32.to_le_bytes());
        assert_eq!(inflate(&packed, 1000), Err(InflateError::TooLarge));
    }

    #[test]
    fn what_is_broken_is_not_believed() {
        let packed = gzip(b"hello hello hello");
        for bytes in [&packed[..packed.len() - 9], b"no gzip", b""] {
            assert_eq!(
                inflate(bytes, u64::from(u32::MAX)),
                Err(InflateError::Broken),
                "{bytes:?}"
            );
        }
    }
}
