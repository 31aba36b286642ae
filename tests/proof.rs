//! Proofs of work: the statistics hold what they promise, honest proofs pass, every tampered one is
//! refused for the right reason.

use proofward::engine::measure::{Search, Workload};
use proofward::engine::proof::bound::{estimated_hashes, is_inflated, proven_hashes};
use proofward::engine::proof::{
    Collector, PROOF_FILE_BYTES_MAX, Proof, ProofError, SOLUTION_COUNTS, Solution, Terms,
    VerifyError, read_proofs,
};
use proofward::fuzzing::forge::SplitMix64;
use proofward::hash::Algorithm;
use proofward::kernel::Kernel;
use proofward::primitives::Target;

fn target_of_top(top: u64) -> Target {
    let mut bytes = [0xff; 32];
    bytes[24..].copy_from_slice(&top.to_le_bytes());
    Target::from_le_bytes(bytes)
}

/// The top words of the lowest of `hashes` random hashes, in ascending order.
fn lowest(random: &mut SplitMix64, hashes: u64, count: usize) -> Vec<u64> {
    // Twice as many as wanted fall below this on average.
    let enough = u64::MAX / hashes * (2 * count as u64);
    let mut low: Vec<u64> =
        (0..hashes).map(|_| random.next_u64()).filter(|top| *top < enough).collect();
    low.sort_unstable();
    assert!(low.len() >= count);
    low
}

#[test]
fn the_bound_is_wrong_as_seldom_as_it_says_and_not_much_seldomer() {
    const TRIALS: usize = 3000;
    const HASHES: u64 = 40_000;
    const CONFIDENCE: f64 = 0.9;
    let mut random = SplitMix64::new(1);
    let mut wrong = [0_usize; 3];
    let mut wrong_at_any_size = 0;
    for _ in 0..TRIALS {
        let low = lowest(&mut random, HASHES, SOLUTION_COUNTS[2]);
        let mut any = false;
        for (wrong, count) in wrong.iter_mut().zip(SOLUTION_COUNTS) {
            let limit = target_of_top(low[count - 1]);
            let exceeds = proven_hashes(&limit, count, CONFIDENCE) > HASHES;
            *wrong += usize::from(exceeds);
            any |= exceeds;
            assert!(!is_inflated(&limit, count, HASHES), "an honest claim is refused");
        }
        wrong_at_any_size += usize::from(any);
    }
    // A fourth of 10 % for each size is 75 of 3000, with a standard deviation of 8.6. Where more than a
    // hash in a hundred is a solution, the bound stays further below the truth.
    assert!(wrong.iter().all(|wrong| *wrong <= 110), "{wrong:?}");
    assert!(wrong[..2].iter().all(|wrong| *wrong >= 40), "{wrong:?}");
    // Whoever picks the size that flatters them is still wrong in at most 10 %, 300 of 3000.
    assert!(wrong_at_any_size > wrong[0] && wrong_at_any_size <= 300, "{wrong_at_any_size}");
}

#[test]
fn the_bound_agrees_with_a_sum_of_the_other_tail() {
    for count in SOLUTION_COUNTS {
        for confidence in [0.5, 0.9, 0.999] {
            let limit = target_of_top(u64::MAX >> 30);
            let mean = proven_hashes(&limit, count, confidence) as f64 / 2_f64.powi(30);
            // P(Poisson(mean) < count), from 0 upwards; in logarithms, because exp(-4096) is 0.
            let mut ln_term = -mean;
            let mut below = ln_term.exp();
            for at in 1..count {
                ln_term += (mean / at as f64).ln();
                below += ln_term.exp();
            }
            let error = (1.0 - confidence) / SOLUTION_COUNTS.len() as f64;
            assert!((1.0 - below - error).abs() < 1e-6, "{count} {confidence} {below}");
        }
    }
}

#[test]
fn bounds_at_the_ends_of_the_number_range() {
    for count in SOLUTION_COUNTS {
        let everything = proven_hashes(&Target::MAX, count, 0.999);
        assert!(everything <= count as u64, "{count} solutions that any hash meets: {everything}");
        let zero = Target::from_le_bytes([0; 32]);
        assert_eq!(proven_hashes(&zero, count, 0.999), u64::MAX, "saturates");
        assert_eq!(estimated_hashes(&zero, count), u64::MAX);
        assert!(!is_inflated(&zero, count, u64::MAX));
        assert!(is_inflated(&Target::MAX, count, u64::MAX));
        assert!(!is_inflated(&Target::MAX, count, 0));
    }
}

fn terms(algorithm: Algorithm) -> Terms {
    Terms {
        algorithm,
        seed: [7; 32],
        challenge: "asked by Ann".to_owned(),
        machine: "a machine, 2 threads".to_owned(),
        kernels: "portable".to_owned(),
        threads: "1".to_owned(),
    }
}

