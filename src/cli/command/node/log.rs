//! The log of a node on standard error, written by a thread of its own: whoever does not read it delays
//! nothing but the log.

use std::io::{self, IsTerminal as _, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::time::Duration;

use anyhow::Context as _;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use proofward::node::config::{Config, LogFormat};

/// Lines that wait for whoever reads; what is more is left out.
const WAITING_MAX: usize = 1024;
/// How long the last ones may take when the node ends.
const FAREWELL: Duration = Duration::from_millis(250);

/// The log until this is dropped; what is logged later may be lost.
pub(super) struct Log(Queue);

impl Log {
    /// Logs what the configuration wants.
    pub(super) fn start(config: &Config) -> anyhow::Result<Self> {
        let level = &config.log.level;
        let targets: Targets = level.parse().with_context(|| format!("log.level = {level:?}"))?;
        let (lines, waiting) = sync_channel(WAITING_MAX);
        let queue = Queue { lines, left_out: Arc::default() };
        let left_out = Arc::clone(&queue.left_out);
        let run = move || write_all(&waiting, &left_out);
        std::thread::Builder::new().name("log".into()).spawn(run).context("a thread")?;
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(LevelFilter::TRACE)
            .with_ansi(io::stderr().is_terminal())
            .with_writer(queue.clone());
        match config.log.format {
            LogFormat::Text => subscriber.finish().with(targets).init(),
            LogFormat::Json => subscriber.json().finish().with(targets).init(),
        }
        Ok(Self(queue))
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        let (written, done) = channel();
        // A full queue has no reader, and a reader that hangs is not waited for.
        if self.0.lines.try_send(Line::End(written)).is_ok() {
            let _ = done.recv_timeout(FAREWELL);
        }
    }
}

enum Line {
    Text(Vec<u8>),
    /// Everything before it is written when its other end hears of it.
    End(Sender<()>),
}

/// Takes the lines of every thread, and never waits.
#[derive(Clone)]
struct Queue {
    lines: SyncSender<Line>,
    left_out: Arc<AtomicU64>,
}

impl Write for Queue {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if self.lines.try_send(Line::Text(line.to_vec())).is_err() {
            self.left_out.fetch_add(1, Ordering::Relaxed);
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Queue {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

/// Writes until nobody can log any more, or the reader has gone.
fn write_all(waiting: &Receiver<Line>, left_out: &AtomicU64) {
    for line in waiting {
        match line {
            Line::Text(text) => {
                if io::stderr().write_all(&text).is_err() {
                    return;
                }
            }
            // Who asked may not wait any more.
            Line::End(written) => _ = written.send(()),
        }
        let count = left_out.swap(0, Ordering::Relaxed);
        if count > 0 {
            tracing::warn!(count, "nobody read the log: lines were left out");
        }
    }
}
