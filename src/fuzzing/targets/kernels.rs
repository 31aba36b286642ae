//! Every kernel against the scalar hash.

use crate::engine::nodes::NodeKernel;
use crate::engine::sha512::sha512_many;
use crate::hash::sha512::{Block, hash_block, sha512};
use crate::hash::tagged::Tag;
use crate::hash::{Algorithm, hash_header, meets_target, sha256};
use crate::kernel::{Hits, Job, Kernel, NonceRange, Pair, Sha512Kernel, Step};
use crate::primitives::codec::Reader;
use crate::primitives::{Digest, HeaderBytes, Target};

/// Of one kind: more than any batch, and soon hashed on the slowest kernel.
const MESSAGES_MAX: usize = 300;

/// A header, a target and a range of nonces: every kernel that this CPU runs must find what the scalar
/// hash finds, and hash the same headers, merkle nodes, steps of SHA-256, tagged messages, and blocks and
/// messages of SHA-512 to the same digests.
///
/// # Panics
///
/// If a kernel disagrees.
pub fn kernel_vs_scalar(data: &[u8]) {
    const NONCES_MAX: u32 = 127;
    let mut reader = Reader::new(data);
    let Some((header, first, more, top)) = read_search(&mut reader) else { return };
    let last = first.saturating_add(more.min(NONCES_MAX));
    let range = NonceRange::new(first, last).expect("the last is not below the first");
    let mut target = [0xff; 32];
    target[28..].copy_from_slice(&top.to_le_bytes());
    let target = Target::from_le_bytes(target);
    for algorithm in Algorithm::ALL {
        let job = Job::new(algorithm, &header, target);
        let headers: Vec<HeaderBytes> =
            (first..=last).map(|nonce| job.header_with(nonce)).collect();
        let digests: Vec<_> = headers.iter().map(|h| hash_header(algorithm, h)).collect();
        let solutions: Vec<u32> = (first..=last)
            .filter(|nonce| meets_target(algorithm, &job.header_with(*nonce), &target).is_some())
            .collect();
        for kernel in Kernel::available(algorithm) {
            let mut many = vec![[0; 32]; headers.len()];
            kernel.hash_headers(&headers, &mut many);
            assert_eq!(many, digests, "{kernel:?}");
            assert_eq!(search_all(kernel, &job, range), solutions, "{kernel:?}");
        }
    }
    // Every 64 bytes, at an odd number of starts, are a merkle node.
    let pairs = data.windows(64).take(MESSAGES_MAX);
    let pairs: Vec<Pair> = pairs.map(|w| w.try_into().expect("64 bytes")).collect();
    let parents: Vec<_> = pairs.iter().map(|pair| sha256::sha256d(pair)).collect();
    for kernel in Kernel::available(Algorithm::Sha256d) {
        let mut many = vec![[0; 32]; pairs.len()];
        if kernel.hash_pairs(&pairs, &mut many).is_some() {
            assert_eq!(many, parents, "{kernel:?}");
        }
    }
    compress_vs_scalar(data);
    tagged_vs_scalar(data);
    sha512_vs_scalar(data);
}

/// Every 96 bytes are a state and the block that follows.
fn compress_vs_scalar(data: &[u8]) {
    let steps = data.windows(96).take(MESSAGES_MAX);
    let steps: Vec<Step> = steps.map(|w| w.try_into().expect("96 bytes")).collect();
    let states: Vec<Digest> = steps
        .iter()
        .map(|step| {
            let (state, block) = step.split_first_chunk().expect("a state");
            sha256::compress(state, block.try_into().expect("a block"))
        })
        .collect();
    for kernel in Kernel::available(Algorithm::Sha256d) {
        let mut many = vec![[0; 32]; steps.len()];
        if kernel.compress(&steps, &mut many).is_some() {
            assert_eq!(many, states, "{kernel:?}");
        }
    }
}

/// Some messages end while others go on, and some are too long to share the lanes.
fn tagged_vs_scalar(data: &[u8]) {
    const TAG: Tag = Tag::new("fuzz");
    /// Prime to the length of a block, so that messages end anywhere in one.
    const UNIT_BYTES: usize = 9;
    let messages = messages_of(data, UNIT_BYTES);
    let digests: Vec<_> = messages.iter().map(|message| TAG.hash(message)).collect();
    for kernel in NodeKernel::available() {
        let mut many = vec![[0; 32]; messages.len()];
        kernel.hash_tagged(TAG, &messages, &mut many);
        assert_eq!(many, digests, "{}", kernel.isa());
    }
}

/// Every 128 bytes are a block; of the messages, cut in three, some fit one.
fn sha512_vs_scalar(data: &[u8]) {
    let blocks = data.windows(128).take(MESSAGES_MAX);
    let blocks: Vec<Block> = blocks.map(|w| w.try_into().expect("128 bytes")).collect();
    let of_blocks: Vec<_> = blocks.iter().map(hash_block).collect();
    let messages = messages_of(data, 1);
    let of_messages: Vec<_> = messages.iter().map(|message| sha512([message])).collect();
    let parts = messages.iter().map(|message| {
        let cut = message.last().map_or(0, |byte| usize::from(*byte) % message.len());
        let (first, rest) = message.split_at(cut);
        let (second, third) = rest.split_at(rest.len() / 3);
        [first, second, third]
    });
    for kernel in Sha512Kernel::available() {
        let mut many = vec![[0; 64]; blocks.len()];
        kernel.hash_blocks(&blocks, &mut many);
        assert_eq!(many, of_blocks, "{kernel:?}");
        many.clear();
        sha512_many(kernel, parts.clone(), &mut many);
        assert_eq!(many, of_messages, "{kernel:?}");
    }
}

/// A message starts at each of the first bytes, which says of how many units it is, as far as there is so
/// much.
fn messages_of(data: &[u8], unit_bytes: usize) -> Vec<&[u8]> {
    let message = |at: usize| {
        let rest = &data[at..];
        &rest[..rest.len().min(usize::from(rest[0]) * unit_bytes)]
    };
    (0..data.len().min(MESSAGES_MAX)).map(message).collect()
}

fn read_search(reader: &mut Reader<'_>) -> Option<(HeaderBytes, u32, u32, u32)> {
    let header = reader.array().ok()?;
    Some((header, reader.u32().ok()?, reader.u32().ok()?, reader.u32().ok()?))
}

/// What a search delivers when hits are taken whenever the list is full.
fn search_all(kernel: Kernel, job: &Job, mut range: NonceRange) -> Vec<u32> {
    let (mut hits, mut found) = (Hits::new(), Vec::new());
    while let Some(resume) = kernel.search(job, range, &mut hits) {
        found.extend_from_slice(hits.as_slice());
        hits.clear();
        range = NonceRange::new(resume, range.last()).expect("it resumes inside the range");
    }
    found.extend_from_slice(hits.as_slice());
    found
}
