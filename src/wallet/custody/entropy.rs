//! Random bytes for the libraries that ask for a generator: 32 bytes of the system's entropy, stretched.
//! So a system without entropy is an error before anything begins, not a panic in the middle.

use std::convert::Infallible;

use zeroize::Zeroizing;

use crate::hash::tagged::Tag;
use crate::wallet::NoEntropy;
use crate::wallet::secret::fill_random;

const STRETCH: Tag = Tag::new("entropy");

/// tagged("entropy", seed || counter) for counter 0, 1, 2, ...
pub(super) struct Entropy {
    seed: Zeroizing<[u8; 32]>,
    counter: u64,
    block: Zeroizing<[u8; 32]>,
    used: usize,
}

impl Entropy {
    pub(super) fn new() -> Result<Self, NoEntropy> {
        let mut seed = Zeroizing::new([0; 32]);
        fill_random(seed.as_mut_slice())?;
        Ok(Self { seed, counter: 0, block: Zeroizing::new([0; 32]), used: 32 })
    }

    pub(super) fn fill(&mut self, bytes: &mut [u8]) {
        for byte in bytes {
            if self.used == self.block.len() {
                let mut hash = STRETCH.start();
                hash.update(self.seed.as_slice()).update(&self.counter.to_le_bytes());
                *self.block = hash.finish();
                self.counter += 1;
                self.used = 0;
            }
            *byte = self.block[self.used];
            self.used += 1;
        }
    }

    pub(super) fn array<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.fill(&mut bytes);
        bytes
    }
}

impl rand_core::TryRng for Entropy {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(u32::from_le_bytes(self.array()))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(u64::from_le_bytes(self.array()))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.fill(bytes);
        Ok(())
    }
}

impl rand_core::TryCryptoRng for Entropy {}
