//! What people and programs see: the result on standard output as text or as one JSON object a line,
//! progress on standard error only when that is a terminal.

use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use indicatif::{ProgressBar, ProgressStyle};
use proofward::ledger::store::WholeFile;
use proofward::words::Lang;
use serde::Serialize;

/// The number in every JSON line; it changes when a field changes its meaning or goes away.
const SCHEMA: u32 = 1;

/// How results are printed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// For people.
    #[default]
    Text,
    /// One object a line, each with "schema": 1.
    Json,
}

impl Format {
    /// Whether programs read it.
    pub(crate) fn is_json(self) -> bool {
        self == Self::Json
    }
}

/// In which language people are told.
#[derive(Debug, Clone, Copy, Default, clap::ValueEnum)]
pub(crate) enum LangArg {
    /// English
    #[default]
    En,
    /// Chinese
    Zh,
}

impl From<LangArg> for Lang {
    fn from(lang: LangArg) -> Self {
        match lang {
            LangArg::En => Self::En,
            LangArg::Zh => Self::Zh,
        }
    }
}

#[derive(Serialize)]
struct Line<'a, T> {
    schema: u32,
    #[serde(flatten)]
    body: &'a T,
}

/// Prints one JSON object on a line, with the schema number first.
pub(crate) fn json_line<T: Serialize>(body: &T) -> anyhow::Result<()> {
    write_stdout(&json_text(body)?)
}

/// That line.
pub(crate) fn json_text<T: Serialize>(body: &T) -> serde_json::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(&Line { schema: SCHEMA, body })?;
    line.push(b'\n');
    Ok(line)
}

/// Prints a line for people.
pub(crate) fn text_line(text: impl AsRef<str>) -> anyhow::Result<()> {
    write_stdout(format!("{}\n", text.as_ref()).as_bytes())
}

/// Writes and flushes, so that a reader at the other end of a pipe sees each result at once.
pub(crate) fn write_stdout(bytes: &[u8]) -> anyhow::Result<()> {
    Ok(flushed(bytes)?)
}

/// The same for whoever asks what went wrong.
pub(crate) fn flushed(bytes: &[u8]) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(bytes)?;
    stdout.flush()
}

/// Writes a file so that it appears whole; `-` is standard output. Says whether standard output is still
/// free for the result.
pub(crate) fn write_file(path: &Path, bytes: &[u8]) -> anyhow::Result<bool> {
    if path == Path::new("-") {
        return write_stdout(bytes).map(|()| false);
    }
    let write = || {
        let mut file = WholeFile::create(path)?;
        file.write_all(bytes)?;
        file.finish()
    };
    write().with_context(|| path.display().to_string())?;
    Ok(true)
}

/// Whether the reader of our output went away, which is not an error of ours.
pub(crate) fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .any(|cause| cause.kind() == io::ErrorKind::BrokenPipe)
}

/// A bar on standard error, hidden when that is not a terminal. `{msg}` follows the count.
pub(crate) fn progress_bar(total: u64) -> ProgressBar {
    if !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:32} {percent:>3}% {elapsed} {msg}")
        .expect("a template that the tests render");
    ProgressBar::new(total).with_style(style)
}

/// A rate with three or four significant digits and a unit: `32.1 MH/s`.
#[expect(clippy::float_arithmetic, reason = "display only")]
pub(crate) fn rate(per_second: f64, unit: &str) -> String {
    const STEPS: [(f64, &str); 4] = [(1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")];
    let (scale, prefix) =
        STEPS.into_iter().find(|(scale, _)| per_second >= *scale).unwrap_or((1.0, ""));
    format!("{:.2} {prefix}{unit}", per_second / scale)
}

/// A duration for people: `1.234 s`, `56.7 ms`.
pub(crate) fn seconds(duration: Duration) -> String {
    format!("{duration:.3?}")
}
