//! The sockets of a stratum port: who may come in, whose time is up, and one conductor who hands every
//! new job to every connection. It knows nothing of the protocol.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;

use super::connection::{Closing, Connection};
use super::desk::{Desk, Issue};
use super::job::Job;
use super::limits::SEND_BUFFER_BYTES;
use crate::engine::Apart;
use crate::node::clock::{Moment, Moments};
use crate::node::handle::Handle;

/// Connections that the system completes before they are accepted.
const BACKLOG: u32 = 4096;
/// How often deadlines are looked at.
const TICK: Duration = Duration::from_millis(250);
/// Connections that are served before other tasks have their turn.
const TURN: usize = 64;
/// Until connections are gone when the server stops.
const STOP: Duration = Duration::from_millis(1500);
/// After the system had no socket to give.
const NO_SOCKET: Duration = Duration::from_millis(50);

/// How many may come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Crowd {
    /// Connections.
    pub connections_max: usize,
    /// Of these, not logged in; the oldest makes room for the newest.
    pub half_open_max: usize,
    /// The same from one address, which gets no more.
    pub half_open_per_address_max: usize,
}

impl Crowd {
    /// As many connections, half of which may be on their way in, half of these from one address.
    #[must_use]
    pub fn of(connections_max: usize) -> Self {
        let half = |number: usize| (number / 2).max(1);
        let half_open_max = half(connections_max);
        let half_open_per_address_max = half(half_open_max);
        Self { connections_max, half_open_max, half_open_per_address_max }
    }

    /// Nine tenths of the files that this process may open (ckpool), after raising its limit as far as it
    /// may itself. The rest is for everything else.
    #[must_use]
    pub fn of_this_process() -> Self {
        Self::of(files_max() / 10 * 9)
    }
}

/// Files that this process may open, as far as it can raise the limit itself.
#[must_use]
pub fn files_max() -> usize {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let limit = getrlimit(Resource::Nofile);
        let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
        let is_raised = setrlimit(Resource::Nofile, raised).is_ok();
        let files = if is_raised { limit.maximum } else { limit.current };
        files.map_or(usize::MAX / 16, |files| usize::try_from(files).unwrap_or(usize::MAX / 16))
    }
    #[cfg(not(target_os = "linux"))]
    1024
}

/// Numbers of a running server.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Status {
    /// Connections now.
    pub connections: usize,
    /// Of these, not logged in.
    pub half_open: usize,
    /// Connections accepted since the start.
    pub accepted: u64,
    /// Turned away for want of room.
    pub refused: u64,
    /// Connections that ended, by why.
    pub ended: BTreeMap<Closing, u64>,
    /// Microseconds that the last job took on its way to everybody.
    pub last_broadcast_us: u64,
}

/// A listening socket whose connections are as the server wants them.
///
/// # Errors
///
/// If the address cannot be bound.
pub fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // What is accepted inherits these.
    socket.set_reuseaddr(true)?;
    socket.set_keepalive(true)?;
    socket.set_send_buffer_size(u32::try_from(SEND_BUFFER_BYTES).expect("a small number"))?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// A running server. Dropping it without [`Server::stop`] lets it run until the runtime ends.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    shared: Arc<Shared>,
    stop: watch::Sender<bool>,
    tasks: [JoinHandle<()>; 2],
}

#[derive(Debug)]
struct Shared {
    desk: Arc<Desk>,
    handle: Handle,
    moments: Moments,
    crowd: Crowd,
    table: Mutex<Table>,
    /// The table has become empty.
    emptied: Notify,
    last_broadcast_us: AtomicU64,
    /// When something was last written to the log that a client can cause.
    told_ms: AtomicU64,
}

/// Who is here.
#[derive(Debug, Default)]
struct Table {
    connections: HashMap<u64, Arc<Connection>>,
    /// Those that have not logged in, the oldest first.
    half_open: BTreeSet<u64>,
    half_open_by_address: HashMap<IpAddr, usize>,
    next: u64,
    refused: u64,
    ended: BTreeMap<Closing, u64>,
}

