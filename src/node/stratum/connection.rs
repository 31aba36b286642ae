//! One socket around one session. Whoever has something for the client writes it at once, whichever task
//! that is; only what the kernel does not take waits here, and no more than a bounded part of it.

use std::io;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::io::Interest;
use tokio::net::TcpStream;
use tokio::sync::Notify;

use super::desk::Desk;
use super::job::Job;
use super::limits::{
    LINE_BYTES_MAX, QUEUE_BYTES_MAX, READ_TURN_BYTES_MAX, REPLIES_BYTES, SLOW_MS_MAX,
};
use super::session::{Ending, Event, Next, Session};
use super::share::Found;
use crate::node::clock::{Moment, Moments};

/// Why a socket is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, thiserror::Error)]
#[non_exhaustive]
pub enum Closing {
    /// The session's own reason.
    #[error(transparent)]
    Session(#[from] Ending),
    /// The client closed it, or it broke.
    #[error("the client left")]
    Left,
    /// A line without an end.
    #[error("a line of more than {LINE_BYTES_MAX} bytes")]
    LongLine,
    /// It does not read what it is sent.
    #[error("the client does not read")]
    SlowReader,
    /// A client that tries TLS first, and comes again without it (BFGMiner).
    #[error("a TLS handshake")]
    Tls,
    /// It had not logged in, and others came.
    #[error("not logged in while others came")]
    Crowded,
    /// The server stops.
    #[error("the server stops")]
    Stopping,
}

/// A connection.
#[derive(Debug)]
pub(super) struct Connection {
    /// Unique for the life of the process, in the order of arrival.
    pub(super) number: u64,
    pub(super) address: IpAddr,
    stream: TcpStream,
    state: Mutex<State>,
    /// The reading task is to look at the state again.
    wake: Notify,
}

#[derive(Debug)]
struct State {
    session: Session,
    /// What the kernel did not take. As long as there is any, the client is not listened to.
    queue: Vec<u8>,
    /// Since when the kernel has taken nothing of the queue.
    stuck_ms: u64,
    closing: Option<Closing>,
}

/// First byte of a TLS record that opens a handshake.
const TLS_HANDSHAKE: u8 = 0x16;
/// Buffers that grew beyond this are given back once they are empty.
const BUFFER_KEPT: usize = 1024;

impl Connection {
    pub(super) fn new(
        number: u64,
        address: IpAddr,
        stream: TcpStream,
        desk: Arc<Desk>,
        now: Moment,
    ) -> Self {
        let session = Session::new(desk, now);
        let state = Mutex::new(State { session, queue: Vec::new(), stuck_ms: 0, closing: None });
        Self { number, address, stream, state, wake: Notify::new() }
    }

    /// Gives it a job; `scratch` is the caller's to use again.
    pub(super) fn job(&self, job: &Arc<Job>, is_clean: bool, now: Moment, scratch: &mut Vec<u8>) {
        scratch.clear();
        let mut state = self.lock();
        if state.closing.is_none() {
            let next = state.session.step(Event::Job(job, is_clean), now, scratch);
            self.send(&mut state, scratch, now);
            self.close_if(&mut state, &next);
        }
    }

    /// Lets time pass, and says whether it wants a job, and which it has.
    pub(super) fn tick(&self, current: Option<&Job>, now: Moment) -> Option<Option<u32>> {
        let mut state = self.lock();
        if state.closing.is_some() {
            return None;
        }
        let mut out = Vec::new();
        let next = state.session.step(Event::Tick, now, &mut out);
        self.send(&mut state, &out, now);
        self.close_if(&mut state, &next);
        if !state.queue.is_empty() && now.ms.saturating_sub(state.stuck_ms) >= SLOW_MS_MAX {
            self.end(&mut state, Closing::SlowReader);
        }
        current.is_some_and(|job| state.session.wants_job(job)).then(|| state.session.last_job())
    }

    /// Ends it.
    pub(super) fn close(&self, why: Closing) {
        self.end(&mut self.lock(), why);
    }

    pub(super) fn is_authorised(&self) -> bool {
        self.lock().session.is_authorised()
    }

    /// Who is said to have found its blocks.
    pub(super) fn finder(&self) -> Arc<str> {
        self.lock().session.label().unwrap_or_else(|| "stratum".into())
    }

