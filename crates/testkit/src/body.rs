//! The body of an answer: at once, or in the broken ways that faults ask for.
//!
//! Invariant: a body that is cut ends in an error, so that the connection is
//! closed in the middle and never ends like a whole one.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::Frame;

use crate::fault::{Fault, Faults};
use crate::shared::Shared;

pub(crate) type Body = UnsyncBoxBody<Bytes, io::Error>;

/// How often a dripping body sends something, per second.
const DRIPS_PER_SECOND: u64 = 20;

enum Step {
    Send(Bytes),
    /// So many bytes a second.
    Drip(Bytes, u64),
    /// Until this fault is cleared.
    Hold(u64),
    Pause(Duration),
    /// Lets the connection write out what it has.
    Flush,
    Break,
}

/// The whole body at once.
pub(crate) fn full(bytes: Bytes) -> Body {
    Full::new(bytes)
        .map_err(|never: Infallible| match never {})
        .boxed_unsync()
}

/// The body as the faults want it, or `None` when they do not care.
pub(crate) fn faulty(bytes: &Bytes, faults: &Faults, shared: &Arc<Shared>) -> Option<Body> {
    let cut = faults.find(|fault| {
        if let Fault::CutAfter(len) = fault {
            Some(*len)
        } else {
            None
        }
    });
    let rate = faults.find(|fault| {
        if let Fault::Drip(rate) = fault {
            Some(*rate)
        } else {
            None
        }
    });
    let stall = faults.stall();
    if cut.is_none() && rate.is_none() && stall.is_none() && !faults.has(&Fault::NoLength) {
        return None;
    }
    let until = |len: u64| usize::try_from(len).unwrap_or(usize::MAX).min(bytes.len());
    let send = |bytes: Bytes| match rate {
        Some(rate) => Step::Drip(bytes, rate.max(1)),
        None => Step::Send(bytes),
    };
    let end = cut.map_or(bytes.len(), until);
    let pause = stall.map_or(end, |(len, _)| until(len).min(end));
    let mut steps = VecDeque::from([send(bytes.slice(..pause))]);
    if let Some((_, fault)) = stall {
        steps.push_back(Step::Hold(fault));
        steps.push_back(send(bytes.slice(pause..end)));
    }
    if cut.is_some() {
        steps.extend([Step::Flush, Step::Break]);
    }
    Some(run(steps, Arc::clone(shared)))
}

fn run(steps: VecDeque<Step>, shared: Arc<Shared>) -> Body {
    let frames = stream::unfold((steps, shared), |(mut steps, shared)| async move {
        loop {
            match steps.pop_front()? {
                Step::Send(bytes) if bytes.is_empty() => {}
                Step::Send(bytes) => return Some((Ok(Frame::data(bytes)), (steps, shared))),
                Step::Drip(bytes, rate) => drip(&mut steps, bytes, rate),
                Step::Hold(fault) => shared.until_cleared(fault).await,
                Step::Pause(time) => tokio::time::sleep(time).await,
                Step::Flush => tokio::task::yield_now().await,
                Step::Break => {
                    let broken = io::Error::other("the test wants the body cut here");
                    return Some((Err(broken), (VecDeque::new(), shared)));
                }
            }
        }
    });
    BodyExt::boxed_unsync(StreamBody::new(frames))
}

/// Turns one step of dripping into: send a little, pause, go on.
fn drip(steps: &mut VecDeque<Step>, mut bytes: Bytes, rate: u64) {
    if bytes.is_empty() {
        return;
    }
    let portion = (rate / DRIPS_PER_SECOND).max(1);
    let len = usize::try_from(portion)
        .unwrap_or(usize::MAX)
        .min(bytes.len());
    let first = bytes.split_to(len);
    let pause = Duration::from_micros(portion.saturating_mul(1_000_000) / rate);
    steps.push_front(Step::Drip(bytes, rate));
    steps.push_front(Step::Pause(pause));
    steps.push_front(Step::Send(first));
}
