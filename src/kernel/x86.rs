//! The two memory accesses of the x86 vector rows, 16 bytes each. Not a row.

use std::arch::x86_64::{__m128i, _mm_loadu_si128, _mm_storeu_si128};

/// Bytes `16 * piece..` of a message.
#[inline(always)]
pub(super) fn load_piece<const BYTES: usize>(message: &[u8; BYTES], piece: usize) -> __m128i {
    let bytes: &[u8; 16] = &message.as_chunks().0[piece];
    // SAFETY: the reference covers the 16 bytes, any alignment is allowed, and SSE2 is part of x86-64.
    unsafe { _mm_loadu_si128(bytes.as_ptr().cast()) }
}

/// Writes bytes `16 * piece..` of a digest.
#[inline(always)]
pub(super) fn store_piece<const BYTES: usize>(
    digest: &mut [u8; BYTES],
    piece: usize,
    value: __m128i,
) {
    let bytes: &mut [u8; 16] = &mut digest.as_chunks_mut().0[piece];
    // SAFETY: the exclusive reference covers the 16 bytes, any alignment is allowed, and SSE2 is part
    // of x86-64.
    unsafe { _mm_storeu_si128(bytes.as_mut_ptr().cast(), value) }
}
