//! Every named rule of blocks and transactions: the smallest input that breaks exactly it, beside its
//! nearest valid neighbour.

#![allow(clippy::unwrap_used, reason = "a helper of tests fails the test")]

#[path = "common/ledger.rs"]
mod common;

use common::*;
use proofward::ledger::block::{Block, Included};
use proofward::ledger::chain::{Ledger, SubmitError, Submitted};
use proofward::ledger::coinbase::Payout;
use proofward::ledger::rules::BlockRule;
use proofward::ledger::rules::isolation::Ids;
use proofward::ledger::signature::{PubKey, Sig};
use proofward::ledger::spec::Spec;
use proofward::ledger::store::MemoryStore;
use proofward::ledger::template::Template;
use proofward::ledger::transaction::{Body, Pay, PayKind, Transaction, TransactionDecodeError};
use proofward::primitives::{BlockHash, CompactTarget, MerkleRoot};

const FEE: u64 = 20_000;

/// A chain whose first key owns several rewards.
fn rich() -> (Ledger<MemoryStore>, Key, Key) {
    let ledger = memory_ledger(easy_spec());
    let (a, b) = (Key::new(1), Key::new(2));
    for _ in 0..8 {
        mine(&ledger, a.public(), vec![]);
    }
    (ledger, a, b)
}

fn plain(from: &Key, to: PubKey, amount: u64) -> Body {
    Body::Pay(Pay { from: from.public(), to, amount, kind: PayKind::Plain })
}

/// Submits a block that holds one transaction and gives the name of the rule it breaks, if any, with the
/// index that the verdict names.
fn judge(
    ledger: &Ledger<MemoryStore>,
    transaction: Transaction,
) -> Result<(), (&'static str, u32)> {
    let before = ledger.view().root().unwrap();
    let block = next_block(ledger, Key::new(99).public(), vec![transaction]);
    match ledger.submit(&block.encode(), NOW) {
        Ok(Submitted::Tip { .. }) => Ok(()),
        Ok(other) => panic!("{other:?}"),
        Err(error) => {
            assert_eq!(ledger.view().root().unwrap(), before, "a refused block changes nothing");
            let verdict = verdict(error);
            Err((verdict.rule.name(), verdict.transaction.expect("a transaction is at fault")))
        }
    }
}

/// A payment with one thing changed before it is signed.
fn changed(
    ledger: &Ledger<MemoryStore>,
    from: &Key,
    to: PubKey,
    change: impl FnOnce(&mut Transaction),
) -> Transaction {
    let core = core(ledger, plain(from, to, 5));
    let mut transaction =
        Transaction { core, payer: from.public(), nonce: 1, fee: FEE, sigs: Vec::new() };
    change(&mut transaction);
    sign(&ledger.chain().genesis, transaction, &[from])
}

#[track_caller]
fn breaks(rule: &'static str, change: impl FnOnce(&mut Transaction)) {
    let (ledger, a, b) = rich();
    let transaction = changed(&ledger, &a, b.public(), change);
    assert_eq!(judge(&ledger, transaction), Err((rule, 1)));
}

#[track_caller]
fn holds(change: impl FnOnce(&mut Transaction)) {
    let (ledger, a, b) = rich();
    let transaction = changed(&ledger, &a, b.public(), change);
    assert_eq!(judge(&ledger, transaction), Ok(()));
}

#[test]
fn bad_version() {
    breaks("BadVersion", |transaction| transaction.core.version = 2);
    holds(|transaction| transaction.core.version = 1);
}

#[test]
fn wrong_chain() {
    breaks("WrongChain", |transaction| transaction.core.chain[0] ^= 1);
    holds(|_| {});
}

#[test]
fn not_yet_valid_and_expired_at_both_ends_of_the_window() {
    // The block that includes it has height 9.
    breaks("NotYetValid", |transaction| transaction.core.valid_from = 10);
    holds(|transaction| transaction.core.valid_from = 9);
    breaks("Expired", |transaction| {
        (transaction.core.valid_from, transaction.core.valid_to) = (0, 8);
    });
    holds(|transaction| (transaction.core.valid_from, transaction.core.valid_to) = (0, 9));
}

