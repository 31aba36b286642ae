//! The client of a Stratum V1 server, as a machine: lines in, lines and work out.
//!
//! ```text
//! -> mining.configure (if versions may be rolled), mining.subscribe     together; neither waits
//! <- answer to subscribe
//! -> mining.authorize
//! <- set_difficulty and notify at any time, several, in any order
//! <- answer to authorize
//! -> mining.suggest_difficulty (if asked for), shares
//! ```
//!
//! Whatever a server does not answer or understand of the optional part, the rest goes on without it.

mod job;
mod shares;
mod wire;

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use super::session::{Action, Event};
use super::trouble::Trouble;
use crate::engine::Solution;
use crate::node::difficulty::Difficulty;
use crate::primitives::limits::VERSION_ROLLING_MASK;
use job::{Jobs, Share};
use shares::{Answered, Shares};
pub use shares::{KEPT_MAX, REFUSED_MAX};
pub(crate) use wire::shorten;
use wire::{Ask, granted_mask, reply};
pub use wire::{EXTRANONCE2_BYTES, Extranonce, Line, LineError, Notify, Refusal};

/// How long `mining.configure` may stay unanswered before the rest goes on without it.
pub const CONFIGURE_WAIT: Duration = Duration::from_secs(30);
/// How long the answer to `mining.subscribe` may take.
pub const SUBSCRIBE_WAIT: Duration = Duration::from_secs(30);
/// How long the answer to `mining.authorize` may take.
pub const AUTHORIZE_WAIT: Duration = Duration::from_secs(60);
/// How long a server may be silent about jobs. Minerd and cgminer wait as long; servers that are well
/// send one at least every minute.
pub const JOB_WAIT: Duration = Duration::from_secs(120);
/// How long a share may stay unanswered.
pub const SUBMIT_WAIT: Duration = Duration::from_secs(60);
/// Requests that may be open; the rest are shares that wait.
const OPEN_MAX: usize = 256;
/// The longest wait that a server may ask for before a reconnection.
const RECONNECT_WAIT_MAX: Duration = Duration::from_secs(300);

/// Who mines, and how.
#[derive(Clone, PartialEq)]
pub struct Login {
    /// The user, often an address and the name of a machine.
    pub user: String,
    /// The password, often `x`.
    pub pass: String,
    /// Host that a reconnection may lead to: this one, or another of the same domain.
    pub host: String,
    /// Difficulty to suggest.
    pub suggest: Option<Difficulty>,
    /// Whether to ask for version rolling.
    pub rolls_versions: bool,
}

/// Without the password.
impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Login")
            .field("user", &self.user)
            .field("host", &self.host)
            .finish_non_exhaustive()
    }
}

/// What this program calls itself.
const AGENT: &str = concat!("proofward/", env!("CARGO_PKG_VERSION"));

/// A request that waits for its answer.
#[derive(Debug)]
enum Open {
    Configure,
    Subscribe,
    Authorize,
    Suggest(Difficulty),
    Submit(Box<Share>),
}

/// What belongs to one connection.
#[derive(Debug)]
struct Connection {
    open: BTreeMap<u64, (Open, Duration)>,
    extranonce: Option<Extranonce>,
    is_authorized: bool,
    mask: Option<u32>,
    difficulty: Option<Difficulty>,
    /// A job that came before the answer to subscribe.
    early: Option<Notify>,
    last_job: Duration,
}

/// The client of one server. It lives as long as the miner, over any number of connections.
#[derive(Debug)]
pub struct Stratum {
    login: Login,
    connection: Option<Connection>,
    next_id: u64,
    /// The name of our session, to be given back.
    session: Option<String>,
    /// Whether the server hung up on `mining.configure`.
    is_plain: bool,
    jobs: Jobs,
    shares: Shares,
}

impl Stratum {
    /// A client that is not connected yet.
    #[must_use]
    pub fn new(login: Login) -> Self {
        let is_plain = !login.rolls_versions;
        Self {
            login,
            connection: None,
            next_id: 1,
            session: None,
            is_plain,
            jobs: Jobs::default(),
            shares: Shares::default(),
        }
    }

