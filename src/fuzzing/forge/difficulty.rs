//! Variants of the difficulty rule: nBits inside an epoch, between two, and under the 20-minute exception
//! of test networks.

use super::chain::{Chain, interval};
use super::headers::next_easier;
use super::{Forge, Kind, Variant};
use crate::consensus::ChainSpec;
use crate::consensus::difficulty::{Difficulty, Epochs};
use crate::primitives::{CompactTarget, Header, Target};

const INSIDE: Variant = Variant {
    kind: Kind::Headers,
    rule: "bad-diffbits",
    name: "one-harder",
    is_broken: true,
    also: &[],
    applies: |spec| spec.difficulty != Difficulty::Any,
    headers_max: |_| 24,
    forge: Forge::Headers(|chain| inside(chain, |bits| CompactTarget(bits.0 - 1))),
};
/// What a new epoch starts with, after one that took `pace` seconds a block.
const BETWEEN: Variant = Variant {
    applies: |spec| epochs(spec).is_some(),
    headers_max: |spec| 2 * interval(spec) + 4,
    ..INSIDE
};
const EXCEPTION: Variant = Variant {
    applies: |spec| epochs(spec).is_some_and(|epochs| epochs.limit_after_seconds.is_some()),
    headers_max: |spec| 2 * interval(spec) + 4,
    ..INSIDE
};

pub(super) const VARIANTS: &[Variant] = &[
    INSIDE,
    Variant {
        name: "as-asked",
        is_broken: false,
        forge: Forge::Headers(|chain| inside(chain, |bits| bits)),
        ..INSIDE
    },
    Variant {
        name: "four-times-harder",
        forge: Forge::Headers(|chain| inside(chain, |bits| shifted(bits, 2))),
        ..INSIDE
    },
    Variant {
        name: "one-easier-in-an-epoch",
        forge: Forge::Headers(|chain| {
            second_epoch(chain, 8);
            odd(chain, next_easier);
        }),
        ..BETWEEN
    },
    Variant {
        name: "limit-in-a-harder-epoch",
        forge: Forge::Headers(|chain| {
            second_epoch(chain, 8);
            let limit = chain.spec.limit.to_compact_lossy();
            odd(chain, |_| limit);
        }),
        ..BETWEEN
    },
    Variant {
        name: "retarget-left-out",
        forge: Forge::Headers(|chain| between(chain, 3, |_, last| last)),
        ..BETWEEN
    },
    Variant {
        name: "retarget-one-harder",
        forge: Forge::Headers(|chain| between(chain, 3, |new, _| CompactTarget(new.0 - 1))),
        ..BETWEEN
    },
    Variant {
        name: "retarget-one-easier",
        forge: Forge::Headers(|chain| between(chain, 3, |new, _| next_easier(new))),
        ..BETWEEN
    },
    Variant {
        name: "retarget-below-a-quarter",
        forge: Forge::Headers(|chain| {
            between(chain, 16, |_, last| shifted(last, 4));
        }),
        ..BETWEEN
    },
    Variant {
        name: "retarget-by-all-intervals",
        headers_max: |spec| 4 * interval(spec),
        forge: Forge::Headers(by_all_intervals),
        ..BETWEEN
    },
    Variant {
        name: "retarget-exact",
        is_broken: false,
        forge: Forge::Headers(|chain| between(chain, 3, |new, _| new)),
        ..BETWEEN
    },
    Variant {
        name: "retarget-to-a-quarter",
        is_broken: false,
        forge: Forge::Headers(|chain| between(chain, 16, |new, _| new)),
        ..BETWEEN
    },
    Variant {
        name: "retarget-capped-by-limit",
        is_broken: false,
        forge: Forge::Headers(|chain| {
            chain.pace = 10 * pace(chain.spec);
            between(chain, 1, |new, _| new);
        }),
        ..BETWEEN
    },
    Variant {
        name: "retarget-to-fourfold",
        is_broken: false,
        headers_max: |spec| 5 * interval(spec),
        forge: Forge::Headers(|chain| {
            second_epoch(chain, 8);
            chain.pace = 10 * pace(chain.spec);
            between(chain, 1, |new, _| new);
        }),
        ..BETWEEN
    },
    Variant {
        name: "limit-at-20-minutes",
        forge: Forge::Headers(|chain| exception(chain, 0, true)),
        ..EXCEPTION
    },
    Variant {
        name: "no-limit-after-20-minutes",
        forge: Forge::Headers(|chain| exception(chain, 1, false)),
        ..EXCEPTION
    },
    Variant {
        name: "no-limit-at-20-minutes",
        is_broken: false,
        forge: Forge::Headers(|chain| exception(chain, 0, false)),
        ..EXCEPTION
    },
    Variant {
        name: "limit-after-20-minutes-and-back",
        is_broken: false,
        forge: Forge::Headers(|chain| exception(chain, 1, true)),
        ..EXCEPTION
    },
    Variant {
        name: "limit-kept-after-an-exception",
        forge: Forge::Headers(|chain| {
            exception(chain, 1, true);
            let limit = chain.spec.limit.to_compact_lossy();
            odd(chain, |_| limit);
        }),
        ..EXCEPTION
    },
];

