//! The list of servers in the order of their priority, as a machine: who is connected, who is mined for,
//! who rests and how long.
//!
//! - A server is tried when none before it delivers jobs, or could be about to.
//! - The first in the list that delivers a job is mined for. To be reachable is not enough.
//! - While another is mined for, those before it are tried again; the first job of one takes over.
//! - When a server is lost, its last job is searched on for a minute, and the shares wait for it.

use std::time::Duration;

use super::offer::Offer;
use super::report::Report;
use super::session::{Action, Event, Session};
use super::template::Request;
use super::trouble::Trouble;
use crate::engine::Solution;

/// How long a server may take to deliver its first job before the next one is tried beside it.
pub const PATIENCE: Duration = Duration::from_secs(10);
/// How long a connection may take.
pub const CONNECT_WAIT: Duration = Duration::from_secs(15);
/// How long the last job of a lost server is searched on.
pub const ORPHAN_MAX: Duration = Duration::from_secs(60);
/// How long a server that is no longer needed may take to answer the last shares.
pub const LINGER_MAX: Duration = Duration::from_secs(10);
/// A server that has delivered for so long starts again with the shortest rest.
const WELL_AFTER: Duration = Duration::from_secs(60);
const REST_FIRST: Duration = Duration::from_secs(1);
const REST_MAX: Duration = Duration::from_secs(60);
/// The first rest after what will not pass by itself, and the longest.
const REST_LASTING: Duration = Duration::from_secs(60);
const REST_LASTING_MAX: Duration = Duration::from_secs(600);

/// What happened at a server.
#[derive(Debug, Clone, PartialEq)]
pub enum ServerEvent {
    /// The connection stands.
    Opened,
    /// A line arrived.
    Line(String),
    /// A request was answered, or not.
    Answer {
        /// Its number.
        request: u64,
        /// HTTP status and body.
        answer: Result<(u16, Vec<u8>), Trouble>,
    },
    /// There is no connection, or no longer.
    Closed(Trouble),
}

/// What happened.
#[derive(Debug, Clone, PartialEq)]
pub enum FleetEvent {
    /// At a server.
    Server {
        /// Which.
        server: usize,
        /// What.
        event: ServerEvent,
    },
    /// The engine solved an offer.
    Found {
        /// Whose offer.
        server: usize,
        /// Number of the offer.
        offer: u64,
        /// The solution.
        solution: Solution,
    },
    /// All of an offer was searched.
    Exhausted {
        /// Whose offer.
        server: usize,
        /// Number of the offer.
        offer: u64,
    },
    /// Time passed.
    Tick,
}

/// What to do.
#[derive(Debug, Clone, PartialEq)]
pub enum FleetAction {
    /// Connect.
    Connect {
        /// To which server.
        server: usize,
        /// At another address than its own, on its request.
        address: Option<(String, u16)>,
    },
    /// Drop the connection and all requests.
    Disconnect {
        /// Of which server.
        server: usize,
    },
    /// Send a line.
    Send {
        /// To which server.
        server: usize,
        /// Without its line feed.
        line: String,
    },
    /// Send a request.
    Request {
        /// To which server.
        server: usize,
        /// The request.
        request: Request,
    },
    /// Search this in the place of anything else.
    Search {
        /// Whose.
        server: usize,
        /// What.
        offer: Box<Offer>,
    },
    /// Search nothing.
    Rest,
    /// Tell people.
    Report(Report),
}

#[derive(Debug)]
struct Slot {
    session: Session,
    state: State,
    failures: u32,
    /// Another address, for the next connection only.
    redirect: Option<(String, u16)>,
    /// The last offer of the connection: whoever has one delivers.
    offer: Option<Offer>,
    delivers_since: Option<Duration>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Resting {
        until: Duration,
    },
    Connecting {
        since: Duration,
    },
    Open {
        since: Duration,
    },
    /// Open, not needed, and perhaps owing answers.
    Lingering {
        since: Duration,
    },
}

/// All servers.
#[derive(Debug)]
pub struct Fleet {
    slots: Vec<Slot>,
    active: Option<usize>,
    /// Since when nobody delivers, while there is something to search.
    orphan_since: Option<Duration>,
    /// Spreads the rests of many miners.
    seed: u64,
}

impl Fleet {
    /// Servers in the order of their priority. `seed` differs from miner to miner.
    #[must_use]
    pub fn new(sessions: Vec<Session>, seed: u64) -> Self {
        let slots = sessions.into_iter().map(|session| Slot {
            session,
            state: State::Resting { until: Duration::ZERO },
            failures: 0,
            redirect: None,
            offer: None,
            delivers_since: None,
        });
        Self { slots: slots.collect(), active: None, orphan_since: None, seed }
    }

