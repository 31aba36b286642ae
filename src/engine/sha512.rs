//! SHA-512 by the batch: pads short messages, gives them to a kernel in chunks, and hashes long ones by
//! themselves. It does not know what the messages are.

use crate::hash::sha512::{Block, Digest512, sha512, write_block};
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
    let mut chunk = [[0; size_of::<Block>()]; CHUNK];
    let mut len = 0;
    let mut long = Vec::new();
    for parts in messages {
        if !write_block(parts, &mut chunk[len]) {
            // Its lane hashes whatever the block holds, which is cheap beside this.
            long.push((digests.len() + len, sha512(parts)));
        }
        len += 1;
        if len == CHUNK {
            append(kernel, &chunk, digests);
            len = 0;
        }
    }
    append(kernel, &chunk[..len], digests);
    for (index, digest) in long {
        digests[index] = digest;
    }
}

fn append(kernel: Sha512Kernel, blocks: &[Block], digests: &mut Vec<Digest512>) {
    let start = digests.len();
    digests.resize(start + blocks.len(), [0; size_of::<Digest512>()]);
    kernel.hash_blocks(blocks, &mut digests[start..]);
}
