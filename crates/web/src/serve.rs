//! The accept loop: connections with limits, and a stop that cuts nothing.

use std::convert::Infallible;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use larder_app::Tasks;
use tokio::net::{TcpListener, TcpStream};

use crate::Web;
use crate::patience::boxed;

/// Limits of connections.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// How long a client may take to send the head of a request, and how long
    /// a connection may be idle before the next one (F-07: at least a minute).
    pub head_timeout: Duration,
    /// How long a stop waits for requests under way.
    pub drain: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            head_timeout: Duration::from_mins(1),
            drain: Duration::from_secs(30),
        }
    }
}

/// Largest head of a request, in bytes.
const MAX_HEAD_BYTES: usize = 64 << 10;
/// Most header lines of a request.
const MAX_HEADERS: usize = 100;

/// Serves until `stop` resolves, then lets the requests under way finish;
/// says whether they did so in time.
pub async fn serve(
    web: Web,
    listener: TcpListener,
    tasks: &Tasks,
    limits: Limits,
    stop: impl Future<Output = ()>,
) -> bool {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(limits.head_timeout)
        .max_buf_size(MAX_HEAD_BYTES)
        .max_headers(MAX_HEADERS)
        .half_close(false);
    let graceful = GracefulShutdown::new();
    let mut stop = std::pin::pin!(stop);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut stop => break,
        };
        match accepted {
            Ok((stream, peer)) => connect(&http, &graceful, web.clone(), tasks, stream, peer.ip()),
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                // Out of file descriptors: the loop must not spin.
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
    drop(listener);
    tokio::time::timeout(limits.drain, graceful.shutdown())
        .await
        .is_ok()
}

fn connect(
    http: &http1::Builder,
    graceful: &GracefulShutdown,
    web: Web,
    tasks: &Tasks,
    stream: TcpStream,
    peer: std::net::IpAddr,
) {
    // Pages and heads are written whole: waiting for more only delays them.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request: http::Request<hyper::body::Incoming>| {
        let web = web.clone();
        async move { Ok::<_, Infallible>(web.handle(request.map(boxed), peer).await) }
    });
    let connection = graceful.watch(http.serve_connection(TokioIo::new(stream), service));
    tasks.spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a connection ended early");
        }
    });
}