    /// The server that is mined for.
    #[must_use]
    pub fn active(&self) -> Option<usize> {
        self.active
    }

    /// Whether some server has still to answer shares.
    #[must_use]
    pub fn is_owed_answers(&self) -> bool {
        let is_open =
            |slot: &&Slot| matches!(slot.state, State::Open { .. } | State::Lingering { .. });
        self.slots.iter().filter(is_open).any(|slot| slot.session.is_owed_answers())
    }

    /// Takes an event and says what to do. `now` never goes back.
    pub fn step(&mut self, event: FleetEvent, now: Duration) -> Vec<FleetAction> {
        let mut actions = Vec::new();
        match event {
            FleetEvent::Server { server, event } => self.server(server, event, now, &mut actions),
            FleetEvent::Found { server, offer, solution } => {
                self.tell(server, Event::Found { offer, solution }, now, &mut actions);
            }
            FleetEvent::Exhausted { server, offer } => {
                if self.active == Some(server) {
                    self.tell(server, Event::Exhausted { offer }, now, &mut actions);
                }
            }
            FleetEvent::Tick => self.tick(now, &mut actions),
        }
        actions
    }

    fn server(
        &mut self,
        server: usize,
        event: ServerEvent,
        now: Duration,
        actions: &mut Vec<FleetAction>,
    ) {
        let Some(slot) = self.slots.get_mut(server) else { return };
        match (event, slot.state) {
            (_, State::Resting { .. }) => {}
            (ServerEvent::Closed(trouble), _) => self.leave(server, trouble, now, actions),
            (ServerEvent::Opened, State::Connecting { since }) => {
                slot.state = State::Open { since };
                self.tell(server, Event::Opened, now, actions);
            }
            (ServerEvent::Opened, _) => {}
            (ServerEvent::Line(line), _) => self.tell(server, Event::Line(line), now, actions),
            (ServerEvent::Answer { request, answer }, _) => {
                self.tell(server, Event::Answer { request, answer }, now, actions);
            }
        }
    }

    /// Hands an event to a session and does what it says.
    fn tell(&mut self, server: usize, event: Event, now: Duration, actions: &mut Vec<FleetAction>) {
        let Some(slot) = self.slots.get_mut(server) else { return };
        for action in slot.session.step(event, now) {
            match action {
                Action::Send(line) => actions.push(FleetAction::Send { server, line }),
                Action::Request(request) => actions.push(FleetAction::Request { server, request }),
                Action::Search(offer) => self.offered(server, *offer, now, actions),
                Action::Rest => self.rest(server, actions),
                Action::Share(share) => {
                    actions.push(FleetAction::Report(Report::Share { server, share }));
                }
                Action::Message(text) => {
                    actions.push(FleetAction::Report(Report::Message { server, text }));
                }
                Action::Leave(trouble) => {
                    self.leave(server, trouble, now, actions);
                    return;
                }
            }
        }
    }

    fn offered(
        &mut self,
        server: usize,
        offer: Offer,
        now: Duration,
        actions: &mut Vec<FleetAction>,
    ) {
        let slot = &mut self.slots[server];
        slot.delivers_since.get_or_insert(now);
        slot.offer = Some(offer);
        let is_best = self
            .active
            .is_none_or(|active| server <= active || self.slots[active].delivers_since.is_none());
        if is_best {
            self.search(server, now, actions);
        }
    }

    /// A server has nothing more to search for the moment.
    fn rest(&mut self, server: usize, actions: &mut Vec<FleetAction>) {
        self.slots[server].offer = None;
        if self.active == Some(server) {
            actions.push(FleetAction::Rest);
        }
    }

    /// Searches the offer of a server, and lets go of those after it.
    fn search(&mut self, server: usize, now: Duration, actions: &mut Vec<FleetAction>) {
        let Some(offer) = self.slots[server].offer.clone() else { return };
        if self.active.replace(server) != Some(server) {
            actions.push(FleetAction::Report(Report::Active { server }));
        }
        self.orphan_since = None;
        actions.push(FleetAction::Report(Report::Job {
            server,
            job: offer.name.clone(),
            height: offer.height,
            difficulty: offer.difficulty,
            is_new_tip: offer.is_new_tip,
        }));
        actions.push(FleetAction::Search { server, offer: Box::new(offer) });
        if let State::Lingering { since } = self.slots[server].state {
            self.slots[server].state = State::Open { since };
        }
        for slot in &mut self.slots[server + 1..] {
            if let State::Open { .. } | State::Connecting { .. } = slot.state {
                slot.state = State::Lingering { since: now };
            }
        }
    }

