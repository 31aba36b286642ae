//! The whole node: its doors opened in order, and closed in the reverse.
//!
//! Nobody who is connected keeps it from ending: first the doors close and let what they are
//! judging end for a second, then the local miner stops, then the thread of the ledger judges what it was
//! given and ends, last the store closes. A block whose submission was answered is durable since before
//! the answer.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use axum::http::HeaderValue;
use tokio::net::TcpListener;
use tokio::sync::{broadcast, watch};
use tokio::task::JoinSet;

use crate::engine::Engine;
use crate::ledger::chain::Ledger;
use crate::ledger::mempool::Limits as PoolLimits;
use crate::ledger::signature::PubKey;
use crate::ledger::store::{DiskStore, StoreError};

use super::clock::{Clock, Moments};
use super::config::{Config, ConfigError, listen};
use super::dir::{ChainDir, DirError};
use super::handle::{Event, Handle};
use super::http::guard::Guard;
use super::http::serve::{Limits, serve};
use super::http::status::{self, Section, Tally, Watched};
use super::miner::{MineError, Miner};
use super::rpc::auth::Auth;
use super::rpc::context::{Context, Settings};
use super::rpc::server::{Door, router};
use super::service::{Parts, Service, ServiceError};
use super::stop::stopped;
use super::stratum::desk::{self, Budget, Desk};
use super::stratum::numbers::Numbers;
use super::stratum::server::{self, Crowd, Server};
use super::wearers::Wearers;

/// How often the local miner looks whether it is to end.
const MINER_PAUSE: Duration = Duration::from_millis(100);
/// How often it is written down what wearers spent.
const SAVE_EVERY: Duration = Duration::from_secs(10);

/// What a node is made of.
#[derive(Debug)]
pub struct Start {
    /// Where its chain is.
    pub dir: ChainDir,
    /// The chain.
    pub ledger: Ledger<DiskStore>,
    /// Everything that can be set.
    pub config: Config,
    /// Whom blocks pay when the miner named nobody.
    pub payout: Option<PubKey>,
    /// Mines on this machine, if given; there must be a payout then.
    pub engine: Option<Engine>,
    /// The time.
    pub clock: Clock,
}

/// Where its doors are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addresses {
    /// Stratum.
    pub stratum: Option<SocketAddr>,
    /// RPC.
    pub rpc: Option<SocketAddr>,
    /// Metrics, status, health.
    pub http: Option<SocketAddr>,
    /// The file that lets callers in, unless the operator set a password.
    pub cookie: Option<PathBuf>,
}

