//! What makes one chain: every constant and key that its rules use. Its commitment stands in genesis,
//! so two specifications are two chains.

mod file;
mod preset;

pub use file::{FILE_BYTES_MAX, FileError};
pub use preset::published_seed;

use borsh::BorshSerialize;

use crate::hash::Algorithm;
use crate::hash::tagged::Tag;
use crate::ledger::block::Block;
use crate::ledger::coinbase::Coinbase;
use crate::ledger::signature::{KeyError, PubKey};
use crate::ledger::transaction::PartyId;
use crate::primitives::{
    BlockHash, CompactError, CompactTarget, Digest, Header, MerkleRoot, Target,
};

/// Units of one token.
pub const UNITS_PER_TOKEN: u64 = 100_000_000;
/// Members of a k-of-n set.
pub const KEY_SET_MAX: usize = 32;
/// Checkpoints stand at heights that are multiples of this.
pub const CHECKPOINT_INTERVAL_BLOCKS: u32 = 8;
/// How deep a block must lie before a witness may attest it.
pub const CHECKPOINT_DEPTH_BLOCKS: u32 = 6;
/// Spacings by which a block may exceed the latest time of any ancestor before relief begins.
pub const RELIEF_AFTER_SPACINGS: u32 = 20;
/// Version bits outside the ones that miners may roll (BIP320).
pub const BLOCK_VERSION: u32 = 0x2000_0000;
/// Fee for each byte of a transaction.
pub const FEE_PER_BYTE: u64 = 1;
/// Fee for each signature.
pub const FEE_PER_SIGNATURE: u64 = 100;
/// Fee for each entry that a transaction adds to the state for longer than its core id is remembered.
pub const FEE_PER_STATE_ENTRY: u64 = 10_000;
/// Blocks that an emptied account must lie idle before it is pruned.
pub const IDLE_BLOCKS: u32 = 1000;

/// Claims about one party that are remembered with it; one of each kind and issuer stays for ever.
pub const HOLDINGS_MAX: usize = 32;
/// Claims of one kind, roles excepted, that one party may have besides ended ones.
pub const HOLDINGS_KIND_MAX: usize = 4;
/// Blocks of a window in which refused requests are counted.
pub const REFUSAL_WINDOW_BLOCKS: u32 = 144;
/// Refused requests of a person for one record in a window.
pub const REFUSED_PERSON_RECORD_MAX: u16 = 3;
/// Refused requests of a person in a window.
pub const REFUSED_PERSON_MAX: u16 = 20;
/// Refused requests of an issuer's people for one record in a window.
pub const REFUSED_ISSUER_RECORD_MAX: u16 = 16;
/// Blocks for which a closed request is remembered.
pub const CLOSED_BLOCKS: u32 = 1000;
/// Blocks in which an emergency must be reviewed.
pub const REVIEW_BLOCKS: u32 = 2016;
/// Emergency requests of a block that need no fee.
pub const FREE_REQUESTS_MAX: u16 = 10;
/// Approvals of emergencies in a block that need no fee.
pub const FREE_APPROVES_MAX: u16 = 40;
/// Emergencies without a fee that one site may have open.
pub const FREE_OPEN_SITE_MAX: u16 = 2;
/// Emergencies without a review at which an issuer's people must pay the fee.
pub const UNREVIEWED_MAX: u32 = 20;
/// Emergencies of one person that may await their review.
pub const EMERGENCIES_MAX: usize = 32;
/// Makes that a lot may come from.
pub const ORIGINS_MAX: usize = 16;
/// Blocks after which a giver may take back what nobody has received.
pub const TAKE_BACK_BLOCKS: u32 = 100;
/// Seconds that a reading may span.
pub const READING_SPAN_S_MAX: u32 = 86_400;
/// Seconds since a reading ended.
pub const READING_AGE_S_MAX: u32 = 7 * 86_400;
/// Steps in each second of motion.
pub const STEPS_PER_ACTIVE_SECOND_MAX: u64 = 4;
/// Seconds for which samples are remembered: longer than a reading may be old.
pub const SAMPLES_FORGET_S: u32 = 8 * 86_400;
/// Samples that a block may forget, and heights that it may look at for them.
pub const SAMPLES_FORGET_MAX: u32 = 4096;
/// Hashes for each second in motion.
pub const CREDIT_PER_ACTIVE_SECOND: u64 = 10_000;
/// Hashes for each second worn.
pub const CREDIT_PER_WEAR_SECOND: u64 = 500;
/// Hashes for each step.
pub const CREDIT_PER_STEP: u64 = 5_000;
/// Hashes that a device can earn on a day.
pub const CREDIT_DAY_MAX: u64 = 200_000_000;