    /// Leaves a server and says when it is tried again; another that delivers takes over.
    fn leave(
        &mut self,
        server: usize,
        trouble: Trouble,
        now: Duration,
        actions: &mut Vec<FleetAction>,
    ) {
        let seed = self.seed;
        let slot = &mut self.slots[server];
        let was_well =
            slot.delivers_since.is_some_and(|since| now.saturating_sub(since) >= WELL_AFTER);
        if was_well {
            slot.failures = 0;
        }
        slot.redirect = None;
        let rest = match &trouble {
            Trouble::Reconnect { address, after } => {
                slot.redirect.clone_from(address);
                (*after).max(REST_FIRST)
            }
            Trouble::NotNeeded => Duration::ZERO,
            trouble => {
                slot.failures += 1;
                let (first, max) = match trouble.is_lasting() {
                    true => (REST_LASTING, REST_LASTING_MAX),
                    false => (REST_FIRST, REST_MAX),
                };
                let doublings = slot.failures.min(10) - 1;
                jitter(first.saturating_mul(1 << doublings).min(max), seed, server, slot.failures)
            }
        };
        slot.state = State::Resting { until: now + rest };
        slot.offer = None;
        slot.delivers_since = None;
        actions.push(FleetAction::Disconnect { server });
        if trouble != Trouble::NotNeeded {
            let report = Report::Left { server, trouble, retry_in: rest };
            actions.push(FleetAction::Report(report));
        }
        // What it says now are shares that it gives up.
        self.tell(server, Event::Closed, now, actions);
        if self.active == Some(server) {
            self.orphan_since.get_or_insert(now);
            if let Some(next) = self.slots.iter().position(|slot| slot.offer.is_some()) {
                self.search(next, now, actions);
            }
        }
        self.connect(now, actions);
    }

    fn tick(&mut self, now: Duration, actions: &mut Vec<FleetAction>) {
        for server in 0..self.slots.len() {
            let slot = &self.slots[server];
            match slot.state {
                State::Resting { .. } => {}
                State::Connecting { since } => {
                    let after = now.saturating_sub(since);
                    if after >= CONNECT_WAIT {
                        let what = "the attempt to connect";
                        self.leave(server, Trouble::NoAnswer { what, after }, now, actions);
                    }
                }
                State::Open { .. } => self.tell(server, Event::Tick, now, actions),
                State::Lingering { since } => {
                    let is_over = now.saturating_sub(since) >= LINGER_MAX;
                    if is_over || !slot.session.is_owed_answers() {
                        self.leave(server, Trouble::NotNeeded, now, actions);
                    }
                }
            }
        }
        let is_too_long = |since: Duration| now.saturating_sub(since) >= ORPHAN_MAX;
        if self.orphan_since.is_some_and(is_too_long) {
            self.orphan_since = None;
            self.active = None;
            actions.push(FleetAction::Rest);
            actions.push(FleetAction::Report(Report::Idle));
        }
        self.connect(now, actions);
    }

    /// Tries the servers that should be tried now.
    fn connect(&mut self, now: Duration, actions: &mut Vec<FleetAction>) {
        for (server, slot) in self.slots.iter_mut().enumerate() {
            match slot.state {
                State::Open { .. } | State::Connecting { .. } | State::Lingering { .. }
                    if slot.delivers_since.is_some() =>
                {
                    return;
                }
                State::Lingering { .. } => {}
                State::Open { since } | State::Connecting { since } => {
                    if now.saturating_sub(since) < PATIENCE {
                        return;
                    }
                }
                State::Resting { until } if until > now => {}
                State::Resting { .. } => {
                    slot.state = State::Connecting { since: now };
                    actions.push(FleetAction::Report(Report::Connecting { server }));
                    actions.push(FleetAction::Connect { server, address: slot.redirect.take() });
                    return;
                }
            }
        }
    }
}

/// Between three quarters and five quarters of a rest: those who lost a server together do not all
/// return together.
fn jitter(rest: Duration, seed: u64, server: usize, failures: u32) -> Duration {
    // SplitMix64.
    let mut mixed = seed
        .wrapping_add(u64::from(failures) << 32)
        .wrapping_add(server as u64)
        .wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed ^= mixed >> 31;
    let percent = u32::try_from(mixed % 51).expect("below 51") + 75;
    rest * percent / 100
}