impl Server {
    /// Serves `listener`, from [`bind`], with the jobs of `handle`. Within a runtime.
    ///
    /// # Errors
    ///
    /// If the listener is broken, or no job number can be reserved.
    pub fn start(
        listener: TcpListener,
        desk: Arc<Desk>,
        handle: Handle,
        moments: Moments,
        crowd: Crowd,
    ) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let (stop, stopping) = watch::channel(false);
        let shared = Arc::new(Shared {
            desk,
            handle,
            moments,
            crowd,
            table: Mutex::default(),
            emptied: Notify::new(),
            last_broadcast_us: AtomicU64::new(0),
            told_ms: AtomicU64::new(0),
        });
        let changes = shared.handle.changes();
        // Whoever comes first finds a job.
        shared.desk.offer(shared.handle.current(), shared.moments.now())?;
        let tasks = [
            tokio::spawn(accept(Arc::clone(&shared), listener, stopping.clone())),
            tokio::spawn(conduct(Arc::clone(&shared), changes, stopping)),
        ];
        Ok(Self { address, shared, stop, tasks })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// To watch it by, also when it has stopped.
    #[must_use]
    pub fn monitor(&self) -> Monitor {
        Monitor(Arc::clone(&self.shared))
    }

    /// Ends all connections. Blocks that are being judged are waited for; do this before the ledger is
    /// stopped.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        for task in self.tasks {
            // One that has panicked has printed it.
            let _ = task.await;
        }
        for connection in self.shared.everybody() {
            connection.close(Closing::Stopping);
        }
        let emptied = async {
            loop {
                let emptied = self.shared.emptied.notified();
                if self.shared.table().connections.is_empty() {
                    break;
                }
                emptied.await;
            }
        };
        // Whoever is left is waiting for the ledger, which answers when it stops.
        let _ = tokio::time::timeout(STOP, emptied).await;
    }
}

/// Watches a server.
#[derive(Debug, Clone)]
pub struct Monitor(Arc<Shared>);

impl Monitor {
    /// What the connections share: accounts, jobs.
    #[must_use]
    pub fn desk(&self) -> &Arc<Desk> {
        &self.0.desk
    }

    /// The time that the server goes by.
    #[must_use]
    pub fn now(&self) -> Moment {
        self.0.moments.now()
    }

    /// Its numbers.
    #[must_use]
    pub fn status(&self) -> Status {
        let table = self.0.table();
        Status {
            connections: table.connections.len(),
            half_open: table.half_open.len(),
            accepted: table.next,
            refused: table.refused,
            ended: table.ended.clone(),
            last_broadcast_us: self.0.last_broadcast_us.load(Ordering::Relaxed),
        }
    }
}

async fn accept(shared: Arc<Shared>, listener: TcpListener, mut stopping: watch::Receiver<bool>) {
    loop {
        let accepted = tokio::select! {
            biased;
            _ = stopping.changed() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, address)) => {
                // Without it a job may wait for the acknowledgement of the one before.
                let _ = stream.set_nodelay(true);
                if let Some(connection) = shared.admit(stream, address.ip()) {
                    tokio::spawn(serve(Arc::clone(&shared), connection));
                }
            }
            // Out of files or memory, or a client that was gone already.
            Err(error) => {
                tracing::debug!(%error, "accepting a connection");
                tokio::time::sleep(NO_SOCKET).await;
            }
        }
    }
}

async fn serve(shared: Arc<Shared>, connection: Arc<Connection>) {
    let mut inbox = Vec::new();
    let mut is_half_open = true;
    let why = loop {
        if let Err(why) = connection.wait(&mut inbox, &shared.moments).await {
            break why;
        }
        while let Some(found) = connection.lines(&mut inbox, shared.moments.now()) {
            let finder = connection.finder();
            let height = found.height;
            // The share is answered when the block is durable; a refusal is the ledger's to explain.
            if let Err(error) = shared.handle.submit_block(found.bytes, &finder).await
                && shared.may_tell()
            {
                tracing::info!(%finder, height, %error, "a miner's block is refused");
            }
            connection.submitted(shared.moments.now());
        }
        if is_half_open && connection.is_authorised() {
            is_half_open = false;
            shared.table().leave_half_open(&connection);
        }
        tokio::task::consume_budget().await;
    };
    shared.leave(&connection, why);
}

/// Hands jobs out and keeps deadlines.
async fn conduct(
    shared: Arc<Shared>,
    mut changes: watch::Receiver<Arc<crate::node::candidate::Candidate>>,
    mut stopping: watch::Receiver<bool>,
) {
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let issued = tokio::select! {
            biased;
            _ = stopping.changed() => return,
            changed = changes.changed() => {
                if changed.is_err() {
                    return;
                }
                let candidate = Arc::clone(&changes.borrow_and_update());
                shared.desk.offer(candidate, shared.moments.now())
            }
            _ = ticks.tick() => {
                shared.tick().await;
                shared.desk.tick(shared.moments.now())
            }
        };
        match issued {
            Ok(Some(issue)) => shared.broadcast(issue).await,
            Ok(None) => {}
            Err(error) => tracing::error!(%error, "no number could be reserved for a job"),
        }
    }
}

