//! Each header rule alone, at both sides of its boundary, and the published vectors about difficulty and
//! time. Runs of headers stand in `headers.rs`.

#[path = "common/chain.rs"]
mod chain;
mod common;

use chain::{
    failure, hash_of, header_of, headers_of, mined, outcome, real_headers, real_rows, report,
    short_epochs, solve, verdict,
};
use proofward::consensus::difficulty::{Asert, Difficulty, Epochs};
use proofward::consensus::time::median_time_past;
use proofward::consensus::{
    Ancestry, ChainSpec, Context, Parent, Rule, RuleSet, Violation, check_hashed_header,
    check_header,
};
use proofward::primitives::{BlockHash, CompactError, CompactTarget, Header, HeaderBytes, Target};

fn json(path: &str) -> Option<serde_json::Value> {
    let bytes = std::fs::read(common::data(path)?).expect("a readable file");
    Some(serde_json::from_slice(&bytes).expect("JSON"))
}

fn number(value: &serde_json::Value) -> i64 {
    value.as_i64().expect("a whole number")
}

fn bits_of(value: &serde_json::Value) -> CompactTarget {
    let text = value.as_str().expect("text").trim_start_matches("0x");
    CompactTarget(u32::from_str_radix(text, 16).expect("hex"))
}

fn epochs_of(spec: &ChainSpec) -> Epochs {
    match spec.difficulty {
        Difficulty::Epochs(epochs) => epochs,
        other => panic!("{other:?}"),
    }
}

/// The last header of a regtest chain with its context, to be changed by a test.
fn next_on_regtest(now: Option<i64>) -> (ChainSpec, Context, Header) {
    let spec = ChainSpec::regtest();
    let headers = mined(&spec, 30, 3);
    let (last, before) = headers.split_last().expect("30");
    let mut ancestry = Ancestry::at_height(0);
    ancestry.extend(&spec, before, &hash_of(&before[28]).0);
    (spec, ancestry.context(now), Header::decode(last))
}

fn judge(spec: &ChainSpec, context: &Context, header: &Header) -> Result<RuleSet, Violation> {
    check_header(spec, context, &solve(&mut header.clone()))
}

#[test]
fn a08_bad_nbits_are_refused_each_for_its_own_reason() {
    let spec = ChainSpec::none(proofward::hash::Algorithm::Sha256d);
    let judge = |bits: u32| {
        let mut header = [0; 80];
        header[72..76].copy_from_slice(&bits.to_le_bytes());
        // No hash is below zero: only the nBits can be at fault.
        check_hashed_header(&spec, &Context::default(), &header, &[0; 32])
    };
    let negative = CompactTarget(0x0492_3456);
    assert_eq!(judge(negative.0), Err(Violation::Bits(CompactError::Negative(negative))));
    let overflow = CompactTarget(0xff12_3456);
    assert_eq!(judge(overflow.0), Err(Violation::Bits(CompactError::Overflow(overflow))));
    let zero = CompactTarget(0x0100_3456);
    assert_eq!(judge(zero.0), Err(Violation::Bits(CompactError::Zero(zero))));
    assert!(judge(0x0112_3456).is_ok(), "a target of 0x12");
    let Some(cases) = json("vectors/difficulty/setcompact_cases.json") else { return };
    for case in cases.as_array().expect("a list") {
        let bits = bits_of(&case["bits"]);
        // An overflow has no target.
        let is_zero =
            case["target_hex"].as_str().is_some_and(|hex| hex.bytes().all(|digit| digit == b'0'));
        let flag = |name: &str| case[name].as_bool().expect("a flag");
        let expected = match (flag("negative"), flag("overflow"), is_zero) {
            (true, _, _) => Some(CompactError::Negative(bits)),
            (_, true, _) => Some(CompactError::Overflow(bits)),
            (_, _, true) => Some(CompactError::Zero(bits)),
            _ => None,
        };
        let found = judge(bits.0).err();
        assert_eq!(found, expected.map(Violation::Bits), "{bits}");
        assert!(found.is_none_or(|found| found.rule() == Rule::HighHash), "{bits}");
    }
}

