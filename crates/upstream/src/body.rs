//! Bodies: the small ones whole, the large ones as a stream.
//!
//! Invariant: both end in an error unless the upstream sent everything it
//! announced; neither waits for ever.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::stream::BoxStream;
use futures_util::{Stream, StreamExt, stream};
use reqwest::Response;
use url::Url;

use crate::error::{Error, host_of};
use crate::slots::Slot;

/// The whole body, at most `limit` bytes.
///
/// # Errors
/// [`Error::TooLarge`], [`Error::Cut`]. The caller sets the deadline.
pub(crate) async fn collect(mut response: Response, url: &Url, limit: u64) -> Result<Bytes, Error> {
    let too_large = || Error::TooLarge {
        host: host_of(url),
        limit,
    };
    let announced = response.content_length().unwrap_or_default();
    if announced > limit {
        return Err(too_large());
    }
    let mut body = BytesMut::with_capacity(usize::try_from(announced).unwrap_or_default());
    while let Some(chunk) = response
        .chunk()
        .await
        .map_err(|error| Error::cut(&host_of(url), Some(error)))?
    {
        if (body.len() + chunk.len()) as u64 > limit {
            return Err(too_large());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

/// The body as it comes, without its first `skip` bytes. Holds the slot, waits
/// at most `patience` for each next byte, and ends after its first error.
pub(crate) fn follow(
    chunks: impl Stream<Item = reqwest::Result<Bytes>> + Send + Unpin + 'static,
    host: String,
    skip: u64,
    patience: Duration,
    slot: Slot,
) -> BoxStream<'static, Result<Bytes, Error>> {
    let going = Some(Following {
        chunks,
        host,
        skip,
        patience,
        slot,
    });
    stream::unfold(going, async |going| {
        let mut following = going?;
        match following.next().await {
            Ok(Some(chunk)) => Some((Ok(chunk), Some(following))),
            Ok(None) => None,
            Err(error) => Some((Err(error), None)),
        }
    })
    .boxed()
}

struct Following<S> {
    chunks: S,
    host: String,
    skip: u64,
    patience: Duration,
    #[expect(dead_code, reason = "held until the end of the body")]
    slot: Slot,
}

impl<S: Stream<Item = reqwest::Result<Bytes>> + Unpin> Following<S> {
    async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        loop {
            let next = tokio::time::timeout(self.patience, self.chunks.next()).await;
            let next = next.map_err(|_| Error::Timeout {
                host: self.host.clone(),
            })?;
            match next {
                Some(Ok(mut chunk)) => {
                    let skipped = usize::try_from(self.skip)
                        .unwrap_or(usize::MAX)
                        .min(chunk.len());
                    self.skip -= skipped as u64;
                    let rest = chunk.split_off(skipped);
                    if !rest.is_empty() {
                        return Ok(Some(rest));
                    }
                }
                Some(Err(error)) => return Err(Error::cut(&self.host, Some(error))),
                None if self.skip > 0 => return Err(Error::cut(&self.host, None)),
                None => return Ok(None),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::sync::Semaphore;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(30);

    async fn followed(
        chunks: impl Stream<Item = reqwest::Result<Bytes>> + Send + Unpin + 'static,
        skip: u64,
    ) -> (Vec<Bytes>, Option<Error>, usize) {
        let slots = Arc::new(Semaphore::new(1));
        let slot = Arc::clone(&slots).acquire_owned().await.unwrap();
        let mut body = follow(chunks, "example.com".to_owned(), skip, PATIENCE, slot);
        let (mut whole, mut failed) = (Vec::new(), None);
        while let Some(item) = body.next().await {
            match item {
                Ok(chunk) => whole.push(chunk),
                Err(error) => failed = Some(error),
            }
        }
        (whole, failed, slots.available_permits())
    }

    fn chunks(
        parts: &[&'static str],
    ) -> impl Stream<Item = reqwest::Result<Bytes>> + Send + Unpin + use<> {
        let parts: Vec<_> = parts
            .iter()
            .map(|part| Ok(Bytes::from_static(part.as_bytes())))
            .collect();
        stream::iter(parts)
    }

    #[tokio::test]
    async fn the_slot_is_free_when_the_body_has_ended() {
        let (whole, failed, free) = followed(chunks(&["ab", "cd"]), 0).await;
        assert_eq!(
            (whole.concat(), failed.is_none(), free),
            (b"abcd".to_vec(), true, 1)
        );
    }

    #[tokio::test]
    async fn the_first_bytes_are_skipped() {
        for (skip, rest) in [(1, "bcd"), (2, "cd"), (3, "d"), (4, "")] {
            let (whole, failed, _) = followed(chunks(&["ab", "cd"]), skip).await;
            assert_eq!(
                (whole.concat(), failed.is_none()),
                (rest.as_bytes().to_vec(), true),
                "{skip}"
            );
        }
        let (_, failed, _) = followed(chunks(&["ab", "cd"]), 5).await;
        assert!(matches!(failed, Some(Error::Cut { .. })), "{failed:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn silence_ends_in_an_error() {
        let silent = chunks(&["ab"]).chain(stream::pending());
        let (whole, failed, free) = followed(silent, 0).await;
        assert_eq!((whole.concat(), free), (b"ab".to_vec(), 1));
        assert!(matches!(failed, Some(Error::Timeout { .. })), "{failed:?}");
    }
}
