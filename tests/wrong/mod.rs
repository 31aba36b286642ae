//! Kernels that are wrong on purpose, to show that the conformance suite catches them: scalar ones that
//! play a row of eight lanes.

pub(crate) mod sha512;

use proofward::hash::{Algorithm, blake3};
use proofward::kernel::conformance::Subject;
use proofward::kernel::{Hits, Job, NonceRange, Pair, Step};
use proofward::primitives::{Digest, HeaderBytes};

/// How a kernel can be wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// One rotation count of the hash is off by one.
    Rotation,
    /// The same, in one lane of the search only.
    OneLaneOfTheSearch,
    /// The last lane of every group is ignored by the search.
    LastLane,
    /// The range is taken as exclusive.
    RangeEndsEarly,
    /// The tail is not masked.
    RangeEndsLate,
    /// Nonces are compared with the end as signed numbers: ranges across the sign bit are lost.
    SignedNonces,
    /// Hash words are compared as signed numbers.
    SignedWords,
    /// The comparison is `<` instead of `<=`.
    StrictTarget,
    /// A full list loses the hit that no longer fits.
    ResumesLate,
    /// A full list makes it repeat its last hit.
    ResumesEarly,
    /// It stops when the list is full.
    NeverResumes,
    /// Hits of a group come in descending order.
    Descending,
    /// The last message of an odd count is not hashed.
    TailMessage,
    /// Two neighbouring messages change places.
    SwappedLanes,
    /// Single steps forget the state before them. Not in [`Flaw::ALL`]: BLAKE3 has no such steps.
    ForgottenState,
}

impl Flaw {
    pub(crate) const ALL: [Self; 14] = [
        Self::Rotation,
        Self::OneLaneOfTheSearch,
        Self::LastLane,
        Self::RangeEndsEarly,
        Self::RangeEndsLate,
        Self::SignedNonces,
        Self::SignedWords,
        Self::StrictTarget,
        Self::ResumesLate,
        Self::ResumesEarly,
        Self::NeverResumes,
        Self::Descending,
        Self::TailMessage,
        Self::SwappedLanes,
    ];
}

/// A kernel with a flaw, or with none.
pub(crate) struct Wrong {
    pub(crate) algorithm: Algorithm,
    pub(crate) flaw: Option<Flaw>,
}

const LANES: u32 = 8;

impl Wrong {
    fn has(&self, flaw: Flaw) -> bool {
        self.flaw == Some(flaw)
    }

    fn hash(&self, message: &[u8], is_flawed: bool) -> Digest {
        match self.algorithm {
            Algorithm::Sha256d => {
                let rotation = if is_flawed { 12 } else { 13 };
                sha256(&sha256(message, rotation), rotation)
            }
            Algorithm::Blake3 => {
                let mut digest = blake3::hash(message);
                if is_flawed {
                    digest[20..].rotate_left(1);
                }
                digest
            }
        }
    }

    fn is_hit(&self, job: &Job, lane: u32, nonce: u32) -> bool {
        let is_flawed = self.has(Flaw::Rotation) || self.has(Flaw::OneLaneOfTheSearch) && lane == 3;
        let digest = self.hash(&job.header_with(nonce), is_flawed);
        let word = u32::from_le_bytes([digest[28], digest[29], digest[30], digest[31]]);
        let top = job.target().top_word();
        match self.flaw {
            Some(Flaw::StrictTarget) => word < top,
            Some(Flaw::SignedWords) => word.cast_signed() <= top.cast_signed(),
            _ => word <= top,
        }
    }

    fn hash_many<const N: usize>(&self, messages: &[[u8; N]], digests: &mut [Digest]) {
        for (message, digest) in messages.iter().zip(&mut *digests) {
            *digest = self.hash(message, self.has(Flaw::Rotation));
        }
        if self.has(Flaw::TailMessage) && digests.len() % 2 == 1 {
            digests[messages.len() - 1] = [0; 32];
        }
        if self.has(Flaw::SwappedLanes) && digests.len() >= LANES as usize {
            digests.swap(6, 7);
        }
    }
}

impl Subject for Wrong {
    fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    fn lanes(&self) -> u32 {
        LANES
    }

    fn search(&self, job: &Job, range: NonceRange, hits: &mut Hits) -> Option<u32> {
        let first = range.first();
        let last = match self.flaw {
            Some(Flaw::RangeEndsEarly) if first < range.last() => range.last() - 1,
            Some(Flaw::RangeEndsLate) => range.last().saturating_add(1),
            _ => range.last(),
        };
        if self.has(Flaw::SignedNonces) && first.cast_signed() > last.cast_signed() {
            return None;
        }
        let mut found: Vec<u32> = (first..=last)
            .filter(|nonce| {
                let lane = (nonce - first) % LANES;
                let is_visited = !self.has(Flaw::LastLane) || lane != LANES - 1;
                is_visited && self.is_hit(job, lane, *nonce)
            })
            .collect();
        if self.has(Flaw::Descending) {
            found.chunks_mut(2).for_each(<[u32]>::reverse);
        }
        for (i, nonce) in found.iter().enumerate() {
            if hits.is_full() {
                return match self.flaw {
                    Some(Flaw::ResumesLate) => found.get(i + 1).copied(),
                    Some(Flaw::ResumesEarly) => Some(found[i - 1]),
                    Some(Flaw::NeverResumes) => None,
                    _ => Some(*nonce),
                };
            }
            hits.push(*nonce);
        }
        None
    }

