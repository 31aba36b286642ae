//! The two loops of every row: over a range of nonces and over a list of messages, in groups of as many
//! as the row hashes side by side. What a group is, and how it is hashed, is the row's business.

use super::{Hits, NonceRange};

/// No row hashes more messages side by side: one bit of a mask for each.
pub(super) const LANES_MAX: usize = 32;

/// A job prepared for a row.
pub(super) trait Search: Copy {
    /// Nonces hashed at once, 1 to [`LANES_MAX`].
    const LANES: u32;

    /// Hashes nonces `first..first + LANES`, wrapping around. Bit `i` is set where the most significant
    /// word of hash `i` is at most the job's.
    fn candidates(self, first: u32) -> u32;
}

/// The contract of [`super::Kernel::search`].
#[inline(always)]
pub(super) fn search<S: Search>(job: S, range: NonceRange, hits: &mut Hits) -> Option<u32> {
    let mut first = range.first();
    loop {
        let mut found = job.candidates(first);
        let after_first = range.last() - first;
        if after_first < S::LANES {
            // The tail: lanes beyond the last nonce have wrapped or belong to somebody else.
            found &= u32::MAX >> (31 - after_first);
        }
        while found != 0 {
            let nonce = first + found.trailing_zeros();
            if hits.is_full() {
                return Some(nonce);
            }
            hits.push(nonce);
            found &= found - 1;
        }
        if after_first < S::LANES {
            return None;
        }
        first += S::LANES;
    }
}

/// A way to hash messages of `BYTES` side by side to digests of `DIGEST_BYTES`.
pub(super) trait HashGroup<const BYTES: usize, const DIGEST_BYTES: usize = 32>:
    Copy
{
    /// Messages hashed at once, 1 to [`LANES_MAX`].
    const LANES: usize;

    /// Hashes the first `LANES` messages into the first `LANES` digests.
    fn hash_group(self, messages: &[[u8; BYTES]], digests: &mut [[u8; DIGEST_BYTES]]);
}

/// The contract of [`super::Kernel::hash_headers`] and of whatever else hashes a list.
#[inline(always)]
pub(super) fn hash_many<H, const BYTES: usize, const DIGEST_BYTES: usize>(
    group: H,
    messages: &[[u8; BYTES]],
    digests: &mut [[u8; DIGEST_BYTES]],
) where
    H: HashGroup<BYTES, DIGEST_BYTES>,
{
    let mut last_messages = [[0; BYTES]; LANES_MAX];
    let mut last_digests = [[0; DIGEST_BYTES]; LANES_MAX];
    let mut at = 0;
    while at < messages.len() {
        let left = messages.len() - at;
        let is_short = left < H::LANES;
        if is_short {
            last_messages[..left].copy_from_slice(&messages[at..]);
        }
        // One call serves full groups and the last one, or the code of a group would stand here twice.
        let from = if is_short { &last_messages[..] } else { &messages[at..] };
        let into = if is_short { &mut last_digests[..] } else { &mut digests[at..] };
        group.hash_group(from, into);
        if is_short {
            digests[at..].copy_from_slice(&last_digests[..left]);
            return;
        }
        at += H::LANES;
    }
}
