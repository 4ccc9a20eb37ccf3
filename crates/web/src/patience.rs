//! Bodies of requests, read with an end to patience.
//!
//! Invariant: a client that falls silent in the middle of a body holds its
//! place for [`SILENCE`] and no longer. Time runs only while a byte is awaited.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use tokio::time::{Sleep, sleep};

use crate::body::RequestBody;

/// How long a body may be silent.
const SILENCE: Duration = Duration::from_mins(1);

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Any body as a request's.
pub(crate) fn boxed<B>(body: B) -> RequestBody
where
    B: Body<Data = Bytes, Error: Into<BoxError>> + Send + Unpin + 'static,
{
    Patient {
        body,
        silence: None,
    }
    .boxed_unsync()
}

struct Patient<B> {
    body: B,
    /// Running while a byte is awaited.
    silence: Option<Pin<Box<Sleep>>>,
}

impl<B> Body for Patient<B>
where
    B: Body<Data = Bytes, Error: Into<BoxError>> + Unpin,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(context) {
            self.silence = None;
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        let silence = self.silence.get_or_insert_with(|| Box::pin(sleep(SILENCE)));
        ready!(silence.as_mut().poll(context));
        Poll::Ready(Some(Err("the client fell silent".into())))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bytes::Bytes;
    use futures_util::stream::{self, StreamExt};
    use http_body::Frame;
    use http_body_util::{BodyExt, StreamBody};

    use super::{SILENCE, boxed};

    #[tokio::test(start_paused = true)]
    async fn a_silent_body_ends_in_an_error_and_a_slow_one_does_not() {
        let slow = stream::iter(0..3).then(|_| async {
            tokio::time::sleep(Duration::from_secs(50)).await;
            Ok::<_, std::io::Error>(Frame::data(Bytes::from_static(b"x")))
        });
        let mut body = boxed(StreamBody::new(Box::pin(slow.chain(stream::pending()))));
        for _ in 0..3 {
            assert!(body.frame().await.is_some_and(|frame| frame.is_ok()));
        }
        let before = tokio::time::Instant::now();
        assert!(body.frame().await.is_some_and(|frame| frame.is_err()));
        assert_eq!(before.elapsed(), SILENCE);
    }
}
