//! Runs of headers: the verdicts of the real-world data, one flipped bit anywhere, and the same verdict
//! from every kernel, thread count and way of reading. Single rules stand in `rules.rs`.

#[path = "common/chain.rs"]
mod chain;
mod common;

use std::io::{self, Read};

use chain::{
    Opinion, failure, hash_of, headers_of, kernels, mined, outcome, real_headers, report,
    short_epochs, solve, verdict, verifier,
};
use proofward::consensus::{ChainSpec, Rule};
use proofward::engine::verify::{ContextError, NotJudged, Run, Verifier, VerifyError};
use proofward::fuzzing::forge::SplitMix64;
use proofward::primitives::{CompactTarget, Header, HeaderBytes};

#[test]
fn the_real_chain_is_valid_with_its_work() {
    let Some(headers) = real_headers("mainnet_0_32260.bin") else { return };
    for spec in [ChainSpec::bitcoin(), ChainSpec::bitcoin().with_bip54()] {
        for (count, work) in [(32_257, "138545659653586"), (32_261, "138565982022938")] {
            let report = report(verdict(&spec, &headers[..count]));
            assert_eq!(report.count, count as u64);
            assert_eq!(report.last_height, report.count - 1);
            assert_eq!(report.tip, hash_of(&headers[count - 1]));
            assert_eq!(report.chain_work.to_string(), work);
            assert_eq!(report.judged_from(Rule::BadDiffbits), Some(0));
            assert_eq!(report.judged_from(Rule::TimeTooNew), None, "no clock was given");
        }
    }
}

#[test]
fn the_real_chain_agrees_with_the_second_opinion() {
    let Some(headers) = real_headers("mainnet_0_32260.bin") else { return };
    let spec = ChainSpec::bitcoin();
    let opinion = Opinion::new(&spec).outcome(&headers, None);
    assert_eq!(outcome(&verdict(&spec, &headers)), opinion);
    let rated: u128 = opinion.expect("valid").parse().expect("decimal");
    assert_eq!(rated, 138_565_982_022_938);
}

#[test]
fn signet_and_regtest_are_valid_under_their_own_rules() {
    let Some(signet) = real_headers("signet_0_2015.bin") else { return };
    let Some(regtest) = real_headers("regtest_151.bin") else { return };
    assert_eq!(report(verdict(&ChainSpec::signet(), &signet)).count, 2016);
    let report = report(verdict(&ChainSpec::regtest(), &regtest));
    assert_eq!((report.count, report.chain_work.to_string()), (151, "302".to_owned()));
}

#[test]
fn a09_a_target_above_the_limit_is_refused() {
    let Some(regtest) = real_headers("regtest_151.bin") else { return };
    let failure = failure(verdict(&ChainSpec::bitcoin(), &regtest));
    assert_eq!((failure.height, failure.violation.rule()), (0, Rule::HighHash));
    assert!(failure.violation.to_string().contains("above the limit"), "{}", failure.violation);
}

#[test]
fn a17_one_flipped_bit_is_reported_at_its_height() {
    let Some(mut headers) = real_headers("mainnet_0_32260.bin") else { return };
    let spec = ChainSpec::bitcoin();
    let run = Run::from_height(&spec, 0);
    let verifier = verifier(2);
    let mut random = SplitMix64::new(17);
    for _ in 0..1000 {
        let (at, bit) = (random.index(headers.len()), random.index(640));
        headers[at][bit / 8] ^= 1 << (bit % 8);
        let failure = failure(verifier.verify(&run, &headers).expect("headers"));
        // A changed header has another hash, which meets no real target by chance.
        assert_eq!(failure.height, at as u64, "bit {bit} of header {at}");
        assert_eq!(failure.violation.rule(), Rule::HighHash, "bit {bit} of header {at}");
        assert_eq!(failure.hash, hash_of(&headers[at]));
        headers[at][bit / 8] ^= 1 << (bit % 8);
    }
    report(verifier.verify(&run, &headers).expect("headers"));
}