/// After so many hashes on each of the kernels.
fn collector(kernels: &[Kernel], hashes: u64) -> Collector {
    let collector = Collector::new(terms(kernels[0].algorithm()));
    for &kernel in kernels {
        let search = Search { kernel, collector: &collector };
        let mut units = search.units();
        let mut left = hashes;
        while left > 0 {
            left = left.saturating_sub(units(left.min(10_000)));
        }
    }
    collector
}

fn proof(algorithm: Algorithm) -> Proof {
    let kernels: Vec<Kernel> = Kernel::available(algorithm).collect();
    collector(&kernels, 100_000).finish(1234).expect("enough hashes for the second size")
}

#[test]
fn honest_proofs_pass_and_read_back_as_written() {
    let mut file = String::new();
    for algorithm in Algorithm::ALL {
        let proof = proof(algorithm);
        let kernels = Kernel::available(algorithm).count() as u64;
        assert_eq!(proof.hashes, 100_000 * kernels, "every hash is counted");
        let verified = proof.verify(0.999).expect("an honest proof");
        assert!(verified.proven_hashes <= proof.hashes);
        assert!(verified.proven_hashes > proof.hashes / 2, "{verified:?}");
        assert!(verified.proven_hashes < verified.estimated_hashes);
        let surer = proof.verify(0.999_999).expect("an honest proof").proven_hashes;
        assert!(surer < verified.proven_hashes, "more confidence, fewer hashes");
        let text = proof.to_string();
        assert_eq!(read_proofs(text.as_bytes()), Ok(vec![proof]));
        file.push_str(&text);
    }
    assert_eq!(read_proofs(file.as_bytes()).expect("one of each").len(), 2);
}

#[test]
fn too_few_hashes_give_no_proof() {
    let collector = Collector::new(terms(Algorithm::Blake3));
    assert_eq!(collector.finish(0), None);
}

#[test]
fn the_longest_run_keeps_no_more_than_a_proof_holds() {
    let collector = Collector::new(terms(Algorithm::Sha256d));
    let before = collector.limit();
    let mut header = collector.next_header();
    // Every nonce is offered, so about one in 256 of them is kept at first.
    for nonce in 0..2_200_000 {
        header.bytes[76..].copy_from_slice(&u32::to_le_bytes(nonce));
        collector.offer(header.index, nonce, &header.bytes);
    }
    collector.count(2_200_000);
    assert!(collector.limit() < before, "the limit falls as better solutions come");
    let proof = collector.finish(0).expect("enough");
    assert_eq!(proof.solutions.len(), SOLUTION_COUNTS[3]);
    assert!(proof.to_string().len() <= PROOF_FILE_BYTES_MAX);
    let verified = proof.verify(0.999).expect("an honest proof");
    assert!((2_000_000..=2_200_000).contains(&verified.proven_hashes), "{verified:?}");
}

#[test]
fn tampered_proofs_are_refused() {
    let honest = proof(Algorithm::Sha256d);
    let refused =
        |what: &str, tamper: &dyn Fn(&mut Proof), expected: &dyn Fn(&VerifyError) -> bool| {
            let mut proof = honest.clone();
            tamper(&mut proof);
            assert_ne!(proof, honest, "{what}: nothing was changed");
            match proof.verify(0.999) {
                Err(error) => assert!(expected(&error), "{what}: {error:?}"),
                Ok(verified) => panic!("{what}: {verified:?}"),
            }
        };
    let above = |error: &VerifyError| matches!(error, VerifyError::AboveLimit(_));
    let order = |error: &VerifyError| matches!(error, VerifyError::Order(_));
    let count = |error: &VerifyError| matches!(error, VerifyError::Count(_));
    let inflated = |error: &VerifyError| matches!(error, VerifyError::Inflated { .. });
    let unreached = |error: &VerifyError| *error == VerifyError::LimitNotReached;

    refused("another nonce", &|p| p.solutions[9].nonce += 1, &above);
    refused("another header", &|p| p.solutions.last_mut().unwrap().index += 1, &above);
    refused("another seed", &|p| p.terms.seed[31] ^= 1, &above);
    refused("another challenge", &|p| p.terms.challenge.push('!'), &above);
    refused("another machine", &|p| p.terms.machine.push('!'), &above);
    refused("another kernel", &|p| p.terms.kernels.push('!'), &above);
    refused("other threads", &|p| p.terms.threads.push('6'), &above);
    refused("another algorithm", &|p| p.terms.algorithm = Algorithm::Blake3, &above);
    refused("a solution twice", &|p| p.solutions[1] = p.solutions[0], &order);
    refused("another order", &|p| p.solutions.swap(3, 4), &order);
    refused("one less", &|p| p.solutions.truncate(p.solutions.len() - 1), &count);
    refused("none", &|p| p.solutions.clear(), &count);
    refused("a higher limit", &|p| p.limit = Target::MAX, &unreached);
    refused("a lower limit", &|p| p.limit = target_of_top(1 << 50), &above);
    refused("twice the hashes", &|p| p.hashes *= 2, &inflated);
    refused("absurd hashes", &|p| p.hashes = u64::MAX, &inflated);
}

