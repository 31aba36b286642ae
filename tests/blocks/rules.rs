//! Every rule of a block beside its nearest valid neighbour.

use proofward::consensus::ChainSpec;
use proofward::consensus::block::{AMOUNT_MAX, Block};

use crate::made::{Made, NULL_OUTPOINT, naive_check, rule_of};
use crate::{report, verdict, violation};

#[test]
fn a04_sums_and_signs_of_amounts_are_checked() {
    let fault = |amounts: &[i64]| {
        let mut made = Made::new(2);
        made.transactions[1].outputs = amounts.iter().map(|amount| (*amount, vec![0x51])).collect();
        naive_check(&made.block()).err().map(|violation| violation.rule())
    };
    let max = AMOUNT_MAX;
    assert_eq!(fault(&[max]), None);
    assert_eq!(fault(&[max + 1]), Some("bad-txns-vout-toolarge"));
    assert_eq!(fault(&[i64::MAX, i64::MAX]), Some("bad-txns-vout-toolarge"));
    assert_eq!(fault(&[max - 1, 1]), None);
    assert_eq!(fault(&[max - 1, 1, 1]), Some("bad-txns-txouttotal-toolarge"));
    assert_eq!(fault(&[max; 5000]), Some("bad-txns-txouttotal-toolarge"));
    assert_eq!(fault(&[-1]), Some("bad-txns-vout-negative"));
    assert_eq!(fault(&[i64::MIN, i64::MIN]), Some("bad-txns-vout-negative"));
}

#[test]
fn each_rule_of_a_block_is_named_in_bitcoin_cores_words() {
    assert_eq!(rule_of(&Made::new(5)), None);
    let broken = |change: fn(&mut Made)| {
        let mut made = Made::new(5);
        change(&mut made);
        rule_of(&made)
    };
    assert_eq!(
        broken(|made| made.transactions[0].inputs[0].outpoint[0] = 1),
        Some("bad-cb-missing")
    );
    assert_eq!(
        broken(|made| made.transactions[3].inputs[0].outpoint = NULL_OUTPOINT),
        Some("bad-cb-multiple")
    );
    assert_eq!(broken(|made| made.transactions[2].outputs.clear()), Some("bad-txns-vout-empty"));
    assert_eq!(
        broken(|made| {
            let input = made.transactions[2].inputs[0].clone();
            made.transactions[2].inputs.push(input);
        }),
        Some("bad-txns-inputs-duplicate"),
        "a03: CVE-2018-17144"
    );
    assert_eq!(
        broken(|made| {
            let mut input = made.transactions[2].inputs[0].clone();
            input.outpoint = NULL_OUTPOINT;
            made.transactions[2].inputs.push(input);
        }),
        Some("bad-txns-prevout-null")
    );
    for (bytes, expected) in
        [(1, Some("bad-cb-length")), (2, None), (100, None), (101, Some("bad-cb-length"))]
    {
        let mut made = Made::new(2);
        made.transactions[0].inputs[0].script = vec![0x51; bytes];
        assert_eq!(rule_of(&made), expected, "{bytes} bytes");
    }
    assert_eq!(rule_of(&Made { transactions: Vec::new() }), Some("bad-blk-length"));
    let root = naive_check(&Made::new(5).block_with(|header| header.merkle_root.0[3] ^= 1));
    assert_eq!(root.unwrap_err().rule(), "bad-txnmrklroot");
    let mut no_work = Made::new(5).block();
    while naive_check(&no_work).is_ok() {
        no_work[76] = no_work[76].wrapping_add(1);
    }
    assert_eq!(naive_check(&no_work).unwrap_err().rule(), "high-hash");
}