#[test]
fn a09_the_limit_itself_is_allowed_and_one_above_is_not() {
    for spec in [ChainSpec::bitcoin(), ChainSpec::signet(), ChainSpec::regtest()] {
        let judge = |bits: CompactTarget| {
            let mut header = [0; 80];
            header[72..76].copy_from_slice(&bits.0.to_le_bytes());
            check_hashed_header(&spec, &Context::default(), &header, &[0; 32])
        };
        let limit = spec.limit.to_compact_lossy();
        assert!(judge(limit).is_ok(), "{}", spec.name);
        let above = CompactTarget(limit.0 + 1);
        let above = if above.to_target().is_ok() { above } else { CompactTarget(0x2100_ffff) };
        assert_eq!(judge(above).unwrap_err().rule(), Rule::HighHash, "{} {above}", spec.name);
    }
}

#[test]
fn a10_every_real_retarget_and_every_real_work_reproduces() {
    let Some(rows) = real_rows("mainnet_epoch_edges.csv") else { return };
    let spec = ChainSpec::bitcoin();
    assert_eq!(rows.len(), 827);
    let mut work = proofward::primitives::Work::ZERO;
    let mut next_height = 0;
    let mut retargets = 0;
    let mut clamped = Vec::new();
    let mut before_parent = Vec::new();
    let mut edges: Vec<(u64, Header)> = Vec::new();
    for row in &rows {
        let height = row.number("height");
        let bytes = header_of(row.text("header_hex"));
        let header = Header::decode(&bytes);
        // All headers of an epoch share its nBits.
        let each = header.bits.to_target().expect("a target").work();
        work = work.plus(each.times(height + 1 - next_height));
        next_height = height + 1;
        let le: [u8; 32] =
            hex::decode(row.text("chainwork_hex_be")).expect("hex").try_into().expect("32 bytes");
        assert_eq!(work.0.to_le_bytes::<32>(), le, "work up to {height}");

        let mut context = Context { height: Some(height), ..Context::default() };
        if let [.., (_, first), (parent_height, parent)] = edges[..]
            && height.is_multiple_of(2016)
        {
            assert_eq!(parent_height, height - 1);
            context.parent = Some(Parent {
                hash: hash_of(&parent.encode()),
                time: parent.time,
                bits: parent.bits,
            });
            context.epoch_first_time = Some(first.time);
            retargets += 1;
            if i64::from(parent.time) - i64::from(first.time) < 14 * 86_400 / 4 {
                clamped.push(height);
            }
            if header.time < parent.time {
                before_parent.push(parent.time - header.time);
            }
            let bip54 = spec.clone().with_bip54();
            let not_judged = check_header(&bip54, &context, &bytes).expect("valid");
            assert!(!not_judged.contains(Rule::BadDiffbits), "{height}");
            assert!(!not_judged.contains(Rule::TimeTimewarpAttack), "{height}");
            // Another nBits is refused, at the boundary too.
            let other = CompactTarget(header.bits.0 - 1);
            let changed = Header { bits: other, ..header }.encode();
            assert_eq!(
                check_hashed_header(&spec, &context, &changed, &[0; 32]),
                Err(Violation::WrongBits { expected: header.bits, actual: other })
            );
        } else {
            assert!(check_header(&spec, &context, &bytes).is_ok(), "{height}");
        }
        edges.push((height, header));
    }
    assert_eq!(retargets, 413);
    assert_eq!(clamped, [68_544], "the one quick epoch, a11");
    before_parent.sort_unstable();
    assert_eq!((before_parent.len(), before_parent.last()), (10, Some(&1127)));
}

#[test]
fn a10_a11_published_retargets_reproduce_with_both_clamps() {
    let Some(cases) = json("vectors/difficulty/get_next_work_cases.json") else { return };
    let spec = ChainSpec::bitcoin();
    for case in cases.as_array().expect("a list") {
        let time = |name: &str| u32::try_from(number(&case[name])).expect("a time");
        let bits = bits_of(&case["last_bits"]);
        let next =
            epochs_of(&spec).retarget(bits, time("first_time"), time("last_time"), spec.limit);
        assert_eq!(next, bits_of(&case["expected"]), "{}", case["name"]);
    }
    assert_eq!(cases.as_array().expect("a list").len(), 4);
}