const _: () = assert!(SAMPLES_FORGET_S > READING_AGE_S_MAX);

const SPEC_TAG: Tag = Tag::new("spec");

/// k of n keys. `k` is 0 only for an empty set.
#[derive(Debug, Clone, Default, PartialEq, Eq, BorshSerialize)]
pub struct KeySet {
    /// How many must agree.
    pub k: u8,
    /// The members, distinct.
    pub keys: Vec<PubKey>,
}

/// The specification of a chain. Construct one by a preset, [`Spec::local`] or a chain file, all of
/// which [`Spec::check`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spec {
    /// Name of the chain: letters, digits and hyphens.
    pub name: String,
    /// What its headers are hashed with.
    pub algorithm: Algorithm,
    /// First part of its addresses (BIP173).
    pub address_prefix: String,
    /// Seconds between blocks that the difficulty rule aims at.
    pub spacing_s: u32,
    /// Seconds ahead of or behind schedule that double or halve the difficulty.
    pub half_life_s: u32,
    /// Seconds that a header may be ahead of a node's clock.
    pub future_limit_s: u32,
    /// Blocks after which a reward can be spent.
    pub maturity_blocks: u32,
    /// Units of a block's subsidy before the first halving.
    pub subsidy_units: u64,
    /// Blocks between halvings.
    pub halving_blocks: u32,
    /// The easiest target.
    pub limit: CompactTarget,
    /// The target of genesis, from which the difficulty rule starts.
    pub start: CompactTarget,
    /// Time of genesis.
    pub genesis_time: u32,
    /// Who may name issuers: the roots of every claim.
    pub anchors: KeySet,
    /// Who settles blocks; empty for a chain without finality.
    pub witnesses: KeySet,
    /// Blocks before a claim holds, so that a forged one can be withdrawn first.
    pub claim_delay_blocks: u32,
    /// How many keys must agree in the name of the anchor and of every issuer.
    pub issuer_k_least: u8,
}

/// Why a specification makes no chain.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SpecError {
    /// A field is out of its range.
    #[error("{field}: {why}")]
    Field {
        /// Which.
        field: &'static str,
        /// What it must be.
        why: String,
    },
    /// A compact target is none.
    #[error("{field}: {error}")]
    Target {
        /// Which.
        field: &'static str,
        /// Why.
        error: CompactError,
    },
    /// A key of a set is refused.
    #[error("{field}: key {index}: {error}")]
    Key {
        /// Which set.
        field: &'static str,
        /// Which key.
        index: usize,
        /// Why.
        error: KeyError,
    },
}

/// Everything that the commitment binds, constants included, in this order.
#[derive(BorshSerialize)]
struct Committed<'a> {
    format: u8,
    name: &'a str,
    algorithm: &'a str,
    address_prefix: &'a str,
    spacing_s: u32,
    half_life_s: u32,
    future_limit_s: u32,
    maturity_blocks: u32,
    subsidy_units: u64,
    halving_blocks: u32,
    limit: u32,
    start: u32,
    genesis_time: u32,
    anchors: &'a KeySet,
    witnesses: &'a KeySet,
    claim_delay_blocks: u32,
    issuer_k_least: u8,
    constants: Vec<u64>,
}

