//! The row that every CPU has: one message at a time through the scalar hashes.

use super::{Hits, Job, NonceRange, Pair, Row};
use crate::hash::{Algorithm, hash_header, sha256};
use crate::primitives::{Digest, HeaderBytes};

pub(super) static ROWS: &[Row] = &[
    Row {
        algorithm: Algorithm::Sha256d,
        isa: "portable",
        lanes: 1,
        detect: || true,
        search,
        hash_headers: |headers, digests| hash_headers(Algorithm::Sha256d, headers, digests),
        hash_pairs: Some(hash_pairs),
    },
    Row {
        algorithm: Algorithm::Blake3,
        isa: "portable",
        lanes: 1,
        detect: || true,
        search,
        hash_headers: |headers, digests| hash_headers(Algorithm::Blake3, headers, digests),
        hash_pairs: None,
    },
];

fn search(job: &Job, range: NonceRange, hits: &mut Hits) -> Option<u32> {
    for nonce in range.first()..=range.last() {
        if hits.is_full() {
            return Some(nonce);
        }
        let digest = hash_header(job.algorithm(), &job.header_with(nonce));
        let top = u32::from_le_bytes([digest[28], digest[29], digest[30], digest[31]]);
        if top <= job.target_top {
            hits.push(nonce);
        }
    }
    None
}

fn hash_headers(algorithm: Algorithm, headers: &[HeaderBytes], digests: &mut [Digest]) {
    for (header, digest) in headers.iter().zip(digests) {
        *digest = hash_header(algorithm, header);
    }
}

fn hash_pairs(pairs: &[Pair], digests: &mut [Digest]) {
    for (pair, digest) in pairs.iter().zip(digests) {
        *digest = sha256::sha256d(pair);
    }
}