#[test]
fn a17_a_flipped_bit_with_work_is_reported_there_or_at_the_next_link() {
    let spec = ChainSpec::regtest();
    let mut headers = mined(&spec, 9000, 170);
    let opinion = Opinion::new(&spec);
    let run = Run::from_height(&spec, 0);
    let verifier = verifier(2);
    let mut random = SplitMix64::new(171);
    let mut links = 0;
    for _ in 0..200 {
        let (at, bit) = (random.index(headers.len() - 1), random.index(640));
        headers[at][bit / 8] ^= 1 << (bit % 8);
        let found = outcome(&verifier.verify(&run, &headers).expect("headers"));
        // The headers before the flipped one are untouched, and the one after it has lost its parent.
        let expected = opinion.first_bad(&headers[..at + 2], at, None);
        assert_eq!(found.clone().err(), expected, "bit {bit} of header {at}");
        links += usize::from(found == Err((at as u64 + 1, "bad-prevblk")));
        headers[at][bit / 8] ^= 1 << (bit % 8);
    }
    assert!(links > 20, "many flips leave the work intact: {links}");
}

/// What random corruption does to a mined chain, work made good again.
fn corrupt(headers: &mut [HeaderBytes], random: &mut SplitMix64) -> usize {
    let at = random.index(headers.len());
    let mut header = Header::decode(&headers[at]);
    match random.index(6) {
        0 => header.time = header.time.wrapping_sub(100),
        1 => header.time = header.time.wrapping_add(3_000_000),
        2 => header.bits = CompactTarget(header.bits.0 - 1),
        3 => header.version = [-1, 0, 1, 3, i32::MIN][random.index(5)],
        4 => header.prev_block.0[random.index(32)] ^= 1,
        _ => {
            header.bits = CompactTarget([0, 0x2100_ffff, 0x1dff_ffff, 0xff12_3456][random.index(4)])
        }
    }
    headers[at] =
        if header.bits.to_target().is_ok() { solve(&mut header) } else { header.encode() };
    at
}

#[test]
fn every_thread_count_and_source_gives_the_verdict_of_the_second_opinion() {
    let specs = [
        (ChainSpec::regtest(), 9001, 20),
        (short_epochs(None), 600, 60),
        (short_epochs(Some(20)), 600, 60),
        (short_epochs(None).with_bip54(), 600, 60),
    ];
    let verifiers: Vec<Verifier> = [1, 2, 3].map(verifier).into_iter().collect();
    let mut random = SplitMix64::new(1);
    let mut rules = std::collections::BTreeSet::new();
    for (spec, count, rounds) in &specs {
        let headers = mined(spec, *count, 5);
        let opinion = Opinion::new(spec);
        let now = i64::from(Header::decode(headers.last().expect("mined")).time) + 2_000_000;
        let run = Run::from_height(spec, 0).with_now(now);
        let as_mined = report(verifiers[1].verify(&run, &headers).expect("headers"));
        let opined = opinion.outcome(&headers, Some(now));
        assert_eq!(opined, Ok(as_mined.chain_work.to_string()), "{} as mined", spec.name);
        for round in 0..*rounds {
            let mut headers = headers.clone();
            let corrupted = (0..=random.index(3)).map(|_| corrupt(&mut headers, &mut random));
            let lowest = corrupted.min().expect("at least one");
            let expected = opinion.first_bad(&headers, lowest, Some(now));
            rules.extend(expected.map(|(_, rule)| rule));
            let mut whole = None;
            for verifier in &verifiers {
                let verdict = verifier.verify(&run, &headers).expect("headers");
                assert_eq!(outcome(&verdict).err(), expected, "{} round {round}", spec.name);
                let bytes =
                    Pieces { bytes: headers.as_flattened(), random: SplitMix64::new(round) };
                let streamed = verifier.verify_stream(&run, bytes).expect("headers");
                assert_eq!(streamed, verdict, "the same in pieces");
                assert_eq!(whole.get_or_insert(verdict.clone()), &verdict, "on any threads");
            }
        }
    }
    for rule in ["high-hash", "bad-prevblk", "bad-diffbits", "time-too-old", "time-too-new"] {
        assert!(rules.contains(rule), "no corruption led to {rule}");
    }
    assert!(rules.contains("bad-version"));
}