    /// Whether shares were submitted that are not answered.
    #[must_use]
    pub fn is_owed_answers(&self) -> bool {
        let open = self.connection.iter().flat_map(|connection| connection.open.values());
        open.into_iter().any(|(open, _)| matches!(open, Open::Submit(_)))
    }

    /// Takes an event and says what to do.
    pub fn step(&mut self, event: Event, now: Duration) -> Vec<Action> {
        let mut actions = Vec::new();
        match event {
            Event::Opened => self.opened(now, &mut actions),
            Event::Line(line) => self.line(&line, now, &mut actions),
            Event::Closed => self.closed(&mut actions),
            Event::Found { offer, solution } => self.found(offer, &solution, now, &mut actions),
            Event::Exhausted { offer } => self.exhausted(offer, &mut actions),
            Event::Tick => self.tick(now, &mut actions),
            Event::Answer { .. } => {}
        }
        actions
    }

    fn opened(&mut self, now: Duration, actions: &mut Vec<Action>) {
        self.jobs.opened();
        self.connection = Some(Connection {
            open: BTreeMap::new(),
            extranonce: None,
            is_authorized: false,
            mask: None,
            difficulty: None,
            early: None,
            last_job: now,
        });
        if !self.is_plain {
            self.ask(Open::Configure, now, actions);
        }
        self.ask(Open::Subscribe, now, actions);
    }

    fn ask(&mut self, open: Open, now: Duration, actions: &mut Vec<Action>) {
        let Some(connection) = &mut self.connection else { return };
        let Login { user, pass, .. } = &self.login;
        let ask = match &open {
            Open::Configure => Ask::Configure { mask: VERSION_ROLLING_MASK },
            Open::Subscribe => Ask::Subscribe { agent: AGENT, session: self.session.as_deref() },
            Open::Authorize => Ask::Authorize { user, pass },
            Open::Suggest(difficulty) => Ask::SuggestDifficulty(*difficulty),
            Open::Submit(share) => Ask::Submit { user, share: &share.submission },
        };
        let id = self.next_id;
        self.next_id += 1;
        actions.push(Action::Send(ask.line(id)));
        connection.open.insert(id, (open, now));
    }

    fn closed(&mut self, actions: &mut Vec<Action>) {
        let Some(connection) = self.connection.take() else { return };
        let is_unanswered =
            |wanted: fn(&Open) -> bool| connection.open.values().any(|(open, _)| wanted(open));
        if is_unanswered(|open| matches!(open, Open::Subscribe)) {
            // Perhaps it does not bear a question or a name that it does not know.
            self.is_plain |= is_unanswered(|open| matches!(open, Open::Configure));
            self.session = None;
        }
        for (open, _) in connection.open.into_values() {
            if let Open::Submit(share) = open {
                // It may have been counted: to submit it again would at worst be a duplicate.
                actions.extend(self.shares.keep(*share));
            }
        }
    }

    fn line(&mut self, text: &str, now: Duration, actions: &mut Vec<Action>) {
        if self.connection.is_none() || text.trim().is_empty() {
            return;
        }
        match Line::parse(text) {
            Ok(Line::Answer { id, result }) => self.answer(id, result, now, actions),
            Ok(Line::Notify(notify)) => self.notify(*notify, now, actions),
            Ok(Line::SetDifficulty(value)) => self.set_difficulty(value, actions),
            Ok(Line::SetExtranonce(extranonce)) => {
                if let Some(connection) = &mut self.connection {
                    connection.extranonce = Some(extranonce);
                }
            }
            Ok(Line::SetVersionMask(mask)) => {
                if let Some(connection) = &mut self.connection {
                    connection.mask = Some(mask & VERSION_ROLLING_MASK).filter(|_| !self.is_plain);
                }
            }
            Ok(Line::Reconnect { address, wait }) => self.reconnect(address, wait, actions),
            Ok(Line::ShowMessage(words)) => {
                actions.push(Action::Message(format!("the server says: {words}")));
            }
            Ok(Line::Question { id, method }) => actions.push(Action::Send(match &*method {
                "client.get_version" => reply(&id, Ok(AGENT)),
                "mining.ping" | "client.ping" => reply(&id, Ok("pong")),
                _ => reply(&id, Err("Unknown method")),
            })),
            Ok(Line::Unknown(_)) => {}
            Err(error) => actions.push(Action::Message(format!("ignored what it sent: {error}"))),
        }
    }

