//! BLAKE3 (the paper, section 2), and the chaining value after one block, which the `blake3` crate
//! keeps to itself.

use crate::primitives::Digest;

/// The initial chaining value: that of SHA-256 (table 1).
pub const INITIAL_STATE: [u32; 8] = super::sha256::INITIAL_STATE;
/// Order of the message words in each of the seven rounds (table 2, applied round after round).
pub const SCHEDULE: [[usize; 16]; 7] = schedule();
/// Domain flag of a chunk's first block (table 3).
pub const CHUNK_START: u32 = 1;
/// Domain flag of a chunk's last block.
pub const CHUNK_END: u32 = 2;
/// Domain flag of the node that gives the output.
pub const ROOT: u32 = 8;

const PERMUTATION: [usize; 16] = [2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8];

const fn schedule() -> [[usize; 16]; 7] {
    let mut rounds = [[0; 16]; 7];
    let mut i = 0;
    while i < 16 {
        rounds[0][i] = i;
        i += 1;
    }
    let mut round = 1;
    while round < 7 {
        let mut i = 0;
        while i < 16 {
            rounds[round][i] = rounds[round - 1][PERMUTATION[i]];
            i += 1;
        }
        round += 1;
    }
    rounds
}

/// BLAKE3 of `message`, 32 bytes.
#[must_use]
pub fn hash(message: &[u8]) -> Digest {
    *::blake3::hash(message).as_bytes()
}

/// As many pseudorandom bytes as are asked for, all determined by a context and a seed: BLAKE3's key
/// derivation mode with extended output.
#[derive(Debug, Clone)]
pub struct Stream(::blake3::OutputReader);

impl Stream {
    /// Starts the stream. The context is a constant that says what the bytes are for.
    #[must_use]
    pub fn new(context: &'static str, seed: &[u8]) -> Self {
        Self(::blake3::Hasher::new_derive_key(context).update(seed).finalize_xof())
    }

    /// The next bytes.
    pub fn fill(&mut self, bytes: &mut [u8]) {
        self.0.fill(bytes);
    }
}

/// The chaining value after the first 64 bytes of a longer message of one chunk: what a search
/// computes once.
#[must_use]
pub fn midstate(first_block: &[u8; 64]) -> [u32; 8] {
    let mut message = [0; 16];
    for (word, bytes) in message.iter_mut().zip(first_block.as_chunks().0) {
        *word = u32::from_le_bytes(*bytes);
    }
    let state = compress(&INITIAL_STATE, &message, 64, CHUNK_START);
    std::array::from_fn(|i| state[i] ^ state[i + 8])
}

/// The compression function with counter 0, before the halves of the state are combined.
fn compress(cv: &[u32; 8], message: &[u32; 16], block_bytes: u32, flags: u32) -> [u32; 16] {
    let mut v = [0; 16];
    v[..8].copy_from_slice(cv);
    v[8..12].copy_from_slice(&INITIAL_STATE[..4]);
    v[14] = block_bytes;
    v[15] = flags;
    for order in &SCHEDULE {
        for (column, pair) in order[..8].as_chunks::<2>().0.iter().enumerate() {
            mix(&mut v, [column, column + 4, column + 8, column + 12], message, *pair);
        }
        for (i, pair) in order[8..].as_chunks::<2>().0.iter().enumerate() {
            let diagonal = [i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4];
            mix(&mut v, diagonal, message, *pair);
        }
    }
    v
}

fn mix(v: &mut [u32; 16], [a, b, c, d]: [usize; 4], message: &[u32; 16], [x, y]: [usize; 2]) {
    v[a] = v[a].wrapping_add(v[b]).wrapping_add(message[x]);
    v[d] = (v[d] ^ v[a]).rotate_right(16);
    v[c] = v[c].wrapping_add(v[d]);
    v[b] = (v[b] ^ v[c]).rotate_right(12);
    v[a] = v[a].wrapping_add(v[b]).wrapping_add(message[y]);
    v[d] = (v[d] ^ v[a]).rotate_right(8);
    v[c] = v[c].wrapping_add(v[d]);
    v[b] = (v[b] ^ v[c]).rotate_right(7);
}
