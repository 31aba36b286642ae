//! What a submission that is no block is worth: with the template's `target` easier than its nBits, miners
//! bring shares (BIP23, basic pool extensions). A share shows that somebody works on what was handed out;
//! it never reaches the ledger.

use std::net::IpAddr;
use std::sync::Arc;

use crate::node::accounting::{Accounts, Uncounted};
use crate::node::clock::Moment;
use crate::node::difficulty::Difficulty;
use crate::node::seen::{NotFirst, Seen};
use crate::primitives::Target;

use super::context::Context;
use super::templates::Submission;

/// What a share of work on an earlier tip is answered with (BIP22).
const STALE: &str = "stale-prevblk";

/// The shares of a port.
#[derive(Debug)]
pub struct Shares {
    difficulty: Option<Difficulty>,
    user: Arc<str>,
    seen: Seen,
    /// What each worker did: whoever calls, by name and address.
    pub accounts: Arc<Accounts>,
}

impl Shares {
    /// Without a difficulty only blocks are asked for. `user` is who may call.
    #[must_use]
    pub fn new(difficulty: Option<Difficulty>, user: Arc<str>) -> Self {
        Self { difficulty, user, seen: Seen::default(), accounts: Arc::default() }
    }

    /// Whether anything but blocks is asked for.
    #[must_use]
    pub fn are_wanted(&self) -> bool {
        self.difficulty.is_some()
    }

    /// What is asked for, however hard a block is.
    #[must_use]
    pub fn wanted(&self) -> Option<Difficulty> {
        self.difficulty
    }

    /// What a hash must not exceed to be taken, where it must not exceed `network` to be a block.
    #[must_use]
    pub fn target(&self, network: Target) -> Target {
        self.difficulty.map_or(network, |share| share.target_to_search().max(network))
    }

    /// What is counted for one.
    fn worth(&self, network: &Target) -> Difficulty {
        self.difficulty.map_or(Difficulty::of_block(network), |share| share.capped_by(network))
    }

    /// Judges what is no block by its own nBits.
    ///
    /// # Errors
    ///
    /// Why it does not count, in a word of BIP22 or of Bitcoin Core.
    pub(super) fn judge(
        &self,
        context: &Context,
        submission: &Submission<'_>,
        now: Moment,
    ) -> Result<(), &'static str> {
        let Submission { header, coinbase, .. } = submission;
        let digest = context.handle.chain().spec.hash_header(header).0;
        if !self.difficulty.is_some_and(|share| share.target_to_search().is_met_by(&digest)) {
            return Err("high-hash");
        }
        let current = context.handle.current();
        if header.prev_block != current.tip() {
            let is_known = context.templates.is_parent(&header.prev_block, now.unix_s);
            return Err(if is_known { STALE } else { "bad-prevblk" });
        }
        let candidate = context.templates.of_root(submission, now.unix_s).ok_or("unknown-work")?;
        candidate.template.check_share(header, coinbase, now.unix_s).map_err(|rule| rule.name())?;
        self.seen.first(current.tip_serial, &digest).map_err(|why| match why {
            NotFirst::Stale => STALE,
            NotFirst::Duplicate => "duplicate",
            NotFirst::TooMany => "too-many-shares",
        })
    }

    /// Counts a submission of a caller at `ip` for the word that it is answered with, if any.
    pub(super) fn count(
        &self,
        ip: IpAddr,
        network: &Target,
        word: Option<&'static str>,
        is_block: bool,
        now: Moment,
    ) {
        let verdict = match word {
            None => Ok(self.worth(network)),
            Some(STALE) => Err(Uncounted::Stale),
            Some(word) => Err(Uncounted::Rejected(word)),
        };
        let worker = self.accounts.login(&format!("{}@{ip}", self.user));
        worker.count(verdict, is_block, now);
    }
}
