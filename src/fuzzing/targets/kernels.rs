//! Every kernel against the scalar hash.

use crate::hash::{Algorithm, hash_header, meets_target, sha256};
use crate::kernel::{Hits, Job, Kernel, NonceRange, Pair};
use crate::primitives::codec::Reader;
use crate::primitives::{HeaderBytes, Target};

/// A header, a target and a range of nonces: every kernel that this CPU runs must find what the scalar
/// hash finds, and hash the same headers and merkle nodes to the same digests.
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
    let pairs: Vec<Pair> = data.windows(64).map(|w| w.try_into().expect("64 bytes")).collect();
    let parents: Vec<_> = pairs.iter().map(|pair| sha256::sha256d(pair)).collect();
    for kernel in Kernel::available(Algorithm::Sha256d) {
        let mut many = vec![[0; 32]; pairs.len()];
        if kernel.hash_pairs(&pairs, &mut many).is_some() {
            assert_eq!(many, parents, "{kernel:?}");
        }
    }
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
