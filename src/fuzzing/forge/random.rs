//! Numbers that look random and are the same for the same seed: SplitMix64 (Steele, Lea and Flood,
//! 2014). Good for test input, for nothing else.

/// The generator: one word of state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SplitMix64(u64);

impl SplitMix64 {
    /// Starts from a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    /// A number from `first..=last`, as good as evenly.
    ///
    /// # Panics
    ///
    /// If `first` is above `last`.
    pub fn within(&mut self, first: u32, last: u32) -> u32 {
        let count = u64::from(last.checked_sub(first).expect("a range")) + 1;
        first + u32::try_from(self.next_u64() % count).expect("below the count")
    }

    /// A number below `bound`, as good as evenly.
    ///
    /// # Panics
    ///
    /// If `bound` is 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.next_u64() % bound
    }

    /// The same for a small number.
    ///
    /// # Panics
    ///
    /// If `bound` is 0.
    pub fn number(&mut self, bound: u32) -> u32 {
        u32::try_from(self.below(bound.into())).expect("below a small number")
    }

    /// An element of a list, if it has any.
    pub fn pick<'a, T>(&mut self, list: &'a [T]) -> Option<&'a T> {
        if list.is_empty() { None } else { list.get(self.index(list.len())) }
    }

    /// A place in a list of `len` elements, as good as evenly.
    ///
    /// # Panics
    ///
    /// If `len` is 0.
    pub fn index(&mut self, len: usize) -> usize {
        usize::try_from(self.below(len as u64)).expect("below a usize")
    }

    /// 32 bytes.
    pub fn bytes(&mut self) -> [u8; 32] {
        let mut bytes = [0; 32];
        for word in bytes.as_chunks_mut().0 {
            *word = self.next_u64().to_le_bytes();
        }
        bytes
    }
}
