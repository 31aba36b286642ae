//! Variants of the time rules: median time past, the future, and BIP54's two.

use super::chain::{Chain, interval};
use super::{Forge, Kind, Variant};
use crate::consensus::ChainSpec;
use crate::primitives::Header;

const MEDIAN: Variant = Variant {
    kind: Kind::Headers,
    rule: "time-too-old",
    name: "at-median",
    is_broken: true,
    also: &[],
    applies: |spec| spec.median_time,
    headers_max: |_| 24,
    forge: Forge::Headers(|chain| at_median(chain, |median| median)),
};
const FUTURE: Variant =
    Variant { rule: "time-too-new", applies: |spec| spec.future_seconds_max.is_some(), ..MEDIAN };
const WARP: Variant = Variant {
    rule: "time-timewarp-attack",
    applies: |spec| spec.timewarp_seconds_max.is_some() && has_room(spec),
    headers_max: |spec| interval(spec) + 4,
    ..MEDIAN
};
const NEGATIVE: Variant = Variant {
    rule: "time-negative-interval",
    applies: |spec| spec.epoch_not_negative && has_room(spec),
    headers_max: |spec| 9 * interval(spec),
    ..MEDIAN
};

pub(super) const VARIANTS: &[Variant] = &[
    MEDIAN,
    Variant {
        name: "below-median",
        forge: Forge::Headers(|chain| {
            let less = chain.random.within(1, 10_000);
            at_median(chain, |median| median - less);
        }),
        ..MEDIAN
    },
    Variant { name: "zero", forge: Forge::Headers(|chain| at_median(chain, |_| 0)), ..MEDIAN },
    Variant {
        name: "one-after-median",
        is_broken: false,
        forge: Forge::Headers(|chain| at_median(chain, |median| median + 1)),
        ..MEDIAN
    },
    Variant {
        name: "one-beyond",
        forge: Forge::Headers(|chain| ahead(chain, 100_000, 1)),
        ..FUTURE
    },
    Variant {
        name: "at-bound",
        is_broken: false,
        forge: Forge::Headers(|chain| ahead(chain, 100_000, 0)),
        ..FUTURE
    },
    Variant {
        name: "end-of-32-bits-one-beyond",
        forge: Forge::Headers(|chain| ahead(chain, u32::MAX, 1)),
        ..FUTURE
    },
    Variant {
        name: "end-of-32-bits-at-bound",
        is_broken: false,
        forge: Forge::Headers(|chain| ahead(chain, u32::MAX, 0)),
        ..FUTURE
    },
    Variant {
        name: "one-too-early",
        forge: Forge::Headers(|chain| first_of_epoch(chain, 1)),
        ..WARP
    },
    Variant {
        name: "at-bound",
        is_broken: false,
        forge: Forge::Headers(|chain| first_of_epoch(chain, 0)),
        ..WARP
    },
    Variant {
        name: "last-one-before-first",
        forge: Forge::Headers(|chain| last_of_epoch(chain, 1)),
        ..NEGATIVE
    },
    Variant {
        name: "last-equals-first",
        is_broken: false,
        forge: Forge::Headers(|chain| last_of_epoch(chain, 0)),
        ..NEGATIVE
    },
];

/// Epochs long enough for the median to forget what is done at their ends.
fn has_room(spec: &ChainSpec) -> bool {
    interval(spec) >= 14
}

/// A header whose time is made of the median.
fn at_median(chain: &mut Chain<'_>, time: impl Fn(u32) -> u32) {
    chain.grow_somewhat();
    push_at(chain, time(chain.median()));
}

fn push_at(chain: &mut Chain<'_>, time: u32) {
    let header = chain.next_at(time);
    chain.push_case(header);
}

/// A header `seconds` after where the chain is, or at the end of 32 bits, and a clock by which it is
/// `beyond` what is allowed. The median hardly moves, so ordinary headers can follow.
fn ahead(chain: &mut Chain<'_>, seconds: u32, beyond: i64) {
    chain.grow_somewhat();
    let time = chain.clock.saturating_add(seconds);
    let seconds_max = chain.spec.future_seconds_max.expect("the variant applies");
    chain.set_now(i64::from(time) - i64::from(seconds_max) - beyond);
    push_at(chain, time);
}

/// The first header of an epoch, `beyond` seconds more before its parent than allowed.
fn first_of_epoch(chain: &mut Chain<'_>, beyond: u32) {
    let seconds_max = chain.spec.timewarp_seconds_max.expect("the variant applies");
    chain.grow_to(chain.interval() - 1);
    // The parent is far enough ahead for its child to be late enough for the median.
    let ahead = chain.clock + 2 * chain.pace + seconds_max + beyond;
    let parent: Header = chain.next_at(ahead);
    chain.push(parent);
    push_at(chain, ahead - seconds_max - beyond);
}

/// The last header of an epoch, `before` seconds before the first one. The first epoch of a chain cannot
/// be turned round: its first header is older than every median.
fn last_of_epoch(chain: &mut Chain<'_>, before: u32) {
    chain.grow_to(chain.interval());
    chain.pace = 4;
    let interval = u32::try_from(chain.interval()).expect("an interval is 32 bits");
    // Later than all that follow, but not by as much as BIP54 allows the next epoch to go back.
    let first_time = chain.clock + 6 * interval;
    let first = chain.next_at(first_time);
    chain.push(first);
    chain.grow_to(2 * u64::from(interval) - 1);
    push_at(chain, first_time - before);
}