    /// Waits until there is something to read, and takes it in, or to write, and does so. Returns why the
    /// connection is over once it is.
    pub(super) async fn wait(&self, inbox: &mut Vec<u8>, moments: &Moments) -> Result<(), Closing> {
        let interest = self.interest()?;
        let ready = tokio::select! {
            ready = self.stream.ready(interest) => ready.map_err(|_| Closing::Left)?,
            () = self.wake.notified() => return Ok(()),
        };
        if ready.is_writable() {
            self.flush(moments.now());
        }
        if ready.is_readable() { self.read(inbox) } else { Ok(()) }
    }

    /// Takes the lines of `inbox` one after another, up to the first that is a block, or whose answer the
    /// kernel does not take: then the client has to read before it is heard again.
    pub(super) fn lines(&self, inbox: &mut Vec<u8>, now: Moment) -> Option<Found> {
        if inbox.first() == Some(&TLS_HANDSHAKE) {
            self.close(Closing::Tls);
            inbox.clear();
        }
        let mut taken = 0;
        let mut found = None;
        let mut out = Vec::new();
        let mut state = self.lock();
        while found.is_none() && state.closing.is_none() && state.queue.is_empty() {
            let rest = &inbox[taken..];
            let Some(end) = rest.iter().position(|byte| *byte == b'\n') else {
                if rest.len() > LINE_BYTES_MAX {
                    self.end(&mut state, Closing::LongLine);
                }
                break;
            };
            if end > LINE_BYTES_MAX {
                self.end(&mut state, Closing::LongLine);
                break;
            }
            match state.session.step(Event::Line(&rest[..end]), now, &mut out) {
                Next::Submit(block) => found = Some(block),
                next => self.close_if(&mut state, &next),
            }
            taken += end + 1;
            if out.len() >= REPLIES_BYTES {
                self.send(&mut state, &out, now);
                out.clear();
            }
        }
        self.send(&mut state, &out, now);
        inbox.drain(..taken);
        if inbox.is_empty() && inbox.capacity() > BUFFER_KEPT {
            *inbox = Vec::new();
        }
        found
    }

    /// Answers the share whose block has been judged.
    pub(super) fn submitted(&self, now: Moment) {
        let mut out = Vec::new();
        let mut state = self.lock();
        let next = state.session.step(Event::Submitted, now, &mut out);
        self.send(&mut state, &out, now);
        self.close_if(&mut state, &next);
    }

    fn interest(&self) -> Result<Interest, Closing> {
        let state = self.lock();
        match state.closing {
            Some(why) => Err(why),
            None if state.queue.is_empty() => Ok(Interest::READABLE),
            None => Ok(Interest::WRITABLE),
        }
    }

    fn read(&self, inbox: &mut Vec<u8>) -> Result<(), Closing> {
        let mut chunk = [0; 4096];
        let before = inbox.len();
        while inbox.len() - before < READ_TURN_BYTES_MAX {
            match self.stream.try_read(&mut chunk) {
                Ok(0) => return Err(Closing::Left),
                Ok(count) => inbox.extend_from_slice(&chunk[..count]),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(_) => return Err(Closing::Left),
            }
        }
        Ok(())
    }

    fn flush(&self, now: Moment) {
        let mut state = self.lock();
        while !state.queue.is_empty() {
            match self.stream.try_write(&state.queue) {
                Ok(count) => {
                    state.queue.drain(..count);
                    state.stuck_ms = now.ms;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(_) => return self.end(&mut state, Closing::Left),
            }
        }
        if state.queue.is_empty() {
            state.queue = Vec::new();
        }
    }

    /// Writes what the kernel takes and queues the rest.
    fn send(&self, state: &mut State, bytes: &[u8], now: Moment) {
        let mut rest = bytes;
        while !rest.is_empty() && state.queue.is_empty() {
            match self.stream.try_write(rest) {
                Ok(count) => rest = &rest[count..],
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(_) => return self.end(state, Closing::Left),
            }
        }
        if rest.is_empty() {
            return;
        }
        if state.queue.len() + rest.len() > QUEUE_BYTES_MAX {
            return self.end(state, Closing::SlowReader);
        }
        if state.queue.is_empty() {
            state.stuck_ms = now.ms;
        }
        state.queue.extend_from_slice(rest);
        self.wake.notify_one();
    }

    fn close_if(&self, state: &mut State, next: &Next) {
        if let Next::Close(why) = next {
            self.end(state, (*why).into());
        }
    }

    fn end(&self, state: &mut State, why: Closing) {
        state.closing.get_or_insert(why);
        self.wake.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
