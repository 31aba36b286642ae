//! The miner at work: the fleet's machine with sockets, a clock and an engine.

use std::collections::{BTreeSet, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::MissedTickBehavior;

use super::connection::{Heard, Route, Speaker};
use super::fleet::{Fleet, FleetAction, FleetEvent, ServerEvent};
use super::meter::Account;
use super::payout::PayoutScript;
use super::report::Report;
use super::server::{Protocol, Server};
use super::session::Session;
use super::stratum::{Login, Stratum};
use super::template::{Request, TemplateClient};
use super::tls;
use crate::engine::meter::Stopwatch;
use crate::engine::{Engine, Event, Generation};
use crate::node::difficulty::Difficulty;
use crate::primitives::Digest;

/// How often time is looked at: deadlines and rates are as fine as that.
const TICK: Duration = Duration::from_millis(250);
/// Events of sockets and of the engine that wait; whoever sends more waits too.
const EVENTS_MAX: usize = 1024;
/// Lines that wait for a slow server. It is dropped when there are more.
const OUTGOING_MAX: usize = 1024;
/// Publications whose solutions still find their server.
const PUBLISHED_KEPT: usize = 64;
/// How long the last shares may take to be answered when the miner ends.
const FAREWELL: Duration = Duration::from_secs(3);

/// What to mine for, and how.
pub struct Settings {
    /// The servers in the order of their priority.
    pub servers: Vec<Server>,
    /// User where the URL has none.
    pub user: Option<String>,
    /// Password where the URL has none.
    pub pass: Option<String>,
    /// Share difficulty to suggest to stratum servers.
    pub suggest: Option<Difficulty>,
    /// Whether to ask stratum servers for version rolling.
    pub rolls_versions: bool,
    /// Who is paid by blocks of a node.
    pub payout: Option<PayoutScript>,
    /// File with `user:password` of a node.
    pub cookie: Option<PathBuf>,
    /// SHA-256 of the only certificate to trust; without it the web's authorities.
    pub fingerprint: Option<Digest>,
    /// Different for each miner.
    pub seed: u64,
}

/// What people ask of a running miner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Control {
    /// Let the search rest, for this reason.
    Pause(PauseReason),
    /// Go on, as far as this reason is concerned.
    Resume(PauseReason),
    /// End.
    Quit,
}

/// Why the search rests. It goes on when no reason is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PauseReason {
    /// Somebody said so.
    Asked,
    /// The machine runs on its battery.
    Battery,
}

impl PauseReason {
    fn words(self) -> &'static str {
        match self {
            Self::Asked => "on request",
            Self::Battery => "on battery",
        }
    }
}

/// Who follows what happens. It is called from the loop, so it must not wait.
pub trait Observer {
    /// Something happened.
    fn told(&mut self, report: &Report, account: &Account);
    /// A quarter of a second has passed. Says whether to go on.
    fn tick(&mut self, engine: &Engine, account: &Account) -> bool;
}

/// Why the miner ended.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// The engine's workers are gone.
    #[error("the search engine stopped")]
    Engine,
    /// No thread for the engine's events.
    #[error("cannot start a thread: {0}")]
    Thread(String),
}

/// A publication: whose offer it is.
struct Published {
    generation: Generation,
    server: usize,
    offer: u64,
}

#[derive(Default)]
struct Line {
    number: u64,
    outgoing: Option<mpsc::Sender<String>>,
    task: Option<JoinHandle<()>>,
    requests: JoinSet<()>,
}

impl Line {
    fn drop_connection(&mut self) {
        self.number += 1;
        self.outgoing = None;
        if let Some(task) = self.task.take() {
            task.abort();
        }
        self.requests.abort_all();
        self.requests = JoinSet::new();
    }
}

