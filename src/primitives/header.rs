//! The 80-byte Bitcoin-layout header: named fields, encode and decode. It knows nothing of validity.

use super::limits::{HEADER_BYTES, NONCE_OFFSET_BYTES};
use super::{BlockHash, CompactTarget, MerkleRoot};

/// A header as it is hashed.
pub type HeaderBytes = [u8; HEADER_BYTES];

/// A block header. All integers are little-endian on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Header {
    /// Version and signalling bits, compared as a signed number by the rules.
    pub version: i32,
    /// Hash of the parent's header.
    pub prev_block: BlockHash,
    /// Root of the merkle tree over the block's transactions.
    pub merkle_root: MerkleRoot,
    /// Seconds since 1970 claimed by the miner.
    pub time: u32,
    /// Compact form of the target that the hash must not exceed ("nBits").
    pub bits: CompactTarget,
    /// What a miner searches.
    pub nonce: u32,
}

impl Header {
    /// The bytes that are hashed.
    #[must_use]
    pub fn encode(&self) -> HeaderBytes {
        let mut bytes = [0; HEADER_BYTES];
        bytes[0..4].copy_from_slice(&self.version.to_le_bytes());
        bytes[4..36].copy_from_slice(&self.prev_block.0);
        bytes[36..68].copy_from_slice(&self.merkle_root.0);
        bytes[68..72].copy_from_slice(&self.time.to_le_bytes());
        bytes[72..76].copy_from_slice(&self.bits.0.to_le_bytes());
        bytes[NONCE_OFFSET_BYTES..].copy_from_slice(&self.nonce.to_le_bytes());
        bytes
    }

    /// Reads a header: every 80 bytes are one.
    #[must_use]
    pub fn decode(bytes: &HeaderBytes) -> Self {
        Self {
            version: word(bytes, 0).cast_signed(),
            prev_block: BlockHash(digest(bytes, 4)),
            merkle_root: MerkleRoot(digest(bytes, 36)),
            time: word(bytes, 68),
            bits: CompactTarget(word(bytes, 72)),
            nonce: word(bytes, NONCE_OFFSET_BYTES),
        }
    }
}

fn word(bytes: &HeaderBytes, at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

fn digest(bytes: &HeaderBytes, at: usize) -> [u8; 32] {
    let mut digest = [0; 32];
    digest.copy_from_slice(&bytes[at..at + 32]);
    digest
}
