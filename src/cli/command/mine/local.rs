//! `proofward mine` on the chain in a directory; it founds a local one if there is none.

use std::io::IsTerminal as _;
use std::time::Duration;

use anyhow::{Context as _, bail};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use super::budget::Purse;
use super::keys::{CONTROLS_MAX, Keys, follow_signals};
use super::{Args, PATIENCE};
use crate::cli::command::{init, kernels};
use crate::cli::exit::Outcome;
use crate::cli::outlet::Printer;
use crate::cli::output::{rate, seconds};
use crate::cli::settings::{key_or_address, tokens};
use proofward::engine::meter::{Stopwatch, per_second};
use proofward::ledger::chain::Ledger;
use proofward::ledger::mempool::Limits;
use proofward::ledger::signature::PubKey;
use proofward::ledger::store::DiskStore;
use proofward::node::client::Control;
use proofward::node::clock::Clock;
use proofward::node::dir::ChainDir;
use proofward::node::feed::Told;
use proofward::node::handle::{Event, Handle};
use proofward::node::miner::{Mined, Miner};
use proofward::node::service::{Parts, Service};
use tokio::sync::broadcast::Receiver;
use tokio::sync::mpsc;

/// How often the live line is drawn, and what the inbox holds is told.
const DRAW_EVERY: Duration = Duration::from_millis(250);

#[derive(Serialize)]
struct BlockLine {
    height: u32,
    hash: String,
    transactions: usize,
    reward_units: u64,
    spendable_at: u32,
}

#[derive(Serialize)]
struct Summary {
    blocks: u32,
    hashes: u64,
    seconds: f64,
    hashes_per_second: f64,
    kernel: &'static str,
    threads: usize,
    tip_hash: String,
}

impl Args {
    pub(super) fn run_local(&self) -> anyhow::Result<Outcome> {
        let dir = ChainDir::new(self.place.clone().resolve()?);
        let options = self.options();
        let ledger = if dir.holds_chain() {
            dir.open(options.threads)?
        } else {
            eprintln!("proofward: founding a local chain in {}", dir.path().display());
            init::found(&dir, "local")?
        };
        let payout = self.payout(&dir, &ledger)?;
        let algorithm = ledger.chain().spec.algorithm;
        let kernel = kernels::choose(algorithm, self.kernel.as_deref())?;
        let engine = self.engine(kernel)?;
        let mut purse =
            self.budget.as_deref().map(|path| Purse::open(path, &engine)).transpose()?;
        let stopwatch = Stopwatch::start();
        let live = live_line();
        let printer = Printer::beside_a_screen(self.format, PATIENCE)?;
        let (inbox, limits) = (Some(dir.inbox()?), Limits::default());
        let parts = Parts { ledger, inbox, limits, clock: Clock::system() };
        let mut service = Service::start(parts)?;
        let handle = service.handle.clone();
        let mut miner = Miner::new(handle.clone(), &engine, payout, "mine");
        let (sender, mut controls) = mpsc::channel(CONTROLS_MAX);
        // It waits for signals while this thread waits for blocks.
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        runtime.block_on(async { follow_signals(&sender) })?;
        // They put the terminal back when they go.
        let _keys = Keys::listen(sender);
        let mut state = "searching";
        let mut mined: u32 = 0;
        while self.blocks.is_none_or(|blocks| mined < blocks) && !service.has_ended() {
            match controls.try_recv() {
                Ok(Control::Pause(_)) => {
                    engine.pause();
                    state = "paused before";
                }
                Ok(Control::Resume(_)) => {
                    engine.resume();
                    state = "searching";
                }
                Ok(Control::Quit) => break,
                Err(_) => {}
            }
            if let Some(purse) = &mut purse
                && !purse.tick(&engine)?
            {
                break;
            }
            if let Some(block) = miner.wait(DRAW_EVERY)? {
                mined += 1;
                print(&printer, &handle, &block, &live)?;
            }
            tell(&mut service.events, &live);
            let speed = rate(per_second(engine.counters().hashes, stopwatch.elapsed()), "H/s");
            let (height, pending) = (handle.current().height(), handle.totals().count);
            live.set_message(format!("{speed}, {state} block {height}, {pending} pending"));
            live.tick();
        }
        miner.stop();
        let mut events = std::mem::replace(&mut service.events, handle.events());
        let ledger = service.stop()?;
        tell(&mut events, &live);
        live.finish_and_clear();
        let (hashes, elapsed) = (engine.counters().hashes, stopwatch.elapsed());
        printer.catch_up()?;
        let summary = Summary {
            blocks: mined,
            hashes,
            seconds: elapsed.as_secs_f64(),
            hashes_per_second: per_second(hashes, elapsed),
            kernel: kernel.isa(),
            threads: options.threads.get(),
            tip_hash: handle.current().tip().to_string(),
        };
        if printer.is_json() {
            printer.json(&summary)?;
        } else {
            printer.text(format!(
                "{mined} blocks, {hashes} hashes in {}: {}, {algorithm} {}, {} threads",
                seconds(elapsed),
                rate(summary.hashes_per_second, "H/s"),
                summary.kernel,
                summary.threads
            ))?;
        }
        if let Some(purse) = purse {
            let statement = purse.close(&engine, elapsed)?;
            statement.print(&printer)?;
        }
        if let Some(ledger) = ledger {
            ledger.into_store().close()?;
        }
        printer.end()?;
        Ok(Outcome::Yes)
    }

    fn payout(&self, dir: &ChainDir, ledger: &Ledger<DiskStore>) -> anyhow::Result<PubKey> {
        let spec = &ledger.chain().spec;
        match &self.payout {
            Some(text) => key_or_address(text, dir.path(), spec).context("--payout"),
            None if spec.name == "local" => init::key_for_local_chain(dir, "miner"),
            None => bail!("chain {} has no key to pay by default: give --payout", spec.name),
        }
    }
}

/// Tells of a block.
fn print(
    printer: &Printer,
    handle: &Handle,
    mined: &Mined,
    live: &ProgressBar,
) -> anyhow::Result<()> {
    let spendable_at = mined.height.saturating_add(handle.chain().spec.maturity_blocks);
    let transactions = mined.block.transactions.len();
    if printer.is_json() {
        return printer.json(&BlockLine {
            height: mined.height,
            hash: mined.hash.to_string(),
            transactions,
            reward_units: mined.reward,
            spendable_at,
        });
    }
    let line = format!(
        "mined block {}: {transactions} transactions, {} tokens, spendable at {spendable_at}",
        mined.height,
        tokens(mined.reward)
    );
    live.suspend(|| printer.text(line))
}

/// Tells what became of files in the inbox that are not, or not yet, mined.
fn tell(events: &mut Receiver<Event>, live: &ProgressBar) {
    while let Ok(event) = events.try_recv() {
        let Event::Inbox(Told { core, refused, is_removed }) = event else { continue };
        let core = core.map_or_else(|| "no core".into(), |core| format!("core {core}"));
        let end = if is_removed { "removed from the inbox" } else { "it waits in the inbox" };
        live.suspend(|| {
            eprintln!("proofward: {}: transaction with {core}: {refused}; {end}", refused.name());
        });
    }
}

/// A line of rate and height on standard error, hidden when that is not a terminal.
fn live_line() -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{spinner} {elapsed} {msg}")
        .expect("a template that the tests render");
    ProgressBar::new_spinner().with_style(style)
}
