//! Variants of the rules that need no difficulty and no time: work, links, versions.

use super::chain::Chain;
use super::{Forge, Kind, Variant};
use crate::consensus::ChainSpec;
use crate::consensus::difficulty::Difficulty;
use crate::hash::hash_header;
use crate::primitives::{BlockHash, CompactTarget, Digest, Header, HeaderBytes, Target};

/// Nonces among which the hash nearest to the target is taken.
const NEAREST_OF: u32 = 4096;

const HIGH_HASH: Variant = Variant {
    kind: Kind::Headers,
    rule: "high-hash",
    name: "hash-just-above-target",
    is_broken: true,
    also: &[],
    applies: |_| true,
    headers_max: |_| 24,
    forge: Forge::Headers(|chain| nearest(chain, false)),
};
/// nBits that encode no target are not those that a difficulty rule asks for either.
const BAD_BITS: Variant = Variant { also: &["bad-diffbits"], ..HIGH_HASH };
const LINK: Variant = Variant { rule: "bad-prevblk", ..HIGH_HASH };
const VERSION: Variant =
    Variant { rule: "bad-version", applies: |spec| floor(spec).is_some(), ..HIGH_HASH };

pub(super) const VARIANTS: &[Variant] = &[
    HIGH_HASH,
    Variant {
        name: "hash-just-below-target",
        is_broken: false,
        forge: Forge::Headers(|chain| nearest(chain, true)),
        ..HIGH_HASH
    },
    Variant {
        name: "bits-negative",
        forge: Forge::Headers(|chain| odd_bits(chain, |bits| bits | 0x0080_0000)),
        ..BAD_BITS
    },
    Variant {
        name: "bits-zero",
        forge: Forge::Headers(|chain| odd_bits(chain, |bits| bits & 0xff00_0000)),
        ..BAD_BITS
    },
    Variant {
        name: "bits-cut-to-zero",
        forge: Forge::Headers(|chain| odd_bits(chain, |_| 0x0100_3456)),
        ..BAD_BITS
    },
    Variant {
        name: "bits-overflow-by-one-byte",
        forge: Forge::Headers(|chain| odd_bits(chain, |_| 0x2101_0000)),
        ..BAD_BITS
    },
    Variant {
        name: "bits-overflow",
        forge: Forge::Headers(|chain| odd_bits(chain, |bits| bits | 0xff00_0000)),
        ..BAD_BITS
    },
    Variant {
        name: "bits-just-above-limit",
        applies: |spec| spec.limit < Target::MAX,
        forge: Forge::Headers(|chain| {
            let above = next_easier(chain.spec.limit.to_compact_lossy());
            odd_bits(chain, |_| above.0);
        }),
        ..BAD_BITS
    },
    Variant {
        name: "bits-at-limit",
        is_broken: false,
        also: &[],
        applies: |spec| spec.difficulty == Difficulty::Limit,
        forge: Forge::Headers(ordinary),
        ..BAD_BITS
    },
    Variant {
        name: "parent-with-one-bit-flipped",
        forge: Forge::Headers(|chain| {
            let at = chain.random.within(0, 255);
            odd_parent(chain, |chain| {
                let mut hash = chain.last_hash();
                hash[usize::try_from(at / 8).expect("below 32")] ^= 1 << (at % 8);
                hash
            });
        }),
        ..LINK
    },
    Variant {
        name: "parent-in-display-order",
        forge: Forge::Headers(|chain| {
            odd_parent(chain, |chain| {
                let mut hash = chain.last_hash();
                hash.reverse();
                hash
            });
        }),
        ..LINK
    },
    Variant {
        name: "parent-zero",
        forge: Forge::Headers(|chain| odd_parent(chain, |_| [0; 32])),
        ..LINK
    },
    Variant {
        name: "grandparent",
        forge: Forge::Headers(|chain| {
            odd_parent(chain, |chain| {
                let before = &chain.headers[chain.headers.len() - 2];
                hash_header(chain.spec.algorithm, before)
            });
        }),
        ..LINK
    },
    Variant { name: "ordinary", is_broken: false, forge: Forge::Headers(ordinary), ..LINK },
    Variant {
        name: "another-genesis",
        applies: |spec| spec.genesis.is_some(),
        forge: Forge::Headers(|chain| {
            let header = chain.free_first();
            chain.restart_with(header);
        }),
        ..LINK
    },
    Variant {
        name: "one-below-floor",
        forge: Forge::Headers(|chain| odd_version(chain, |floor| floor - 1)),
        ..VERSION
    },
    Variant { name: "zero", forge: Forge::Headers(|chain| odd_version(chain, |_| 0)), ..VERSION },
    Variant {
        name: "sign-bit-and-floor",
        forge: Forge::Headers(|chain| odd_version(chain, |floor| floor | i32::MIN)),
        ..VERSION
    },
    Variant {
        name: "minus-one",
        forge: Forge::Headers(|chain| odd_version(chain, |_| -1)),
        ..VERSION
    },
    Variant {
        name: "at-floor",
        is_broken: false,
        forge: Forge::Headers(|chain| odd_version(chain, |floor| floor)),
        ..VERSION
    },
    Variant {
        name: "maximum",
        is_broken: false,
        forge: Forge::Headers(|chain| odd_version(chain, |_| i32::MAX)),
        ..VERSION
    },
    Variant {
        name: "below-floor-before-its-height",
        is_broken: false,
        applies: |spec| {
            spec.version_floors.iter().any(|floor| (2..64).contains(&floor.from_height))
        },
        headers_max: |_| 72,
        forge: Forge::Headers(below_floor_before_its_height),
        ..VERSION
    },
];