#[test]
fn a11_an_epoch_that_ends_before_it_began_counts_as_a_quarter() {
    let spec = ChainSpec::bitcoin();
    let bits = CompactTarget(0x1b04_04cb);
    let retarget = |first, last| epochs_of(&spec).retarget(bits, first, last, spec.limit);
    let quarter = retarget(1_000_000_000, 1_000_000_000 + 14 * 86_400 / 4);
    assert_eq!(retarget(u32::MAX, 0), quarter);
    assert_eq!(retarget(7, 7), quarter);
    assert_ne!(retarget(0, 14 * 86_400 / 4 + 1000), quarter);
    assert_eq!(retarget(0, u32::MAX), retarget(0, 14 * 86_400 * 4));
}

#[test]
fn a10_the_real_header_that_missed_a_retarget_is_refused() {
    let (Some(invalid), Some(edges)) =
        (real_rows("invalid_headers.csv"), real_rows("mainnet_epoch_edges.csv"))
    else {
        return;
    };
    let row = invalid.iter().find(|row| row.text("height") == "717696").expect("its row");
    let edge = |height: &str| {
        let row = edges.iter().find(|row| row.text("height") == height).expect("its row");
        header_of(row.text("header_hex"))
    };
    let parent = edge("717695");
    let context = Context {
        height: Some(717_696),
        parent: Some(Parent {
            hash: hash_of(&parent),
            time: Header::decode(&parent).time,
            bits: Header::decode(&parent).bits,
        }),
        epoch_first_time: Some(Header::decode(&edge("715680")).time),
        ..Context::default()
    };
    let header = header_of(row.text("btc_header_hex"));
    let violation = check_header(&ChainSpec::bitcoin(), &context, &header).unwrap_err();
    assert_eq!(violation.rule(), Rule::BadDiffbits);
    let expected = u32::from_str_radix(row.text("expected_nbits"), 16).expect("hex");
    assert_eq!(
        violation,
        Violation::WrongBits {
            expected: CompactTarget(expected),
            actual: Header::decode(&header).bits
        }
    );
}

/// All 33 real headers that break a rule: those that headers can tell are refused for it, the others hold.
#[test]
fn a12_a15_real_invalid_headers_get_their_verdict() {
    let (Some(rows), Some(medians)) =
        (real_rows("invalid_headers.csv"), real_rows("invalid_mtp_context.csv"))
    else {
        return;
    };
    let spec = ChainSpec::bitcoin();
    let without_forks = ChainSpec { version_floors: Vec::new(), ..spec.clone() };
    let (mut old_times, mut old_versions, mut others) = (0, 0, 0);
    for row in &rows {
        let header = header_of(row.text("btc_header_hex"));
        assert_eq!(hash_of(&header).to_string(), row.text("hash"));
        let median = medians.iter().find(|median| median.text("hash") == row.text("hash"));
        let context = Context {
            height: Some(row.number("height")),
            median_time_past: median
                .map(|median| median.text("parent_median_time_past").parse().expect("a time")),
            ..Context::default()
        };
        let found = check_header(&spec, &context, &header).map_err(|violation| violation.rule());
        match row.text("rejection_reason") {
            "median_time_past_violation" | "time_below_mtp" => {
                old_times += 1;
                assert_eq!(found, Err(Rule::TimeTooOld), "{}", row.text("height"));
            }
            reason if reason.contains("block_version_below") => {
                old_versions += 1;
                assert_eq!(found, Err(Rule::BadVersion), "{}", row.text("height"));
                assert!(check_header(&without_forks, &context, &header).is_ok(), "rules off");
            }
            "nbits_retarget_not_applied" => {
                let not_judged = found.expect("its parent is not known here");
                assert!(not_judged.contains(Rule::BadDiffbits));
            }
            _ => {
                others += 1;
                assert!(found.is_ok(), "{}: only the coinbase is at fault", row.text("height"));
            }
        }
    }
    assert_eq!((old_times, old_versions, others, rows.len()), (2, 8, 22, 33));
}

