//! Bodies of requests and answers.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::stream::{BoxStream, Stream};
use http_body::{Frame, SizeHint};
use larder_app::{Error, error_chain};

/// The body of a request, whatever transport it came by.
pub type RequestBody =
    http_body_util::combinators::UnsyncBoxBody<Bytes, Box<dyn std::error::Error + Send + Sync>>;

/// The body of an answer.
pub enum Body {
    /// Bytes at hand; `None` once sent.
    Whole(Option<Bytes>),
    /// Bytes to come; an error cuts the connection.
    Stream {
        /// What is left, if the length is known.
        left: Option<u64>,
        /// The bytes.
        bytes: BoxStream<'static, Result<Bytes, Error>>,
    },
}

impl Body {
    /// No bytes.
    pub fn empty() -> Self {
        Self::Whole(None)
    }
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        Self::Whole((!bytes.is_empty()).then_some(bytes))
    }
}

impl From<String> for Body {
    fn from(text: String) -> Self {
        Bytes::from(text).into()
    }
}

impl std::fmt::Debug for Body {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Whole(bytes) => {
                write!(f, "Whole({} bytes)", bytes.as_ref().map_or(0, Bytes::len))
            }
            Self::Stream { left, .. } => write!(f, "Stream({left:?} bytes left)"),
        }
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        match &mut *self {
            Self::Whole(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Self::Stream { left, bytes } => {
                let chunk = std::task::ready!(Pin::new(bytes).poll_next(context));
                Poll::Ready(match chunk {
                    Some(Ok(chunk)) => {
                        if let Some(left) = left {
                            *left = left.saturating_sub(chunk.len() as u64);
                        }
                        Some(Ok(Frame::data(chunk)))
                    }
                    Some(Err(error)) => {
                        tracing::warn!(error = %error_chain(&error), "an answer is cut short");
                        Some(Err(error))
                    }
                    None => None,
                })
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Whole(None))
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(bytes) => {
                SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64))
            }
            Self::Stream {
                left: Some(left), ..
            } => SizeHint::with_exact(*left),
            Self::Stream { left: None, .. } => SizeHint::default(),
        }
    }
}