/// Gives its bytes in pieces of any size, as pipes do.
struct Pieces<'a> {
    bytes: &'a [u8],
    random: SplitMix64,
}

impl Read for Pieces<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.random.index(7) == 0 {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let len = (1 + self.random.index(9000)).min(into.len()).min(self.bytes.len());
        into[..len].copy_from_slice(&self.bytes[..len]);
        self.bytes = &self.bytes[len..];
        Ok(len)
    }
}

#[test]
fn a16_every_kernel_gives_the_same_verdict_on_real_headers() {
    let files = [
        ("mainnet_0_32260.bin", ChainSpec::bitcoin()),
        ("signet_0_2015.bin", ChainSpec::signet()),
        ("regtest_151.bin", ChainSpec::regtest()),
    ];
    for (name, spec) in files {
        let Some(headers) = real_headers(name) else { return };
        let mut headers = headers[..headers.len().min(4500)].to_vec();
        let run = Run::from_height(&spec, 0);
        let verifiers: Vec<(Verifier, &str)> = kernels()
            .map(|kernel| {
                (Verifier::new(kernel, 1.try_into().expect("one")).expect("a thread"), kernel.isa())
            })
            .collect();
        println!("{name}: {}", verifiers.iter().map(|(_, isa)| *isa).collect::<Vec<_>>().join(" "));
        let compare = |headers: &[HeaderBytes], what: &str| {
            let verdicts: Vec<_> = verifiers
                .iter()
                .map(|(verifier, _)| verifier.verify(&run, headers).expect("headers"))
                .collect();
            for (verdict, (_, isa)) in verdicts.iter().zip(&verifiers) {
                // The last row is the portable one: the scalar hash.
                assert_eq!(Some(verdict), verdicts.last(), "{isa}: {what}");
            }
        };
        // Runs of every length around the lanes, and one flipped bit in each byte of a header.
        for count in (1..=33).chain([headers.len()]) {
            compare(&headers[..count], &format!("{count} headers"));
        }
        for byte in 0..80 {
            headers[100 + byte / 4][byte] ^= 0x10;
            compare(&headers[..141], &format!("byte {byte}"));
            headers[100 + byte / 4][byte] ^= 0x10;
        }
    }
}

#[test]
fn a21_inputs_that_are_no_headers_are_errors() {
    let spec = ChainSpec::none(proofward::hash::Algorithm::Sha256d);
    let run = Run::from_height(&spec, 0);
    let bytes = mined(&ChainSpec::regtest(), 2, 21).concat();
    for threads in [1, 2] {
        let verify = |len: usize| verifier(threads).verify_stream(&run, &bytes[..len]);
        assert!(matches!(verify(0), Err(VerifyError::Empty)));
        assert!(matches!(verify(79), Err(VerifyError::Partial { headers: 0, extra_bytes: 79 })));
        assert!(matches!(verify(81), Err(VerifyError::Partial { headers: 1, extra_bytes: 1 })));
        assert!(matches!(verify(159), Err(VerifyError::Partial { headers: 1, extra_bytes: 79 })));
        assert!(verify(80).is_ok() && verify(160).is_ok());
        assert!(matches!(verifier(threads).verify(&run, &[]), Err(VerifyError::Empty)));
    }
}

/// Fails after its bytes.
struct Broken<'a>(&'a [u8]);

impl Read for Broken<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self.0.read(into)? {
            0 => Err(io::Error::other("the disk is gone")),
            len => Ok(len),
        }
    }
}

