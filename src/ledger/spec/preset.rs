//! The chains that have a name.
//!
//! **The keys of `test` and `main` are published.** Their seeds are the tagged hashes below, so anybody
//! can sign for them: `test` is a playground, and `main` is a specification to rehearse with until the
//! founding institutions have put their own keys, and with them another genesis, in its place.

use super::{KeySet, Spec, SpecError, UNITS_PER_TOKEN};
use crate::hash::Algorithm;
use crate::hash::tagged::Tag;
use crate::ledger::signature::PubKey;
use crate::primitives::CompactTarget;

const SEED: Tag = Tag::new("published-key");
/// 2026-11-01 00:00:00 UTC.
const GENESIS_TIME: u32 = 1_793_491_200;
const TEST_ANCHOR: &str = "test anchor";
const TEST_WITNESS: &str = "test witness";
const MAIN_ANCHORS: [&str; 3] = ["main anchor 1", "main anchor 2", "main anchor 3"];
const MAIN_WITNESSES: [&str; 3] = ["main witness 1", "main witness 2", "main witness 3"];

/// The secret seed behind a published key: `tagged("published-key", name)`.
#[must_use]
pub fn published_seed(name: &str) -> [u8; 32] {
    SEED.hash(name.as_bytes())
}

fn published(names: &[&str]) -> Vec<PubKey> {
    names.iter().map(|name| PubKey::of_seed(&published_seed(name))).collect()
}

impl Spec {
    /// Names of the chains that need nothing else to be known.
    pub const PRESETS: [&str; 2] = ["test", "main"];
    /// Seconds between blocks of a local chain.
    pub const LOCAL_SPACING_S: u32 = 1;

    /// A chain for one machine, founded at `now` with a fresh anchor key: one second between blocks.
    ///
    /// # Errors
    ///
    /// If the key is refused.
    pub fn local(now: u32, anchor: PubKey) -> Result<Self, SpecError> {
        Self {
            name: "local".into(),
            algorithm: Algorithm::Sha256d,
            address_prefix: "lpw".into(),
            spacing_s: Self::LOCAL_SPACING_S,
            half_life_s: 600,
            future_limit_s: 8,
            maturity_blocks: 4,
            subsidy_units: 50 * UNITS_PER_TOKEN,
            halving_blocks: 210_000,
            // 2^8 and 2^22 hashes: any machine starts within a second or two.
            limit: CompactTarget(0x2000_ffff),
            start: CompactTarget(0x1e03_ffff),
            genesis_time: now,
            anchors: KeySet { k: 1, keys: vec![anchor] },
            witnesses: KeySet::default(),
            claim_delay_blocks: 0,
            issuer_k_least: 1,
        }
        .check()
    }

    /// The public test chain.
    ///
    /// # Panics
    ///
    /// Never: the tests check it.
    #[must_use]
    pub fn test() -> Self {
        Self {
            name: "test".into(),
            algorithm: Algorithm::Sha256d,
            address_prefix: "tpw".into(),
            spacing_s: 5,
            half_life_s: 3600,
            future_limit_s: 40,
            maturity_blocks: 20,
            subsidy_units: 50 * UNITS_PER_TOKEN,
            halving_blocks: 210_000,
            limit: CompactTarget(0x2000_ffff),
            start: CompactTarget(0x1e03_ffff),
            genesis_time: GENESIS_TIME,
            anchors: KeySet { k: 1, keys: published(&[TEST_ANCHOR]) },
            witnesses: KeySet { k: 1, keys: published(&[TEST_WITNESS]) },
            claim_delay_blocks: 0,
            issuer_k_least: 1,
        }
        .check()
        .expect("the preset is checked by the tests")
    }

    /// The main chain: see the head of the file for its keys.
    ///
    /// # Panics
    ///
    /// Never: the tests check it.
    #[must_use]
    pub fn main() -> Self {
        Self {
            name: "main".into(),
            algorithm: Algorithm::Sha256d,
            address_prefix: "pw".into(),
            spacing_s: 15,
            half_life_s: 1800,
            future_limit_s: 120,
            maturity_blocks: 100,
            subsidy_units: 50 * UNITS_PER_TOKEN,
            halving_blocks: 8_400_000,
            limit: CompactTarget(0x1f00_ffff),
            start: CompactTarget(0x1d00_ffff),
            genesis_time: GENESIS_TIME,
            anchors: KeySet { k: 2, keys: published(&MAIN_ANCHORS) },
            witnesses: KeySet { k: 2, keys: published(&MAIN_WITNESSES) },
            claim_delay_blocks: 12,
            issuer_k_least: 2,
        }
        .check()
        .expect("the preset is checked by the tests")
    }
}
