//! Tagged SHA-256 as BIP340 defines it, with tags `proofward/<name>`: what names every id, commitment
//! and leaf of the ledger, so that the hash of one kind of thing is never the hash of another.
//!
//! `tagged(name, data) = SHA-256(SHA-256(tag) || SHA-256(tag) || data)`, `tag = "proofward/" || name`.
//! The two digests fill one block, so a [`Tag`] is the state after it, computed by the compiler. It is
//! a single SHA-256, not the double one of headers and merkle nodes.

use sha2::block_api::compress256;

use super::sha256::{INITIAL_STATE, ROUND_CONSTANTS, state_bytes};
use crate::primitives::Digest;

const PREFIX: &[u8] = b"proofward/";
const BLOCK_BYTES: usize = 64;
/// A tag is padded within one block: the bit that ends a message and its length take nine bytes.
const NAME_BYTES_MAX: usize = BLOCK_BYTES - 9 - PREFIX.len();

/// A kind of thing that is hashed: SHA-256 after the block that names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tag {
    midstate: [u32; 8],
}

impl Tag {
    /// The tag `proofward/<name>`. Write it as a constant: then it costs nothing at run time.
    ///
    /// # Panics
    ///
    /// If the name has more than 45 bytes (of a constant: does not compile).
    #[must_use]
    pub const fn new(name: &str) -> Self {
        let name = name.as_bytes();
        assert!(name.len() <= NAME_BYTES_MAX, "the name of a tag has at most 45 bytes");
        let mut block = [0; BLOCK_BYTES];
        let mut len = 0;
        while len < PREFIX.len() + name.len() {
            block[len] = if len < PREFIX.len() { PREFIX[len] } else { name[len - PREFIX.len()] };
            len += 1;
        }
        block[len] = 0x80;
        block[BLOCK_BYTES - 2] = (len >> 5).to_le_bytes()[0];
        block[BLOCK_BYTES - 1] = (len << 3).to_le_bytes()[0];
        let digest = compress(INITIAL_STATE, words(&block));

        let mut twice = [0; 16];
        let mut i = 0;
        while i < 16 {
            twice[i] = digest[i % 8];
            i += 1;
        }
        Self { midstate: compress(INITIAL_STATE, twice) }
    }

    /// Starts a hash under this tag, fed by [`Tagged::update`].
    #[must_use]
    pub const fn start(self) -> Tagged {
        Tagged { state: self.midstate, block: [0; BLOCK_BYTES], len_bytes: 0 }
    }

    /// The state before the first block of what is hashed: for who hashes many messages side by side.
    #[must_use]
    pub fn state(self) -> Digest {
        state_bytes(&self.midstate)
    }

    /// Blocks that follow the tag's where so many bytes are hashed.
    #[must_use]
    pub const fn blocks(len_bytes: usize) -> usize {
        (len_bytes + 9).div_ceil(BLOCK_BYTES)
    }

    /// Block `at` of those that follow the tag's, of a whole message with its padding (FIPS 180-4, section
    /// 5.1.1), over a block of zeros.
    pub fn copy_block(data: &[u8], at: usize, block: &mut [u8; BLOCK_BYTES]) {
        let start = at * BLOCK_BYTES;
        if let Some(rest) = data.get(start..) {
            let here = rest.len().min(BLOCK_BYTES);
            block[..here].copy_from_slice(&rest[..here]);
            if here < BLOCK_BYTES {
                block[here] = 0x80;
            }
        }
        if at + 1 == Self::blocks(data.len()) {
            let len_bits = (data.len() as u64 + BLOCK_BYTES as u64) << 3;
            block[BLOCK_BYTES - 8..].copy_from_slice(&len_bits.to_be_bytes());
        }
    }

    /// The tagged hash of `data`.
    #[must_use]
    pub fn hash(self, data: &[u8]) -> Digest {
        let mut hash = self.start();
        hash.update(data);
        hash.finish()
    }
}

/// A tagged hash under way: what is fed to it in pieces is hashed as if it came at once, so the caller
/// sees to it that the pieces cannot be read in two ways (fixed lengths, or a length first).
#[derive(Debug, Clone)]
pub struct Tagged {
    state: [u32; 8],
    /// Its first `len_bytes % 64` bytes wait for the rest of their block.
    block: [u8; BLOCK_BYTES],
    /// Bytes fed so far, without the block of the tag.
    len_bytes: u64,
}