impl Spec {
    /// Judges every field and every relation between fields.
    ///
    /// # Errors
    ///
    /// The first field that is out of range.
    pub fn check(self) -> Result<Self, SpecError> {
        let field = |field, ok: bool, why: &str| {
            if ok { Ok(()) } else { Err(SpecError::Field { field, why: why.into() }) }
        };
        let word = |text: &str, most: usize, extra: &str| {
            (1..=most).contains(&text.len())
                && text
                    .chars()
                    .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || extra.contains(c))
        };
        field("name", word(&self.name, 32, "-"), "1 to 32 of a-z, 0-9 and hyphen")?;
        field("address_prefix", word(&self.address_prefix, 10, ""), "1 to 10 of a-z and 0-9")?;
        field("spacing", (1..=3600).contains(&self.spacing_s), "1 to 3600 seconds")?;
        field(
            "half_life",
            (10..=30 * 86_400).contains(&self.half_life_s) && self.half_life_s >= self.spacing_s,
            "10 seconds to 30 days, and at least the spacing",
        )?;
        // A miner who pushes stamps must gain less than a half-life's tenth, and never reach relief.
        field(
            "future_limit",
            self.future_limit_s >= 1
                && self.future_limit_s <= self.half_life_s / 10
                && self.future_limit_s <= 8 * self.spacing_s,
            "1 second to a tenth of the half-life and to 8 spacings",
        )?;
        field("maturity", (1..=1000).contains(&self.maturity_blocks), "1 to 1000 blocks")?;
        field("halving", self.halving_blocks >= 1, "at least 1 block")?;
        // The geometric series stays below twice its first term, so no balance can overflow.
        let first_era = self.subsidy_units.checked_mul(u64::from(self.halving_blocks));
        field(
            "subsidy",
            first_era.and_then(|units| units.checked_mul(2)).is_some(),
            "all subsidies together must fit 64 bits",
        )?;
        let limit =
            self.limit.to_target().map_err(|error| SpecError::Target { field: "limit", error })?;
        let start =
            self.start.to_target().map_err(|error| SpecError::Target { field: "start", error })?;
        field("start", start <= limit, "at most the limit")?;
        for (name, target, compact) in [("limit", limit, self.limit), ("start", start, self.start)]
        {
            field(name, target.to_compact_lossy() == compact, "canonical")?;
        }
        check_keys("anchors", &self.anchors)?;
        check_keys("witnesses", &self.witnesses)?;
        field("anchors", !self.anchors.keys.is_empty(), "at least one key")?;
        field(
            "issuer_k",
            self.issuer_k_least >= 1 && self.anchors.k >= self.issuer_k_least,
            "at least 1, and the anchors meet it",
        )?;
        field("claim_delay", self.claim_delay_blocks <= 1000, "at most 1000 blocks")?;
        let majority = 2 * usize::from(self.witnesses.k) > self.witnesses.keys.len();
        field(
            "witnesses",
            self.witnesses.keys.is_empty() || majority,
            "more than half must agree, or two halves could settle two chains",
        )?;
        Ok(self)
    }

    /// The genesis anchor: the key, or the group of its keys in ascending order.
    #[must_use]
    pub fn anchor_id(&self) -> PartyId {
        match &self.anchors.keys[..] {
            [key] => (*key).into(),
            keys => {
                let mut keys = keys.to_vec();
                keys.sort_unstable();
                PartyId::of_group(self.anchors.k, &keys)
            }
        }
    }

    /// tagged("spec", every field and constant): what genesis carries.
    #[must_use]
    pub fn commitment(&self) -> Digest {
        let committed = Committed {
            format: 1,
            name: &self.name,
            algorithm: self.algorithm.name(),
            address_prefix: &self.address_prefix,
            spacing_s: self.spacing_s,
            half_life_s: self.half_life_s,
            future_limit_s: self.future_limit_s,
            maturity_blocks: self.maturity_blocks,
            subsidy_units: self.subsidy_units,
            halving_blocks: self.halving_blocks,
            limit: self.limit.0,
            start: self.start.0,
            genesis_time: self.genesis_time,
            anchors: &self.anchors,
            witnesses: &self.witnesses,
            claim_delay_blocks: self.claim_delay_blocks,
            issuer_k_least: self.issuer_k_least,
            constants: constants(),
        };
        let bytes = borsh::to_vec(&committed).expect("writing to memory cannot fail");
        SPEC_TAG.hash(&bytes)
    }

    /// The four bytes that every core names.
    #[must_use]
    pub fn chain_id(&self) -> [u8; 4] {
        let commitment = self.commitment();
        [commitment[0], commitment[1], commitment[2], commitment[3]]
    }

    /// Block 0: no parent, no payout, no work asked for; it is known by its hash.
    #[must_use]
    pub fn genesis(&self) -> Block {
        let coinbase = Coinbase { height: 0, commitment: self.commitment(), payouts: Vec::new() };
        let coinbase_bytes = coinbase.encode(&[]);
        let root = crate::hash::sha256::sha256d(&coinbase_bytes);
        let header = Header {
            version: BLOCK_VERSION.cast_signed(),
            prev_block: BlockHash::ZERO,
            merkle_root: MerkleRoot(root),
            time: self.genesis_time,
            bits: self.start,
            nonce: 0,
        };
        Block { header, coinbase, coinbase_bytes, transactions: Vec::new() }
    }

    /// Hash of block 0.
    #[must_use]
    pub fn genesis_hash(&self) -> BlockHash {
        self.hash_header(&self.genesis().header)
    }

    /// Hash of a header of this chain.
    #[must_use]
    pub fn hash_header(&self, header: &Header) -> BlockHash {
        BlockHash(crate::hash::hash_header(self.algorithm, &header.encode()))
    }

    /// The easiest target.
    ///
    /// # Panics
    ///
    /// Never: `check` has seen it decode.
    #[must_use]
    pub fn limit_target(&self) -> Target {
        self.limit.to_target().expect("checked when the specification was made")
    }

    /// Units that the miner of block `height` may create.
    #[must_use]
    pub fn subsidy(&self, height: u32) -> u64 {
        self.subsidy_units.checked_shr(height / self.halving_blocks).unwrap_or(0)
    }
}