#[test]
fn every_real_stale_header_meets_its_target() {
    let Some(rows) = real_rows("mainnet_stale_headers.csv") else { return };
    assert_eq!(rows.len(), 2471);
    for row in rows {
        let header = header_of(row.text("header_hex"));
        assert_eq!(hash_of(&header).to_string(), row.text("hash"));
        let context = Context { height: Some(row.number("height")), ..Context::default() };
        let judged = check_header(&ChainSpec::bitcoin(), &context, &header);
        assert!(judged.is_ok(), "{}: {judged:?}", row.text("height"));
    }
}

#[test]
fn bip54_vectors_get_their_verdict_and_are_valid_today() {
    let Some(cases) = json("vectors/bip54/timestamps_flat.json") else { return };
    let cases = cases.as_array().expect("a list");
    let mut broken = Vec::new();
    for case in cases {
        let bytes = hex::decode(case["headers"].as_str().expect("hex")).expect("hex");
        let headers = headers_of(&bytes);
        report(verdict(&ChainSpec::bitcoin(), &headers));
        let found = outcome(&verdict(&ChainSpec::bitcoin().with_bip54(), &headers));
        assert_eq!(
            found.is_ok(),
            case["valid_bip54"].as_bool().expect("a flag"),
            "{}",
            case["comment"]
        );
        broken.extend(found.err());
        let opinion =
            chain::Opinion::new(&ChainSpec::bitcoin().with_bip54()).outcome(&headers, None);
        assert_eq!(outcome(&verdict(&ChainSpec::bitcoin().with_bip54(), &headers)), opinion);
    }
    assert_eq!(cases.len(), 9);
    assert_eq!(broken, [(2016, "time-timewarp-attack"), (4031, "time-negative-interval")]);
    // The last header of the last case has the clamped difficulty, a11.
    let last = cases[8]["headers"].as_str().expect("hex");
    assert!(last.len() == 4033 * 160 && last[last.len() - 16..].starts_with("c0ff3f1c"));
}

#[test]
fn a06_timewarp_at_both_sides_of_two_hours() {
    let spec = ChainSpec { limit: ChainSpec::regtest().limit, ..short_epochs(None) };
    let spec = spec.with_bip54();
    let judge = |position: u64, behind: u32| {
        let parent =
            Parent { hash: BlockHash::ZERO, time: 2_000_000_000, bits: CompactTarget(0x207f_ffff) };
        let context = Context {
            height: Some(160 + position),
            parent: Some(parent),
            epoch_first_time: Some(parent.time - 9600),
            ..Context::default()
        };
        let header = Header {
            version: 4,
            prev_block: BlockHash::ZERO,
            merkle_root: proofward::primitives::MerkleRoot::ZERO,
            time: parent.time - behind,
            bits: CompactTarget(0x207f_ffff),
            nonce: 0,
        };
        check_header(&spec, &context, &solve(&mut header.clone())).err().map(|v| v.rule())
    };
    assert_eq!(judge(0, 7200), None);
    assert_eq!(judge(0, 7201), Some(Rule::TimeTimewarpAttack));
    assert_eq!(judge(1, 7201), None, "only the first of an epoch");
    assert_eq!(judge(15, 9600), None, "as old as the first of its epoch");
    assert_eq!(judge(15, 9601), Some(Rule::TimeNegativeInterval), "a07");
    assert_eq!(judge(14, 9601), None, "only the last of an epoch");
}

#[test]
fn a12_a_time_equal_to_the_median_is_refused_and_one_second_later_is_not() {
    let (spec, context, header) = next_on_regtest(None);
    let median = context.median_time_past.expect("29 headers are known");
    let at = |time| judge(&spec, &context, &Header { time, ..header }).map_err(|v| v.rule());
    assert_eq!(at(median), Err(Rule::TimeTooOld));
    assert_eq!(at(median - 1), Err(Rule::TimeTooOld));
    assert!(at(median + 1).is_ok());
}

#[test]
fn the_median_of_fewer_than_eleven_takes_the_middle_as_bitcoin_core() {
    assert_eq!(median_time_past(&[]), None);
    assert_eq!(median_time_past(&[5]), Some(5));
    assert_eq!(median_time_past(&[5, 9]), Some(9), "the later of two");
    assert_eq!(median_time_past(&[9, 5, 1]), Some(5));
    assert_eq!(median_time_past(&[4, 3, 2, 1]), Some(3));
    let eleven = [11, 1, 10, 2, 9, 3, 8, 4, 7, 5, 6];
    assert_eq!(median_time_past(&eleven), Some(6));
    let more: Vec<u32> = [1000, 2000, 3000].into_iter().chain(eleven).collect();
    assert_eq!(median_time_past(&more), Some(6), "the last eleven only");
}

