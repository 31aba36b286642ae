//! Nodes of hash trees by the batch: SHA-256d of 64-byte messages on a kernel that has them, and tagged
//! hashes of messages of any length. It knows pairs of digests, not what trees mean.

use crate::hash::Algorithm;
use crate::hash::tagged::Tag;
pub use crate::kernel::Pair;
use crate::kernel::{Kernel, Step};
use crate::primitives::Digest;

/// Messages hashed side by side: their steps fill the lanes while long ones go on, and stay in a core's
/// cache.
const MESSAGES: usize = 256;
/// Fewer would leave most lanes empty.
const MESSAGES_MIN: usize = 8;
/// Longer ones would go on alone.
const MESSAGE_BYTES_MAX: usize = 2048;

/// A kernel that hashes nodes: every one gives the same digests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NodeKernel(Kernel);

impl NodeKernel {
    /// The kernel as one for nodes, or `None` if it hashes none.
    #[must_use]
    pub fn new(kernel: Kernel) -> Option<Self> {
        kernel.hash_pairs(&[], &mut []).and(kernel.compress(&[], &mut [])).map(|()| Self(kernel))
    }

    /// Those that this CPU can run, expected best first; never empty.
    pub fn available() -> impl Iterator<Item = Self> {
        Kernel::available(Algorithm::Sha256d).filter_map(Self::new)
    }

    /// The one that is expected to be best.
    ///
    /// # Panics
    ///
    /// Never: the portable row hashes nodes.
    #[must_use]
    pub fn best() -> Self {
        Self::available().next().expect("the portable row hashes nodes")
    }

    /// Its instruction set: the name for `--kernel`.
    #[must_use]
    pub fn isa(self) -> &'static str {
        self.0.isa()
    }

    /// Hashes nodes, in order, into `digests`.
    ///
    /// # Panics
    ///
    /// If the lengths differ.
    pub fn hash(self, pairs: &[Pair], digests: &mut [Digest]) {
        self.0.hash_pairs(pairs, digests).expect("checked when it was made");
    }

    /// The tagged hashes of messages, in order, into `digests`: what [`Tag::hash`] gives of each.
    ///
    /// # Panics
    ///
    /// If the lengths differ.
    pub fn hash_tagged(self, tag: Tag, messages: &[&[u8]], digests: &mut [Digest]) {
        assert_eq!(messages.len(), digests.len(), "one digest a message");
        let mut lanes = Lanes { steps: Vec::new(), states: Vec::new(), active: Vec::new() };
        for (messages, digests) in messages.chunks(MESSAGES).zip(digests.chunks_mut(MESSAGES)) {
            let is_alone =
                |message: &[u8]| messages.len() < MESSAGES_MIN || message.len() > MESSAGE_BYTES_MAX;
            lanes.active.clear();
            for (index, message) in messages.iter().enumerate() {
                if is_alone(message) {
                    digests[index] = tag.hash(message);
                } else {
                    digests[index] = tag.state();
                    lanes.active.push(index);
                }
            }
            lanes.run(self.0, messages, digests);
        }
    }

    /// [`Self::hash_tagged`] of messages of 64 bytes, which needs no look at where each of them ends.
    ///
    /// # Panics
    ///
    /// If the lengths differ.
    pub fn hash_tagged_pairs(self, tag: Tag, messages: &[Pair], digests: &mut [Digest]) {
        assert_eq!(messages.len(), digests.len(), "one digest a message");
        let mut steps = Vec::with_capacity(messages.len().min(MESSAGES));
        for (messages, digests) in messages.chunks(MESSAGES).zip(digests.chunks_mut(MESSAGES)) {
            if messages.len() < MESSAGES_MIN {
                for (message, digest) in messages.iter().zip(digests) {
                    *digest = tag.hash(message);
                }
                continue;
            }
            steps.clear();
            steps.extend(messages.iter().map(|message| step(&tag.state(), message)));
            self.0.compress(&steps, digests).expect("checked when it was made");
            let mut padding = [0; size_of::<Pair>()];
            Tag::copy_block(&messages[0], 1, &mut padding);
            steps.clear();
            steps.extend(digests.iter().map(|state| step(state, &padding)));
            self.0.compress(&steps, digests).expect("checked when it was made");
        }
    }
}

/// Buffers for tagged hashes.
struct Lanes {
    steps: Vec<Step>,
    states: Vec<Digest>,
    /// Messages that are not at their end.
    active: Vec<usize>,
}

impl Lanes {
    /// Hashes the active messages, whose states so far stand in `digests`, block by block.
    fn run(&mut self, kernel: Kernel, messages: &[&[u8]], digests: &mut [Digest]) {
        let mut at = 0;
        while !self.active.is_empty() {
            self.steps.clear();
            for index in &self.active {
                let message = messages[*index];
                // All blocks but the last, or the last two, are whole.
                let whole = message.get(at * size_of::<Pair>()..).and_then(<[u8]>::first_chunk);
                let mut padded = [0; size_of::<Pair>()];
                let block = whole.unwrap_or_else(|| {
                    Tag::copy_block(message, at, &mut padded);
                    &padded
                });
                self.steps.push(step(&digests[*index], block));
            }
            self.states.resize(self.steps.len(), [0; 32]);
            kernel.compress(&self.steps, &mut self.states).expect("checked when it was made");
            for (index, state) in self.active.iter().zip(&self.states) {
                digests[*index] = *state;
            }
            at += 1;
            self.active.retain(|index| Tag::blocks(messages[*index].len()) > at);
        }
    }
}

/// A state and the block that comes next.
fn step(state: &Digest, block: &Pair) -> Step {
    let mut step = [0; size_of::<Step>()];
    let (state_half, block_half) = step.split_at_mut(size_of::<Digest>());
    state_half.copy_from_slice(state);
    block_half.copy_from_slice(block);
    step
}