#[test]
fn a_bad_header_wins_over_a_broken_end_and_otherwise_the_end_is_reported() {
    let spec = ChainSpec::regtest();
    let mut headers = mined(&spec, 13_000, 22);
    let run = Run::from_height(&spec, 0);
    for threads in [1, 2, 3] {
        let verifier = verifier(threads);
        let broken = verifier.verify_stream(&run, Broken(headers.as_flattened()));
        assert!(matches!(broken, Err(VerifyError::Read(_))), "{broken:?}");
        headers[40][4] ^= 1;
        let invalid = verifier.verify_stream(&run, Broken(headers.as_flattened()));
        assert_eq!(failure(invalid.expect("a verdict")).height, 40);
        let cut = verifier.verify_stream(&run, &headers.as_flattened()[..13_000 * 80 - 1]);
        assert_eq!(failure(cut.expect("a verdict")).height, 40);
        headers[40][4] ^= 1;
    }
}

#[test]
fn a_run_above_genesis_is_judged_by_what_it_holds() {
    let Some(headers) = real_headers("mainnet_0_32260.bin") else { return };
    let spec = ChainSpec::bitcoin();
    let verifier = verifier(2);
    let start = 29_261;
    let run = Run::from_height(&spec, 29_261).with_now(i64::MAX);
    let ranges = |run: &Run<'_>| {
        report(verifier.verify(run, &headers[start..]).expect("headers")).not_judged
    };
    let range = |rule, first, last| NotJudged { rule, first, last };
    assert_eq!(
        ranges(&run),
        [
            range(Rule::BadPrevblk, 29_261, 29_261),
            range(Rule::BadDiffbits, 29_261, 29_261),
            // Its epoch began before the run.
            range(Rule::BadDiffbits, 30_240, 30_240),
            range(Rule::TimeTooOld, 29_261, 29_271),
        ]
    );
    let with =
        |count: usize| run.clone().with_context(&headers[start - count..start]).expect("a chain");
    assert_eq!(
        ranges(&with(1)),
        [range(Rule::BadDiffbits, 30_240, 30_240), range(Rule::TimeTooOld, 29_261, 29_270)]
    );
    assert_eq!(ranges(&with(11)), [range(Rule::BadDiffbits, 30_240, 30_240)]);
    // 28,224 is the first height of the epoch.
    assert_eq!(ranges(&with(29_261 - 28_225)), [range(Rule::BadDiffbits, 30_240, 30_240)]);
    assert_eq!(ranges(&with(29_261 - 28_224)), []);
    assert_eq!(ranges(&with(start)), []);
    // A run that starts with an epoch.
    let run = Run::from_height(&spec, 30_240);
    let report = report(verifier.verify(&run, &headers[30_240..]).expect("headers"));
    assert_eq!(report.judged_from(Rule::BadDiffbits), Some(30_241));
    assert_eq!(report.judged_from(Rule::TimeTooOld), Some(30_251));
    assert_eq!(report.judged_from(Rule::HighHash), Some(30_240));
    assert_eq!(report.not_judged.iter().filter(|r| r.rule == Rule::BadDiffbits).count(), 1);
}

#[test]
fn context_makes_the_verdict_that_of_the_whole_chain() {
    for spec in [short_epochs(None), short_epochs(Some(20))] {
        let headers = mined(&spec, 120, 30);
        let verifier = verifier(1);
        let opinion = Opinion::new(&spec);
        let mut random = SplitMix64::new(31);
        for start in 1..headers.len() {
            let kept = start - start.saturating_sub(spec.context_blocks_max());
            let run = Run::from_height(&spec, u32::try_from(start).expect("small"));
            let with = run.clone().with_context(&headers[start - kept..start]).expect("a chain");
            let mut headers = headers.clone();
            let whole = report(verifier.verify(&with, &headers[start..]).expect("headers"));
            assert_eq!(whole.judged_from(Rule::BadDiffbits), Some(start as u64));
            assert_eq!(whole.not_judged.len(), 1, "only the clock: {:?}", whole.not_judged);
            // Break something in the run: with the context, it is found as in the whole chain.
            let lowest = start + corrupt(&mut headers[start..], &mut random);
            let expected = opinion.first_bad(&headers, lowest, None);
            let found = outcome(&verifier.verify(&with, &headers[start..]).expect("headers"));
            assert_eq!(found.err(), expected, "from {start}");
            // Without it, nothing is found that is not there.
            if let Err((height, _)) =
                outcome(&verifier.verify(&run, &headers[start..]).expect("headers"))
            {
                assert!(expected.is_some_and(|(first, _)| first <= height), "from {start}");
            }
        }
    }
}