#[test]
fn a13_the_future_ends_two_hours_ahead_and_comes_closer() {
    let now = 1_700_000_000;
    let (spec, context, header) = next_on_regtest(Some(now));
    let at = |context: &Context, time: i64| {
        judge(&spec, context, &Header { time: u32::try_from(time).expect("a time"), ..header })
    };
    assert!(at(&context, now + 7200).is_ok());
    let violation = at(&context, now + 7201).unwrap_err();
    assert_eq!(violation.rule(), Rule::TimeTooNew);
    assert!(violation.may_pass_later(), "it is not invalid for ever");
    assert!(at(&Context { now: Some(now + 1), ..context }, now + 7201).is_ok());
    let not_judged = at(&Context { now: None, ..context }, 4_000_000_000).expect("no clock");
    assert!(not_judged.contains(Rule::TimeTooNew));
}

#[test]
fn a14_times_near_the_end_of_32_bits_do_not_wrap() {
    let last = u32::MAX;
    let (spec, context, header) = next_on_regtest(Some(i64::from(last)));
    let context = Context { median_time_past: Some(last - 1), ..context };
    let at = |context: &Context, time| judge(&spec, context, &Header { time, ..header });
    assert!(at(&context, last).is_ok());
    assert_eq!(at(&context, last - 1).unwrap_err().rule(), Rule::TimeTooOld);
    let full = Context { median_time_past: Some(last), ..context };
    assert_eq!(at(&full, last).unwrap_err().rule(), Rule::TimeTooOld, "no later time exists");
    let early = Context { now: Some(i64::from(last) - 7201), ..context };
    assert_eq!(at(&early, last).unwrap_err().rule(), Rule::TimeTooNew);
    for now in [i64::MIN, -7201, -7200, i64::MAX] {
        let context = Context { now: Some(now), median_time_past: Some(0), ..context };
        assert_eq!(at(&context, 1).is_ok(), now > 0, "now {now}");
    }
    // The same through a run, whose median is taken of times around the end.
    let spec = ChainSpec { median_time: true, ..ChainSpec::none(spec.algorithm) };
    let mut headers: Vec<HeaderBytes> = Vec::new();
    let mut header = Header { time: last - 20, ..header };
    for _ in 0..22 {
        header.prev_block = headers.last().map_or(BlockHash::ZERO, hash_of);
        headers.push(solve(&mut header));
        header.time = header.time.saturating_add(1);
    }
    assert!(outcome(&verdict(&spec, &headers)).is_ok());
    for _ in 0..8 {
        header.prev_block = headers.last().map_or(BlockHash::ZERO, hash_of);
        headers.push(solve(&mut header));
    }
    // Six headers at the last second make it the median.
    assert_eq!(outcome(&verdict(&spec, &headers)), Err((26, "time-too-old")));
}

#[test]
fn a15_versions_fall_out_of_date_at_their_heights() {
    let spec = ChainSpec::bitcoin();
    let at = |height, version| {
        let (regtest, context, header) = next_on_regtest(None);
        let spec = ChainSpec { version_floors: spec.version_floors.clone(), ..regtest };
        let context = Context { height: Some(height), ..context };
        judge(&spec, &context, &Header { version, ..header }).map_err(|violation| violation.rule())
    };
    for (height, version) in [(227_931, 2), (363_725, 3), (388_381, 4)] {
        assert!(at(height - 1, version - 1).is_ok());
        assert_eq!(at(height, version - 1), Err(Rule::BadVersion));
        assert!(at(height, version).is_ok());
    }
    assert!(at(1, -1).is_ok(), "before the first soft fork");
    for version in [-1, i32::MIN, -536_870_912] {
        assert_eq!(at(600_000, version), Err(Rule::BadVersion), "versions are signed");
    }
    assert!(at(600_000, 0x7fff_ffff).is_ok());
}

