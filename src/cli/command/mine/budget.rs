//! `proofward mine --budget`: hashes that were earned by moving about, spent batch by batch.

use std::path::Path;
use std::time::Duration;

use serde::Serialize;

use crate::cli::outlet::Printer;
use crate::cli::output::{rate, seconds};
use proofward::engine::Engine;
use proofward::engine::meter::per_second;
use proofward::node::budget::{BudgetError, HashBudget};

/// Hashes that are taken out of the file ahead at least; a miner that is killed loses as many.
const AHEAD_LEAST: u64 = 1 << 20;

/// A budget that an engine lives on.
pub(super) struct Purse {
    file: HashBudget,
    /// What the engine may do in all.
    granted: u64,
    /// What it had done when it was looked at last.
    done: u64,
}

/// Where a budget stands at the end of a run, for programs and for people.
#[derive(Serialize)]
pub(super) struct Statement {
    earned: u64,
    spent: u64,
    left: u64,
    hashes: u64,
    seconds: f64,
    hashes_per_second: f64,
    bought: Vec<Bought>,
}

/// What one stretch of activity brought, at the rate of this run.
#[derive(Serialize)]
struct Bought {
    t0: u32,
    t1: u32,
    steps: u32,
    hashes: u64,
    seconds: f64,
}

impl Purse {
    pub(super) fn open(path: &Path, engine: &Engine) -> Result<Self, BudgetError> {
        let done = engine.counters().hashes;
        let mut purse = Self { file: HashBudget::open(path)?, granted: done, done };
        engine.set_hashes_max(done);
        purse.tick(engine)?;
        Ok(purse)
    }

    /// Takes as much ahead as the engine does until it is asked the next time, four times over; whether
    /// there is anything left to do.
    pub(super) fn tick(&mut self, engine: &Engine) -> Result<bool, BudgetError> {
        let done = engine.counters().hashes;
        let pace = done.saturating_sub(self.done);
        self.done = done;
        let ahead = pace.saturating_mul(4).max(AHEAD_LEAST);
        let wanted = ahead.saturating_sub(self.granted.saturating_sub(done));
        let taken = self.file.take(wanted)?;
        if taken > 0 {
            self.granted = self.granted.saturating_add(taken);
            engine.set_hashes_max(self.granted);
        }
        Ok(self.granted > done)
    }

    /// Puts back what the engine did not use, which has been stopped, and says where the budget stands.
    pub(super) fn close(
        mut self,
        engine: &Engine,
        elapsed: Duration,
    ) -> Result<Statement, BudgetError> {
        // Its last batches take half a millisecond, and are to be paid too.
        while !engine.is_idle() {
            std::thread::yield_now();
        }
        let done = engine.counters().hashes;
        self.file.put_back(self.granted.saturating_sub(done))?;
        let speed = per_second(done, elapsed);
        let account = self.file.account();
        let bought = account.earnings().iter().map(|earning| Bought {
            t0: earning.t0,
            t1: earning.t1,
            steps: earning.steps,
            hashes: earning.hashes,
            seconds: at_rate(earning.hashes, speed),
        });
        Ok(Statement {
            earned: account.earned(),
            spent: account.spent(),
            left: account.left(),
            hashes: done,
            seconds: elapsed.as_secs_f64(),
            hashes_per_second: speed,
            bought: bought.collect(),
        })
    }
}

impl Statement {
    /// As one object, or in lines of text.
    pub(super) fn print(&self, printer: &Printer) -> anyhow::Result<()> {
        let Self { earned, spent, left, .. } = self;
        if printer.is_json() {
            return printer.json(self);
        }
        printer.text(format!("budget: {earned} hashes earned, {spent} spent, {left} left"))?;
        // The latest, which is what people want to know of.
        for Bought { t0, t1, steps, hashes, seconds: took } in
            self.bought.iter().rev().take(SHOWN_MAX)
        {
            let minutes = t1.saturating_sub(*t0) / 60;
            let time = Duration::try_from_secs_f64(*took).map_or("no time".into(), seconds);
            printer.text(format!(
                "{minutes} minutes with {steps} steps bought {hashes} hashes = {time} at {}",
                rate(self.hashes_per_second, "H/s")
            ))?;
        }
        Ok(())
    }
}

/// Stretches of activity that are told to people.
const SHOWN_MAX: usize = 5;

/// Seconds that hashes take.
#[expect(clippy::float_arithmetic, clippy::cast_precision_loss, reason = "display only")]
fn at_rate(hashes: u64, per_second: f64) -> f64 {
    if per_second > 0.0 { hashes as f64 / per_second } else { 0.0 }
}
