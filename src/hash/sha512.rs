//! SHA-512 (FIPS 180-4), which Ed25519 hashes with.

use sha2::{Digest as _, Sha512};

/// SHA-512 of the parts, one after the other.
#[must_use]
pub fn sha512<const N: usize>(parts: [&[u8]; N]) -> [u8; 64] {
    let mut hash = Sha512::new();
    for part in parts {
        hash.update(part);
    }
    hash.finalize().into()
}
