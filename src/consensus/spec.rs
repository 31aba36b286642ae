//! A chain's specification: what differs between Bitcoin's networks and ours, as data.
//!
//! The figures are Bitcoin Core's (`kernel/chainparams.cpp`); heights of soft forks are the buried ones.

use ruint::aliases::U256;

use super::difficulty::{Difficulty, Epochs};
use super::rule::Rule;
use crate::hash::Algorithm;
use crate::primitives::limits::{
    FUTURE_TIME_SECONDS_MAX, MEDIAN_TIME_SPAN_BLOCKS, RETARGET_INTERVAL_BLOCKS,
};
use crate::primitives::{BlockHash, Target};

/// From `from_height` on, headers need at least this version, compared as signed numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VersionFloor {
    /// The least version that is valid.
    pub version: i32,
    /// The first height of which that is true.
    pub from_height: u64,
}

/// Which rules a chain has and with what figures. Fields are public: a chain of one's own is a preset
/// with some of them replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainSpec {
    /// What `--chain` and messages say.
    pub name: &'static str,
    /// What precedes each block in a file of blocks and each message on the wire (`pchMessageStart`).
    pub magic: Option<[u8; 4]>,
    /// What headers are hashed with.
    pub algorithm: Algorithm,
    /// The block at height 0; `None` if any will do.
    pub genesis: Option<BlockHash>,
    /// The easiest target (`powLimit`).
    pub limit: Target,
    /// What nBits must be.
    pub difficulty: Difficulty,
    /// Whether a time must be above the median time past.
    pub median_time: bool,
    /// How far ahead of now a header may be stamped; `None` for any time.
    pub future_seconds_max: Option<u32>,
    /// The soft forks that raised the version, in ascending order of both fields.
    pub version_floors: Vec<VersionFloor>,
    /// How far the first header of an epoch may be stamped before its parent (BIP54: 7,200; BIP94: 600).
    pub timewarp_seconds_max: Option<u32>,
    /// Whether the last header of an epoch may not be stamped before the first one (BIP54).
    pub epoch_not_negative: bool,
}

/// No chain of this name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[error("unknown chain {0:?}: expected bitcoin, testnet3, signet, regtest or none")]
pub struct UnknownChain(String);

/// BIP54: the first header of an epoch is at most this much before its parent.
const BIP54_TIMEWARP_SECONDS_MAX: u32 = 7200;
const BITCOIN_MAGIC: [u8; 4] = [0xf9, 0xbe, 0xb4, 0xd9];
const TESTNET3_MAGIC: [u8; 4] = [0x0b, 0x11, 0x09, 0x07];
const SIGNET_MAGIC: [u8; 4] = [0x0a, 0x03, 0xcf, 0x40];
const REGTEST_MAGIC: [u8; 4] = [0xfa, 0xbf, 0xb5, 0xda];
/// Seconds between two Bitcoin blocks.
const SPACING_SECONDS: u32 = 600;

impl ChainSpec {
    /// The names of the presets.
    pub const NAMES: [&str; 5] = ["bitcoin", "testnet3", "signet", "regtest", "none"];

    /// The preset of this name.
    ///
    /// # Errors
    ///
    /// If there is none.
    pub fn named(name: &str) -> Result<Self, UnknownChain> {
        match name {
            "bitcoin" => Ok(Self::bitcoin()),
            "testnet3" => Ok(Self::testnet3()),
            "signet" => Ok(Self::signet()),
            "regtest" => Ok(Self::regtest()),
            "none" => Ok(Self::none(Algorithm::Sha256d)),
            _ => Err(UnknownChain(name.chars().take(80).collect())),
        }
    }

    /// Bitcoin's main network.
    #[must_use]
    pub fn bitcoin() -> Self {
        Self {
            name: "bitcoin",
            magic: Some(BITCOIN_MAGIC),
            algorithm: Algorithm::Sha256d,
            genesis: Some(genesis(
                "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f",
            )),
            limit: Target(U256::MAX >> 32),
            difficulty: Difficulty::Epochs(EPOCHS),
            median_time: true,
            future_seconds_max: Some(FUTURE_TIME_SECONDS_MAX),
            version_floors: version_floors(227_931, 363_725, 388_381),
            timewarp_seconds_max: None,
            epoch_not_negative: false,
        }
    }

    /// Bitcoin's third test network, whose difficulty falls to the limit after 20 minutes.
    #[must_use]
    pub fn testnet3() -> Self {
        Self {
            name: "testnet3",
            magic: Some(TESTNET3_MAGIC),
            genesis: Some(genesis(
                "000000000933ea01ad0ee984209779baaec3ced90fa3f408719526f8d77f4943",
            )),
            difficulty: Difficulty::Epochs(Epochs {
                limit_after_seconds: Some(2 * SPACING_SECONDS),
                ..EPOCHS
            }),
            version_floors: version_floors(21_111, 330_776, 581_885),
            ..Self::bitcoin()
        }
    }