#[test]
fn non_canonical_window() {
    breaks("NonCanonical", |transaction| {
        (transaction.core.valid_from, transaction.core.valid_to) = (9, 1010);
    });
    holds(|transaction| (transaction.core.valid_from, transaction.core.valid_to) = (9, 1009));
}

#[test]
fn unknown_anchor() {
    breaks("UnknownAnchor", |transaction| transaction.core.anchor = [7; 32]);
    let (ledger, a, b) = rich();
    let tip = ledger.view().tip().unwrap();
    let transaction =
        changed(&ledger, &a, b.public(), |transaction| transaction.core.anchor = tip.0);
    assert_eq!(judge(&ledger, transaction), Ok(()));
}

#[test]
fn anchor_reaches_144_blocks_back_and_no_further() {
    let (ledger, a, b) = rich();
    for _ in 8..150 {
        mine(&ledger, a.public(), vec![]);
    }
    use proofward::ledger::rules::context::Ancestors;
    let anchor_at = |height: u32| ledger.view().hash_at(height).unwrap().unwrap();
    // The next block has height 151.
    let far = changed(&ledger, &a, b.public(), |tx| tx.core.anchor = anchor_at(6).0);
    assert_eq!(judge(&ledger, far), Err(("UnknownAnchor", 1)));
    let near = changed(&ledger, &a, b.public(), |tx| tx.core.anchor = anchor_at(7).0);
    assert_eq!(judge(&ledger, near), Ok(()));
}

#[test]
fn nonce_gap_at_both_ends_and_without_wrapping() {
    breaks("NonceGap", |transaction| transaction.nonce = 0);
    holds(|transaction| transaction.nonce = 1);
    holds(|transaction| transaction.nonce = 64);
    breaks("NonceGap", |transaction| transaction.nonce = 65);
    breaks("NonceGap", |transaction| transaction.nonce = u64::MAX);
}

#[test]
fn a37_a_nonce_is_used_once_in_a_block_in_the_next_and_after_a_restart() {
    let (ledger, a, b) = rich();
    let payment = pay(&ledger, &a, b.public(), 5, 1);
    let block = next_block(&ledger, a.public(), vec![payment.clone(), payment.clone()]);
    let verdict = verdict(ledger.submit(&block.encode(), NOW).unwrap_err());
    assert_eq!((verdict.rule.name(), verdict.transaction), ("NonceGap", Some(2)));
    mine(&ledger, a.public(), vec![payment.clone()]);
    assert_eq!(judge(&ledger, payment.clone()), Err(("NonceGap", 1)));
    let spec = ledger.chain().spec.clone();
    let (kernel, store) = (ledger.chain().kernel, ledger.into_store());
    let reopened = Ledger::open(store, spec, kernel, pool(1)).unwrap();
    // Another block than the one that was found invalid before the restart.
    mine(&reopened, b.public(), vec![]);
    assert_eq!(judge(&reopened, payment), Err(("NonceGap", 1)));
}

#[test]
fn duplicate_core_under_another_nonce_or_sponsor() {
    let (ledger, a, b) = rich();
    let sponsor = Key::new(3);
    let first = changed(&ledger, &a, b.public(), |_| {});
    // A core whose signer pays is signed by that payer alone, so a sponsor has no signature to use.
    let again = sign(
        &ledger.chain().genesis,
        Transaction { nonce: 2, sigs: vec![], ..first.clone() },
        &[&a],
    );
    mine(&ledger, a.public(), vec![first.clone()]);
    assert_eq!(judge(&ledger, again), Err(("Duplicate", 1)));
    let fresh = changed(&ledger, &a, b.public(), |tx| {
        tx.nonce = 2;
        tx.core.valid_to -= 1;
    });
    mine(&ledger, sponsor.public(), vec![fresh]);
}