/// Mines until told to end. Returns what was done.
///
/// # Errors
///
/// See [`RunError`]; servers that fail are no error.
pub async fn run(
    engine: &Engine,
    settings: Settings,
    mut controls: mpsc::Receiver<Control>,
    observer: &mut dyn Observer,
) -> Result<Account, RunError> {
    let clock = Stopwatch::start();
    let (heard_sender, mut heard) = mpsc::channel(EVENTS_MAX);
    let mut solved = events_of(engine)?;
    let mut miner = Miner::new(engine, settings, heard_sender);
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            event = heard.recv() => {
                let Some(event) = event else { break };
                miner.heard(event, clock.elapsed(), observer);
            }
            event = solved.recv() => {
                let Some(event) = event else { return Err(RunError::Engine) };
                miner.solved(event, clock.elapsed(), observer);
            }
            control = controls.recv() => match control {
                Some(Control::Pause(reason)) => miner.pause(reason, observer),
                Some(Control::Resume(reason)) => miner.resume(reason, observer),
                Some(Control::Quit) | None => break,
            },
            _ = ticks.tick() => {
                miner.step(FleetEvent::Tick, clock.elapsed(), observer);
                if !observer.tick(engine, &miner.account) {
                    break;
                }
            }
        }
    }
    engine.stop();
    // The last shares deserve their answers.
    let deadline = clock.elapsed() + FAREWELL;
    while miner.fleet.is_owed_answers() && clock.elapsed() < deadline {
        let left = deadline.saturating_sub(clock.elapsed());
        let Ok(Some(event)) = tokio::time::timeout(left, heard.recv()).await else { break };
        miner.heard(event, clock.elapsed(), observer);
    }
    Ok(miner.account)
}

/// Events of the engine, fetched by a thread that ends with the engine.
fn events_of(engine: &Engine) -> Result<mpsc::Receiver<Event>, RunError> {
    let (sender, receiver) = mpsc::channel(EVENTS_MAX);
    let events = engine.events().clone();
    let fetch = move || {
        for event in events {
            if sender.blocking_send(event).is_err() {
                return;
            }
        }
    };
    let thread = std::thread::Builder::new().name("solutions".into()).spawn(fetch);
    thread.map_err(|error| RunError::Thread(error.to_string()))?;
    Ok(receiver)
}

struct Miner<'a> {
    engine: &'a Engine,
    fleet: Fleet,
    routes: Vec<Arc<Route>>,
    lines: Vec<Line>,
    heard: mpsc::Sender<Heard>,
    published: VecDeque<Published>,
    paused: BTreeSet<PauseReason>,
    account: Account,
}

impl<'a> Miner<'a> {
    fn new(engine: &'a Engine, settings: Settings, heard: mpsc::Sender<Heard>) -> Self {
        let tls = tls::config(settings.fingerprint);
        let mut sessions = Vec::new();
        let mut routes = Vec::new();
        for server in &settings.servers {
            let user = server.user.clone().or_else(|| settings.user.clone());
            let pass = server.pass.clone().or_else(|| settings.pass.clone());
            let credentials =
                user.as_ref().map(|user| format!("{user}:{}", pass.as_deref().unwrap_or_default()));
            sessions.push(match server.protocol {
                Protocol::Stratum => Session::Stratum(Box::new(Stratum::new(Login {
                    user: user.unwrap_or_default(),
                    pass: pass.unwrap_or_else(|| "x".into()),
                    host: server.host.clone(),
                    suggest: settings.suggest,
                    rolls_versions: settings.rolls_versions,
                }))),
                Protocol::Template => {
                    let payout = settings.payout.clone();
                    Session::Template(Box::new(TemplateClient::new(payout, settings.seed)))
                }
            });
            routes.push(Arc::new(Route {
                server: server.clone(),
                tls: Arc::clone(&tls),
                credentials,
                // The URL says more about this server than an option for all.
                cookie: settings.cookie.clone().filter(|_| server.user.is_none()),
            }));
        }
        let lines = routes.iter().map(|_| Line::default()).collect();
        Self {
            engine,
            fleet: Fleet::new(sessions, settings.seed),
            routes,
            lines,
            heard,
            published: VecDeque::new(),
            paused: BTreeSet::new(),
            account: Account::default(),
        }
    }

    fn heard(&mut self, heard: Heard, now: Duration, observer: &mut dyn Observer) {
        if self.lines[heard.server].number == heard.connection {
            let (server, event) = (heard.server, heard.event);
            self.step(FleetEvent::Server { server, event }, now, observer);
        }
    }

