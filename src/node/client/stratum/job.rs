//! Jobs of a stratum server: what the engine searches for each, and what a solution of one is as a share.

use std::collections::VecDeque;

use super::wire::{Extranonce, Notify, Submission};
use crate::engine::{Coinbase, Solution, Until};
use crate::ledger::coinbase::decode_height;
use crate::node::client::offer::{Offer, extranonce_max};
use crate::node::client::report::{Fate, ShareReport};
use crate::node::difficulty::{Difficulty, of_target};
use crate::primitives::{BlockHash, Header, MerkleRoot, Target};

/// Jobs whose solutions are still known. Workers are one batch behind at most, so one would nearly do.
const JOBS_KEPT: usize = 16;
/// The widest extranonce that is rolled; the rest of a wider one stays zero.
const ROLLED_BYTES_MAX: usize = 8;
/// How far the time of a job may be moved on when all of it was searched. Servers allow two hours.
const TIME_ADDED_MAX: u32 = 600;
/// Where the script begins in a coinbase: version, count of inputs, outpoint, length of the script.
const SCRIPT_AT: usize = 4 + 1 + 36 + 1;

/// A share: a solution with everything that is needed to submit it and to judge whether that is worth it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Share {
    pub(super) submission: Submission,
    pub(super) difficulty: f64,
    /// Its hash if it is a block too.
    pub(super) block: Option<BlockHash>,
    /// Whether a later job said that this one is worthless.
    pub(super) is_stale: bool,
    prev_block: BlockHash,
    extranonce: Extranonce,
}

impl Share {
    pub(super) fn report(&self, fate: Fate, reason: Option<String>) -> ShareReport {
        let (difficulty, block) = (self.difficulty, self.block);
        ShareReport { fate, reason, difficulty, latency: None, block }
    }

    pub(super) fn dropped_as_stale(&self) -> ShareReport {
        self.report(Fate::Stale, Some("found after a new job made its own worthless".into()))
    }

    pub(super) fn lost(&self, why: &str) -> ShareReport {
        self.report(Fate::Lost, Some(why.to_owned()))
    }
}

/// What an offer was made of.
#[derive(Debug, Clone, PartialEq)]
struct Terms {
    /// Number of the connection: the first job of each is offered, whatever it says.
    connection: u64,
    notify: Notify,
    extranonce: Extranonce,
    mask: Option<u32>,
    difficulty: Difficulty,
}

#[derive(Debug)]
struct Live {
    offer: Offer,
    terms: Terms,
    block_target: Option<Target>,
}

/// The jobs of one server.
#[derive(Debug, Default)]
pub(super) struct Jobs {
    current: Option<Notify>,
    connection: u64,
    is_of_this_connection: bool,
    live: VecDeque<Live>,
    next_number: u64,
    next_extranonce: u64,
    /// Offers below this number are worthless by the server's word.
    first_good: u64,
}

impl Jobs {
    /// A new connection: whatever is known is of the one before.
    pub(super) fn opened(&mut self) {
        self.connection += 1;
        self.is_of_this_connection = false;
    }

    pub(super) fn is_of_this_connection(&self) -> bool {
        self.is_of_this_connection
    }

    pub(super) fn received(&mut self, notify: Notify) {
        if notify.is_clean && self.current.as_ref() != Some(&notify) {
            self.first_good = self.next_number;
        }
        self.current = Some(notify);
        self.is_of_this_connection = true;
    }

    /// The current job under these terms, unless it is offered already.
    pub(super) fn offer(
        &mut self,
        extranonce: &Extranonce,
        mask: Option<u32>,
        difficulty: Difficulty,
    ) -> Option<Offer> {
        let notify = self.current.clone().filter(|_| self.is_of_this_connection)?;
        let (connection, extranonce) = (self.connection, extranonce.clone());
        let terms = Terms { connection, notify, extranonce, mask, difficulty };
        let last = self.live.back();
        if last.is_some_and(|last| last.terms == terms) {
            return None;
        }
        let is_new_tip = last.is_none_or(|last| {
            last.terms.notify.prev_block != terms.notify.prev_block || terms.notify.is_clean
        });
        let time = terms.notify.time;
        Some(self.add(terms, time, is_new_tip))
    }

