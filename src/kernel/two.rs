//! Two vectors as one, for a search with so few operations between its dependencies that one vector
//! leaves ports idle. What does not fit the registers costs loads and stores, on ports that are idle too.

use super::lanes::{Lanes, Rounds, Task, lane_count};
use crate::primitives::Digest;

/// The lanes of the first, then those of the second.
#[derive(Clone, Copy)]
pub(super) struct Two<L>(L, L);

impl<L: Lanes> Lanes for Two<L> {
    type Proof = L::Proof;
    const N: usize = 2 * L::N;
    const ROUNDS: Rounds = L::ROUNDS;

    #[inline(always)]
    fn splat(proof: L::Proof, word: u32) -> Self {
        Self(L::splat(proof, word), L::splat(proof, word))
    }

    #[inline(always)]
    fn lane_index(proof: L::Proof) -> Self {
        let index = L::lane_index(proof);
        Self(index, index.add(L::splat(proof, lane_count::<L>())))
    }

    #[inline(always)]
    fn load4<const BYTES: usize>(
        proof: L::Proof,
        messages: &[[u8; BYTES]],
        quarter: usize,
    ) -> [Self; 4] {
        let [a, b, c, d] = L::load4(proof, messages, quarter);
        let [e, f, g, h] = L::load4(proof, &messages[L::N..], quarter);
        [Self(a, e), Self(b, f), Self(c, g), Self(d, h)]
    }

    #[inline(always)]
    fn store4([a, b, c, d]: [Self; 4], digests: &mut [Digest], half: usize) {
        L::store4([a.0, b.0, c.0, d.0], digests, half);
        L::store4([a.1, b.1, c.1, d.1], &mut digests[L::N..], half);
    }

    #[inline(always)]
    fn outlined<T: Task>(proof: L::Proof, task: T) -> T::Output {
        L::outlined(proof, task)
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Self(self.0.add(other.0), self.1.add(other.1))
    }

    #[inline(always)]
    fn xor(self, other: Self) -> Self {
        Self(self.0.xor(other.0), self.1.xor(other.1))
    }

    #[inline(always)]
    fn xor3(self, b: Self, c: Self) -> Self {
        Self(self.0.xor3(b.0, c.0), self.1.xor3(b.1, c.1))
    }

    #[inline(always)]
    fn rotr<const R: i32, const S: i32>(self) -> Self {
        Self(self.0.rotr::<R, S>(), self.1.rotr::<R, S>())
    }

    #[inline(always)]
    fn shr<const R: i32>(self) -> Self {
        Self(self.0.shr::<R>(), self.1.shr::<R>())
    }

    #[inline(always)]
    fn choose(self, one: Self, zero: Self) -> Self {
        Self(self.0.choose(one.0, zero.0), self.1.choose(one.1, zero.1))
    }

    #[inline(always)]
    fn majority(self, b: Self, c: Self) -> Self {
        Self(self.0.majority(b.0, c.0), self.1.majority(b.1, c.1))
    }

    #[inline(always)]
    fn swap_bytes(self) -> Self {
        Self(self.0.swap_bytes(), self.1.swap_bytes())
    }

    #[inline(always)]
    fn le_mask(self, other: Self) -> u32 {
        self.0.le_mask(other.0) | self.1.le_mask(other.1) << L::N
    }
}
