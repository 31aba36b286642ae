//! What a submission is worth. The network's target comes first: a block is brought to the ledger even if
//! as a share it is stale, too easy or a copy, and the ledger decides.

use super::job::{Choice, Job, Lookup};
use super::limits::TIME_ROLL_S_MAX;
use super::protocol::{Reject, Submit};
use crate::hash::{Algorithm, hash_header};
use crate::ledger::signature::PubKey;
use crate::node::clock::Moment;
use crate::node::difficulty::Difficulty;
use crate::node::seen::{NotFirst, Seen};
use crate::primitives::Digest;
use crate::primitives::limits::FUTURE_TIME_SECONDS_MAX;

/// What a share is judged by, besides itself and its job.
#[derive(Debug, Clone, Copy)]
pub struct Terms {
    /// What headers are hashed with.
    pub algorithm: Algorithm,
    /// Seconds that a stamp may be ahead of the clock.
    pub future_limit_s: u32,
    /// Who is paid.
    pub payout: PubKey,
    /// The server's part of the extranonce.
    pub extranonce1: [u8; 4],
    /// Version bits that may be rolled; 0 if that was not agreed on.
    pub version_mask: u32,
    /// The lowest difficulty that was in force while the job lived.
    pub difficulty: Difficulty,
    /// Whether the worker that it names has logged in.
    pub is_authorised: bool,
}

/// A block, as its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The whole block.
    pub bytes: Vec<u8>,
    /// Hash of its header.
    pub digest: Digest,
    /// Its height.
    pub height: u32,
}

/// The verdict on a submission.
#[derive(Debug, Clone)]
pub struct Judged {
    /// The difficulty that the share counts for, or why it does not.
    pub verdict: Result<Difficulty, Reject>,
    /// The block that it is.
    pub found: Option<Found>,
}

/// Judges a submission.
#[must_use]
pub fn judge(lookup: &Lookup, submit: &Submit, terms: &Terms, seen: &Seen, now: Moment) -> Judged {
    let (job, is_live) = match lookup {
        Lookup::Live(job) => (job, true),
        Lookup::Stale(job) => (job, false),
        Lookup::Unknown => {
            let reject =
                if terms.is_authorised { Reject::JobNotFound } else { Reject::Unauthorised };
            return Judged { verdict: Err(reject), found: None };
        }
    };
    let mut extranonce = [0; 8];
    extranonce[..4].copy_from_slice(&terms.extranonce1);
    extranonce[4..].copy_from_slice(&submit.extranonce2);
    let version_bits = submit.version_bits.unwrap_or(0);
    let choice = Choice {
        extranonce,
        time: submit.time,
        nonce: submit.nonce,
        version_bits,
        version_mask: terms.version_mask,
    };
    let (coinbase, header) = job.work.solved(&terms.payout, &choice);
    let digest = hash_header(terms.algorithm, &header);
    let is_block = job.network.is_met_by(&digest);
    let found = (is_block && seen.is_first_block(digest)).then(|| Found {
        bytes: job.candidate.block_bytes(&header, &coinbase),
        digest,
        height: job.candidate.height(),
    });
    let verdict = if !terms.is_authorised {
        Err(Reject::Unauthorised)
    } else if !is_live {
        Err(Reject::Stale)
    } else if version_bits & !terms.version_mask != 0 {
        Err(Reject::VersionBits)
    } else if !may_be_stamped(job, submit.time, terms.future_limit_s, now) {
        Err(Reject::TimeRange)
    } else if !is_block && !terms.difficulty.target_to_accept().is_met_by(&digest) {
        Err(Reject::LowDifficulty)
    } else {
        let first = seen.first(job.candidate.tip_serial, &digest);
        first.map(|()| terms.difficulty).map_err(Reject::from)
    };
    Judged { verdict, found }
}

/// From the job's own stamp on, within ckpool's reach and the chain's: a block that the ledger would
/// refuse for its stamp is worth nothing as a share, nor is one whose relief has taken another step,
/// since its nBits are not those of its time.
fn may_be_stamped(job: &Job, time: u32, future_limit_s: u32, now: Moment) -> bool {
    let ahead = future_limit_s.min(FUTURE_TIME_SECONDS_MAX);
    let latest = [job.time.saturating_add(TIME_ROLL_S_MAX), now.stamp().saturating_add(ahead)];
    let latest = latest.into_iter().fold(job.until, u32::min);
    (job.time..=latest.max(job.time)).contains(&time)
}

impl From<NotFirst> for Reject {
    fn from(why: NotFirst) -> Self {
        match why {
            NotFirst::Stale => Self::Stale,
            NotFirst::Duplicate => Self::Duplicate,
            NotFirst::TooMany => Self::TooManyShares,
        }
    }
}
