//! The coinbase: a transaction in Bitcoin's envelope, so that miners and pools build and edit it with
//! the code they have. It carries the height, the state commitment and the payout.
//!
//! ```text
//! version 4 | 01 | prevout 00 x 32, ffffffff | script length, script | sequence 4
//!           | output count | value 8, script length, script ... | lock time 4
//! ```
//!
//! Version, sequence and lock time are free. The script begins with the height (BIP34). Exactly one
//! output has value 0 and the script `6a24 || magic || state root`; every other pays `0020 || key`.

use borsh::{BorshDeserialize, BorshSerialize};

use crate::ledger::signature::PubKey;
use crate::primitives::Digest;
use crate::primitives::codec::{DecodeError, Reader, write_compact_size};

/// Bytes of a coinbase that a block may hold.
pub const COINBASE_BYTES_MAX: usize = 1000;
/// Bytes of the coinbases that we build: small miners keep them in fixed buffers.
pub const OWN_COINBASE_BYTES_MAX: usize = 255;
/// Bytes of the input's script (Bitcoin's `bad-cb-length`).
pub const SCRIPT_BYTES: std::ops::RangeInclusive<u64> = 2..=100;
/// Marks the output that holds the state commitment, after `6a24`.
pub const COMMITMENT_MAGIC: [u8; 4] = *b"pwsr";

const OP_RETURN_PUSH_36: [u8; 2] = [0x6a, 0x24];
const WITNESS_V0_PUSH_32: [u8; 2] = [0x00, 0x20];

/// What the rules read out of a coinbase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coinbase {
    /// Height that the script begins with.
    pub height: u32,
    /// State after the parent block; in genesis the commitment to the specification.
    pub commitment: Digest,
    /// Who is paid how much, in output order; a value may be zero.
    pub payouts: Vec<Payout>,
}

/// One output that pays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Payout {
    /// Who.
    pub key: PubKey,
    /// Units.
    pub value: u64,
}

/// Why bytes are not a coinbase of ours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CoinbaseError {
    /// The envelope does not decode.
    #[error("coinbase envelope: {0}")]
    Envelope(#[from] DecodeError),
    /// More than [`COINBASE_BYTES_MAX`].
    #[error("coinbase over {COINBASE_BYTES_MAX} bytes")]
    TooLarge,
    /// Not exactly one input with a null prevout.
    #[error("coinbase input is not a single null prevout")]
    Input,
    /// The script is not 2 to 100 bytes long.
    #[error("coinbase script of {0} bytes, expected 2 to 100")]
    ScriptLength(u64),
    /// The script does not begin with a height.
    #[error("coinbase script does not begin with a height")]
    Height,
    /// An output neither pays a key nor is the commitment.
    #[error("coinbase output {0} neither pays a key nor commits to the state")]
    Output(usize),
    /// Not exactly one commitment.
    #[error("coinbase has {0} state commitments, expected one")]
    Commitments(usize),
}

impl Coinbase {
    /// Reads the coinbase at the front of `reader`.
    ///
    /// # Errors
    ///
    /// The first thing that is wrong, in the order of the bytes. Sums are not judged here.
    pub fn decode(reader: &mut Reader<'_>) -> Result<Self, CoinbaseError> {
        let start = reader.position();
        let _version = reader.u32()?;
        if reader.compact_size()? != 1 || reader.take(32)? != [0; 32] || reader.u32()? != u32::MAX {
            return Err(CoinbaseError::Input);
        }
        let script_bytes = reader.compact_size()?;
        if !SCRIPT_BYTES.contains(&script_bytes) {
            return Err(CoinbaseError::ScriptLength(script_bytes));
        }
        let height = decode_height(reader.take(script_bytes)?).ok_or(CoinbaseError::Height)?;
        let _sequence = reader.u32()?;
        let count = reader.compact_size()?;
        let mut payouts = Vec::new();
        let mut commitments = Vec::new();
        // No capacity from the claimed count: each output takes at least nine bytes of input.
        for index in 0..count {
            let value = reader.u64()?;
            let script_bytes = reader.compact_size()?;
            let script = reader.take(script_bytes)?;
            if let Some(key) = script.strip_prefix(&WITNESS_V0_PUSH_32)
                && let Ok(key) = <[u8; 32]>::try_from(key)
            {
                payouts.push(Payout { key: PubKey(key), value });
            } else if value == 0
                && let Some(rest) = script.strip_prefix(&OP_RETURN_PUSH_36)
                && let Some(root) = rest.strip_prefix(&COMMITMENT_MAGIC)
                && let Ok(root) = Digest::try_from(root)
            {
                commitments.push(root);
            } else {
                return Err(CoinbaseError::Output(usize::try_from(index).unwrap_or(usize::MAX)));
            }
            if reader.position() - start > COINBASE_BYTES_MAX {
                return Err(CoinbaseError::TooLarge);
            }
        }
        let _lock_time = reader.u32()?;
        if reader.position() - start > COINBASE_BYTES_MAX {
            return Err(CoinbaseError::TooLarge);
        }
        match commitments[..] {
            [commitment] => Ok(Self { height, commitment, payouts }),
            _ => Err(CoinbaseError::Commitments(commitments.len())),
        }
    }

    /// The sum of its payouts.
    #[must_use]
    pub fn paid(&self) -> u128 {
        self.payouts.iter().map(|payout| u128::from(payout.value)).sum()
    }

