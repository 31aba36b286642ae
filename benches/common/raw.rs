//! The yardstick for signatures: batches of `ed25519-zebra`, which decode every key and every R.

use std::convert::Infallible;

use ed25519_zebra::{Signature, VerificationKeyBytes, batch};
use proofward::hash::blake3::Stream;

/// Signatures of a batch: more gain little.
pub(crate) const RAW_BATCH: usize = 256;

/// A key, a signature by it and the 32 bytes that it signs.
pub(crate) type Raw = (VerificationKeyBytes, Signature, [u8; 32]);

/// Verifies one batch.
pub(crate) fn raw_batch(signed: &[Raw]) {
    let mut batch = batch::Verifier::new();
    for (key, sig, message) in signed {
        batch.queue((*key, *sig, message));
    }
    batch.verify(Random(Stream::new("bench", &[]))).expect("good signatures");
}

/// A generator that costs next to nothing.
struct Random(Stream);

impl rand_core::TryRng for Random {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        self.try_next_u64().map(|wide| u32::try_from(wide >> 32).expect("half of it"))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes).map(|()| u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.0.fill(bytes);
        Ok(())
    }
}

impl rand_core::TryCryptoRng for Random {}
