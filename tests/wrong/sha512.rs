//! SHA-512 kernels that are wrong on purpose: scalar ones that play a row of eight lanes.

use proofward::hash::sha512::{Block, Digest512};
use proofward::kernel::sha512::conformance::Subject;
use ruint::aliases::U256;

/// How such a kernel can be wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// One rotation count is off by one.
    Rotation,
    /// The same, in one lane only.
    OneLane,
    /// The last of a short group is not hashed.
    TailMessage,
    /// Two neighbouring messages change places.
    SwappedLanes,
    /// Every lane hashes the message of the first.
    FirstLaneEverywhere,
    /// The state is not added to the one before the block.
    ForgottenState,
    /// Sums lose the carry between the two halves of a word.
    LostCarry,
    /// Words are read as little-endian.
    LittleEndian,
}

impl Flaw {
    pub(crate) const ALL: [Self; 8] = [
        Self::Rotation,
        Self::OneLane,
        Self::TailMessage,
        Self::SwappedLanes,
        Self::FirstLaneEverywhere,
        Self::ForgottenState,
        Self::LostCarry,
        Self::LittleEndian,
    ];
}

/// A kernel with a flaw, or with none.
pub(crate) struct Wrong(pub(crate) Option<Flaw>);

const LANES: usize = 8;

impl Subject for Wrong {
    fn lanes(&self) -> u32 {
        8
    }

    fn hash_blocks(&self, blocks: &[Block], digests: &mut [Digest512]) {
        let constants = Constants::new();
        for (blocks, digests) in blocks.chunks(LANES).zip(digests.chunks_mut(LANES)) {
            for (lane, digest) in digests.iter_mut().enumerate() {
                let block =
                    &blocks[if self.0 == Some(Flaw::FirstLaneEverywhere) { 0 } else { lane }];
                let flaw = self.0.filter(|flaw| *flaw != Flaw::OneLane || lane == 5);
                *digest = constants.hash(block, flaw);
            }
            match self.0 {
                Some(Flaw::TailMessage) if digests.len() < LANES => {
                    digests[blocks.len() - 1] = [0; 64];
                }
                Some(Flaw::SwappedLanes) if digests.len() == LANES => digests.swap(6, 7),
                _ => {}
            }
        }
    }
}

/// The initial state and the constants of the rounds, from where the standard takes them.
struct Constants {
    start: Vec<u64>,
    k: Vec<u64>,
}

impl Constants {
    fn new() -> Self {
        Self { start: fractions(8, 2), k: fractions(80, 3) }
    }

    /// SHA-512 of one block as FIPS 180-4 tells it, written apart from the library.
    fn hash(&self, block: &Block, flaw: Option<Flaw>) -> Digest512 {
        let sum = |words: &[u64]| {
            words.iter().copied().fold(0, |a: u64, b| match flaw {
                Some(Flaw::LostCarry) => {
                    let low = a.wrapping_add(b) & 0xffff_ffff;
                    let high = (a >> 32).wrapping_add(b >> 32) << 32;
                    high | low
                }
                _ => a.wrapping_add(b),
            })
        };
        let rotation = if matches!(flaw, Some(Flaw::Rotation | Flaw::OneLane)) { 33 } else { 34 };
        let read = match flaw {
            Some(Flaw::LittleEndian) => u64::from_le_bytes,
            _ => u64::from_be_bytes,
        };
        let mut w: Vec<u64> = block.as_chunks().0.iter().map(|word| read(*word)).collect();
        for t in 16..80 {
            let (x, y) = (w[t - 15], w[t - 2]);
            let sigma_0 = x.rotate_right(1) ^ x.rotate_right(8) ^ x >> 7;
            let sigma_1 = y.rotate_right(19) ^ y.rotate_right(61) ^ y >> 6;
            w.push(sum(&[sigma_0, w[t - 7], sigma_1, w[t - 16]]));
        }
        let mut v = self.start.clone();
        for (k, w) in self.k.iter().zip(w) {
            let (a, e) = (v[0], v[4]);
            let sigma_1 = e.rotate_right(14) ^ e.rotate_right(18) ^ e.rotate_right(41);
            let choice = e & v[5] ^ !e & v[6];
            let t1 = sum(&[v[7], sigma_1, choice, *k, w]);
            let sigma_0 = a.rotate_right(28) ^ a.rotate_right(rotation) ^ a.rotate_right(39);
            let majority = a & v[1] ^ a & v[2] ^ v[1] & v[2];
            v.rotate_right(1);
            v[4] = sum(&[v[4], t1]);
            v[0] = sum(&[t1, sigma_0, majority]);
        }
        let mut digest = [0; 64];
        for ((bytes, start), end) in digest.as_chunks_mut().0.iter_mut().zip(&self.start).zip(v) {
            let start = if flaw == Some(Flaw::ForgottenState) { 0 } else { *start };
            *bytes = sum(&[start, end]).to_be_bytes();
        }
        digest
    }
}

/// The first 64 bits of the fractional parts of roots of the first `count` primes.
fn fractions(count: usize, degree: usize) -> Vec<u64> {
    let is_prime = |n: &u64| !(2..*n).any(|divisor| n.is_multiple_of(divisor));
    let primes = (2..).filter(is_prime).take(count);
    primes.map(|prime| root(U256::from(prime) << (64 * degree), degree).as_limbs()[0]).collect()
}

/// The whole part of a root below 2^68, bit by bit.
fn root(of: U256, degree: usize) -> U256 {
    (0..68).rev().fold(U256::ZERO, |root, bit| {
        let more = root | U256::ONE << bit;
        let power = (1..degree).fold(more, |power, _| power * more);
        if power <= of { more } else { root }
    })
}