#[test]
fn rules_are_judged_in_bitcoin_cores_order() {
    let (spec, context, header) = next_on_regtest(Some(0));
    let mut header = Header { version: 0, bits: CompactTarget(0x207f_fffe), ..header };
    header.prev_block = BlockHash::ZERO;
    let rule =
        |context: &Context, header: &Header| judge(&spec, context, header).unwrap_err().rule();
    assert_eq!(rule(&context, &header), Rule::BadPrevblk);
    let parent = context.parent.expect("known");
    header.prev_block = parent.hash;
    assert_eq!(rule(&context, &header), Rule::BadDiffbits);
    header.bits = CompactTarget(0x207f_ffff);
    let old = Header { time: 0, ..header };
    assert_eq!(rule(&context, &old), Rule::TimeTooOld);
    assert_eq!(rule(&context, &header), Rule::TimeTooNew);
    let later = Context { now: Some(i64::from(u32::MAX)), ..context };
    assert_eq!(rule(&later, &header), Rule::BadVersion);
    header.version = 4;
    assert_eq!(judge(&spec, &later, &header), Ok(RuleSet::EMPTY));
}

#[test]
fn without_context_only_the_work_is_judged() {
    let (_, _, header) = next_on_regtest(None);
    let bytes = solve(&mut header.clone());
    let spec = ChainSpec { limit: Target::MAX, ..ChainSpec::bitcoin() }.with_bip54();
    let not_judged = check_header(&spec, &Context::default(), &bytes).expect("work");
    let rules: Vec<Rule> = Rule::ALL.into_iter().filter(|rule| *rule != Rule::HighHash).collect();
    assert_eq!(not_judged.iter().collect::<Vec<_>>(), rules);
    let none = ChainSpec::none(spec.algorithm);
    let not_judged = check_header(&none, &Context::default(), &bytes).expect("work");
    assert_eq!(not_judged.iter().collect::<Vec<_>>(), [Rule::BadPrevblk]);
}

#[test]
fn the_exception_of_test_networks_goes_back_to_the_last_regular_target() {
    let spec = ChainSpec { limit: ChainSpec::regtest().limit, ..short_epochs(Some(1200)) };
    let limit = CompactTarget(0x207f_ffff);
    let regular = CompactTarget(0x2070_0000);
    let parent = Parent { hash: BlockHash::ZERO, time: 1_000_000_000, bits: limit };
    let judge = |gap: u32, bits, epoch_bits| {
        let context =
            Context { height: Some(165), parent: Some(parent), epoch_bits, ..Context::default() };
        let mut header = Header {
            version: 4,
            prev_block: BlockHash::ZERO,
            merkle_root: proofward::primitives::MerkleRoot::ZERO,
            time: parent.time + gap,
            bits,
            nonce: 0,
        };
        check_header(&spec, &context, &solve(&mut header))
    };
    let holds = |result: Result<RuleSet, Violation>| {
        result.is_ok_and(|not_judged| !not_judged.contains(Rule::BadDiffbits))
    };
    assert!(holds(judge(1201, limit, Some(regular))), "late: the limit");
    assert_eq!(judge(1201, regular, Some(regular)).unwrap_err().rule(), Rule::BadDiffbits);
    assert!(holds(judge(1200, regular, Some(regular))), "in time: back to the regular one");
    assert_eq!(judge(1200, limit, Some(regular)).unwrap_err().rule(), Rule::BadDiffbits);
    assert!(judge(1200, regular, None).is_ok_and(|set| set.contains(Rule::BadDiffbits)));
    assert!(holds(judge(1201, limit, None)), "late is late whatever came before");
}