#[test]
fn context_that_is_no_chain_is_refused() {
    let spec = ChainSpec::regtest();
    let mut headers = mined(&spec, 20, 40);
    let run = Run::from_height(&spec, 15);
    assert!(run.clone().with_context(&headers[..15]).is_ok());
    assert_eq!(
        run.clone().with_context(&headers[..16]).unwrap_err(),
        ContextError::TooLong { headers: 16, height: 15 }
    );
    headers[7][70] ^= 1;
    assert_eq!(run.with_context(&headers[..15]).unwrap_err(), ContextError::Broken { height: 8 });
}

#[test]
fn chain_none_judges_links_and_work_only() {
    let none = ChainSpec::none(proofward::hash::Algorithm::Sha256d);
    let mut headers = mined(&short_epochs(None), 60, 50);
    let work = Ok(report(verdict(&short_epochs(None), &headers)).chain_work.to_string());
    assert_eq!(outcome(&verdict(&none, &headers)), work);
    // Any time, version and target will do; the run may start anywhere.
    let mut header = Header::decode(&headers[59]);
    (header.time, header.version, header.bits) = (0, -7, CompactTarget(0x207f_fffe));
    headers[59] = solve(&mut header);
    assert!(verdict_is_valid(&none, &headers) && verdict_is_valid(&none, &headers[17..]));
    let report = report(verdict(&none, &headers[17..]));
    assert_eq!(report.not_judged, [], "a chain without rules leaves none unjudged");
    headers[30][40] ^= 1;
    assert!(!verdict_is_valid(&none, &headers));
}

fn verdict_is_valid(spec: &ChainSpec, headers: &[HeaderBytes]) -> bool {
    outcome(&verdict(spec, headers)).is_ok()
}

#[test]
fn another_genesis_is_refused() {
    let headers = mined(&ChainSpec::regtest(), 3, 60);
    let failure = failure(verdict(&ChainSpec::regtest(), &headers[1..]));
    assert_eq!((failure.height, failure.violation.rule()), (0, Rule::BadPrevblk));
    assert!(failure.violation.to_string().contains("genesis"), "{}", failure.violation);
}

#[test]
fn blake3_chains_are_verified_too() {
    let spec = ChainSpec::none(proofward::hash::Algorithm::Blake3);
    let kernel = proofward::kernel::Kernel::available(proofward::hash::Algorithm::Blake3)
        .next()
        .expect("one");
    let verifier = Verifier::new(kernel, 2.try_into().expect("two")).expect("threads");
    let mut headers = headers_of(&mined(&ChainSpec::regtest(), 400, 70).concat());
    let digest = |header: &HeaderBytes| {
        proofward::hash::hash_header(proofward::hash::Algorithm::Blake3, header)
    };
    for at in 1..headers.len() {
        let parent = digest(&headers[at - 1]);
        headers[at][4..36].copy_from_slice(&parent);
        let target = CompactTarget(0x207f_ffff).to_target().expect("a target");
        while !target.is_met_by(&digest(&headers[at])) {
            headers[at][76] = headers[at][76].wrapping_add(1);
        }
    }
    let run = Run::from_height(&spec, 0);
    let start = usize::from(
        !CompactTarget(0x207f_ffff).to_target().expect("a target").is_met_by(&digest(&headers[0])),
    );
    report(verifier.verify(&run, &headers[start..]).expect("headers"));
    headers[300][50] ^= 4;
    let failure = failure(verifier.verify(&run, &headers[start..]).expect("headers"));
    assert!([300, 301].contains(&(failure.height + start as u64)), "{failure:?}");
}
