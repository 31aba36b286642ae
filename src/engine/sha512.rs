//! SHA-512 by the batch: pads short messages, gives them to a kernel in chunks, and hashes long ones by
//! themselves. It does not know what the messages are.

use crate::hash::sha512::{Block, Digest512, one_block, sha512};
pub use crate::kernel::Sha512Kernel;

/// Messages in a chunk: with their digests 12 KiB, which stay in a core's first-level cache.
const CHUNK: usize = 64;

/// Appends the digests of the messages, each given as parts that follow one another, in order: what
/// [`sha512`] gives of each. Messages of more than
/// [`ONE_BLOCK_BYTES_MAX`](crate::hash::sha512::ONE_BLOCK_BYTES_MAX) bytes gain nothing.
// Generic and inlined, so that lengths of parts that the caller knows are constants of the copies.
#[inline]
pub fn sha512_many<'a, const N: usize>(
    kernel: Sha512Kernel,
    messages: impl IntoIterator<Item = [&'a [u8]; N]>,
    digests: &mut Vec<Digest512>,
) {
    let messages = messages.into_iter();
    digests.reserve(messages.size_hint().0);
    let mut chunk = Chunk::new();
    for parts in messages {
        let Some(block) = one_block(parts) else {
            digests.push(sha512(parts));
            continue;
        };
        chunk.blocks[chunk.len] = block;
        chunk.places[chunk.len] = digests.len();
        chunk.len += 1;
        digests.push([0; size_of::<Digest512>()]);
        if chunk.len == CHUNK {
            chunk.hash(kernel, digests);
        }
    }
    chunk.hash(kernel, digests);
}

/// Messages that wait for others, and where their digests go.
struct Chunk {
    blocks: [Block; CHUNK],
    places: [usize; CHUNK],
    len: usize,
}

impl Chunk {
    fn new() -> Self {
        Self { blocks: [[0; size_of::<Block>()]; CHUNK], places: [0; CHUNK], len: 0 }
    }

    fn hash(&mut self, kernel: Sha512Kernel, digests: &mut [Digest512]) {
        let mut hashed = [[0; size_of::<Digest512>()]; CHUNK];
        let hashed = &mut hashed[..self.len];
        kernel.hash_blocks(&self.blocks[..self.len], hashed);
        for (place, digest) in self.places.iter().zip(hashed) {
            digests[*place] = *digest;
        }
        self.len = 0;
    }
}