#[test]
fn fee_too_low_counts_bytes_signatures_and_new_entries() {
    let (ledger, a, b) = rich();
    let bytes = changed(&ledger, &a, b.public(), |_| {}).encode().len() as u64;
    let least = bytes + 100 + 10_000;
    breaks("FeeTooLow", |transaction| transaction.fee = least - 1);
    holds(|transaction| transaction.fee = least);
    // To an account that exists the entry is not paid again.
    let first = changed(&ledger, &a, b.public(), |transaction| transaction.fee = least);
    mine(&ledger, a.public(), vec![first]);
    let second = changed(&ledger, &a, b.public(), |transaction| {
        (transaction.nonce, transaction.fee) = (2, bytes + 100);
        transaction.core.valid_to -= 1;
    });
    assert_eq!(judge(&ledger, second), Ok(()));
}

#[test]
fn payer_cannot_pay() {
    let (ledger, _, b) = rich();
    let poor = Key::new(5);
    let transaction = changed(&ledger, &poor, b.public(), |_| {});
    assert_eq!(judge(&ledger, transaction), Err(("PayerCannotPay", 1)));
    // Five rewards are mature, the fee takes all of them but the amount.
    let (ledger, a, b) = rich();
    let owned = 5 * ledger.chain().spec.subsidy(1);
    let all = changed(&ledger, &a, b.public(), |transaction| transaction.fee = owned - 5);
    assert_eq!(judge(&ledger, all), Ok(()));
    let (ledger, a, b) = rich();
    let more = changed(&ledger, &a, b.public(), |transaction| transaction.fee = owned + 1);
    assert_eq!(judge(&ledger, more), Err(("PayerCannotPay", 1)));
}

#[test]
fn bad_key_in_a_field_that_does_not_sign() {
    let mut small_order = [0; 32];
    small_order[0] = 1;
    for bytes in [small_order, [0xff; 32]] {
        breaks("BadKey", |transaction| {
            let Body::Pay(pay) = &mut transaction.core.body else { panic!("a payment") };
            pay.to = PubKey(bytes);
        });
    }
    holds(|_| {});
}

#[test]
fn bad_sig_names_no_other_rule_and_moves_nothing() {
    let (ledger, a, b) = rich();
    let mut transaction = changed(&ledger, &a, b.public(), |_| {});
    transaction.sigs[0].0[40] ^= 1;
    assert_eq!(judge(&ledger, transaction.clone()), Err(("BadSig", 1)));
    transaction.sigs[0].0[40] ^= 1;
    assert_eq!(judge(&ledger, transaction), Ok(()));
}

#[test]
fn a35_signatures_of_two_transactions_swapped() {
    let (ledger, a, b) = rich();
    let mut first = pay(&ledger, &a, b.public(), 5, 1);
    let mut second = pay(&ledger, &a, b.public(), 6, 2);
    std::mem::swap(&mut first.sigs, &mut second.sigs);
    let block = next_block(&ledger, a.public(), vec![first.clone(), second.clone()]);
    let refused = verdict(ledger.submit(&block.encode(), NOW).unwrap_err());
    assert_eq!((refused.rule.name(), refused.transaction), ("BadSig", Some(1)));
    std::mem::swap(&mut first.sigs, &mut second.sigs);
    mine(&ledger, a.public(), vec![first, second]);
}

#[test]
fn wrong_signers_one_too_many_or_too_few() {
    let (ledger, a, b) = rich();
    let good = changed(&ledger, &a, b.public(), |_| {});
    let mut few = good.clone();
    few.sigs.clear();
    assert_eq!(judge(&ledger, few), Err(("WrongSigners", 1)));
    let mut many = good.clone();
    many.sigs.push(Sig([1; 64]));
    assert_eq!(judge(&ledger, many), Err(("WrongSigners", 1)));
    assert_eq!(judge(&ledger, good), Ok(()));
}

