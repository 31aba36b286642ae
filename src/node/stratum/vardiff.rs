//! What difficulty a connection should have, so that about one share comes in five seconds: seldom enough
//! for the server, often enough for the client to see that it works. Time is an argument.
#![expect(
    clippy::float_arithmetic,
    clippy::cast_precision_loss,
    reason = "the unit of pools is a float; a rate is an estimate"
)]

use crate::node::clock::Moment;
use crate::node::difficulty::Difficulty;

/// The first difficulty: 2^-10, a share in some seconds of one core.
pub const START: f64 = 1.0 / 1024.0;
/// Milliseconds between shares that are aimed at.
const AIM_MS: u64 = 5_000;
/// Shares after which a rate is believed that is far too high.
const SHARES_LEAST: u32 = 16;
/// After so long any rate is judged.
const WINDOW_MS: u64 = 60_000;
/// Without a share for a window, the difficulty is divided by this.
const EASE_BY: f64 = 6.0;
/// Steps that would change it by less are not taken.
const HYSTERESIS: f64 = 2.0;
/// The most that one step raises it: sixteen shares in a burst are no proof of more.
const RISE_MAX: f64 = 64.0;
/// What comes within less is taken for all that comes in that time: shares that waited for the end of an
/// outage arrive together.
const BURST_MS: u64 = 1_000;

/// The difficulty of one connection.
#[derive(Debug, Clone)]
pub struct Vardiff {
    wanted: Difficulty,
    /// What the client asked for: not less while shares come.
    suggested: Option<Difficulty>,
    is_fixed: bool,
    window_ms: u64,
    shares: u32,
    /// The sum of the difficulties of the window's shares.
    sum: f64,
}

impl Vardiff {
    /// At the first difficulty.
    #[must_use]
    pub fn new(start: Difficulty, now: Moment) -> Self {
        Self {
            wanted: start,
            suggested: None,
            is_fixed: false,
            window_ms: now.ms,
            shares: 0,
            sum: 0.0,
        }
    }

    /// What is wanted. The network's difficulty may be lower, and then that is what is sent.
    #[must_use]
    pub fn wanted(&self) -> Difficulty {
        self.wanted
    }

    /// Whether the client has fixed it.
    #[must_use]
    pub fn is_fixed(&self) -> bool {
        self.is_fixed
    }

    /// `mining.suggest_difficulty`: from here on, and never lower while shares come. The same again
    /// changes nothing, since NerdMiner says it every 30 seconds.
    pub fn suggest(&mut self, asked: Difficulty, now: Moment) {
        if self.suggested != Some(asked) && !self.is_fixed {
            self.suggested = Some(asked);
            self.begin(asked, now);
        }
    }

    /// `d=` in a password: this and no other.
    pub fn fix(&mut self, asked: Difficulty, now: Moment) {
        self.is_fixed = true;
        self.begin(asked, now);
    }

    /// A share was accepted at this difficulty.
    pub fn accepted(&mut self, at: Difficulty, now: Moment) {
        self.shares = self.shares.saturating_add(1);
        self.sum += at.value();
        let elapsed_ms = now.ms.saturating_sub(self.window_ms);
        let is_flood = self.shares >= SHARES_LEAST
            && (elapsed_ms as f64) < f64::from(self.shares) * AIM_MS as f64 / HYSTERESIS;
        if is_flood {
            self.judge(elapsed_ms, now);
        }
    }

    /// Time passes.
    pub fn tick(&mut self, now: Moment) {
        let elapsed_ms = now.ms.saturating_sub(self.window_ms);
        if elapsed_ms < WINDOW_MS {
            return;
        }
        if self.shares > 0 {
            self.judge(elapsed_ms, now);
        } else {
            // Whatever it has suggested: a slow client is not starved.
            let eased = Difficulty::at_least(self.wanted.value() / EASE_BY).unwrap_or(self.wanted);
            self.begin(if self.is_fixed { self.wanted } else { eased }, now);
        }
    }

    /// Begins another window with what the last one showed.
    fn judge(&mut self, elapsed_ms: u64, now: Moment) {
        let wanted = self.wanted.value();
        let mut fitting = self.sum * AIM_MS as f64 / elapsed_ms.max(BURST_MS) as f64;
        fitting = fitting.min(wanted * RISE_MAX);
        if let Some(suggested) = self.suggested {
            fitting = fitting.max(suggested.value().min(wanted));
        }
        let is_far = fitting >= wanted * HYSTERESIS || fitting <= wanted / HYSTERESIS;
        let next = if is_far && !self.is_fixed { Difficulty::at_least(fitting) } else { None };
        self.begin(next.unwrap_or(self.wanted), now);
    }

    fn begin(&mut self, wanted: Difficulty, now: Moment) {
        self.wanted = wanted;
        (self.window_ms, self.shares, self.sum) = (now.ms, 0, 0.0);
    }
}