#[test]
fn asert_reproduces_every_published_vector() {
    let Some(vectors) = json("vectors/difficulty/decred_asert_test_vectors.json") else { return };
    let mut count = 0;
    for scenario in vectors["scenarios"].as_array().expect("a list") {
        let params = &vectors["params"][scenario["params"].as_str().expect("a name")];
        let limit: Target = params["powLimit"].as_str().expect("hex").parse().expect("a target");
        let small = |value: &serde_json::Value| u32::try_from(number(value)).expect("32 bits");
        let asert = Asert {
            anchor_height: 0,
            anchor_time: 0,
            anchor_bits: CompactTarget(small(&scenario["startDiffBits"])),
            spacing_seconds: small(&params["targetSecsPerBlock"]),
            half_life_seconds: small(&params["halfLifeSecs"]),
        };
        for test in scenario["tests"].as_array().expect("a list") {
            let height = test["height"].as_u64().expect("a height");
            let height_delta = height - scenario["startHeight"].as_u64().expect("a height");
            let time_delta = number(&test["timestamp"]) - number(&scenario["startTime"]);
            let expected = CompactTarget(small(&test["expectedDiffBits"]));
            let target = asert.target(time_delta, height_delta, limit);
            assert_eq!(target.to_compact_lossy(), expected, "{} {test}", scenario["description"]);
            assert!(target <= limit && !target.0.is_zero());
            count += 1;
        }
    }
    assert_eq!(count, 1424);
}

#[test]
fn asert_holds_at_the_ends_of_its_arguments() {
    let limit = Target::MAX;
    let asert = Asert {
        anchor_height: 7,
        anchor_time: 1_000_000,
        anchor_bits: CompactTarget(0x1d00_ffff),
        spacing_seconds: u32::MAX,
        half_life_seconds: 1,
    };
    let one = CompactTarget(0x0101_0000).to_target().expect("one");
    assert_eq!(asert.target(i64::MAX, 0, limit), limit);
    assert_eq!(asert.target(i64::MIN, 0, limit), one);
    assert_eq!(asert.target(0, u64::MAX, limit), one);
    assert_eq!(asert.target(i64::MIN, u64::MAX, limit), one);
    assert_eq!(asert.target(0, 0, limit), asert.anchor_bits.to_target().expect("a target"));
    // On schedule the anchor's target stays; a half-life behind it doubles.
    let paced = Asert { spacing_seconds: 600, half_life_seconds: 1200, ..asert };
    assert_eq!(paced.bits(1_000_000 + 600 * 5, 12, limit), paced.anchor_bits);
    let doubled = paced.target(1200, 0, limit);
    assert_eq!(doubled.0, paced.anchor_bits.to_target().expect("a target").0 << 1);
}

#[test]
fn a_chain_with_asert_is_verified() {
    let asert = Asert {
        anchor_height: 0,
        anchor_time: 1_296_688_602,
        anchor_bits: CompactTarget(0x207f_ffff),
        spacing_seconds: 600,
        half_life_seconds: 7200,
    };
    let spec = ChainSpec { difficulty: Difficulty::Asert(asert), ..ChainSpec::regtest() };
    let mut headers = mined(&ChainSpec::regtest(), 1, 0);
    let mut header = Header::decode(&headers[0]);
    header.version = 4;
    for height in 1..300_u64 {
        let parent_time = header.time;
        header.prev_block = hash_of(headers.last().expect("genesis"));
        header.bits = asert.bits(parent_time, height - 1, spec.limit);
        header.time = parent_time + 590 + u32::try_from(height % 12).expect("small");
        headers.push(solve(&mut header));
    }
    report(verdict(&spec, &headers));
    assert_ne!(header.bits, asert.anchor_bits, "the pace was not the schedule's");
    let mut wrong = Header::decode(&headers[200]);
    wrong.bits = CompactTarget(wrong.bits.0 - 1);
    headers[200] = solve(&mut wrong);
    let failure = failure(verdict(&spec, &headers));
    assert_eq!((failure.height, failure.violation.rule()), (200, Rule::BadDiffbits));
}

#[test]
fn presets_are_found_by_name_and_their_genesis_is_theirs() {
    for name in ChainSpec::NAMES {
        assert_eq!(ChainSpec::named(name).expect("a preset").name, name);
    }
    assert!(ChainSpec::named("dogecoin").is_err());
    let Some(mainnet) = real_headers("mainnet_0_32260.bin") else { return };
    assert_eq!(ChainSpec::bitcoin().genesis, Some(hash_of(&mainnet[0])));
    // Testnet3's genesis block differs from the main network's in time and nonce.
    let mut testnet3 = Header::decode(&mainnet[0]);
    (testnet3.time, testnet3.nonce) = (1_296_688_602, 414_098_458);
    assert_eq!(ChainSpec::testnet3().genesis, Some(hash_of(&testnet3.encode())));
}
