//! A Larder behind a real socket, and clients that write whatever bytes they like.

use std::net::SocketAddr;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use larder_app::Tasks;
use larder_testkit::DistBuilder;
use larder_web::Limits;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use crate::common::{ROOT, TestLarder};

/// How long an exchange may take, its close included.
const LIMIT: Duration = Duration::from_secs(10);

pub(crate) struct Wire {
    pub(crate) larder: TestLarder,
    address: SocketAddr,
    tasks: Tasks,
}

/// One answer out of the bytes of a connection.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Wire {
    /// With demo 1.0 in `root/public`.
    pub(crate) async fn start() -> Self {
        let larder = TestLarder::start().await;
        let dist = DistBuilder::wheel("demo", "1.0").build();
        let uploaded = larder.upload("root/public", &dist).await;
        assert_eq!(uploaded.status, StatusCode::OK, "{uploaded:?}");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (web, tasks) = (larder.web.clone(), Tasks::default());
        let own = tasks.clone();
        tasks.spawn(async move {
            let stop = own.stopping();
            larder_web::serve(web, listener, &own, Limits::default(), stop).await
        });
        Self {
            larder,
            address,
            tasks,
        }
    }

    /// Sends the bytes, reads until the server closes, and tells the answers.
    /// A server that leaves the connection open fails the test.
    pub(crate) async fn exchange(&self, bytes: &[u8]) -> Vec<Reply> {
        let stream = TcpStream::connect(self.address)
            .await
            .expect("a connection");
        let (mut read, mut write) = stream.into_split();
        let bytes = bytes.to_vec();
        let sending = self.tasks.spawn(async move {
            // The server may have closed before all is sent.
            let _ = write.write_all(&bytes).await;
            write
        });
        let mut received = Vec::new();
        let end = timeout(LIMIT, read.read_to_end(&mut received)).await;
        // A reset is an end, too.
        assert!(end.is_ok(), "left open after {}", show(&received));
        sending.abort();
        replies(&received)
    }

    /// What no refused request may have done.
    pub(crate) async fn assert_unharmed(&self, what: &str) {
        let page = self.larder.page("root/public", "demo").await;
        assert_eq!(page.status, StatusCode::OK, "{what}");
        let users = self.larder.get("/").accept("application/json").send().await;
        let users = users.json()["result"].as_object().map(serde_json::Map::len);
        assert_eq!(users, Some(2), "{what}: root and app");
        assert_eq!(self.larder.spools(), 0, "{what}");
    }
}

pub(crate) fn statuses(replies: &[Reply]) -> Vec<u16> {
    replies.iter().map(|reply| reply.status).collect()
}

/// The value of `Authorization` for root.
pub(crate) fn root() -> String {
    format!("Basic {}", STANDARD.encode(format!("root:{ROOT}")))
}

/// The answers that stand one after the other in these bytes.
fn replies(mut bytes: &[u8]) -> Vec<Reply> {
    let mut replies = Vec::new();
    while let Some(end) = find(bytes, b"\r\n\r\n") {
        let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
        bytes = &bytes[end + 4..];
        let status = head.split(' ').nth(1).and_then(|text| text.parse().ok());
        let status = status.unwrap_or_else(|| panic!("no answer: {head}"));
        if status == 100 {
            continue;
        }
        let body = if head.contains("\r\ntransfer-encoding: chunked") {
            unchunked(&mut bytes)
        } else {
            let len = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "));
            let len: usize = len.map_or(0, |len| len.trim().parse().expect("a length"));
            let (body, rest) = bytes.split_at(len.min(bytes.len()));
            bytes = rest;
            body.to_vec()
        };
        replies.push(Reply { status, head, body });
    }
    assert!(bytes.is_empty(), "more than answers: {}", show(bytes));
    replies
}

fn unchunked(bytes: &mut &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    loop {
        let end = find(bytes, b"\r\n").expect("a chunk's size");
        let size = std::str::from_utf8(&bytes[..end]).expect("ASCII");
        let size = usize::from_str_radix(size, 16).expect("a size");
        body.extend_from_slice(&bytes[end + 2..end + 2 + size]);
        *bytes = &bytes[end + 4 + size..];
        if size == 0 {
            return body;
        }
    }
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}

pub(crate) fn show(bytes: &[u8]) -> String {
    String::from_utf8_lossy(&bytes[..bytes.len().min(300)]).into_owned()
}
