//! Lines that wait for no reader: a thread of its own writes them, so that whoever does not read them, and
//! leaves the pipe full, delays nothing but the lines. What finds no place is left out and counted.

use std::io::{self, IsTerminal as _};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{
    Receiver, RecvTimeoutError, Sender, SyncSender, TrySendError, channel, sync_channel,
};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use serde::Serialize;
use tokio::sync::Notify;

use super::output::{Format, flushed, json_text};

/// Lines that wait for whoever reads.
const WAITING_MAX: usize = 1024;
/// The same of what is said about that.
const STDERR_PATIENCE: Duration = Duration::from_millis(250);

/// The way to an output, for any number of threads.
pub(crate) struct Outlet {
    lines: SyncSender<Line>,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    /// Lines that were to be written.
    told: AtomicU64,
    /// Those that were, or of which a line says that they were not.
    written: AtomicU64,
    /// Those that found no place since the last one that did.
    left_out: AtomicU64,
    failed: Mutex<Option<io::Error>>,
    ended: Notify,
}

struct Line {
    /// Lines before it that found no place.
    left_out: u64,
    what: What,
}

enum What {
    Text(Vec<u8>),
    /// Everything before it is written when its other end hears of it.
    End(Sender<()>),
}

impl Outlet {
    /// Starts the thread. `write` writes a line; `gap` hears how many are missing, where they are missing, and
    /// may give a line that says so.
    pub(crate) fn start(
        name: &str,
        write: impl Fn(&[u8]) -> io::Result<()> + Send + 'static,
        gap: impl Fn(u64) -> Option<Vec<u8>> + Send + 'static,
    ) -> anyhow::Result<Self> {
        let (lines, waiting) = sync_channel(WAITING_MAX);
        let shared = Arc::<Shared>::default();
        let theirs = Arc::clone(&shared);
        let run = move || {
            let ended = write_all(&waiting, &theirs, write, gap);
            *theirs.failed.lock().unwrap_or_else(PoisonError::into_inner) = ended.err();
            // Only now does anybody hear that it has ended, and can ask why.
            drop(waiting);
            theirs.ended.notify_one();
        };
        std::thread::Builder::new().name(name.into()).spawn(run).context("a thread")?;
        Ok(Self { lines, shared })
    }

    /// Has a line written, or counts it as left out. Never waits.
    ///
    /// # Errors
    ///
    /// If an earlier one could not be written: the reader has gone, say.
    pub(crate) fn write(&self, line: Vec<u8>) -> io::Result<()> {
        self.shared.told.fetch_add(1, Ordering::Relaxed);
        match self.send(What::Text(line)) {
            Ok(()) => Ok(()),
            Err(TrySendError::Full(_)) => {
                self.shared.left_out.fetch_add(1, Ordering::Relaxed);
                Ok(())
            }
            Err(TrySendError::Disconnected(_)) => Err(self.why()),
        }
    }

