//! Listening: a thread of its own with a runtime of its own, so that a test's
//! paused clock or busy runtime does not touch the upstream.
//!
//! Invariant: while it is down nothing listens, every connection is gone, and
//! the port stays ours.

use std::io;
use std::net::{SocketAddr, TcpStream as StdStream};
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

use crate::respond::{ResetWanted, respond};
use crate::shared::Shared;

const BACKLOG: u32 = 1024;

/// What the owner asks of the server.
pub(crate) enum Command {
    /// Stop listening and drop every connection, or listen again.
    SetDown(bool, oneshot::Sender<()>),
}

/// Starts listening and says where. Ends when the sender of commands is gone.
pub(crate) async fn start(
    address: SocketAddr,
    workers: usize,
    shared: Arc<Shared>,
) -> io::Result<(SocketAddr, mpsc::UnboundedSender<Command>)> {
    let (started, is_started) = oneshot::channel();
    let (commands, inbox) = mpsc::unbounded_channel();
    std::thread::Builder::new()
        .name("fake-index".to_owned())
        .spawn(move || {
            let mut builder = match workers {
                0 | 1 => tokio::runtime::Builder::new_current_thread(),
                _ => tokio::runtime::Builder::new_multi_thread(),
            };
            let runtime = builder
                .worker_threads(workers.max(1))
                .enable_all()
                .build()
                .expect("a runtime");
            runtime.block_on(async move {
                match bind(address).and_then(|socket| socket.listen(BACKLOG)) {
                    Ok(listener) => {
                        let _ = started.send(listener.local_addr());
                        serve(listener, inbox, &shared).await;
                    }
                    Err(error) => {
                        let _ = started.send(Err(error));
                    }
                }
            });
        })?;
    let address = is_started.await.map_err(io::Error::other)??;
    Ok((address, commands))
}

fn bind(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = if address.is_ipv4() {
        TcpSocket::new_v4()?
    } else {
        TcpSocket::new_v6()?
    };
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}

async fn serve(
    mut listener: TcpListener,
    mut inbox: mpsc::UnboundedReceiver<Command>,
    shared: &Arc<Shared>,
) {
    let address = listener.local_addr().expect("a listener has an address");
    loop {
        accept_until_down(listener, &mut inbox, shared).await;
        // Bound but not listening: connections are refused, the port is kept.
        let Ok(socket) = bind(address) else { return };
        loop {
            match inbox.recv().await {
                None => return,
                Some(Command::SetDown(true, done)) => drop(done.send(())),
                Some(Command::SetDown(false, done)) => {
                    listener = socket.listen(BACKLOG).expect("a bound socket listens");
                    let _ = done.send(());
                    break;
                }
            }
        }
    }
}

async fn accept_until_down(
    listener: TcpListener,
    inbox: &mut mpsc::UnboundedReceiver<Command>,
    shared: &Arc<Shared>,
) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                if let Ok((stream, _)) = accepted {
                    connections.spawn(handle(stream, Arc::clone(shared)));
                }
            }
            Some(_) = connections.join_next() => {}
            command = inbox.recv() => match command {
                Some(Command::SetDown(false, done)) => drop(done.send(())),
                Some(Command::SetDown(true, done)) => {
                    drop(listener);
                    connections.shutdown().await;
                    let _ = done.send(());
                    return;
                }
                None => return,
            },
        }
    }
}

/// Serves one connection; a request that wants a reset ends it with one.
async fn handle(stream: TcpStream, shared: Arc<Shared>) {
    let _ = stream.set_nodelay(true);
    let Ok((stream, second)) = twice(stream) else {
        return;
    };
    let service = service_fn(|request| {
        let (shared, second) = (&shared, &second);
        async move {
            respond(shared, request).await.map_err(|ResetWanted| {
                // Closing with zero linger sends RST.
                let _ = rustix::net::sockopt::set_socket_linger(second, Some(Duration::ZERO));
                io::Error::from(io::ErrorKind::ConnectionReset)
            })
        }
    });
    let _ = http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

/// The stream, and a second handle to its socket.
fn twice(stream: TcpStream) -> io::Result<(TcpStream, StdStream)> {
    let stream = stream.into_std()?;
    let second = stream.try_clone()?;
    Ok((TcpStream::from_std(stream)?, second))
}