/// The first floor that a short run reaches.
fn floor(spec: &ChainSpec) -> Option<u64> {
    spec.version_floors.first().map(|floor| floor.from_height).filter(|height| *height < 64)
}

/// The nBits of the next easier target.
pub(super) fn next_easier(bits: CompactTarget) -> CompactTarget {
    match bits.0 & 0x007f_ffff {
        // The next mantissa would have the sign bit set: one byte longer.
        0x007f_ffff => CompactTarget((bits.0 & 0xff00_0000) + 0x0100_8000),
        _ => CompactTarget(bits.0 + 1),
    }
}

fn ordinary(chain: &mut Chain<'_>) {
    chain.grow_somewhat();
}

/// The header whose hash is nearest to its target, on the side that meets it or on the other.
fn nearest(chain: &mut Chain<'_>, meets: bool) {
    chain.grow_somewhat();
    let header = chain.next();
    let header = Header::decode(&chain.solved(header));
    let target = header.bits.to_target().expect("ordinary nBits");
    // Lower nonces than the solved one do not meet it.
    let first = if meets { header.nonce } else { 0 };
    let mut nearest: Option<(Target, HeaderBytes)> = None;
    for nonce in first.. {
        if nonce - first >= NEAREST_OF && nearest.is_some() {
            break;
        }
        let bytes = Header { nonce, ..header }.encode();
        let hash = Target::from_le_bytes(hash_header(chain.spec.algorithm, &bytes));
        let is_nearer = nearest.is_none_or(|(best, _)| (hash > best) == meets);
        if (hash <= target) == meets && is_nearer {
            nearest = Some((hash, bytes));
        }
    }
    let (_, bytes) = nearest.expect("the loop ends with one or with all nonces tried");
    chain.append_case(bytes);
}

/// A header with nBits that encode no target of the chain. It is the last: by the rules its children
/// would inherit them.
fn odd_bits(chain: &mut Chain<'_>, bits: impl Fn(u32) -> u32) {
    chain.grow_somewhat();
    let header = chain.next();
    chain.push_case(Header { bits: CompactTarget(bits(header.bits.0)), ..header });
    chain.end_here();
}

fn odd_parent(chain: &mut Chain<'_>, parent: impl Fn(&Chain<'_>) -> Digest) {
    chain.grow_somewhat();
    let header = chain.next();
    let prev_block = BlockHash(parent(chain));
    chain.push_case(Header { prev_block, ..header });
}

fn odd_version(chain: &mut Chain<'_>, version: impl Fn(i32) -> i32) {
    let from = floor(chain.spec).expect("the variant applies");
    let somewhere = u64::from(chain.random.within(0, 16));
    chain.grow_to((from + somewhere).max(1));
    let floor = chain.spec.version_floor(chain.height()).expect("above the first floor");
    let header = chain.next();
    chain.push_case(Header { version: version(floor), ..header });
}

fn below_floor_before_its_height(chain: &mut Chain<'_>) {
    let floors = &chain.spec.version_floors;
    let floor = floors.iter().rev().find(|floor| (2..64).contains(&floor.from_height));
    let floor = *floor.expect("the variant applies");
    chain.grow_to(floor.from_height - 1);
    let header = chain.next();
    chain.push_case(Header { version: floor.version - 1, ..header });
}