#[test]
fn sizes_are_allowed_up_to_their_limit() {
    // 1,000,000 bytes without witnesses.
    let with_script = |bytes: usize| {
        let mut made = Made::new(2);
        made.transactions[1].outputs[0].1 = vec![0x51; bytes];
        made
    };
    let fixed = with_script(900_000).block().len() - 900_000;
    assert_eq!(rule_of(&with_script(1_000_000 - fixed)), None);
    assert_eq!(rule_of(&with_script(1_000_001 - fixed)), Some("bad-blk-length"));
    assert_eq!(
        rule_of(&with_script(1_000_001)),
        Some("bad-blk-length"),
        "before the transaction's"
    );
    // 20,000 signature operations: a multisignature counts as 20, one inside a push as none.
    let with_sigops = |script: Vec<u8>| {
        let mut made = Made::new(2);
        made.transactions[1].outputs[0].1 = script;
        made
    };
    assert_eq!(rule_of(&with_sigops(vec![0xac; 20_000])), None);
    assert_eq!(rule_of(&with_sigops(vec![0xac; 20_001])), Some("bad-blk-sigops"));
    assert_eq!(rule_of(&with_sigops(vec![0xae; 1000])), None);
    assert_eq!(rule_of(&with_sigops(vec![0xaf; 1001])), Some("bad-blk-sigops"));
    let pushed = [&[0x4d, 0xff, 0xff][..], &vec![0xac; 65_535], &[0xad]].concat();
    assert_eq!(rule_of(&with_sigops(pushed)), None);
    let pushed_past_the_end = [&[0xac; 20_000][..], &[0x4e, 0xff, 0xff, 0xff, 0xff, 0xac]].concat();
    assert_eq!(rule_of(&with_sigops(pushed_past_the_end)), None, "counting stops there");
}

#[test]
fn witnesses_must_be_committed_to() {
    let nonce = [7; 32];
    let with_witness = || {
        let mut made = Made::new(4);
        made.transactions[2].inputs[0].witness = vec![vec![1, 2, 3]];
        made
    };
    assert_eq!(rule_of(&with_witness()), Some("unexpected-witness"));
    let mut good = with_witness();
    good.commit(nonce);
    assert_eq!(rule_of(&good), None);
    let mut changed = with_witness();
    changed.commit(nonce);
    changed.transactions[2].inputs[0].witness[0][0] ^= 1;
    assert_eq!(rule_of(&changed), Some("bad-witness-merkle-match"));
    assert!(naive_check(&changed.block()).unwrap_err().is_mutation(), "the header stays good");
    for witness in [vec![vec![7; 31]], vec![vec![7; 33]], vec![vec![7; 32], vec![]]] {
        let mut short = with_witness();
        short.commit(nonce);
        short.transactions[0].inputs[0].witness = witness;
        assert_eq!(rule_of(&short), Some("bad-witness-nonce-size"));
    }
    // A commitment without witnesses depends on the height: not judged.
    let mut unused = Made::new(4);
    unused.commit(nonce);
    unused.transactions[0].inputs[0].witness.clear();
    assert_eq!(rule_of(&unused), None);
    // The last output that looks like a commitment is the one.
    let mut second = with_witness();
    second.commit(nonce);
    let mut other = vec![0x6a, 0x24, 0xaa, 0x21, 0xa9, 0xed];
    other.extend([9; 32]);
    second.transactions[0].outputs.push((0, other));
    assert_eq!(rule_of(&second), Some("bad-witness-merkle-match"));
    // Weight: 4,000,000 with witnesses.
    let with_bytes = |bytes: usize| {
        let mut made = with_witness();
        made.transactions[2].inputs[0].witness = vec![vec![0; bytes]];
        made.commit(nonce);
        made
    };
    let weight = Block::read(&with_bytes(3_000_000).block()).expect("a block").weight();
    let left = usize::try_from(4_000_000 - weight).expect("below");
    assert_eq!(rule_of(&with_bytes(3_000_000 + left)), None);
    assert_eq!(rule_of(&with_bytes(3_000_001 + left)), Some("bad-blk-weight"));
}

#[test]
fn a01_a_mutated_block_is_refused_without_blaming_the_block() {
    let made = Made::new(6);
    let good = made.block();
    let mut repeated = Made { transactions: made.transactions.clone() };
    repeated.transactions.extend_from_slice(&made.transactions[4..]);
    let mut bytes = good[..80].to_vec();
    bytes.push(8);
    for transaction in &repeated.transactions {
        bytes.extend(transaction.encode(true));
    }
    let spec = ChainSpec::regtest();
    let found = violation(verdict(&spec, &bytes));
    assert_eq!((found.rule(), found.is_mutation()), ("bad-txns-duplicate", true));
    report(verdict(&spec, &good));
}