    fn answer(
        &mut self,
        id: Option<u64>,
        result: Result<Value, Refusal>,
        now: Duration,
        actions: &mut Vec<Action>,
    ) {
        let Some(connection) = &mut self.connection else { return };
        // Answers that nobody waits for (to suggest_difficulty, or late ones) are nobody's.
        let Some((open, since)) = id.and_then(|id| connection.open.remove(&id)) else { return };
        match open {
            Open::Configure => {
                connection.mask = result.ok().as_ref().and_then(granted_mask);
                if connection.mask.is_some() {
                    self.offer_again(actions);
                }
            }
            Open::Subscribe => self.subscribed(result, now, actions),
            Open::Authorize => match result {
                Ok(result) if result == false => {
                    actions.push(Action::Leave(Trouble::Unauthorized("without a reason".into())));
                }
                Err(refusal) => {
                    actions.push(Action::Leave(Trouble::Unauthorized(refusal.explained())));
                }
                Ok(_) => {
                    connection.is_authorized = true;
                    if let Some(difficulty) = self.login.suggest {
                        self.ask(Open::Suggest(difficulty), now, actions);
                    }
                    self.submit_kept(now, actions);
                }
            },
            Open::Suggest(_) => {}
            Open::Submit(share) => {
                let answered = self.shares.answered(&share, result, now.saturating_sub(since));
                let Answered { report, leave } = answered;
                actions.push(Action::Share(report));
                actions.extend(leave.map(Action::Leave));
            }
        }
    }

    fn subscribed(
        &mut self,
        result: Result<Value, Refusal>,
        now: Duration,
        actions: &mut Vec<Action>,
    ) {
        let read = result
            .map_err(|refusal| refusal.explained())
            .and_then(|result| Extranonce::subscribed(&result).map_err(str::to_owned));
        let (extranonce, session) = match read {
            Ok(read) => read,
            Err(why) => {
                self.session = None;
                actions.push(Action::Leave(Trouble::Protocol(format!("mining.subscribe: {why}"))));
                return;
            }
        };
        self.session = session;
        let Some(connection) = &mut self.connection else { return };
        connection.extranonce = Some(extranonce);
        let early = connection.early.take();
        self.ask(Open::Authorize, now, actions);
        if let Some(notify) = early {
            self.notify(notify, now, actions);
        }
    }

    fn notify(&mut self, notify: Notify, now: Duration, actions: &mut Vec<Action>) {
        let Some(connection) = &mut self.connection else { return };
        connection.last_job = now;
        if connection.extranonce.is_none() {
            connection.early = Some(notify);
            return;
        }
        self.jobs.received(notify);
        self.offer_again(actions);
        self.submit_kept(now, actions);
    }

    /// Offers the job under what was agreed on by now; nothing if that makes no difference.
    fn offer_again(&mut self, actions: &mut Vec<Action>) {
        let Some(connection) = &self.connection else { return };
        let Some(extranonce) = &connection.extranonce else { return };
        let difficulty = connection.difficulty.unwrap_or(Difficulty::ONE);
        let offer = self.jobs.offer(extranonce, connection.mask, difficulty);
        actions.extend(offer.map(|offer| Action::Search(Box::new(offer))));
    }

    /// A difficulty holds from the next job on, but for the first one after a job that came without.
    fn set_difficulty(&mut self, value: f64, actions: &mut Vec<Action>) {
        let Some(connection) = &mut self.connection else { return };
        let difficulty = Difficulty::new(value).unwrap_or(Difficulty::LEAST);
        let is_first = connection.difficulty.replace(difficulty).is_none();
        if is_first && self.jobs.is_of_this_connection() {
            self.offer_again(actions);
        }
    }