#[test]
fn a_sponsor_pays_for_the_core_of_another() {
    let (ledger, a, b) = rich();
    let sponsor = Key::new(7);
    mine(&ledger, a.public(), vec![pay(&ledger, &a, sponsor.public(), 1_000_000, 1)]);
    let core = core(&ledger, plain(&a, b.public(), 9));
    let transaction =
        Transaction { core, payer: sponsor.public(), nonce: 1, fee: FEE, sigs: vec![] };
    let signed = sign(&ledger.chain().genesis, transaction, &[&a, &sponsor]);
    assert_eq!(signed.sigs.len(), 2);
    // The body signer's signature is over the core alone: another sponsor may use it again.
    let other = Key::new(8);
    mine(&ledger, a.public(), vec![pay(&ledger, &a, other.public(), 1_000_000, 2)]);
    let mut taken_over = Transaction { payer: other.public(), sigs: vec![], ..signed.clone() };
    let ids = Ids::of(&Included::new(taken_over.clone()), &ledger.chain().genesis);
    taken_over.sigs = vec![other.sign(ids.signed_message(0)), signed.sigs[1]];
    assert_eq!(judge(&ledger, taken_over), Ok(()));
    assert_eq!(judge(&ledger, signed), Err(("Duplicate", 1)));
}

#[test]
fn a36_a_transaction_of_another_chain_is_refused_by_its_genesis_too() {
    let (ledger, a, b) = rich();
    let other = memory_ledger(Spec { genesis_time: GENESIS_TIME + 1, ..easy_spec() });
    let mut foreign = changed(&ledger, &a, b.public(), |_| {});
    foreign.core.chain = other.chain().chain_id;
    for _ in 0..8 {
        mine(&other, a.public(), vec![]);
    }
    // Even with the chain's four bytes right, the signature is over another genesis hash.
    assert_eq!(judge(&other, foreign), Err(("BadSig", 1)));
}

#[test]
fn a40_a_signature_for_one_purpose_serves_no_other() {
    let (ledger, a, b) = rich();
    let mut transaction = changed(&ledger, &a, b.public(), |_| {});
    let ids = Ids::of(&Included::new(transaction.clone()), &ledger.chain().genesis);
    assert_ne!(ids.core.0, ids.transaction.0);
    transaction.sigs[0] = a.sign(&ids.core.0);
    assert_eq!(judge(&ledger, transaction), Err(("BadSig", 1)));
}

#[test]
fn too_large_and_non_canonical_bytes() {
    let (ledger, a, b) = rich();
    let good = changed(&ledger, &a, b.public(), |_| {}).encode();
    let trailing = [&good[..], &[0]].concat();
    assert!(matches!(
        Transaction::decode(&trailing),
        Err(TransactionDecodeError::NonCanonical { .. })
    ));
    let mut unknown_body = good.clone();
    unknown_body[1 + 4 + 4 + 4 + 32] = 9;
    assert!(matches!(
        Transaction::decode(&unknown_body),
        Err(TransactionDecodeError::NonCanonical { .. })
    ));
    let mut many = Transaction::decode(&good).unwrap();
    many.sigs = vec![Sig([0; 64]); 64];
    assert!(Transaction::decode(&many.encode()).is_ok());
    many.sigs.push(Sig([0; 64]));
    assert!(matches!(
        Transaction::decode(&many.encode()),
        Err(TransactionDecodeError::TooLarge { what: "signatures" })
    ));
    many.sigs = vec![Sig([0; 64]); 600];
    assert!(matches!(
        Transaction::decode(&many.encode()),
        Err(TransactionDecodeError::TooLarge { what: "bytes" })
    ));
    assert_eq!(Transaction::decode(&good).unwrap().encode(), good);
}

