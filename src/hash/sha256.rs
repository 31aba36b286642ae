//! SHA-256 twice (FIPS 180-4), and the state after one block ("midstate").

use sha2::{Digest as _, Sha256, block_api::compress256};

use crate::primitives::Digest;

/// The initial state (FIPS 180-4, section 5.3.3).
pub const INITIAL_STATE: [u32; 8] = [
    0x6a09_e667,
    0xbb67_ae85,
    0x3c6e_f372,
    0xa54f_f53a,
    0x510e_527f,
    0x9b05_688c,
    0x1f83_d9ab,
    0x5be0_cd19,
];

/// SHA-256 of `message`.
#[must_use]
pub fn sha256(message: &[u8]) -> Digest {
    Sha256::digest(message).into()
}

/// SHA-256 of the SHA-256 of `message`.
#[must_use]
pub fn sha256d(message: &[u8]) -> Digest {
    sha256(&sha256(message))
}

/// The state after the first 64 bytes of a message: what a search computes once.
#[must_use]
pub fn midstate(first_block: &[u8; 64]) -> [u32; 8] {
    let mut state = INITIAL_STATE;
    compress256(&mut state, std::slice::from_ref(first_block));
    state
}