#[test]
fn files_that_are_no_proof_are_refused_where_they_break() {
    let text = proof(Algorithm::Blake3).to_string();
    let lines: Vec<&str> = text.lines().collect();
    // Cut anywhere, it is truncated, or what is left of a line is not one.
    for end in (0..text.len()).step_by(7).chain([text.len() - 1]) {
        let error = read_proofs(&text.as_bytes()[..end]).unwrap_err();
        assert!(matches!(error, ProofError::Truncated { .. }), "{end}: {error:?}");
    }
    let with = |line: usize, replacement: &str| {
        let mut lines = lines.clone();
        lines[line - 1] = replacement;
        read_proofs((lines.join("\n") + "\n").as_bytes()).unwrap_err()
    };
    let long = format!("machine {}", "m".repeat(201));
    let cases = [
        (2, "algorithm md5"),
        (2, "algorithm  blake3"),
        (3, "seed 07"),
        (3, "seed 070707070707070707070707070707070707070707070707070707070707070G"),
        (3, "seed 07070707070707070707070707070707070707070707070707070707070707AA"),
        (4, "challenge"),
        (5, long.as_str()),
        (5, "machine \x1b[31m"),
        (8, "hashes 18446744073709551616"),
        (8, "hashes +1"),
        (8, "hashes 01"),
        (8, "hashes -1"),
        (10, "limit ff"),
        (11, "solutions 4097"),
        (11, "solutions 18446744073709551615"),
        (11, "solutions 1"),
        (12, "0"),
        (12, "0 4294967296"),
        (12, "0  1"),
        (12, "0 1 "),
    ];
    for (line, replacement) in cases {
        // A count that is too low shows where the end should stand.
        let at = if replacement == "solutions 1" { 13 } else { line };
        match with(line, replacement) {
            ProofError::Malformed { line, .. } => assert_eq!(line, at, "{replacement}"),
            error => panic!("{replacement}: {error:?}"),
        }
    }
    assert_eq!(with(1, "proofward work proof 2"), ProofError::NotAProof);
    assert_eq!(read_proofs(b"{\"schema\":1}"), Err(ProofError::NotAProof));
    assert_eq!(
        read_proofs(format!("{text}{text}").as_bytes()),
        Err(ProofError::Repeated { line: lines.len() + 1, algorithm: Algorithm::Blake3 })
    );
    let mut long = text.into_bytes();
    long.resize(PROOF_FILE_BYTES_MAX + 1, b'x');
    assert_eq!(read_proofs(&long), Err(ProofError::TooLong));
}

#[test]
fn no_change_of_a_byte_is_accepted_beyond_what_nothing_supports() {
    // One kernel that every machine has: the same proof everywhere, so no lucky change on some.
    let portable = Kernel::available(Algorithm::Blake3).find(|kernel| kernel.isa() == "portable");
    let collector = collector(&[portable.expect("always there")], 100_000);
    let honest = collector.finish(1234).expect("enough hashes");
    let text = honest.to_string();
    let mut random = SplitMix64::new(2);
    let mut accepted = 0;
    for round in 0..3000 {
        let mut bytes = text.clone().into_bytes();
        let at = usize::try_from(random.next_u64() % bytes.len() as u64).expect("a length");
        let byte = random.next_u64().to_le_bytes()[0];
        match round % 3 {
            0 => bytes[at] = byte,
            1 => bytes.insert(at, byte),
            _ => drop(bytes.remove(at)),
        }
        let Ok(proofs) = read_proofs(&bytes) else { continue };
        assert_eq!(proofs.len(), 1);
        if proofs[0].verify(0.999).is_ok() {
            accepted += 1;
            let claims = Proof { hashes: 0, milliseconds: 0, ..proofs[0].clone() };
            assert_eq!(claims, Proof { hashes: 0, milliseconds: 0, ..honest.clone() });
        }
    }
    // A smaller claim and another time are the prover's own affair; few bytes say those.
    assert!(accepted < 60, "{accepted}");
}

#[test]
fn headers_are_bound_to_the_terms_and_never_repeat() {
    let collector = Collector::new(terms(Algorithm::Sha256d));
    let headers: Vec<_> = (0..1000).map(|_| collector.next_header()).collect();
    let mut distinct: Vec<_> = headers.iter().map(|header| header.bytes).collect();
    distinct.sort_unstable();
    distinct.dedup();
    assert_eq!(distinct.len(), headers.len());
    let mut other = terms(Algorithm::Sha256d);
    other.seed[0] ^= 1;
    assert_ne!(Collector::new(other).next_header().bytes, headers[0].bytes);
    assert!(Solution { index: 1, nonce: 0 } > Solution { index: 0, nonce: u32::MAX });
}
