//! Hash maps for keys that strangers choose but that are long: digests, public keys, names made of them.
//! Applying a block looks up hundreds of thousands, and SipHash, made for short keys, is a good part of
//! that.
//!
//! Up to sixteen bytes at a time are folded in by a product of 128 bits, each half hidden by a secret, as
//! wyhash and its heirs do. Who does not know the factor cannot make keys that meet; it is drawn when the process
//! starts and never shown. Nothing depends on the order of such a map.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::OnceLock;

/// A map by long keys.
pub(crate) type LongKeyMap<K, V> = HashMap<K, V, Folding>;
/// A set of long keys.
pub(crate) type LongKeySet<K> = HashSet<K, Folding>;

/// Hashes with the secret of this process.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Folding(Secret);

#[derive(Debug, Clone, Copy)]
struct Secret {
    start: u64,
    factor: u64,
}

impl Default for Folding {
    fn default() -> Self {
        static SECRET: OnceLock<Secret> = OnceLock::new();
        let random = || RandomState::new().hash_one(0_u8);
        Self(*SECRET.get_or_init(|| Secret { start: random(), factor: random() | 1 }))
    }
}

impl BuildHasher for Folding {
    type Hasher = FoldingHasher;

    fn build_hasher(&self) -> FoldingHasher {
        FoldingHasher { state: self.0.start, factor: self.0.factor }
    }
}

/// A hash under way.
#[derive(Debug, Clone)]
pub(crate) struct FoldingHasher {
    state: u64,
    factor: u64,
}

impl FoldingHasher {
    fn fold_pair(&mut self, pair: &[u8; 16]) {
        let words = pair.as_chunks::<8>().0;
        self.fold(u64::from_le_bytes(words[0]), u64::from_le_bytes(words[1]));
    }

    fn fold(&mut self, a: u64, b: u64) {
        let (low, high) = (self.state ^ a).carrying_mul(self.factor ^ b, 0);
        self.state = low ^ high;
    }
}

impl Hasher for FoldingHasher {
    fn write(&mut self, bytes: &[u8]) {
        let (pairs, rest) = bytes.as_chunks::<16>();
        for pair in pairs {
            self.fold_pair(pair);
        }
        if !rest.is_empty() {
            let mut last = [0; 16];
            last[..rest.len()].copy_from_slice(rest);
            self.fold_pair(&last);
        }
    }

    fn write_u64(&mut self, word: u64) {
        self.fold(word, 0);
    }

    fn write_u8(&mut self, byte: u8) {
        self.write_u64(byte.into());
    }

    fn write_u32(&mut self, word: u32) {
        self.write_u64(word.into());
    }

    fn write_usize(&mut self, word: usize) {
        self.write_u64(word as u64);
    }

    fn finish(&self) -> u64 {
        self.state
    }
}