    /// The default signet. Its blocks are signed inside the coinbase, which headers do not show.
    #[must_use]
    pub fn signet() -> Self {
        Self {
            name: "signet",
            magic: Some(SIGNET_MAGIC),
            genesis: Some(genesis(
                "00000008819873e925422c1ff0f99f7cc9bbb232af63a077a480a3633bee1ef6",
            )),
            limit: Target(U256::from(0x0003_77ae_u64) << 216),
            version_floors: version_floors(1, 1, 1),
            ..Self::bitcoin()
        }
    }

    /// Regression tests: every second hash is a block.
    #[must_use]
    pub fn regtest() -> Self {
        Self {
            name: "regtest",
            magic: Some(REGTEST_MAGIC),
            genesis: Some(genesis(
                "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206",
            )),
            limit: Target(U256::MAX >> 1),
            difficulty: Difficulty::Limit,
            version_floors: version_floors(1, 1, 1),
            ..Self::bitcoin()
        }
    }

    /// No chain in particular: links, and work against any target.
    #[must_use]
    pub fn none(algorithm: Algorithm) -> Self {
        Self {
            name: "none",
            magic: None,
            algorithm,
            genesis: None,
            limit: Target::MAX,
            difficulty: Difficulty::Any,
            median_time: false,
            future_seconds_max: None,
            version_floors: Vec::new(),
            timewarp_seconds_max: None,
            epoch_not_negative: false,
        }
    }

    /// The same chain with the two time rules of BIP54 in force from its first header on.
    #[must_use]
    pub fn with_bip54(self) -> Self {
        Self {
            timewarp_seconds_max: Some(BIP54_TIMEWARP_SECONDS_MAX),
            epoch_not_negative: true,
            ..self
        }
    }

    /// Headers between two retargets, if nBits follow epochs or a rule about epochs is in force.
    #[must_use]
    pub fn epoch_blocks(&self) -> Option<u32> {
        match self.difficulty {
            Difficulty::Epochs(epochs) => Some(epochs.interval_blocks),
            _ if self.timewarp_seconds_max.is_some() || self.epoch_not_negative => {
                Some(RETARGET_INTERVAL_BLOCKS)
            }
            _ => None,
        }
    }

    /// What a file of blocks may begin with: the chain's magic, or any of Bitcoin's if it has none.
    #[must_use]
    pub fn magics(&self) -> Vec<[u8; 4]> {
        match self.magic {
            Some(own) => vec![own],
            None => vec![BITCOIN_MAGIC, TESTNET3_MAGIC, SIGNET_MAGIC, REGTEST_MAGIC],
        }
    }

    /// Whether the chain has a rule at all.
    #[must_use]
    pub fn has(&self, rule: Rule) -> bool {
        match rule {
            Rule::HighHash | Rule::BadPrevblk => true,
            Rule::BadDiffbits => self.difficulty != Difficulty::Any,
            Rule::TimeTooOld => self.median_time,
            Rule::TimeTimewarpAttack => self.timewarp_seconds_max.is_some(),
            Rule::TimeNegativeInterval => self.epoch_not_negative,
            Rule::TimeTooNew => self.future_seconds_max.is_some(),
            Rule::BadVersion => !self.version_floors.is_empty(),
        }
    }

    /// How many headers before a header may matter to the rules about it.
    #[must_use]
    pub fn context_blocks_max(&self) -> usize {
        let epoch = self.epoch_blocks().unwrap_or(1);
        MEDIAN_TIME_SPAN_BLOCKS.max(usize::try_from(epoch).unwrap_or(usize::MAX))
    }

    /// The least version of a header at this height, if there is one.
    #[must_use]
    pub fn version_floor(&self, height: u64) -> Option<i32> {
        let in_force = self.version_floors.iter().filter(|floor| floor.from_height <= height);
        in_force.map(|floor| floor.version).max()
    }
}

const EPOCHS: Epochs = Epochs {
    interval_blocks: RETARGET_INTERVAL_BLOCKS,
    timespan_seconds: RETARGET_INTERVAL_BLOCKS * SPACING_SECONDS,
    limit_after_seconds: None,
};

/// BIP34 asks for version 2, BIP66 for 3, BIP65 for 4.
fn version_floors(bip34: u64, bip66: u64, bip65: u64) -> Vec<VersionFloor> {
    let forks = [(2, bip34), (3, bip66), (4, bip65)];
    forks.map(|(version, from_height)| VersionFloor { version, from_height }).to_vec()
}

fn genesis(display: &str) -> BlockHash {
    display.parse().expect("64 hex digits written above")
}