    /// Waits until everything is written, but no longer than `patience` while nothing is taken. Gives the
    /// number of lines that are missing without a word.
    ///
    /// # Errors
    ///
    /// As [`Outlet::write`].
    pub(crate) fn end(&self, patience: Duration) -> io::Result<u64> {
        let Shared { told, written, .. } = &*self.shared;
        let (ended, is_ended) = channel();
        let mut end = Some(What::End(ended));
        loop {
            let before = written.load(Ordering::Relaxed);
            end = match end.take().map(|end| self.send(end)) {
                None | Some(Ok(())) => None,
                Some(Err(TrySendError::Full(line))) => Some(line.what),
                Some(Err(TrySendError::Disconnected(_))) => return Err(self.why()),
            };
            match is_ended.recv_timeout(patience) {
                Ok(()) => break,
                Err(RecvTimeoutError::Disconnected) => return Err(self.why()),
                Err(RecvTimeoutError::Timeout) if written.load(Ordering::Relaxed) == before => {
                    break;
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
        let written = written.load(Ordering::Relaxed);
        Ok(told.load(Ordering::Relaxed).saturating_sub(written))
    }

    fn send(&self, what: What) -> Result<(), TrySendError<Line>> {
        let left_out = self.shared.left_out.swap(0, Ordering::Relaxed);
        self.lines.try_send(Line { left_out, what }).inspect_err(|_| {
            self.shared.left_out.fetch_add(left_out, Ordering::Relaxed);
        })
    }

    fn why(&self) -> io::Error {
        let mut failed = self.shared.failed.lock().unwrap_or_else(PoisonError::into_inner);
        failed.take().unwrap_or_else(|| io::ErrorKind::BrokenPipe.into())
    }
}

/// Writes until nobody can send a line any more.
fn write_all(
    waiting: &Receiver<Line>,
    shared: &Shared,
    write: impl Fn(&[u8]) -> io::Result<()>,
    gap: impl Fn(u64) -> Option<Vec<u8>>,
) -> io::Result<()> {
    for Line { left_out, what } in waiting {
        if left_out > 0
            && let Some(line) = gap(left_out)
        {
            write(&line)?;
            shared.written.fetch_add(left_out, Ordering::Relaxed);
        }
        match what {
            What::Text(line) => {
                write(&line)?;
                shared.written.fetch_add(1, Ordering::Relaxed);
            }
            // Who asked may not wait any more.
            What::End(ended) => _ = ended.send(()),
        }
    }
    Ok(())
}

/// Standard output of a command that has better things to do than to wait for its reader.
pub(crate) struct Printer {
    format: Format,
    /// How long its reader may take nothing at the end before the rest is given up.
    patience: Duration,
    outlet: Option<Outlet>,
}

#[derive(Serialize)]
#[serde(tag = "event", rename = "left_out")]
struct LeftOut {
    lines: u64,
}

impl Printer {
    pub(crate) fn start(format: Format, patience: Duration) -> anyhow::Result<Self> {
        let gap = move |lines| match format {
            Format::Json => json_text(&LeftOut { lines }).ok(),
            Format::Text => {
                Some(format!("{lines} lines were left out: nobody read them\n").into_bytes())
            }
        };
        let outlet = Some(Outlet::start("stdout", flushed, gap)?);
        Ok(Self { format, patience, outlet })
    }

    /// The same where something is drawn on standard error: a terminal is written to at once, in step with that.
    pub(crate) fn beside_a_screen(format: Format, patience: Duration) -> anyhow::Result<Self> {
        match io::stdout().is_terminal() {
            true => Ok(Self { format, patience, outlet: None }),
            false => Self::start(format, patience),
        }
    }

    /// Whether programs read it.
    pub(crate) fn is_json(&self) -> bool {
        self.format.is_json()
    }

    /// Tells one JSON object on a line.
    pub(crate) fn json<T: Serialize>(&self, body: &T) -> anyhow::Result<()> {
        self.write(json_text(body)?)
    }

    /// Tells a line for people.
    pub(crate) fn text(&self, text: impl AsRef<str>) -> anyhow::Result<()> {
        self.write(format!("{}\n", text.as_ref()).into_bytes())
    }

    fn write(&self, line: Vec<u8>) -> anyhow::Result<()> {
        match &self.outlet {
            Some(outlet) => outlet.write(line)?,
            None => flushed(&line)?,
        }
        Ok(())
    }

    /// Waits until nothing can be told any more: the reader has gone, say.
    pub(crate) async fn failed(&self) {
        match &self.outlet {
            Some(outlet) => outlet.shared.ended.notified().await,
            // It says so itself with the next line.
            None => std::future::pending().await,
        }
    }

    /// Waits while somebody reads, so that there is a place for what must not be left out.
    pub(crate) fn catch_up(&self) -> anyhow::Result<()> {
        if let Some(outlet) = &self.outlet {
            outlet.end(self.patience)?;
        }
        Ok(())
    }

    /// Waits for the last lines while somebody reads; if nobody does, says on standard error what is lost.
    pub(crate) fn end(mut self) -> anyhow::Result<()> {
        self.finish()
    }

    fn finish(&mut self) -> anyhow::Result<()> {
        let Some(outlet) = self.outlet.take() else { return Ok(()) };
        let lost = outlet.end(self.patience)?;
        if lost > 0 {
            // That may be the same full pipe.
            let stderr = Outlet::start("stderr", to_stderr, |_| None)?;
            let text =
                format!("proofward: nobody read standard output: {lost} lines were left out\n");
            stderr.write(text.into_bytes())?;
            stderr.end(STDERR_PATIENCE)?;
        }
        Ok(())
    }
}

impl Drop for Printer {
    fn drop(&mut self) {
        // Whoever drops it has an error to tell that came first.
        let _ = self.finish();
    }
}

/// Writes to standard error.
pub(crate) fn to_stderr(line: &[u8]) -> io::Result<()> {
    io::Write::write_all(&mut io::stderr(), line)
}
