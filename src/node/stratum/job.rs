//! A candidate as `mining.notify` sends it, and the jobs that are alive.

use std::collections::VecDeque;
use std::sync::Arc;

use super::limits::{
    EXTRANONCE1_BYTES, EXTRANONCE2_BYTES, JOB_LIFE_MS, JOBS_LEAST, JOBS_MAX, STALE_JOBS_MAX,
};
use super::protocol::push_hex32;
use crate::consensus::merkle;
use crate::hash::sha256::sha256d;
use crate::ledger::coinbase::CoinbaseForm;
use crate::ledger::signature::PubKey;
use crate::node::candidate::Candidate;
use crate::node::clock::Moment;
use crate::node::difficulty;
use crate::primitives::{
    BlockHash, CompactTarget, Digest, Header, HeaderBytes, MerkleRoot, Target,
};

/// What follows the extranonce: whose software made the block, by which door.
const TAG: &[u8] = b"/proofward stratum/";

/// What `mining.notify` says, and the header that follows from an answer to it. It knows nothing of
/// ledgers: any coinbase with two blanks will do.
#[derive(Debug, Clone)]
pub struct Work {
    prev_block: BlockHash,
    form: CoinbaseForm,
    branch: Vec<Digest>,
    version: u32,
    bits: CompactTarget,
    /// The message between the job's id and the paid key.
    before_key: String,
    /// The message between that key and the last parameter.
    after_key: String,
}

/// What a client chose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Choice {
    /// Both extranonces, as they stand in the coinbase.
    pub extranonce: [u8; EXTRANONCE1_BYTES + EXTRANONCE2_BYTES],
    /// The stamp.
    pub time: u32,
    /// The nonce.
    pub nonce: u32,
    /// Version bits to be rolled, within the mask.
    pub version_bits: u32,
    /// The mask.
    pub version_mask: u32,
}

impl Work {
    /// Prepares the message, once for everybody.
    #[must_use]
    pub fn new(
        prev_block: BlockHash,
        form: CoinbaseForm,
        branch: Vec<Digest>,
        version: u32,
        bits: CompactTarget,
        time: u32,
    ) -> Self {
        let mut before_key = String::from("\",\"");
        // The order of the header's bytes, each four of them reversed.
        for word in prev_block.0.as_chunks::<4>().0 {
            push_hex32(&mut before_key, u32::from_le_bytes(*word));
        }
        before_key += "\",\"";
        before_key += &hex::encode(&form.before);
        before_key += "\",\"";
        before_key += &hex::encode(&form.between);
        let mut after_key = hex::encode(&form.after);
        after_key += "\",[";
        for (index, hash) in branch.iter().enumerate() {
            after_key += if index == 0 { "\"" } else { ",\"" };
            after_key += &hex::encode(hash);
            after_key.push('"');
        }
        after_key.push(']');
        for number in [version, bits.0, time] {
            after_key += ",\"";
            push_hex32(&mut after_key, number);
            after_key.push('"');
        }
        after_key.push(',');
        Self { prev_block, form, branch, version, bits, before_key, after_key }
    }

    /// Appends the message: this work under this id, paid to this key.
    ///
    /// # Panics
    ///
    /// Never: there is room for the digits.
    pub fn notify(&self, id: u32, payout: &PubKey, is_clean: bool, out: &mut Vec<u8>) {
        let mut digits = [0; 64];
        out.extend_from_slice(b"{\"id\":null,\"method\":\"mining.notify\",\"params\":[\"");
        hex::encode_to_slice(id.to_be_bytes(), &mut digits[..8]).expect("two digits a byte");
        out.extend_from_slice(&digits[..8]);
        out.extend_from_slice(self.before_key.as_bytes());
        hex::encode_to_slice(payout.0, &mut digits).expect("two digits a byte");
        out.extend_from_slice(&digits);
        out.extend_from_slice(self.after_key.as_bytes());
        out.extend_from_slice(if is_clean { b"true]}\n" } else { b"false]}\n" });
    }

    /// The coinbase and the header that the client hashed.
    #[must_use]
    pub fn solved(&self, payout: &PubKey, choice: &Choice) -> (Vec<u8>, HeaderBytes) {
        let coinbase = self.form.fill(&choice.extranonce, payout);
        let leaf = sha256d(&coinbase);
        let root = self.branch.iter().fold(leaf, |left, right| merkle::node(&left, right));
        let Choice { version_bits, version_mask, time, nonce, .. } = *choice;
        let version = (self.version & !version_mask) | (version_bits & version_mask);
        let header = Header {
            version: version.cast_signed(),
            prev_block: self.prev_block,
            merkle_root: MerkleRoot(root),
            time,
            bits: self.bits,
            nonce,
        };
        (coinbase, header.encode())
    }
}

