//! The sockets of an HTTP port: who may come in, and whose time is up. What is asked for is the router's.
//!
//! A connection has [`Limits::head`] for each request's head, also before its first; the body's deadline
//! is its reader's. When as many are open as may be, the one that has waited longest without a request
//! that was let in makes room, so that those who only hold sockets keep nobody out.

use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper::service::Service as _;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;

use crate::node::stop::stopped;

/// Bytes of a request's head, and of what is read ahead of its body.
const HEAD_BYTES_MAX: usize = 16 << 10;
/// Lines of a request's head.
const HEAD_LINES_MAX: usize = 64;
/// What requests get to end when the server stops.
const GRACE: Duration = Duration::from_secs(1);
/// After the system had no socket to give.
const NO_SOCKET: Duration = Duration::from_millis(50);

/// What strangers may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Connections.
    pub connections_max: usize,
    /// For the head of each request.
    pub head: Duration,
    /// For the body of each request.
    pub body: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        let (head, body) = (Duration::from_secs(15), Duration::from_secs(30));
        Self { connections_max: 1024, head, body }
    }
}

/// Who is at the other end; every request carries one as an extension.
#[derive(Debug)]
pub struct Visitor {
    peer: SocketAddr,
    is_proven: AtomicBool,
    close: Notify,
}

impl Visitor {
    fn new(peer: SocketAddr) -> Self {
        Self { peer, is_proven: AtomicBool::new(false), close: Notify::new() }
    }

    /// Its address.
    #[must_use]
    pub fn ip(&self) -> IpAddr {
        self.peer.ip()
    }

    /// Remembers that a request of this connection was let in: it is not closed for others' sake.
    pub fn prove(&self) {
        self.is_proven.store(true, Ordering::Relaxed);
    }

    fn is_proven(&self) -> bool {
        self.is_proven.load(Ordering::Relaxed)
    }
}

/// Serves until `stopping` turns true, then lets what runs end for a second.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    limits: Limits,
    mut stopping: watch::Receiver<bool>,
) {
    let mut tasks = JoinSet::new();
    // Those that have not proven themselves when they came, the oldest first.
    let mut unproven: VecDeque<Weak<Visitor>> = VecDeque::new();
    loop {
        let (stream, peer) = tokio::select! {
            biased;
            () = stopped(&mut stopping) => break,
            Some(_) = tasks.join_next() => continue,
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    wait_for_sockets(&error).await;
                    continue;
                }
            },
        };
        unproven.retain(|visitor| visitor.upgrade().is_some_and(|one| !one.is_proven()));
        if tasks.len() >= limits.connections_max {
            match unproven.pop_front().and_then(|visitor| visitor.upgrade()) {
                Some(oldest) => oldest.close.notify_one(),
                // Everybody here is known: the newest has to wait outside.
                None => continue,
            }
        }
        let visitor = Arc::new(Visitor::new(peer));
        unproven.push_back(Arc::downgrade(&visitor));
        tasks.spawn(attend(stream, router.clone(), visitor, limits, stopping.clone()));
    }
    drop(listener);
    let all = async { while tasks.join_next().await.is_some() {} };
    if tokio::time::timeout(GRACE, all).await.is_err() {
        tasks.shutdown().await;
    }
}

async fn wait_for_sockets(error: &io::Error) {
    // The one who went away again is no reason to wait.
    if error.kind() != io::ErrorKind::ConnectionAborted {
        tracing::warn!(%error, "no connection can be accepted");
        tokio::time::sleep(NO_SOCKET).await;
    }
}

async fn attend(
    stream: TcpStream,
    router: Router,
    visitor: Arc<Visitor>,
    limits: Limits,
    mut stopping: watch::Receiver<bool>,
) {
    // Small answers leave at once; a socket that refuses is served all the same.
    let _ = stream.set_nodelay(true);
    let known = Arc::clone(&visitor);
    let router = TowerToHyperService::new(router);
    let service =
        hyper::service::service_fn(move |mut request: hyper::Request<hyper::body::Incoming>| {
            request.extensions_mut().insert(Arc::clone(&known));
            router.call(request)
        });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head)
        .max_buf_size(HEAD_BYTES_MAX)
        .max_headers(HEAD_LINES_MAX)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    let is_ended = tokio::select! {
        // How a connection ends is of no interest: who hangs up has their reasons.
        _ = connection.as_mut() => true,
        () = visitor.close.notified() => true,
        () = stopped(&mut stopping) => false,
    };
    if !is_ended {
        connection.as_mut().graceful_shutdown();
        let _ = connection.await;
    }
}
