//! Variants of the rules about whole blocks that need no coins.

use super::body::{Draft, Transaction};
use super::{Forge, Kind, Variant};
use crate::consensus::block::AMOUNT_MAX;
use crate::primitives::limits::{BITCOIN_BLOCK_WEIGHT_MAX, BITCOIN_WITNESS_SCALE, HEADER_BYTES};

const OP_CHECKSIG: u8 = 0xac;
const OP_CHECKMULTISIG: u8 = 0xae;
/// Signature operations that a block may have, each as heavy as four.
const SIGOPS_MAX: usize = 20_000;
/// An output of the real block 74638 (CVE-2010-5139).
const AMOUNT_OF_74638: i64 = 0x7fff_ffff_fff8_5ee0;

/// A side of a boundary that breaks the rule.
const fn broken(rule: &'static str, name: &'static str, forge: fn(&mut Draft)) -> Variant {
    Variant {
        kind: Kind::Block,
        rule,
        name,
        is_broken: true,
        also: &[],
        applies: |_| true,
        headers_max: |_| 2,
        forge: Forge::Block(forge),
    }
}

/// The side that does not.
const fn kept(rule: &'static str, name: &'static str, forge: fn(&mut Draft)) -> Variant {
    Variant { is_broken: false, ..broken(rule, name, forge) }
}

pub(super) const VARIANTS: &[Variant] = &[
    broken("block-decode-failed", "one-byte-short", |draft| {
        draft.finish = |bytes| bytes.truncate(bytes.len() - 1);
    }),
    broken("block-decode-failed", "one-byte-more", |draft| draft.finish = |bytes| bytes.push(0)),
    broken("block-decode-failed", "count-not-shortest", |draft| {
        draft.finish = |bytes| {
            bytes.splice(HEADER_BYTES..=HEADER_BYTES, [0xfd, 1, 0]);
        };
    }),
    broken("block-decode-failed", "count-of-4-billion", |draft| {
        draft.finish = |bytes| {
            bytes.splice(HEADER_BYTES..=HEADER_BYTES, [0xfe, 0xff, 0xff, 0xff, 0xff]);
        };
    }),
    broken("block-decode-failed", "superfluous-witness", |draft| {
        draft.finish = |bytes| {
            let version_end = HEADER_BYTES + 1 + 4;
            bytes.splice(version_end..version_end, [0, 1]);
            let lock_time = bytes.len() - 4;
            bytes.insert(lock_time, 0);
        };
    }),
    kept("block-decode-failed", "coinbase-only", |_| {}),
    broken("bad-txnmrklroot", "one-bit-flipped", |draft| {
        draft.root_flip = Some(draft.random.within(0, 255));
    }),
    broken("bad-txns-duplicate", "last-of-three-twice", |draft| {
        draft.spend(2);
        draft.repeated = 1;
    }),
    broken("bad-txns-duplicate", "last-two-of-six-twice", |draft| {
        draft.spend(5);
        draft.repeated = 2;
    }),
    kept("bad-txns-duplicate", "three-once", |draft| draft.spend(2)),
    kept("bad-txns-duplicate", "six-once", |draft| draft.spend(5)),
    Variant {
        also: &["bad-cb-missing"],
        ..broken("bad-blk-length", "no-transactions", |draft| draft.transactions.clear())
    },
    Variant {
        also: &["bad-blk-weight"],
        ..broken("bad-blk-length", "one-byte-too-many", |draft| fill(draft, 1))
    },
    kept("bad-blk-length", "at-limit", |draft| fill(draft, 0)),
    broken("bad-cb-missing", "first-spends-a-coin", |draft| {
        draft.transactions.clear();
        draft.spend(2);
    }),
    broken("bad-cb-multiple", "last-is-another", |draft| {
        draft.spend(1);
        let mut second = draft.coinbase().clone();
        second.inputs[0].1.push(0);
        draft.transactions.push(second);
    }),
    broken("bad-cb-length", "one-byte", |draft| draft.coinbase().inputs[0].1.truncate(1)),
    broken("bad-cb-length", "101-bytes", |draft| draft.coinbase().inputs[0].1.resize(101, 0)),
    kept("bad-cb-length", "two-bytes", |draft| draft.coinbase().inputs[0].1.truncate(2)),
    kept("bad-cb-length", "100-bytes", |draft| draft.coinbase().inputs[0].1.resize(100, 0)),
    Variant {
        also: &["bad-txns-vout-empty"],
        ..broken("bad-txns-vin-empty", "nothing-at-all", |draft| {
            // With an output, Bitcoin's format would read the missing inputs as a mark of witnesses.
            *spending(draft) =
                Transaction { inputs: Vec::new(), outputs: Vec::new(), witness: Vec::new() };
        })
    },
    broken("bad-txns-vout-empty", "no-output", |draft| spending(draft).outputs.clear()),
    broken("bad-txns-vout-negative", "minus-one", |draft| spending(draft).outputs[0].0 = -1),
    broken("bad-txns-vout-negative", "least", |draft| spending(draft).outputs[0].0 = i64::MIN),
    kept("bad-txns-vout-negative", "zero", |draft| spending(draft).outputs[0].0 = 0),
    broken("bad-txns-vout-toolarge", "one-more-than-all", |draft| {
        spending(draft).outputs[0].0 = AMOUNT_MAX + 1;
    }),
    broken("bad-txns-vout-toolarge", "as-in-block-74638", |draft| {
        let outputs = &mut spending(draft).outputs;
        outputs[0].0 = AMOUNT_OF_74638;
        outputs.extend_from_within(..);
    }),
    kept("bad-txns-vout-toolarge", "all-money", |draft| {
        spending(draft).outputs[0].0 = AMOUNT_MAX;
    }),
    broken("bad-txns-txouttotal-toolarge", "one-more-than-all", |draft| two_outputs(draft, 0)),
    kept("bad-txns-txouttotal-toolarge", "all-money", |draft| two_outputs(draft, 1)),
    broken("bad-txns-inputs-duplicate", "same-coin-twice", |draft| {
        spending(draft).inputs.extend_from_within(..);
    }),
    kept("bad-txns-inputs-duplicate", "neighbouring-coins", |draft| {
        let inputs = &mut spending(draft).inputs;
        inputs.extend_from_within(..);
        inputs[1].0[35] ^= 1;
    }),
    broken("bad-txns-prevout-null", "second-input", |draft| {
        let null = draft.coinbase().inputs[0].clone();
        spending(draft).inputs.push(null);
    }),
    broken("bad-blk-sigops", "one-too-many", |draft| {
        spending(draft).outputs[0].1 = vec![OP_CHECKSIG; SIGOPS_MAX + 1];
    }),
    broken("bad-blk-sigops", "multisig-too-many", |draft| {
        spending(draft).outputs[0].1 = vec![OP_CHECKMULTISIG; SIGOPS_MAX / 20 + 1];
    }),
    kept("bad-blk-sigops", "at-limit", |draft| {
        spending(draft).outputs[0].1 = vec![OP_CHECKSIG; SIGOPS_MAX];
    }),
    kept("bad-blk-sigops", "pushed-not-executed", |draft| {
        // OP_PUSHDATA4 and its length: what follows is data.
        let mut script = vec![0x4e, 0, 0, 1, 0];
        script.resize(script.len() + 0x1_0000, OP_CHECKSIG);
        spending(draft).outputs[0].1 = script;
    }),
    broken("bad-witness-nonce-size", "31-bytes", |draft| {
        witnessed(draft);
        draft.coinbase().witness[0].pop();
    }),
    broken("bad-witness-nonce-size", "two-elements", |draft| {
        witnessed(draft);
        draft.coinbase().witness.push(Vec::new());
    }),
    broken("bad-witness-nonce-size", "none", |draft| {
        witnessed(draft);
        draft.coinbase().witness.clear();
    }),
    broken("bad-witness-merkle-match", "one-bit-flipped", |draft| {
        witnessed(draft);
        let at = usize::try_from(draft.random.within(6, 37)).expect("a few");
        draft.coinbase().outputs[1].1[at] ^= 1;
    }),
    broken("bad-witness-merkle-match", "first-of-two-is-right", |draft| {
        witnessed(draft);
        let mut wrong = draft.coinbase().outputs[1].clone();
        wrong.1[37] ^= 1;
        draft.coinbase().outputs.push(wrong);
    }),
    kept("bad-witness-merkle-match", "last-of-two-is-right", |draft| {
        witnessed(draft);
        let mut wrong = draft.coinbase().outputs[1].clone();
        wrong.1[37] ^= 1;
        draft.coinbase().outputs.insert(1, wrong);
    }),
    broken("unexpected-witness", "not-committed-to", |draft| {
        spending(draft).witness = vec![vec![1]];
    }),
    kept("unexpected-witness", "committed-to", witnessed),
    broken("bad-blk-weight", "one-too-heavy", |draft| weigh(draft, 1)),
    kept("bad-blk-weight", "at-limit", |draft| weigh(draft, 0)),
];