fn check_keys(field: &'static str, set: &KeySet) -> Result<(), SpecError> {
    let refuse = |why: &str| Err(SpecError::Field { field, why: why.into() });
    if set.keys.len() > KEY_SET_MAX {
        return refuse("at most 32 keys");
    }
    let k = usize::from(set.k);
    if k > set.keys.len() || (k == 0) != set.keys.is_empty() {
        return refuse("k must be 1 to the number of keys");
    }
    for (index, key) in set.keys.iter().enumerate() {
        key.check().map_err(|error| SpecError::Key { field, index, error })?;
        if set.keys[..index].contains(key) {
            return refuse("the same key twice");
        }
    }
    Ok(())
}

/// The constants of consensus that no chain file sets: changing one makes another chain.
fn constants() -> Vec<u64> {
    use crate::ledger::{block, coinbase, policy, transaction};
    vec![
        u64::from(CHECKPOINT_INTERVAL_BLOCKS),
        u64::from(CHECKPOINT_DEPTH_BLOCKS),
        u64::from(RELIEF_AFTER_SPACINGS),
        u64::from(BLOCK_VERSION),
        FEE_PER_BYTE,
        FEE_PER_SIGNATURE,
        FEE_PER_STATE_ENTRY,
        u64::from(IDLE_BLOCKS),
        block::BLOCK_BYTES_MAX as u64,
        block::BLOCK_SIGNATURES_MAX as u64,
        coinbase::COINBASE_BYTES_MAX as u64,
        transaction::TRANSACTION_BYTES_MAX as u64,
        transaction::SIGNATURES_MAX as u64,
        u64::from(transaction::VALIDITY_BLOCKS_MAX),
        transaction::NONCE_STEP_MAX,
        u64::from(policy::CHAIN_CLAIMS_MAX),
        HOLDINGS_MAX as u64,
        HOLDINGS_KIND_MAX as u64,
        u64::from(REFUSAL_WINDOW_BLOCKS),
        u64::from(REFUSED_PERSON_RECORD_MAX),
        u64::from(REFUSED_PERSON_MAX),
        u64::from(REFUSED_ISSUER_RECORD_MAX),
        u64::from(CLOSED_BLOCKS),
        u64::from(REVIEW_BLOCKS),
        u64::from(FREE_REQUESTS_MAX),
        u64::from(FREE_APPROVES_MAX),
        u64::from(FREE_OPEN_SITE_MAX),
        u64::from(UNREVIEWED_MAX),
        EMERGENCIES_MAX as u64,
        transaction::lot::INPUTS_MAX as u64,
        transaction::lot::OUTPUTS_MAX as u64,
        transaction::lot::WITNESSES_MAX as u64,
        ORIGINS_MAX as u64,
        u64::from(TAKE_BACK_BLOCKS),
        u64::from(READING_SPAN_S_MAX),
        u64::from(READING_AGE_S_MAX),
        STEPS_PER_ACTIVE_SECOND_MAX,
        u64::from(SAMPLES_FORGET_S),
        u64::from(SAMPLES_FORGET_MAX),
        CREDIT_PER_ACTIVE_SECOND,
        CREDIT_PER_WEAR_SECOND,
        CREDIT_PER_STEP,
        CREDIT_DAY_MAX,
    ]
}