    /// The bytes of this coinbase as our own templates write it: `extra` (extranonce and tag) follows
    /// the height in the script; payouts come first, the commitment last.
    ///
    /// # Panics
    ///
    /// If `extra` makes the script longer than 100 bytes.
    #[must_use]
    pub fn encode(&self, extra: &[u8]) -> Vec<u8> {
        let mut script = encode_height(self.height);
        script.extend_from_slice(extra);
        if script.len() < 2 {
            script.push(0);
        }
        assert!(script.len() <= 100, "an extranonce and a tag are short");
        let mut bytes = Vec::with_capacity(OWN_COINBASE_BYTES_MAX);
        bytes.extend_from_slice(&1u32.to_le_bytes());
        bytes.push(1);
        bytes.extend_from_slice(&[0; 32]);
        bytes.extend_from_slice(&u32::MAX.to_le_bytes());
        write_compact_size(&mut bytes, script.len() as u64);
        bytes.extend_from_slice(&script);
        bytes.extend_from_slice(&u32::MAX.to_le_bytes());
        write_compact_size(&mut bytes, self.payouts.len() as u64 + 1);
        for payout in &self.payouts {
            bytes.extend_from_slice(&payout.value.to_le_bytes());
            write_compact_size(&mut bytes, 34);
            bytes.extend_from_slice(&WITNESS_V0_PUSH_32);
            bytes.extend_from_slice(&payout.key.0);
        }
        bytes.extend_from_slice(&0u64.to_le_bytes());
        write_compact_size(&mut bytes, 38);
        bytes.extend_from_slice(&OP_RETURN_PUSH_36);
        bytes.extend_from_slice(&COMMITMENT_MAGIC);
        bytes.extend_from_slice(&self.commitment);
        bytes.extend_from_slice(&0u32.to_le_bytes());
        bytes
    }

    /// The script of the output that commits to `root`.
    #[must_use]
    pub fn commitment_script(root: &Digest) -> Vec<u8> {
        [&OP_RETURN_PUSH_36[..], &COMMITMENT_MAGIC, root].concat()
    }
}

/// A coinbase of ours around its two blanks: the extranonce in the script, and the key that is paid.
/// Whoever gives out work fills them in for each worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CoinbaseForm {
    /// The bytes before the extranonce.
    pub before: Vec<u8>,
    /// The bytes between the extranonce and the key.
    pub between: Vec<u8>,
    /// The bytes after the key.
    pub after: Vec<u8>,
}

impl CoinbaseForm {
    /// The coinbase that pays `reward` to the key of the second blank; `tag` follows the extranonce.
    ///
    /// # Panics
    ///
    /// If extranonce and tag make the script longer than 100 bytes.
    #[must_use]
    pub fn new(
        height: u32,
        commitment: Digest,
        reward: u64,
        extranonce_bytes: usize,
        tag: &[u8],
    ) -> Self {
        let payouts = vec![Payout { key: PubKey([0; 32]), value: reward }];
        let extra = [&vec![0; extranonce_bytes], tag].concat();
        let bytes = Coinbase { height, commitment, payouts }.encode(&extra);
        // Version, count, prevout, script length and height stand before the extranonce.
        let extranonce_at = 4 + 1 + 36 + 1 + encode_height(height).len();
        let between_at = extranonce_at + extranonce_bytes;
        // Tag, sequence, count, value, script length and what precedes the key.
        let key_at = between_at + tag.len() + 4 + 1 + 8 + 1 + WITNESS_V0_PUSH_32.len();
        Self {
            before: bytes[..extranonce_at].to_vec(),
            between: bytes[between_at..key_at].to_vec(),
            after: bytes[key_at + 32..].to_vec(),
        }
    }

    /// The bytes after the extranonce.
    #[must_use]
    pub fn suffix(&self, payout: &PubKey) -> Vec<u8> {
        [&self.between[..], &payout.0, &self.after].concat()
    }

    /// The coinbase.
    #[must_use]
    pub fn fill(&self, extranonce: &[u8], payout: &PubKey) -> Vec<u8> {
        [&self.before[..], extranonce, &self.between, &payout.0, &self.after].concat()
    }
}

/// The script of an output that pays `key`.
#[must_use]
pub fn witness_script(key: &PubKey) -> Vec<u8> {
    [&WITNESS_V0_PUSH_32[..], &key.0].concat()
}

/// The height as BIP34 writes it: `OP_1` to `OP_16`, else the shortest push; 0 is the empty push.
#[must_use]
pub fn encode_height(height: u32) -> Vec<u8> {
    match u8::try_from(height) {
        Ok(0) => vec![0],
        Ok(small @ 1..=16) => vec![0x50 + small],
        _ => {
            let mut number = height.to_le_bytes().to_vec();
            while number.last() == Some(&0) {
                number.pop();
            }
            // The top bit is a sign.
            if number.last().is_some_and(|top| top & 0x80 != 0) {
                number.push(0);
            }
            let len = u8::try_from(number.len()).expect("at most five bytes");
            number.insert(0, len);
            number
        }
    }
}

/// The height at the front of a coinbase script: `OP_1` to `OP_16`, or a push of up to four bytes.
#[must_use]
pub fn decode_height(script: &[u8]) -> Option<u32> {
    let (&opcode, rest) = script.split_first()?;
    match opcode {
        0x51..=0x60 => Some(u32::from(opcode - 0x50)),
        0..=4 => {
            let mut number = [0; 4];
            number
                .get_mut(..usize::from(opcode))?
                .copy_from_slice(rest.get(..usize::from(opcode))?);
            // A set sign bit would be a negative height.
            let height = u32::from_le_bytes(number);
            let negative = opcode > 0 && rest[usize::from(opcode) - 1] & 0x80 != 0;
            (!negative).then_some(height)
        }
        _ => None,
    }
}