fn epochs(spec: &ChainSpec) -> Option<Epochs> {
    match spec.difficulty {
        // Shorter epochs have no room for what is done in them.
        Difficulty::Epochs(epochs) if epochs.interval_blocks >= 8 => Some(epochs),
        _ => None,
    }
}

/// Seconds a block that keep the difficulty.
fn pace(spec: &ChainSpec) -> u32 {
    epochs(spec).map_or(600, |epochs| epochs.timespan_seconds / epochs.interval_blocks)
}

/// nBits of a target with some bits less.
fn shifted(bits: CompactTarget, less: usize) -> CompactTarget {
    Target(bits.to_target().expect("ordinary nBits").0 >> less).to_compact_lossy()
}

fn inside(chain: &mut Chain<'_>, bits: impl Fn(CompactTarget) -> CompactTarget) {
    let room = u32::try_from(chain.interval() - 2).expect("an interval is 32 bits");
    let count = chain.random.within(1, room.min(20));
    chain.grow(count.into());
    odd(chain, bits);
}

/// A header with other nBits than it should have. It is the last: its children would inherit them.
fn odd(chain: &mut Chain<'_>, bits: impl Fn(CompactTarget) -> CompactTarget) {
    let header = chain.next();
    chain.push_case(Header { bits: bits(header.bits), ..header });
    chain.end_here();
}

/// Goes into the second epoch, which is harder because the first one was `faster` times too fast.
fn second_epoch(chain: &mut Chain<'_>, faster: u32) {
    chain.pace = (pace(chain.spec) / faster).max(4);
    chain.grow_to(chain.interval());
    chain.pace = pace(chain.spec);
    let count = chain.random.within(1, 3);
    chain.grow(count.into());
}

/// Goes to the next epoch `faster` times too fast, unless the pace says slower, and starts it with nBits
/// that `bits` makes of the right ones and of the last ones.
fn between(
    chain: &mut Chain<'_>,
    faster: u32,
    bits: impl Fn(CompactTarget, CompactTarget) -> CompactTarget,
) {
    chain.pace = (chain.pace / faster).max(4);
    let epochs_begun = chain.height().div_ceil(chain.interval());
    chain.grow_to(epochs_begun * chain.interval());
    let last = Header::decode(chain.last()).bits;
    let header = chain.next();
    chain.push_case(Header { bits: bits(header.bits, last), ..header });
    chain.end_here();
}

/// nBits as if the time of an epoch were measured from the last header of the one before it: the mistake
/// of counting as many intervals as blocks.
fn by_all_intervals(chain: &mut Chain<'_>) {
    second_epoch(chain, 2);
    // A long interval before the epoch makes the difference visible.
    chain.grow_to(2 * chain.interval());
    let header = chain.next();
    let epochs = epochs(chain.spec).expect("the variant applies");
    let time = |back: u64| {
        let at = usize::try_from(chain.height() - back).expect("a short run");
        Header::decode(&chain.headers[at]).time
    };
    let wrong = epochs.retarget(
        Header::decode(chain.last()).bits,
        time(chain.interval() + 1),
        time(1),
        chain.spec.limit,
    );
    assert_ne!(wrong, header.bits, "one interval more is another target");
    chain.push_case(Header { bits: wrong, ..header });
    chain.end_here();
}

/// In a harder epoch, a header `beyond` seconds more than 20 minutes after its parent, with the limit as
/// its target or without.
fn exception(chain: &mut Chain<'_>, beyond: u32, has_limit: bool) {
    second_epoch(chain, 8);
    let epochs = epochs(chain.spec).expect("the variant applies");
    let seconds = epochs.limit_after_seconds.expect("the variant applies");
    let regular = chain.next().bits;
    chain.clock = Header::decode(chain.last()).time + seconds + beyond;
    let header = chain.next_at(chain.clock);
    let bits = if has_limit { chain.spec.limit.to_compact_lossy() } else { regular };
    let is_right = bits == header.bits;
    chain.push_case(Header { bits, ..header });
    if !is_right {
        chain.end_here();
    }
}