/// Work on a candidate, stamped.
#[derive(Debug)]
pub struct Job {
    /// Its number; the id that a connection sees is made of it and the connection's extranonce.
    pub number: u32,
    /// The message and the header.
    pub work: Work,
    /// What a block of it is made of.
    pub candidate: Arc<Candidate>,
    /// The stamp.
    pub time: u32,
    /// The last stamp for which its nBits are right.
    pub until: u32,
    /// What a block's hash must not exceed.
    pub network: Target,
    /// The same as a difficulty.
    pub network_difficulty: f64,
    /// When it was made.
    pub made_ms: u64,
}

impl Job {
    /// Stamps a candidate.
    ///
    /// # Panics
    ///
    /// Never: a template's nBits are a target.
    #[must_use]
    pub fn new(number: u32, candidate: Arc<Candidate>, time: u32, now: Moment) -> Self {
        let template = &candidate.template;
        let form = template.coinbase_form(EXTRANONCE1_BYTES + EXTRANONCE2_BYTES, TAG);
        let header = template.header(time, MerkleRoot::ZERO);
        let work = Work::new(
            header.prev_block,
            form,
            template.merkle_branch().to_vec(),
            header.version.cast_unsigned(),
            header.bits,
            time,
        );
        let network = header.bits.to_target().expect("the difficulty rule gives a target");
        let until = template.bits_hold_until(time);
        let network_difficulty = difficulty::of_target(&network);
        let made_ms = now.ms;
        Self { number, work, time, until, network, network_difficulty, made_ms, candidate }
    }
}

/// The id under which a connection sees a job. Only its last one matters to a client: minerd takes work
/// for new when the id differs, even after a reconnection that gave it another extranonce. Multiples of a
/// number near 2^32 over the golden ratio keep apart: as long as two extranonces are less than 2^22 apart
/// and two jobs less than 1,000, no id comes twice. Eight digits, since `strtoul` of cpuminer-opt reads no
/// more where a `long` has 32 bits.
#[must_use]
pub fn id_of(number: u32, extranonce1: u32) -> u32 {
    number.wrapping_add(extranonce1.wrapping_mul(GOLDEN))
}

/// The job that a connection means by an id.
#[must_use]
pub fn number_of(id: u32, extranonce1: u32) -> u32 {
    id.wrapping_sub(extranonce1.wrapping_mul(GOLDEN))
}

const GOLDEN: u32 = 0x9e37_6fe5;

/// A job as it is found.
#[derive(Debug, Clone)]
pub enum Lookup {
    /// Of the current tip, and young enough.
    Live(Arc<Job>),
    /// Of an earlier tip, or too old.
    Stale(Arc<Job>),
    /// None of ours, or long gone.
    Unknown,
}

/// The jobs that are alive, and some that just were.
#[derive(Debug, Default)]
pub struct Book {
    jobs: VecDeque<Arc<Job>>,
}

impl Book {
    /// The newest.
    #[must_use]
    pub fn current(&self) -> Option<&Arc<Job>> {
        self.jobs.back()
    }

    /// Adds a job, which is the current one from then on, and forgets what is too old.
    pub fn push(&mut self, job: Arc<Job>) {
        let tip = job.candidate.tip_serial;
        self.jobs.push_back(job);
        let of_tip = |book: &Self| book.jobs.iter().rev().take_while(|job| is_of(job, tip)).count();
        while self.jobs.len() - of_tip(self) > STALE_JOBS_MAX || self.jobs.len() > JOBS_MAX {
            self.jobs.pop_front();
        }
    }

    /// Finds a job by its number.
    #[must_use]
    pub fn find(&self, number: u32, now: Moment) -> Lookup {
        let Some(current) = self.current() else { return Lookup::Unknown };
        let newest_first = self.jobs.iter().rev().enumerate();
        let Some((age, job)) = newest_first.into_iter().find(|(_, job)| job.number == number)
        else {
            return Lookup::Unknown;
        };
        let is_young = age < JOBS_LEAST || now.ms.saturating_sub(job.made_ms) <= JOB_LIFE_MS;
        if is_young && is_of(job, current.candidate.tip_serial) {
            Lookup::Live(Arc::clone(job))
        } else {
            Lookup::Stale(Arc::clone(job))
        }
    }
}

fn is_of(job: &Job, tip: u64) -> bool {
    job.candidate.tip_serial == tip
}