impl Shared {
    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn everybody(&self) -> Vec<Arc<Connection>> {
        self.table().connections.values().cloned().collect()
    }

    /// Once a second: what clients can cause must not fill the disk.
    fn may_tell(&self) -> bool {
        let now_ms = self.moments.now().ms;
        let told_ms = self.told_ms.load(Ordering::Relaxed);
        let is_due = told_ms == 0 || now_ms.saturating_sub(told_ms) >= 1000;
        if is_due {
            self.told_ms.store(now_ms.max(1), Ordering::Relaxed);
        }
        is_due
    }

    /// Takes a connection in, unless it is one too many.
    fn admit(&self, stream: TcpStream, address: IpAddr) -> Option<Arc<Connection>> {
        let mut table = self.table();
        let of_address = table.half_open_by_address.get(&address).copied().unwrap_or(0);
        if table.connections.len() >= self.crowd.connections_max
            || of_address >= self.crowd.half_open_per_address_max
        {
            table.refused += 1;
            return None;
        }
        if table.half_open.len() >= self.crowd.half_open_max
            && let Some(oldest) = table.half_open.first().copied()
            && let Some(oldest) = table.connections.get(&oldest).cloned()
        {
            oldest.close(Closing::Crowded);
            table.leave_half_open(&oldest);
        }
        let number = table.next;
        table.next += 1;
        let desk = Arc::clone(&self.desk);
        let now = self.moments.now();
        let connection = Arc::new(Connection::new(number, address, stream, desk, now));
        table.connections.insert(number, Arc::clone(&connection));
        table.half_open.insert(number);
        *table.half_open_by_address.entry(address).or_default() += 1;
        Some(connection)
    }

    fn leave(&self, connection: &Connection, why: Closing) {
        let mut table = self.table();
        table.leave_half_open(connection);
        table.connections.remove(&connection.number);
        *table.ended.entry(why).or_default() += 1;
        let is_empty = table.connections.is_empty();
        drop(table);
        tracing::debug!(number = connection.number, %why, "a stratum connection ended");
        if is_empty {
            self.emptied.notify_waiters();
        }
    }

    /// A job on its way to everybody, by every thread of the runtime.
    async fn broadcast(&self, issue: Issue) {
        let start = Instant::now();
        let mut everybody = self.everybody();
        let now = self.moments.now();
        let threads = tokio::runtime::Handle::current().metrics().num_workers().max(1);
        let share = everybody.len().div_ceil(threads).max(TURN);
        let mut parts = Vec::with_capacity(threads);
        let apart = Arc::new(Apart::default());
        while !everybody.is_empty() {
            let part = everybody.split_off(everybody.len().saturating_sub(share));
            let issue = issue.clone();
            let apart = Arc::clone(&apart);
            parts.push(tokio::spawn(async move {
                apart.begin();
                let mut scratch = Vec::with_capacity(2048);
                for turn in part.chunks(TURN) {
                    for connection in turn {
                        connection.job(&issue.job, issue.is_clean, now, &mut scratch);
                    }
                    tokio::task::yield_now().await;
                }
            }));
        }
        for part in parts {
            // One that has panicked has printed it.
            let _ = part.await;
        }
        let us = u64::try_from(start.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.last_broadcast_us.store(us, Ordering::Relaxed);
    }

    /// Deadlines, and jobs for those whose difficulty is to change.
    async fn tick(&self) {
        let now = self.moments.now();
        let current = self.desk.current();
        let mut wanting: Vec<(Arc<Connection>, Option<u32>)> = Vec::new();
        for turn in self.everybody().chunks(TURN * 16) {
            for connection in turn {
                if let Some(last) = connection.tick(current.as_deref(), now) {
                    wanting.push((Arc::clone(connection), last));
                }
            }
            tokio::task::yield_now().await;
        }
        let mut scratch = Vec::new();
        for (connection, last) in wanting {
            match self.desk.newer_than(last, now) {
                Ok(Some(job)) => self.hand(&connection, &job, &mut scratch),
                Ok(None) => {}
                Err(error) => tracing::error!(%error, "no number could be reserved for a job"),
            }
        }
    }

    fn hand(&self, connection: &Connection, job: &Arc<Job>, scratch: &mut Vec<u8>) {
        connection.job(job, false, self.moments.now(), scratch);
    }
}

impl Table {
    fn leave_half_open(&mut self, connection: &Connection) {
        if self.half_open.remove(&connection.number)
            && let Some(count) = self.half_open_by_address.get_mut(&connection.address)
        {
            *count -= 1;
            if *count == 0 {
                self.half_open_by_address.remove(&connection.address);
            }
        }
    }
}
