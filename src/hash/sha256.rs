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

/// The round constants (FIPS 180-4, section 4.2.2).
#[rustfmt::skip]
pub const ROUND_CONSTANTS: [u32; 64] = [
    0x428a_2f98, 0x7137_4491, 0xb5c0_fbcf, 0xe9b5_dba5, 0x3956_c25b, 0x59f1_11f1, 0x923f_82a4, 0xab1c_5ed5,
    0xd807_aa98, 0x1283_5b01, 0x2431_85be, 0x550c_7dc3, 0x72be_5d74, 0x80de_b1fe, 0x9bdc_06a7, 0xc19b_f174,
    0xe49b_69c1, 0xefbe_4786, 0x0fc1_9dc6, 0x240c_a1cc, 0x2de9_2c6f, 0x4a74_84aa, 0x5cb0_a9dc, 0x76f9_88da,
    0x983e_5152, 0xa831_c66d, 0xb003_27c8, 0xbf59_7fc7, 0xc6e0_0bf3, 0xd5a7_9147, 0x06ca_6351, 0x1429_2967,
    0x27b7_0a85, 0x2e1b_2138, 0x4d2c_6dfc, 0x5338_0d13, 0x650a_7354, 0x766a_0abb, 0x81c2_c92e, 0x9272_2c85,
    0xa2bf_e8a1, 0xa81a_664b, 0xc24b_8b70, 0xc76c_51a3, 0xd192_e819, 0xd699_0624, 0xf40e_3585, 0x106a_a070,
    0x19a4_c116, 0x1e37_6c08, 0x2748_774c, 0x34b0_bcb5, 0x391c_0cb3, 0x4ed8_aa4a, 0x5b9c_ca4f, 0x682e_6ff3,
    0x748f_82ee, 0x78a5_636f, 0x84c8_7814, 0x8cc7_0208, 0x90be_fffa, 0xa450_6ceb, 0xbef9_a3f7, 0xc671_78f2,
];

/// SHA-256 of `message`.
#[must_use]
pub fn sha256(message: &[u8]) -> Digest {
    Sha256::digest(message).into()
}

/// SHA-256 of the SHA-256 of the parts, one after another.
#[must_use]
pub fn sha256d_of_parts(parts: &[&[u8]]) -> Digest {
    let mut state = Sha256::new();
    for part in parts {
        state.update(part);
    }
    sha256(&state.finalize())
}

/// SHA-256 of the SHA-256 of `message`.
#[must_use]
pub fn sha256d(message: &[u8]) -> Digest {
    sha256(&sha256(message))
}

/// The compression function (FIPS 180-4, section 6.2.2): the state after one more block. States are
/// written as digests are, which the last state of a message is.
#[must_use]
pub fn compress(state: &Digest, block: &[u8; 64]) -> Digest {
    let mut words = [0; 8];
    for (word, bytes) in words.iter_mut().zip(state.as_chunks::<4>().0) {
        *word = u32::from_be_bytes(*bytes);
    }
    compress256(&mut words, std::slice::from_ref(block));
    state_bytes(&words)
}

/// A state as digests are written.
#[must_use]
pub fn state_bytes(words: &[u32; 8]) -> Digest {
    let mut bytes = [0; 32];
    for (bytes, word) in bytes.as_chunks_mut::<4>().0.iter_mut().zip(words) {
        *bytes = word.to_be_bytes();
    }
    bytes
}

/// The state after the first 64 bytes of a message: what a search computes once.
#[must_use]
pub fn midstate(first_block: &[u8; 64]) -> [u32; 8] {
    let mut state = INITIAL_STATE;
    compress256(&mut state, std::slice::from_ref(first_block));
    state
}
