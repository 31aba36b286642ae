//! Blocks from templates: the coinbase that we build, or the server's, and the block of a solution.

use std::sync::Arc;

use super::wire::BlockTemplate;
use crate::consensus::merkle::{self, Inclusion};
use crate::engine::{Coinbase, Solution, Until};
use crate::ledger::coinbase::encode_height;
use crate::node::client::offer::Offer;
use crate::node::client::payout::PayoutScript;
use crate::node::client::trouble::Trouble;
use crate::node::difficulty::of_target;
use crate::primitives::codec::write_compact_size;
use crate::primitives::limits::VERSION_ROLLING_MASK;
use crate::primitives::{Digest, Header, MerkleRoot, Target};

const EXTRANONCE_BYTES: usize = 8;
/// What follows the extranonce: whose software made the block.
const TAG: &[u8] = b"/proofward/";
/// The script of a coinbase's input (`bad-cb-length`).
const SCRIPT_BYTES_MAX: usize = 100;
/// What a commitment to witnesses begins with (BIP141). Only a block that has one has a witness in its
/// coinbase.
const WITNESS_COMMITMENT: [u8; 6] = [0x6a, 0x24, 0xaa, 0x21, 0xa9, 0xed];
/// Extranonces of a job of ours: each job has its own, so that no header is searched in two of them.
const EXTRANONCES: u64 = 1 << 20;
/// How far the time of a template may be moved on when all of it was searched.
const TIME_ADDED_MAX: u32 = 600;

/// A template with the coinbase that is searched.
#[derive(Debug, Clone)]
pub(super) struct Job {
    pub(super) number: u64,
    pub(super) template: Arc<BlockTemplate>,
    /// What the hash of a block does not exceed, if nBits are a target.
    pub(super) block_target: Option<Target>,
    time: u32,
    extranonce_first: u64,
    roll: Roll,
}

/// What the merkle root comes from.
#[derive(Debug, Clone)]
enum Roll {
    /// Our coinbase, whose extranonce is rolled.
    Ours(Coinbase),
    /// The server's, as it is.
    Theirs(MerkleRoot),
}

impl Job {
    /// With a coinbase of ours, its extranonces begin where those of no other number do, nor those of a
    /// miner with another `seed`.
    ///
    /// # Errors
    ///
    /// `Unsuitable` if nobody says who is paid.
    pub(super) fn new(
        number: u64,
        template: BlockTemplate,
        payout: Option<&PayoutScript>,
        seed: u64,
    ) -> Result<Self, Trouble> {
        let mut leaves: Vec<Digest> = vec![[0; 32]];
        leaves.extend(template.transactions.iter().map(|transaction| transaction.leaf));
        let branch = Inclusion::new(&leaves, 0).expect("the first leaf is there").siblings;
        let roll = match (&template.coinbase, payout, template.coinbase_value) {
            (_, Some(payout), Some(value)) => {
                Roll::Ours(coinbase(&template, payout, value, branch))
            }
            (Some(theirs), ..) => {
                let root =
                    branch.iter().fold(theirs.leaf, |left, right| merkle::node(&left, right));
                Roll::Theirs(MerkleRoot(root))
            }
            (None, None, _) => {
                let why = "the node leaves the coinbase to us: say who is paid with --payout";
                return Err(Trouble::Unsuitable(why.into()));
            }
            (None, Some(_), None) => {
                let why = "neither coinbasetxn nor coinbasevalue in the template";
                return Err(Trouble::Unsuitable(why.into()));
            }
        };
        let (time, block_target) = (template.time, template.bits.to_target().ok());
        let extranonce_first = seed.wrapping_add(number.wrapping_mul(EXTRANONCES));
        let template = Arc::new(template);
        Ok(Self { number, template, block_target, time, extranonce_first, roll })
    }

    /// Whether its headers are those of every other job on this template.
    pub(super) fn is_fixed(&self) -> bool {
        matches!(self.roll, Roll::Theirs(_))
    }

    /// Whether there are hashes that the server wants and that are no block.
    fn wants_shares(&self) -> bool {
        self.block_target.is_some_and(|block| block < self.template.target)
    }

    /// Whether after this solution no other on the same parent is worth anything.
    pub(super) fn is_ended_by(&self, digest: &Digest) -> bool {
        !self.wants_shares() || self.is_block(digest)
    }

    /// Whether nBits say so.
    pub(super) fn is_block(&self, digest: &Digest) -> bool {
        self.block_target.is_some_and(|target| target.is_met_by(digest))
    }