#[test]
fn pay_zero_self_and_insufficient() {
    let amount = |value: u64| {
        move |transaction: &mut Transaction| {
            let Body::Pay(pay) = &mut transaction.core.body else { panic!("a payment") };
            pay.amount = value;
        }
    };
    breaks("ZeroAmount", amount(0));
    holds(amount(1));
    // Block 9 makes the reward of block 5 spendable.
    let owned = 5 * easy_spec().subsidy(1);
    breaks("Insufficient", amount(owned - FEE + 1));
    holds(amount(owned - FEE));
    breaks("Insufficient", amount(u64::MAX));
    breaks("SelfPay", |transaction| {
        let Body::Pay(pay) = &mut transaction.core.body else { panic!("a payment") };
        pay.to = pay.from;
    });
}

/// A block with one thing changed, solved again.
fn changed_block(
    ledger: &Ledger<MemoryStore>,
    change: impl FnOnce(&mut Block),
) -> Result<Submitted, SubmitError> {
    let mut block = next_block(ledger, Key::new(4).public(), vec![]);
    change(&mut block);
    let block = solve(ledger.chain().spec.algorithm, block);
    ledger.submit(&block.encode(), NOW)
}

#[track_caller]
fn breaks_block(rule: &str, change: impl FnOnce(&mut Block)) {
    let (ledger, ..) = rich();
    let refused = verdict(changed_block(&ledger, change).unwrap_err());
    assert_eq!(refused.rule.name(), rule, "{refused}");
    assert_eq!(refused.height, 9);
}

#[test]
fn header_rules() {
    breaks_block("bad-version", |block| block.header.version ^= 1);
    let (ledger, ..) = rich();
    // Every bit that miners may roll is free.
    assert!(changed_block(&ledger, |block| block.header.version |= 0x1fff_e000).is_ok());
    breaks_block("bad-diffbits", |block| block.header.bits = CompactTarget(0x207f_fffe));
    let (ledger, ..) = rich();
    let median = ledger.view().median_time_after(&ledger.tip().unwrap().1).unwrap();
    breaks_block("time-too-old", |block| block.header.time = median);
    assert!(changed_block(&ledger, |block| block.header.time = median + 1).is_ok());
}

#[test]
fn high_hash_is_the_first_nonce_that_fails() {
    let (ledger, ..) = rich();
    let mut block = next_block(&ledger, Key::new(4).public(), vec![]);
    let target = block.header.bits.to_target().unwrap();
    let algorithm = ledger.chain().spec.algorithm;
    while proofward::hash::meets_target(algorithm, &block.header.encode(), &target).is_some() {
        block.header.nonce += 1;
    }
    let refused = verdict(ledger.submit(&block.encode(), NOW).unwrap_err());
    assert_eq!(refused.rule, BlockRule::HighHash(block.header.bits));
    assert!(ledger.submit(&solve(algorithm, block).encode(), NOW).is_ok());
}

#[test]
fn a13_a_block_from_the_future_passes_later() {
    let (ledger, ..) = rich();
    let block = next_block(&ledger, Key::new(4).public(), vec![]);
    let early = u64::from(block.header.time) - u64::from(ledger.chain().spec.future_limit_s) - 1;
    let refused = verdict(ledger.submit(&block.encode(), early).unwrap_err());
    assert_eq!(refused.rule.name(), "time-too-new");
    assert!(matches!(ledger.submit(&block.encode(), early + 1), Ok(Submitted::Tip { .. })));
}

#[test]
fn an_orphan_names_its_parent() {
    let (ledger, ..) = rich();
    let refused = changed_block(&ledger, |block| block.header.prev_block = BlockHash([9; 32]));
    assert!(matches!(refused, Err(SubmitError::Orphan { parent: BlockHash([9, ..]), .. })));
}