impl Tagged {
    /// Appends `data`.
    pub fn update(&mut self, mut data: &[u8]) -> &mut Self {
        let waiting = self.waiting_bytes();
        self.len_bytes += data.len() as u64;
        if waiting > 0 {
            let taken = data.len().min(BLOCK_BYTES - waiting);
            self.block[waiting..waiting + taken].copy_from_slice(&data[..taken]);
            data = &data[taken..];
            if waiting + taken < BLOCK_BYTES {
                return self;
            }
            compress256(&mut self.state, std::slice::from_ref(&self.block));
        }
        let (blocks, rest) = data.as_chunks::<BLOCK_BYTES>();
        compress256(&mut self.state, blocks);
        self.block[..rest.len()].copy_from_slice(rest);
        self
    }

    /// The hash of everything fed so far; more may follow.
    #[must_use]
    pub fn finish(&self) -> Digest {
        let mut state = self.state;
        let waiting = self.waiting_bytes();
        // The rest, the bit that ends it, zeros and the length in bits (FIPS 180-4, section 5.1.1).
        let mut blocks = [[0; BLOCK_BYTES]; 2];
        blocks[0][..waiting].copy_from_slice(&self.block[..waiting]);
        blocks[0][waiting] = 0x80;
        let used = if waiting < BLOCK_BYTES - 8 { 1 } else { 2 };
        let len_bits = (self.len_bytes + BLOCK_BYTES as u64) << 3;
        blocks[used - 1][BLOCK_BYTES - 8..].copy_from_slice(&len_bits.to_be_bytes());
        compress256(&mut state, &blocks[..used]);

        state_bytes(&state)
    }

    fn waiting_bytes(&self) -> usize {
        usize::try_from(self.len_bytes % BLOCK_BYTES as u64).expect("less than 64")
    }
}

const fn words(block: &[u8; BLOCK_BYTES]) -> [u32; 16] {
    let mut words = [0; 16];
    let mut i = 0;
    while i < 16 {
        let at = 4 * i;
        words[i] = u32::from_be_bytes([block[at], block[at + 1], block[at + 2], block[at + 3]]);
        i += 1;
    }
    words
}

/// The compression function (FIPS 180-4, section 6.2.2) for the compiler, which cannot run `sha2`'s.
const fn compress(state: [u32; 8], message: [u32; 16]) -> [u32; 8] {
    let mut w = message;
    let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = state;
    let mut round = 0;
    while round < 64 {
        // The schedule needs only its last sixteen words.
        if round >= 16 {
            let (early, late) = (w[(round + 1) % 16], w[(round + 14) % 16]);
            let sigma_0 = early.rotate_right(7) ^ early.rotate_right(18) ^ (early >> 3);
            let sigma_1 = late.rotate_right(17) ^ late.rotate_right(19) ^ (late >> 10);
            w[round % 16] = w[round % 16]
                .wrapping_add(sigma_0)
                .wrapping_add(w[(round + 9) % 16])
                .wrapping_add(sigma_1);
        }
        let sum_1 = e.rotate_right(6) ^ e.rotate_right(11) ^ e.rotate_right(25);
        let choose = (e & f) ^ (!e & g);
        let t1 = h
            .wrapping_add(sum_1)
            .wrapping_add(choose)
            .wrapping_add(ROUND_CONSTANTS[round])
            .wrapping_add(w[round % 16]);
        let sum_0 = a.rotate_right(2) ^ a.rotate_right(13) ^ a.rotate_right(22);
        let majority = (a & b) ^ (a & c) ^ (b & c);
        [h, g, f, e] = [g, f, e, d.wrapping_add(t1)];
        [d, c, b, a] = [c, b, a, t1.wrapping_add(sum_0).wrapping_add(majority)];
        round += 1;
    }
    let worked = [a, b, c, d, e, f, g, h];
    let mut next = state;
    let mut i = 0;
    while i < 8 {
        next[i] = next[i].wrapping_add(worked[i]);
        i += 1;
    }
    next
}