    fn hash_headers(&self, headers: &[HeaderBytes], digests: &mut [Digest]) {
        self.hash_many(headers, digests);
    }

    fn hash_pairs(&self, pairs: &[Pair], digests: &mut [Digest]) -> Option<()> {
        if self.algorithm == Algorithm::Blake3 {
            return None;
        }
        self.hash_many(pairs, digests);
        Some(())
    }

    fn compress(&self, steps: &[Step], states: &mut [Digest]) -> Option<()> {
        if self.algorithm == Algorithm::Blake3 {
            return None;
        }
        let k = fractions(64, f64::cbrt);
        for (step, after) in steps.iter().zip(states) {
            let (state, block) = step.split_at(32);
            let words = state.as_chunks().0.iter().map(|word| u32::from_be_bytes(*word));
            let before: Vec<u32> = words.collect();
            let mut words = step_of(&before, block, 13, &k);
            if self.has(Flaw::ForgottenState) {
                words.iter_mut().zip(before).for_each(|(word, old)| *word = word.wrapping_sub(old));
            }
            *after = digest_of(&words);
        }
        Some(())
    }
}

/// SHA-256 as FIPS 180-4 tells it, written apart from the library; `rotation` is the second count of
/// the larger sigma 0, which the standard sets to 13.
fn sha256(message: &[u8], rotation: u32) -> Digest {
    let mut padded = message.to_vec();
    padded.push(0x80);
    padded.resize((message.len() + 9).next_multiple_of(64) - 8, 0);
    padded.extend((message.len() as u64 * 8).to_be_bytes());
    let mut state = fractions(8, f64::sqrt);
    let k = fractions(64, f64::cbrt);
    for block in padded.chunks(64) {
        state = step_of(&state, block, rotation, &k);
    }
    digest_of(&state)
}

/// Its state after one more block.
fn step_of(state: &[u32], block: &[u8], rotation: u32, k: &[u32]) -> Vec<u32> {
    let mut w: Vec<u32> =
        block.as_chunks::<4>().0.iter().map(|word| u32::from_be_bytes(*word)).collect();
    for t in 16..64 {
        let (x, y) = (w[t - 15], w[t - 2]);
        let sigma_0 = x.rotate_right(7) ^ x.rotate_right(18) ^ x >> 3;
        let sigma_1 = y.rotate_right(17) ^ y.rotate_right(19) ^ y >> 10;
        w.push([sigma_0, w[t - 7], sigma_1, w[t - 16]].into_iter().fold(0, u32::wrapping_add));
    }
    let mut v = state.to_vec();
    for t in 0..64 {
        let (a, e) = (v[0], v[4]);
        let sigma_1 = e.rotate_right(6) ^ e.rotate_right(11) ^ e.rotate_right(25);
        let choice = e & v[5] ^ !e & v[6];
        let t1 = [v[7], sigma_1, choice, k[t], w[t]].into_iter().fold(0, u32::wrapping_add);
        let sigma_0 = a.rotate_right(2) ^ a.rotate_right(rotation) ^ a.rotate_right(22);
        let majority = a & v[1] ^ a & v[2] ^ v[1] & v[2];
        v.rotate_right(1);
        v[4] = v[4].wrapping_add(t1);
        v[0] = t1.wrapping_add(sigma_0).wrapping_add(majority);
    }
    state.iter().zip(v).map(|(start, end)| start.wrapping_add(end)).collect()
}

fn digest_of(state: &[u32]) -> Digest {
    let mut digest = [0; 32];
    for (bytes, word) in digest.as_chunks_mut().0.iter_mut().zip(state) {
        *bytes = word.to_be_bytes();
    }
    digest
}

/// The first 32 bits of the fractional parts of roots of the first `count` primes: where the standard
/// takes its constants from.
#[expect(
    clippy::float_arithmetic,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a double holds more than the 35 bits that are needed"
)]
fn fractions(count: usize, root: fn(f64) -> f64) -> Vec<u32> {
    let is_prime = |n: &u32| !(2..*n).any(|divisor| n.is_multiple_of(divisor));
    let primes = (2..).filter(is_prime).take(count);
    primes.map(|prime| (root(f64::from(prime)).fract() * 4_294_967_296.0) as u32).collect()
}
