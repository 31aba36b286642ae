//! The log of a node on standard error, written by a thread of its own: whoever does not read it delays
//! nothing but the log.

use std::io::{self, IsTerminal as _, Write};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::cli::outlet::{Outlet, to_stderr};
use proofward::node::config::{Config, LogFormat};

/// How long who reads the log, or what is told, may take nothing when the node ends before the rest is given up.
pub(super) const FAREWELL: Duration = Duration::from_millis(250);

/// The log until this is dropped; what is logged later may be lost.
pub(super) struct Log(Lines);

impl Log {
    /// Logs what the configuration wants.
    pub(super) fn start(config: &Config) -> anyhow::Result<Self> {
        let level = &config.log.level;
        let targets: Targets = level.parse().with_context(|| format!("log.level = {level:?}"))?;
        let gap = |count| {
            tracing::warn!(count, "nobody read the log: lines were left out");
            None
        };
        let lines = Lines(Arc::new(Outlet::start("log", to_stderr, gap)?));
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(LevelFilter::TRACE)
            .with_ansi(io::stderr().is_terminal())
            .with_writer(lines.clone());
        match config.log.format {
            LogFormat::Text => subscriber.finish().with(targets).init(),
            LogFormat::Json => subscriber.json().finish().with(targets).init(),
        }
        Ok(Self(lines))
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        // Nobody is left who could be told of what nobody has read.
        let _ = self.0.0.end(FAREWELL);
    }
}

/// Takes the lines of every thread, and never waits.
#[derive(Clone)]
struct Lines(Arc<Outlet>);

impl Write for Lines {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        // A log that nobody can read any more is no reason to fail.
        let _ = self.0.write(line.to_vec());
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Lines {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}
