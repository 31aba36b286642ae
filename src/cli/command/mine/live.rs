//! What a miner for other people's servers shows: a live screen on a terminal, plain lines elsewhere, or
//! one JSON object a line.

use std::io::IsTerminal as _;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use super::budget::{Purse, Statement};
use super::screen::{self, Size, blocks, short};
use super::speed::{Rates, Speed};
use crate::cli::outlet::Printer;
use crate::cli::output::{rate, seconds};
use proofward::engine::Engine;
use proofward::node::client::{Account, Fate, Observer, Report, ShareReport};

/// How often the rate is told where there is no live screen.
const RATE_EVERY: Duration = Duration::from_secs(10);
/// Threads that are shown one by one.
const THREADS_SHOWN: usize = 16;

/// Something that happened, for programs.
#[derive(Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
enum Line<'a> {
    Connecting { server: &'a str },
    Active { server: &'a str },
    Job { server: &'a str, job: &'a str, height: Option<u32>, difficulty: f64, new_tip: bool },
    Share(ShareLine<'a>),
    Left { server: &'a str, reason: String, retry_seconds: f64 },
    Idle,
    Message { server: &'a str, text: &'a str },
    Paused { reason: &'a str },
    Resumed,
    Rate(RateLine),
    Budget(Statement),
    End(EndLine),
}

#[derive(Serialize)]
struct ShareLine<'a> {
    server: &'a str,
    fate: &'static str,
    reason: Option<&'a str>,
    difficulty: f64,
    latency_ms: Option<f64>,
    block: Option<String>,
}

#[derive(Serialize)]
struct RateLine {
    seconds: f64,
    hashes: u64,
    hashes_per_second: f64,
    hashes_per_second_now: f64,
    threads_hashes_per_second_now: Vec<f64>,
    accepted: u64,
    stale: u64,
    refused: u64,
    lost: u64,
    blocks: u64,
    difficulty_accepted: f64,
    implied_hashes: f64,
    latency_ms: Option<f64>,
}

#[derive(Serialize)]
struct EndLine {
    kernel: &'static str,
    threads: usize,
    #[serde(flatten)]
    rate: RateLine,
}

#[expect(clippy::float_arithmetic, reason = "display only")]
fn milliseconds(duration: Duration) -> f64 {
    Duration::as_secs_f64(&duration) * 1e3
}

impl RateLine {
    fn new(rates: Rates, account: &Account) -> Self {
        let Rates { elapsed, hashes, average, now, threads } = rates;
        Self {
            seconds: elapsed.as_secs_f64(),
            hashes,
            hashes_per_second: average,
            hashes_per_second_now: now,
            threads_hashes_per_second_now: threads,
            accepted: account.fates.accepted,
            stale: account.fates.stale,
            refused: account.fates.refused,
            lost: account.fates.lost,
            blocks: account.blocks,
            difficulty_accepted: account.difficulty,
            implied_hashes: account.implied_hashes(),
            latency_ms: account.latency.map(milliseconds),
        }
    }
}

/// What is shown.
pub(super) struct Live {
    printer: Printer,
    servers: Vec<String>,
    blocks_max: Option<u32>,
    limit: Option<Duration>,
    speed: Speed,
    told_at: Duration,
    screen: ProgressBar,
    active: Option<usize>,
    job: Vec<String>,
    state: Option<&'static str>,
    /// What the hashes are paid from, if they are.
    purse: Option<Purse>,
    /// Why nothing can be written any more: the reader of our output went away, say.
    failed: Option<anyhow::Error>,
}

impl Live {
    pub(super) fn new(
        printer: Printer,
        servers: Vec<String>,
        blocks_max: Option<u32>,
        limit: Option<Duration>,
        purse: Option<Purse>,
    ) -> Self {
        let is_live = !printer.is_json() && std::io::stderr().is_terminal();
        let style = ProgressStyle::with_template("{msg}").expect("a template of one field");
        let screen = match is_live {
            true => ProgressBar::new_spinner().with_style(style),
            false => ProgressBar::hidden(),
        };
        Self {
            printer,
            servers,
            blocks_max,
            limit,
            speed: Speed::start(),
            told_at: Duration::ZERO,
            screen,
            active: None,
            job: Vec::new(),
            state: Some("connecting"),
            purse,
            failed: None,
        }
    }

    /// The last lines: what is left of the budget, and what was done.
    pub(super) fn finish(
        mut self,
        engine: &Engine,
        account: &Account,
        kernel: &'static str,
        threads: usize,
    ) -> anyhow::Result<()> {
        self.screen.finish_and_clear();
        if let Some(error) = self.failed {
            return Err(error);
        }
        self.printer.catch_up()?;
        if let Some(purse) = self.purse {
            let statement = purse.close(engine, self.speed.elapsed())?;
            if self.printer.is_json() {
                self.printer.json(&Line::Budget(statement))?;
            } else {
                statement.print(&self.printer)?;
            }
        }
        let rates = self.speed.sample(engine);
        if self.printer.is_json() {
            let rate = RateLine::new(rates, account);
            self.printer.json(&Line::End(EndLine { kernel, threads, rate }))?;
            return self.printer.end();
        }
        let Rates { elapsed, hashes, average, .. } = rates;
        self.printer.text(format!("{}; {}", shares(account), blocks(account.blocks)))?;
        let (elapsed, speed) = (seconds(elapsed), rate(average, "H/s"));
        let text = format!("{hashes} hashes in {elapsed}: {speed}, {kernel}, {threads} threads");
        self.printer.text(text)?;
        self.printer.end()
    }

    /// Keeps in mind that nothing can be written any more.
    fn written(&mut self, written: anyhow::Result<()>) {
        self.failed = self.failed.take().or(written.err());
    }

    fn tell(&self, report: &Report, account: &Account) -> anyhow::Result<()> {
        if self.printer.is_json() {
            return json(report, &self.servers).map_or(Ok(()), |line| self.printer.json(&line));
        }
        let Some((is_result, text)) = text(report, &self.servers, account) else { return Ok(()) };
        self.screen.suspend(|| match is_result {
            true => self.printer.text(text),
            false => {
                eprintln!("proofward: {text}");
                Ok(())
            }
        })
    }

    fn draw(&self, rates: &Rates, account: &Account) {
        let server = self.active.map_or("no server", |server| &*self.servers[server]);
        let state = self.state.map(|state| format!(" [{state}]")).unwrap_or_default();
        let mut place = vec![format!("{server}{state}")];
        place.extend(self.job.iter().cloned());
        let speed = |name: &str, number| format!("{name} {}", rate(number, "H/s"));
        let mut threads: Vec<_> =
            rates.threads.iter().take(THREADS_SHOWN).map(|one| rate(*one, "H/s")).collect();
        threads.insert(0, "threads".into());
        if rates.threads.len() > THREADS_SHOWN {
            threads.push(format!("and {} more", rates.threads.len() - THREADS_SHOWN));
        }
        let latency = account.latency.map_or_else(|| "-".into(), screen::milliseconds);
        let mut counts: Vec<_> = shares(account).split(", ").map(str::to_owned).collect();
        counts.extend([blocks(account.blocks), format!("latency {latency}")]);
        let speeds = vec![speed("now", rates.now), speed("average", rates.average)];
        let keys = ["p pause", "r resume", "q quit"].map(str::to_owned).to_vec();
        self.screen.set_message(Size::now().lay_out(&[place, speeds, threads, counts, keys]));
        self.screen.tick();
    }
}

fn shares(account: &Account) -> String {
    let fates = account.fates;
    format!(
        "shares: {} accepted, {} stale, {} refused, {} lost",
        fates.accepted, fates.stale, fates.refused, fates.lost
    )
}

impl Observer for Live {
    fn told(&mut self, report: &Report, account: &Account) {
        match report {
            Report::Active { server } => self.active = Some(*server),
            Report::Job { job, height, difficulty, .. } => {
                let height = height.map(|height| format!(" at height {height}"));
                let job = format!("job {job}{}", height.unwrap_or_default());
                self.job = vec![job, format!("difficulty {}", short(*difficulty))];
                self.state = self.state.filter(|state| *state == "paused");
            }
            Report::Idle => (self.active, self.state) = (None, Some("idle")),
            Report::Paused { .. } => {
                self.state = Some("paused");
                self.speed.restart();
            }
            Report::Resumed => {
                self.state = None;
                self.speed.restart();
            }
            _ => {}
        }
        let written = self.tell(report, account);
        self.written(written);
    }

    fn tick(&mut self, engine: &Engine, account: &Account) -> bool {
        let rates = self.speed.sample(engine);
        let elapsed = rates.elapsed;
        if !self.screen.is_hidden() {
            self.draw(&rates, account);
        } else if elapsed.saturating_sub(self.told_at) >= RATE_EVERY {
            self.told_at = elapsed;
            let written = match self.printer.is_json() {
                true => self.printer.json(&Line::Rate(RateLine::new(rates, account))),
                false => {
                    let (now, average) = (rate(rates.now, "H/s"), rate(rates.average, "H/s"));
                    self.printer
                        .text(format!("{now} now, {average} on average; {}", shares(account)))
                }
            };
            self.written(written);
        }
        let has_hashes = match self.purse.as_mut().map_or(Ok(true), |purse| purse.tick(engine)) {
            Ok(has_hashes) => has_hashes,
            Err(error) => {
                self.written(Err(error.into()));
                false
            }
        };
        let is_over = !has_hashes
            || self.limit.is_some_and(|limit| self.speed.elapsed() >= limit)
            || self.blocks_max.is_some_and(|max| account.blocks >= max.into());
        !is_over && self.failed.is_none()
    }
}

fn json<'a>(report: &'a Report, servers: &'a [String]) -> Option<Line<'a>> {
    let name = |server: &usize| &*servers[*server];
    Some(match report {
        Report::Connecting { server } => Line::Connecting { server: name(server) },
        Report::Active { server } => Line::Active { server: name(server) },
        Report::Job { server, job, height, difficulty, is_new_tip } => Line::Job {
            server: name(server),
            job,
            height: *height,
            difficulty: *difficulty,
            new_tip: *is_new_tip,
        },
        Report::Share { server, share } => Line::Share(ShareLine {
            server: name(server),
            fate: fate(share),
            reason: share.reason.as_deref(),
            difficulty: share.difficulty,
            latency_ms: share.latency.map(milliseconds),
            block: share.block.map(|hash| hash.to_string()),
        }),
        Report::Left { server, trouble, retry_in } => Line::Left {
            server: name(server),
            reason: trouble.to_string(),
            retry_seconds: retry_in.as_secs_f64(),
        },
        Report::Idle => Line::Idle,
        Report::Message { server, text } => Line::Message { server: name(server), text },
        Report::Paused { reason } => Line::Paused { reason },
        Report::Resumed => Line::Resumed,
        _ => return None,
    })
}

/// The line for people, and whether it is a result rather than progress.
fn text(report: &Report, servers: &[String], account: &Account) -> Option<(bool, String)> {
    let name = |server: &usize| &*servers[*server];
    Some(match report {
        Report::Connecting { server } => (false, format!("connecting to {}", name(server))),
        Report::Active { server } => (true, format!("mining for {}", name(server))),
        Report::Share { share, .. } => (true, share_text(share, account)),
        Report::Left { server, trouble, retry_in } => {
            let again = seconds(Duration::from_millis(u64::try_from(retry_in.as_millis()).ok()?));
            (false, format!("{}: {trouble}; next attempt in {again}", name(server)))
        }
        Report::Idle => (false, "no server gives work: the search rests".into()),
        Report::Message { server, text } => (false, format!("{}: {text}", name(server))),
        Report::Paused { reason } => (false, format!("paused: {reason}")),
        Report::Resumed => (false, "goes on".into()),
        _ => return None,
    })
}

fn fate(share: &ShareReport) -> &'static str {
    match share.fate {
        Fate::Accepted => "accepted",
        Fate::Stale => "stale",
        Fate::Refused => "refused",
        Fate::Lost => "lost",
    }
}

fn share_text(share: &ShareReport, account: &Account) -> String {
    let mut text = format!("share {} (difficulty {})", fate(share), short(share.difficulty));
    if let Some(latency) = share.latency {
        text = format!("{text} in {}", screen::milliseconds(latency));
    }
    if let Some(reason) = &share.reason {
        text = format!("{text}: {reason}");
    }
    if let Some(hash) = share.block {
        text = format!("{text}; it is block {hash}");
    }
    let fates = account.fates;
    format!("{text}; {} accepted, {} not", fates.accepted, fates.stale + fates.refused + fates.lost)
}
