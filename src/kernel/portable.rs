//! Plain arrays, for every CPU: the compiler turns the loops over lanes into the vectors of whatever
//! target it builds for. No intrinsics and no `unsafe`.

use super::lanes::{Lanes, Rounds, Task, lane_kernels};
use crate::primitives::Digest;

lane_kernels! { isa: "portable", lanes: Words, proof: Always, detect: true, }

/// Every CPU has arrays.
#[derive(Clone, Copy)]
pub(super) struct Always;

#[derive(Clone, Copy)]
pub(super) struct Words([u32; N]);

const N: usize = 8;

/// Applies an expression to each lane. Not a closure, see [`super::lanes`].
macro_rules! each_lane {
    (|$lane:ident| $word:expr) => {{
        let mut words = [0; N];
        let mut $lane = 0;
        while $lane < N {
            words[$lane] = $word;
            $lane += 1;
        }
        Self(words)
    }};
}

impl Lanes for Words {
    type Proof = Always;
    const N: usize = N;
    const ROUNDS: Rounds = Rounds::One;

    #[inline(always)]
    fn splat(_: Always, word: u32) -> Self {
        Self([word; N])
    }

    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "a lane number is small")]
    fn lane_index(_: Always) -> Self {
        each_lane!(|lane| lane as u32)
    }

    #[inline(always)]
    fn load4<const BYTES: usize>(_: Always, messages: &[[u8; BYTES]], quarter: usize) -> [Self; 4] {
        let mut words = [Self([0; N]); 4];
        let mut lane = 0;
        while lane < N {
            let four = messages[lane].as_chunks::<16>().0[quarter].as_chunks::<4>().0;
            words[0].0[lane] = u32::from_le_bytes(four[0]);
            words[1].0[lane] = u32::from_le_bytes(four[1]);
            words[2].0[lane] = u32::from_le_bytes(four[2]);
            words[3].0[lane] = u32::from_le_bytes(four[3]);
            lane += 1;
        }
        words
    }

    #[inline(always)]
    fn store4(words: [Self; 4], digests: &mut [Digest], half: usize) {
        let mut lane = 0;
        while lane < N {
            let four = digests[lane].as_chunks_mut::<16>().0[half].as_chunks_mut::<4>().0;
            four[0] = words[0].0[lane].to_le_bytes();
            four[1] = words[1].0[lane].to_le_bytes();
            four[2] = words[2].0[lane].to_le_bytes();
            four[3] = words[3].0[lane].to_le_bytes();
            lane += 1;
        }
    }

    #[inline(never)]
    fn outlined<T: Task>(_: Always, task: T) -> T::Output {
        task.run()
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        each_lane!(|lane| self.0[lane].wrapping_add(other.0[lane]))
    }

    #[inline(always)]
    fn xor(self, other: Self) -> Self {
        each_lane!(|lane| self.0[lane] ^ other.0[lane])
    }

    #[inline(always)]
    fn rotr<const R: i32, const L: i32>(self) -> Self {
        const { assert!(R + L == 32) };
        each_lane!(|lane| self.0[lane].rotate_left(const { L.cast_unsigned() }))
    }

    #[inline(always)]
    fn shr<const R: i32>(self) -> Self {
        each_lane!(|lane| self.0[lane] >> R)
    }

    #[inline(always)]
    fn choose(self, one: Self, zero: Self) -> Self {
        each_lane!(|lane| zero.0[lane] ^ (self.0[lane] & (one.0[lane] ^ zero.0[lane])))
    }

    #[inline(always)]
    fn majority(self, b: Self, c: Self) -> Self {
        each_lane!(|lane| b.0[lane] ^ ((self.0[lane] ^ b.0[lane]) & (b.0[lane] ^ c.0[lane])))
    }

    #[inline(always)]
    fn swap_bytes(self) -> Self {
        each_lane!(|lane| self.0[lane].swap_bytes())
    }

    #[inline(always)]
    fn le_mask(self, other: Self) -> u32 {
        let mut mask = 0;
        let mut lane = 0;
        while lane < N {
            mask |= u32::from(self.0[lane] <= other.0[lane]) << lane;
            lane += 1;
        }
        mask
    }
}