/// Why a node did not start, or ended.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DaemonError {
    /// The configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The directory.
    #[error(transparent)]
    Dir(#[from] DirError),
    /// A door does not open.
    #[error("{what} {address}: {error}")]
    Bind {
        /// Which.
        what: &'static str,
        /// Where.
        address: SocketAddr,
        /// Why.
        error: io::Error,
    },
    /// Something else of the system.
    #[error("{what}: {error}")]
    Io {
        /// What was tried.
        what: &'static str,
        /// Why not.
        error: io::Error,
    },
    /// The thread of the ledger.
    #[error(transparent)]
    Service(#[from] ServiceError),
    /// The store at the end.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A running node.
#[derive(Debug)]
pub struct Daemon {
    addresses: Addresses,
    service: Service<DiskStore>,
    stop: watch::Sender<bool>,
    doors: JoinSet<()>,
    miner: Option<JoinHandle<()>>,
    auth: Auth,
    tally: Arc<Tally>,
}

impl Daemon {
    /// Opens everything. Within a runtime.
    ///
    /// # Errors
    ///
    /// See [`DaemonError`]; nothing stays open then.
    pub async fn start(start: Start) -> Result<Self, DaemonError> {
        let Start { dir, ledger, config, payout, engine, clock } = start;
        let inbox = dir.inbox()?;
        // All ports first: an address in use is the most likely thing to go wrong.
        let stratum_port = bind_stratum(listen("stratum.listen", &config.stratum.listen)?)?;
        let rpc_port = bind("rpc", listen("rpc.listen", &config.rpc.listen)?).await?;
        let http_port = bind("http", listen("http.listen", &config.http.listen)?).await?;
        let auth = auth_of(&config, dir.path())?;
        let parts = Parts {
            ledger,
            inbox: Some(inbox.clone()),
            limits: PoolLimits::default(),
            clock: clock.clone(),
        };
        let service = Service::start(parts)?;
        let handle = service.handle.clone();
        let (stop, stopping) = watch::channel(false);
        let mut addresses = Addresses {
            stratum: None,
            rpc: None,
            http: None,
            cookie: auth.cookie().map(Path::to_owned),
        };
        let mut doors = JoinSet::new();
        let tally = Arc::new(Tally::default());
        let mut sections: Vec<Arc<dyn Section>> = Vec::new();
        if let Some(listener) = stratum_port {
            let wearers = match config.stratum.wearers_pay {
                false => None,
                true => {
                    let wearers = Wearers::of(&handle, dir.path());
                    let failed = |error| DaemonError::Io { what: "what wearers spent", error };
                    Some(Arc::new(wearers.map_err(failed)?))
                }
            };
            let server = stratum(listener, &config, &dir, payout, &handle, wearers.clone())?;
            addresses.stratum = Some(server.address());
            sections.push(Arc::new(server.monitor()));
            let mut stopping = stopping.clone();
            doors.spawn(async move {
                let mut saves = tokio::time::interval(SAVE_EVERY);
                loop {
                    tokio::select! {
                        () = stopped(&mut stopping) => break,
                        _ = saves.tick() => save(wearers.clone()).await,
                    }
                }
                server.stop().await;
                save(wearers).await;
            });
        }
        if let Some((listener, address)) = rpc_port {
            addresses.rpc = Some(address);
            let settings = Settings {
                payout,
                longpoll: Duration::from_secs(config.rpc.longpoll_seconds),
                share: config.rpc.share_difficulty()?,
                user: Arc::clone(auth.user()),
                inbox: Some(inbox),
            };
            let context = Arc::new(Context::new(handle.clone(), settings, stop.clone()));
            sections.push(Arc::clone(&context) as Arc<dyn Section>);
            let limits =
                Limits { connections_max: config.rpc.connections_max, ..Limits::default() };
            let door = Door {
                context,
                auth: auth.clone(),
                guard: Guard::new(&config.rpc.hosts),
                body_timeout: limits.body,
                x_stratum: x_stratum(&config),
            };
            doors.spawn(serve(listener, router(Arc::new(door)), limits, stopping.clone()));
        }
        if let Some((listener, address)) = http_port {
            addresses.http = Some(address);
            let limits =
                Limits { connections_max: config.http.connections_max, ..Limits::default() };
            let watched = Watched {
                handle: handle.clone(),
                tally: Arc::clone(&tally),
                sections,
                started: clock.now(),
                guard: Guard::new(&config.http.hosts),
            };
            let router = status::router(Arc::new(watched));
            doors.spawn(serve(listener, router, limits, stopping.clone()));
        }
        let miner = match (engine, payout) {
            (Some(engine), Some(payout)) => Some(mine(handle, engine, payout, stopping)?),
            _ => None,
        };
        Ok(Self { addresses, service, stop, doors, miner, auth, tally })
    }

    /// Where its doors are.
    #[must_use]
    pub fn addresses(&self) -> &Addresses {
        &self.addresses
    }

    /// The door to its ledger.
    #[must_use]
    pub fn handle(&self) -> &Handle {
        &self.service.handle
    }

    /// Ends the node from elsewhere: set it to true.
    #[must_use]
    pub fn stopper(&self) -> watch::Sender<bool> {
        self.stop.clone()
    }

    /// The next thing that happens; none once the node is to end.
    pub async fn next(&mut self) -> Option<Event> {
        let mut stopping = self.stop.subscribe();
        let mut looks = tokio::time::interval(Duration::from_millis(250));
        loop {
            tokio::select! {
                biased;
                event = self.service.events.recv() => match event {
                    Ok(event) => {
                        self.count(&event);
                        return Some(event);
                    }
                    Err(broadcast::error::RecvError::Lagged(lost)) => {
                        tracing::warn!(lost, "events were not told");
                    }
                    Err(broadcast::error::RecvError::Closed) => return None,
                },
                () = stopped(&mut stopping) => return None,
                _ = looks.tick() => if self.service.has_ended() {
                    return None;
                },
            }
        }
    }

    fn count(&self, event: &Event) {
        if let Event::Found(found) = event {
            self.tally.count(found);
        }
    }

    /// Closes everything, and gives what has happened and was not told yet.
    ///
    /// # Errors
    ///
    /// If the ledger ended by itself, or the store does not close.
    pub async fn stop(mut self) -> Result<Vec<Event>, DaemonError> {
        self.stop.send_replace(true);
        while self.doors.join_next().await.is_some() {}
        let Self { mut service, miner, auth, .. } = self;
        let join = move || {
            // A miner that panicked has printed why.
            let _ = miner.map(JoinHandle::join);
            auth.forget();
            let mut events = std::mem::replace(&mut service.events, service.handle.events());
            let ledger = service.stop()?;
            let mut rest = Vec::new();
            while let Ok(event) = events.try_recv() {
                rest.push(event);
            }
            if let Some(ledger) = ledger {
                ledger.into_store().close()?;
            }
            Ok(rest)
        };
        match tokio::task::spawn_blocking(join).await {
            Ok(rest) => rest,
            Err(_) => Err(ServiceError::Panicked.into()),
        }
    }
}

/// Returns when the system asks the process to end: Ctrl-C, or `SIGTERM`.
///
/// # Errors
///
/// If it cannot be listened for.
pub async fn ended_by_signal() -> io::Result<()> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate())?;
        tokio::select! {
            asked = tokio::signal::ctrl_c() => asked,
            _ = terminate.recv() => Ok(()),
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await
}

async fn bind(
    what: &'static str,
    address: Option<SocketAddr>,
) -> Result<Option<(TcpListener, SocketAddr)>, DaemonError> {
    let Some(address) = address else { return Ok(None) };
    let failed = |error| DaemonError::Bind { what, address, error };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok(Some((listener, address)))
}

fn bind_stratum(address: Option<SocketAddr>) -> Result<Option<TcpListener>, DaemonError> {
    let Some(address) = address else { return Ok(None) };
    let failed = |error| DaemonError::Bind { what: "stratum", address, error };
    server::bind(address).map(Some).map_err(failed)
}

/// The stratum server. Its numbers go on where those of the last start ended.
fn stratum(
    listener: TcpListener,
    config: &Config,
    dir: &ChainDir,
    payout: Option<PubKey>,
    handle: &Handle,
    wearers: Option<Arc<Wearers>>,
) -> Result<Server, DaemonError> {
    let default_payout = payout.filter(|_| config.stratum.any_worker);
    let settings = desk::Settings::of(&handle.chain().spec, default_payout);
    let numbers = Numbers::open(&dir.path().join("stratum-numbers"))
        .map_err(|error| DaemonError::Io { what: "reserving extranonces", error })?;
    let budget = wearers.map(|wearers| wearers as Arc<dyn Budget>);
    let desk = Desk::new(settings, numbers, budget);
    let crowd = match config.stratum.connections_max {
        0 => Crowd::of_this_process(),
        connections_max => Crowd::of(connections_max),
    };
    tracing::info!(connections_max = crowd.connections_max, "serving stratum");
    let moments = Moments::by(handle.clock().clone());
    Server::start(listener, desk, handle.clone(), moments, crowd)
        .map_err(|error| DaemonError::Io { what: "serving stratum", error })
}

async fn save(wearers: Option<Arc<Wearers>>) {
    let Some(wearers) = wearers else { return };
    let saved = tokio::task::spawn_blocking(move || wearers.save()).await;
    if let Ok(Err(error)) = saved {
        tracing::warn!(%error, "what wearers spent is not written down");
    }
}

fn auth_of(config: &Config, dir: &Path) -> Result<Auth, DaemonError> {
    if !config.rpc.user.is_empty() {
        return Ok(Auth::of(&config.rpc.user, &config.rpc.password));
    }
    Auth::by_cookie(dir).map_err(|error| DaemonError::Io { what: "writing the cookie", error })
}

fn x_stratum(config: &Config) -> Option<HeaderValue> {
    let text = &config.rpc.x_stratum;
    if text.is_empty() { None } else { HeaderValue::from_str(text).ok() }
}

/// Mines on a thread of its own until `stopping` turns true.
fn mine(
    handle: Handle,
    engine: Engine,
    payout: PubKey,
    stopping: watch::Receiver<bool>,
) -> Result<JoinHandle<()>, DaemonError> {
    let run = move || {
        let mut miner = Miner::new(handle, &engine, payout, "this machine");
        while !*stopping.borrow() {
            match miner.wait(MINER_PAUSE) {
                Ok(_) => {}
                // The clock went back, or something is wrong with it; the next candidate may do.
                Err(MineError::Refused(error)) => tracing::warn!(%error, "a block was refused"),
                Err(MineError::Stopped) => break,
                Err(error) => {
                    tracing::error!(%error, "mining on this machine has ended");
                    break;
                }
            }
        }
        miner.stop();
    };
    let thread = std::thread::Builder::new().name("miner".into());
    thread.spawn(run).map_err(|error| DaemonError::Io { what: "starting the miner", error })
}
