//! SHA-512 for every CPU: the scalar hash, one message after another.

use super::Row;
use crate::hash::sha512::{Block, Digest512, hash_block};

pub(super) static ROW: Row = Row { isa: "portable", lanes: 1, detect: || true, hash_blocks };

fn hash_blocks(blocks: &[Block], digests: &mut [Digest512]) {
    for (block, digest) in blocks.iter().zip(digests) {
        *digest = hash_block(block);
    }
}