    /// An offer that was searched to its end, one second later.
    pub(super) fn renewed(&mut self, number: u64) -> Option<Offer> {
        let last = self.live.back().filter(|last| last.offer.number == number)?;
        let time = last.offer.header.time.checked_add(1)?;
        let terms = last.terms.clone();
        (time - terms.notify.time <= TIME_ADDED_MAX).then(|| self.add(terms, time, false))
    }

    fn add(&mut self, terms: Terms, time: u32, is_new_tip: bool) -> Offer {
        let Terms { notify, extranonce, mask, difficulty, .. } = &terms;
        let rolled = extranonce.second_bytes.min(ROLLED_BYTES_MAX);
        let unrolled = vec![0; extranonce.second_bytes - rolled];
        let coinbase = Coinbase {
            prefix: [&*notify.prefix, &extranonce.first].concat(),
            suffix: [&*unrolled, &notify.suffix].concat(),
            extranonce_bytes: rolled,
            branch: notify.branch.clone(),
        };
        let header = Header {
            version: notify.version.cast_signed(),
            prev_block: notify.prev_block,
            merkle_root: MerkleRoot::ZERO,
            time,
            bits: notify.bits,
            nonce: 0,
        };
        // A server that asks for more than its chain must not make us miss its block.
        let block_target = notify.bits.to_target().ok();
        let share_target = difficulty.target_to_search();
        let target = block_target.map_or(share_target, |block| share_target.max(block));
        let asked = difficulty.value();
        let offer = Offer {
            number: self.next_number,
            name: notify.job.clone(),
            header,
            version_mask: mask.unwrap_or(0),
            time_max: time,
            coinbase: Some(coinbase),
            extranonce_first: self.next_extranonce & extranonce_max(rolled),
            target,
            difficulty: if target == share_target { asked } else { of_target(&target) },
            height: notify.prefix.get(SCRIPT_AT..).and_then(decode_height),
            is_new_tip,
            until: Until::Exhausted,
        };
        self.next_number += 1;
        self.next_extranonce = self.next_extranonce.wrapping_add(1);
        if self.live.len() == JOBS_KEPT {
            self.live.pop_front();
        }
        self.live.push_back(Live { offer: offer.clone(), terms, block_target });
        offer
    }

    /// A solution as a share; `None` if its job is forgotten.
    pub(super) fn share(&self, number: u64, solution: &Solution) -> Option<Share> {
        let live = self.live.iter().find(|live| live.offer.number == number)?;
        let coinbase = live.offer.coinbase.as_ref()?;
        let header = Header::decode(&solution.header);
        let Terms { notify, extranonce, mask, .. } = &live.terms;
        let mut extranonce2 = coinbase.extranonce(solution.extranonce);
        extranonce2.resize(extranonce.second_bytes, 0);
        let is_block = live.block_target.is_some_and(|target| target.is_met_by(&solution.digest));
        Some(Share {
            submission: Submission {
                job: notify.job.clone(),
                extranonce2,
                time: header.time,
                nonce: header.nonce,
                version_bits: mask.map(|mask| header.version.cast_unsigned() & mask),
            },
            difficulty: live.offer.difficulty,
            block: is_block.then_some(BlockHash(solution.digest)),
            is_stale: number < self.first_good,
            prev_block: notify.prev_block,
            extranonce: extranonce.clone(),
        })
    }

    /// Whether a share that an outage kept can be submitted on a new connection.
    pub(super) fn is_still_good(
        &self,
        share: &Share,
        extranonce: Option<&Extranonce>,
    ) -> Result<(), &'static str> {
        if self.current.as_ref().map(|notify| notify.prev_block) != Some(share.prev_block) {
            return Err("the chain went on during an outage");
        }
        if extranonce != Some(&share.extranonce) {
            return Err("after an outage the server gave another extranonce");
        }
        Ok(())
    }
}