    /// One second later, if the template allows it.
    pub(super) fn renewed(&self, number: u64) -> Option<Self> {
        let time = self.time.checked_add(1)?;
        let is_allowed =
            self.template.is_time_mutable && time - self.template.time <= TIME_ADDED_MAX;
        is_allowed.then(|| Self { number, time, ..self.clone() })
    }

    pub(super) fn offer(&self, is_new_tip: bool) -> Offer {
        let template = &self.template;
        let (coinbase, merkle_root) = match &self.roll {
            Roll::Ours(coinbase) => (Some(coinbase.clone()), MerkleRoot::ZERO),
            Roll::Theirs(root) => (None, *root),
        };
        // Bits that the template itself uses are not ours to roll (BIP320).
        let is_free = template.version & VERSION_ROLLING_MASK == 0;
        Offer {
            number: self.number,
            name: format!("block {}", template.height),
            header: Header {
                version: template.version.cast_signed(),
                prev_block: template.prev_block,
                merkle_root,
                time: self.time,
                bits: template.bits,
                nonce: 0,
            },
            version_mask: if is_free { VERSION_ROLLING_MASK } else { 0 },
            time_max: self.time,
            coinbase,
            extranonce_first: self.extranonce_first,
            target: template.target,
            difficulty: of_target(&template.target),
            height: Some(template.height),
            is_new_tip,
            until: if self.wants_shares() { Until::Exhausted } else { Until::FirstSolution },
        }
    }

    /// The block of a solution as it is submitted.
    pub(super) fn block(&self, solution: &Solution) -> Vec<u8> {
        let coinbase = match (&self.roll, &self.template.coinbase) {
            (Roll::Ours(coinbase), _) => {
                let bytes = coinbase.with_extranonce(solution.extranonce);
                if self.has_witnesses() { with_witness(&bytes) } else { bytes }
            }
            (Roll::Theirs(_), theirs) => {
                theirs.as_ref().map_or_else(Vec::new, |theirs| theirs.bytes.clone())
            }
        };
        let mut block = solution.header.to_vec();
        write_compact_size(&mut block, self.template.transactions.len() as u64 + 1);
        block.extend(coinbase);
        if !self.template.takes_coinbase_alone {
            let transactions = self.template.transactions.iter();
            transactions.for_each(|transaction| block.extend_from_slice(&transaction.bytes));
        }
        block
    }

    fn has_witnesses(&self) -> bool {
        let commitment = self.template.commitment.as_deref();
        commitment.is_some_and(|script| script.starts_with(&WITNESS_COMMITMENT))
    }
}

/// A coinbase that pays everything to one script, around its extranonce.
fn coinbase(
    template: &BlockTemplate,
    payout: &PayoutScript,
    value: u64,
    branch: Vec<Digest>,
) -> Coinbase {
    let height = encode_height(template.height);
    let fixed = height.len() + EXTRANONCE_BYTES + TAG.len();
    let flags =
        Some(&*template.coinbase_flags).filter(|flags| fixed + flags.len() <= SCRIPT_BYTES_MAX);
    let flags = flags.unwrap_or_default();
    let script_bytes = u8::try_from(fixed + flags.len()).expect("at most 100 bytes");

    let mut prefix = 1_u32.to_le_bytes().to_vec();
    prefix.push(1);
    prefix.extend([0; 32]);
    prefix.extend([0xff; 4]);
    prefix.push(script_bytes);
    prefix.extend(&height);

    let mut suffix = [flags, TAG].concat();
    suffix.extend([0xff; 4]);
    let commitment = template.commitment.as_deref();
    let outputs = [Some((value, payout.as_bytes())), commitment.map(|script| (0, script))];
    write_compact_size(&mut suffix, outputs.iter().flatten().count() as u64);
    for (value, script) in outputs.into_iter().flatten() {
        suffix.extend(value.to_le_bytes());
        write_compact_size(&mut suffix, script.len() as u64);
        suffix.extend_from_slice(script);
    }
    suffix.extend([0; 4]);
    Coinbase { prefix, suffix, extranonce_bytes: EXTRANONCE_BYTES, branch }
}

/// The same transaction with the witness that BIP141 asks of a coinbase: 32 bytes of zeros.
fn with_witness(bytes: &[u8]) -> Vec<u8> {
    let (version, rest) = bytes.split_at(4);
    let (inputs_and_outputs, lock_time) = rest.split_at(rest.len() - 4);
    [version, &[0, 1], inputs_and_outputs, &[1, 32], &[0; 32], lock_time].concat()
}