    fn solved(&mut self, event: Event, now: Duration, observer: &mut dyn Observer) {
        let generation = match &event {
            Event::Solution(solution) => solution.generation,
            Event::Exhausted(generation) => *generation,
        };
        let is_of = |published: &&Published| published.generation == generation;
        let Some(&Published { server, offer, .. }) = self.published.iter().find(is_of) else {
            return;
        };
        let event = match event {
            Event::Solution(solution) => FleetEvent::Found { server, offer, solution },
            _ => FleetEvent::Exhausted { server, offer },
        };
        self.step(event, now, observer);
    }

    fn step(&mut self, event: FleetEvent, now: Duration, observer: &mut dyn Observer) {
        for action in self.fleet.step(event, now) {
            match action {
                FleetAction::Connect { server, address } => self.connect(server, address),
                FleetAction::Disconnect { server } => self.lines[server].drop_connection(),
                FleetAction::Send { server, line } => self.send(server, line),
                FleetAction::Request { server, request } => self.request(server, request),
                FleetAction::Search { server, offer } => {
                    let number = offer.number;
                    let generation = self.engine.publish(offer.work());
                    if self.published.len() == PUBLISHED_KEPT {
                        self.published.pop_front();
                    }
                    self.published.push_back(Published { generation, server, offer: number });
                }
                FleetAction::Rest => self.engine.stop(),
                FleetAction::Report(report) => {
                    if let Report::Share { share, .. } = &report {
                        self.account.book(share);
                    }
                    observer.told(&report, &self.account);
                }
            }
        }
    }

    fn connect(&mut self, server: usize, address: Option<(String, u16)>) {
        self.lines[server].drop_connection();
        let (route, speaker) = (Arc::clone(&self.routes[server]), self.speaker(server));
        let line = &mut self.lines[server];
        let task = match route.server.protocol {
            Protocol::Template => {
                tokio::spawn(async move { speaker.say(ServerEvent::Opened).await })
            }
            Protocol::Stratum => {
                let (outgoing, lines) = mpsc::channel(OUTGOING_MAX);
                line.outgoing = Some(outgoing);
                tokio::spawn(async move {
                    let trouble = route.stratum(address, &speaker, lines).await;
                    speaker.say(ServerEvent::Closed(trouble)).await;
                })
            }
        };
        line.task = Some(task);
    }

    fn send(&mut self, server: usize, text: String) {
        let line = &mut self.lines[server];
        // A server that takes nothing for a thousand lines: the writer's end makes the connection end.
        if line.outgoing.as_ref().is_some_and(|outgoing| outgoing.try_send(text).is_err()) {
            line.outgoing = None;
        }
    }

    fn request(&mut self, server: usize, request: Request) {
        let (route, speaker) = (Arc::clone(&self.routes[server]), self.speaker(server));
        let requests = &mut self.lines[server].requests;
        while requests.try_join_next().is_some() {}
        requests.spawn(async move {
            let answer = route.request(&request).await;
            speaker.say(ServerEvent::Answer { request: request.number, answer }).await;
        });
    }

    fn speaker(&self, server: usize) -> Speaker {
        let connection = self.lines[server].number;
        Speaker { server, connection, heard: self.heard.clone() }
    }

    fn pause(&mut self, reason: PauseReason, observer: &mut dyn Observer) {
        if self.paused.insert(reason) {
            self.engine.pause();
            observer.told(&Report::Paused { reason: reason.words() }, &self.account);
        }
    }

    fn resume(&mut self, reason: PauseReason, observer: &mut dyn Observer) {
        if self.paused.remove(&reason) && self.paused.is_empty() {
            self.engine.resume();
            observer.told(&Report::Resumed, &self.account);
        }
    }
}

impl Drop for Miner<'_> {
    fn drop(&mut self) {
        self.lines.iter_mut().for_each(Line::drop_connection);
    }
}

/// Without passwords.
impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Settings").field("servers", &self.servers).finish_non_exhaustive()
    }
}