/// A last transaction that spends a coin that does not exist.
fn spending(draft: &mut Draft) -> &mut Transaction {
    draft.spend(1);
    draft.last()
}

/// Two outputs that are worth `less` than one unit more than all money.
fn two_outputs(draft: &mut Draft, less: i64) {
    let outputs = &mut spending(draft).outputs;
    outputs[0].0 = AMOUNT_MAX;
    outputs.extend_from_within(..);
    outputs[1].0 = 1;
    outputs[0].0 -= less;
}

/// A transaction with a witness, and a coinbase that commits to it.
fn witnessed(draft: &mut Draft) {
    let element = draft.random.bytes().to_vec();
    spending(draft).witness = vec![element];
    let nonce = draft.random.bytes();
    draft.commit(nonce);
}

/// A block as long as it may be without witnesses, and `more` bytes.
fn fill(draft: &mut Draft, more: usize) {
    let bytes_max = usize::try_from(BITCOIN_BLOCK_WEIGHT_MAX / BITCOIN_WITNESS_SCALE);
    let bytes = bytes_max.expect("a million") + more;
    // Long enough for its length to take as many bytes as in the end.
    spending(draft).outputs[0].1 = vec![0; 0x1_0000];
    let missing = bytes - draft.size(false);
    draft.last().outputs[0].1.resize(0x1_0000 + missing, 0);
}

/// A block as heavy as it may be, by its witnesses, and `more`.
fn weigh(draft: &mut Draft, more: usize) {
    let weight_max = usize::try_from(BITCOIN_BLOCK_WEIGHT_MAX).expect("four million");
    witnessed(draft);
    draft.last().witness = vec![vec![0; 0x1_0000]];
    let scale = usize::try_from(BITCOIN_WITNESS_SCALE).expect("four");
    let weight = draft.size(false) * (scale - 1) + draft.size(true);
    draft.last().witness[0].resize(0x1_0000 + weight_max + more - weight, 0);
    draft.coinbase().outputs.pop();
    let nonce = draft.random.bytes();
    draft.commit(nonce);
}
