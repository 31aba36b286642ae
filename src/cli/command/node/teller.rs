//! What a node tells on standard output, by a thread of its own: whoever does not read it delays neither the
//! node nor its end.

use std::time::Duration;

use anyhow::Context as _;
use tokio::sync::{mpsc, oneshot};

use proofward::node::handle::Event;

/// Events that wait for whoever reads; what is more is not told.
const WAITING_MAX: usize = 4096;
/// How long the last ones may take once the node has stopped.
const FAREWELL: Duration = Duration::from_millis(250);

pub(super) struct Teller {
    events: mpsc::Sender<Event>,
    ended: oneshot::Receiver<anyhow::Result<()>>,
    left_out: u64,
}

impl Teller {
    /// Tells events by this function until it fails.
    pub(super) fn start(
        tell: impl Fn(&Event) -> anyhow::Result<()> + Send + 'static,
    ) -> anyhow::Result<Self> {
        let (events, mut waiting) = mpsc::channel(WAITING_MAX);
        let (end, ended) = oneshot::channel();
        let run = move || {
            let mut told = Ok(());
            while told.is_ok()
                && let Some(event) = waiting.blocking_recv()
            {
                told = tell(&event);
            }
            // Before anybody hears that it has ended, it can be asked why.
            let _ = end.send(told);
        };
        std::thread::Builder::new().name("teller".into()).spawn(run).context("a thread")?;
        Ok(Self { events, ended, left_out: 0 })
    }

    /// Tells an event, unless too many wait.
    pub(super) fn tell(&mut self, event: Event) {
        if self.events.try_send(event).is_err() {
            if self.left_out == 0 {
                tracing::warn!("nobody reads what is told: some of it is left out");
            }
            self.left_out += 1;
        }
    }

    /// Waits until nothing can be told any more: the reader has gone, say.
    pub(super) async fn failed(&self) {
        self.events.closed().await;
    }

    /// Tells what waits, if somebody reads it. Why not, if nothing could be told any more.
    pub(super) async fn end(self) -> anyhow::Result<()> {
        drop(self.events);
        let ended = tokio::time::timeout(FAREWELL, self.ended).await;
        ended.map_or(Ok(()), |ended| ended.unwrap_or(Ok(())))
    }
}