    fn reconnect(&mut self, address: Option<(String, u16)>, wait: u64, actions: &mut Vec<Action>) {
        let after = Duration::from_secs(wait).min(RECONNECT_WAIT_MAX);
        // A stranger on the line must not lead us away: the same host, or one of the same domain.
        if let Some((host, _)) = &address
            && !is_same_domain(host, &self.login.host)
        {
            let words = format!("ignored its request to reconnect to {}", shorten(host));
            actions.push(Action::Message(words));
            return;
        }
        actions.push(Action::Leave(Trouble::Reconnect { address, after }));
    }

    fn found(&mut self, offer: u64, solution: &Solution, now: Duration, actions: &mut Vec<Action>) {
        let Some(share) = self.jobs.share(offer, solution) else {
            // Of a job that was forgotten long ago, which needs a server that floods with jobs.
            return;
        };
        if share.is_stale && share.block.is_none() {
            actions.push(Action::Share(share.dropped_as_stale()));
            return;
        }
        let is_ready = self
            .connection
            .as_ref()
            .is_some_and(|connection| connection.is_authorized && connection.open.len() < OPEN_MAX);
        if is_ready {
            self.ask(Open::Submit(Box::new(share)), now, actions);
        } else {
            actions.extend(self.shares.keep(share));
        }
    }

    /// Submits what an outage kept, if the server still knows what it belongs to.
    fn submit_kept(&mut self, now: Duration, actions: &mut Vec<Action>) {
        let Some(connection) = &self.connection else { return };
        if !connection.is_authorized || !self.jobs.is_of_this_connection() {
            return;
        }
        let room = OPEN_MAX.saturating_sub(connection.open.len());
        let extranonce = connection.extranonce.clone();
        for share in self.shares.take(room) {
            match self.jobs.is_still_good(&share, extranonce.as_ref()) {
                Ok(()) => self.ask(Open::Submit(Box::new(share)), now, actions),
                Err(why) => actions.push(Action::Share(share.lost(why))),
            }
        }
    }

    fn exhausted(&mut self, offer: u64, actions: &mut Vec<Action>) {
        let renewed = self.jobs.renewed(offer);
        actions.extend(renewed.map(|offer| Action::Search(Box::new(offer))));
    }

    fn tick(&mut self, now: Duration, actions: &mut Vec<Action>) {
        let Some(connection) = &mut self.connection else { return };
        let silent = now.saturating_sub(connection.last_job);
        if silent >= JOB_WAIT {
            actions.push(Action::Leave(Trouble::NoJob(silent)));
            return;
        }
        let mut is_configure_late = false;
        for (open, since) in connection.open.values() {
            let after = now.saturating_sub(*since);
            let (wait, what) = match open {
                Open::Configure => {
                    is_configure_late |= after >= CONFIGURE_WAIT;
                    continue;
                }
                Open::Suggest(_) => continue,
                Open::Subscribe => (SUBSCRIBE_WAIT, "mining.subscribe"),
                Open::Authorize => (AUTHORIZE_WAIT, "mining.authorize"),
                Open::Submit(_) => (SUBMIT_WAIT, "a share"),
            };
            if after >= wait {
                actions.push(Action::Leave(Trouble::NoAnswer { what, after }));
                return;
            }
        }
        if is_configure_late {
            connection.open.retain(|_, (open, _)| !matches!(open, Open::Configure));
        }
        // Answers to it are optional, so it must not fill the room of shares.
        connection.open.retain(|_, (open, since)| {
            !matches!(open, Open::Suggest(_)) || now.saturating_sub(*since) < SUBMIT_WAIT
        });
        self.submit_kept(now, actions);
    }
}

/// The same host, or another whose name is the same behind the first dot.
fn is_same_domain(host: &str, own: &str) -> bool {
    let is_address = |host: &str| host.parse::<std::net::IpAddr>().is_ok();
    let domain = |host: &str| {
        let domain = host.split_once('.').filter(|_| !is_address(host))?.1.to_ascii_lowercase();
        domain.contains('.').then_some(domain)
    };
    host.eq_ignore_ascii_case(own) || (domain(host).is_some() && domain(host) == domain(own))
}