#[test]
fn merkle_root_and_mutation() {
    breaks_block("bad-txnmrklroot", |block| block.header.merkle_root = MerkleRoot([1; 32]));

    // a27: the mutated copy first; the block itself is accepted all the same.
    let (ledger, a, b) = rich();
    let payments: Vec<_> = (1..=2).map(|nonce| pay(&ledger, &a, b.public(), 5, nonce)).collect();
    let block = next_block(&ledger, a.public(), payments);
    let mut mutated = block.clone();
    mutated.transactions.push(block.transactions[1].clone());
    let refused = verdict(ledger.submit(&mutated.encode(), NOW).unwrap_err());
    assert_eq!(refused.rule, BlockRule::Mutated);
    assert!(matches!(ledger.submit(&block.encode(), NOW), Ok(Submitted::Tip { .. })));
}

/// A block whose coinbase is changed and committed to.
fn with_coinbase(
    ledger: &Ledger<MemoryStore>,
    change: impl FnOnce(&mut proofward::ledger::coinbase::Coinbase),
) -> Result<Submitted, SubmitError> {
    let template = Template::on_tip(ledger.chain(), &ledger.view(), vec![], 0).unwrap();
    let time = ledger.tip().unwrap().1.header.time + 1;
    let mut coinbase = template.block(template.coinbase(Key::new(4).public(), &[]), time).coinbase;
    change(&mut coinbase);
    let block = template.block(coinbase.encode(&[]), time);
    ledger.submit(&solve(ledger.chain().spec.algorithm, block).encode(), NOW)
}

#[track_caller]
fn breaks_coinbase(rule: &str, change: impl FnOnce(&mut proofward::ledger::coinbase::Coinbase)) {
    let (ledger, ..) = rich();
    let refused = verdict(with_coinbase(&ledger, change).unwrap_err());
    assert_eq!((refused.rule.name(), refused.transaction), (rule, Some(0)), "{refused}");
}

#[test]
fn coinbase_rules() {
    breaks_coinbase("bad-cb-height", |coinbase| coinbase.height += 1);
    breaks_coinbase("bad-state-root", |coinbase| coinbase.commitment[0] ^= 1);
    breaks_coinbase("bad-cb-key", |coinbase| coinbase.payouts[0].key = PubKey([0; 32]));
    breaks_coinbase("bad-cb-amount", |coinbase| coinbase.payouts[0].value += 1);
    let (ledger, ..) = rich();
    assert!(with_coinbase(&ledger, |coinbase| coinbase.payouts[0].value -= 1).is_ok());
    // a4: a sum beyond 64 bits does not wrap into something allowed.
    breaks_coinbase("bad-cb-amount", |coinbase| {
        let key = coinbase.payouts[0].key;
        coinbase.payouts.push(Payout { key, value: u64::MAX });
    });
}

#[test]
fn a_block_found_invalid_is_not_judged_again_and_has_no_children() {
    let (ledger, a, b) = rich();
    let mut bad = changed(&ledger, &a, b.public(), |_| {});
    bad.sigs[0].0[0] ^= 1;
    let block = next_block(&ledger, a.public(), vec![bad]);
    let refused = verdict(ledger.submit(&block.encode(), NOW).unwrap_err());
    assert_eq!(refused.rule.name(), "BadSig");
    let again = verdict(ledger.submit(&block.encode(), NOW).unwrap_err());
    assert_eq!(again.rule, BlockRule::KnownInvalid);

    let hash = ledger.chain().spec.hash_header(&block.header);
    let mut child = next_block(&ledger, a.public(), vec![]);
    child.header.prev_block = hash;
    child.header.time += 1;
    // The height in its coinbase is that of the block after the invalid one.
    let mut coinbase = child.coinbase.clone();
    coinbase.height += 1;
    child.coinbase_bytes = coinbase.encode(&[]);
    child.header.merkle_root = MerkleRoot(child.leaves()[0]);
    let child = solve(ledger.chain().spec.algorithm, child);
    let refused = verdict(ledger.submit(&child.encode(), NOW).unwrap_err());
    assert_eq!(refused.rule, BlockRule::InvalidParent(hash));
}
