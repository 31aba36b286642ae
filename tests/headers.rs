//! Header rules on real chains: the verdicts of the real-world data, one flipped bit anywhere, and the
//! same verdict from every kernel, thread count and way of reading. Small cases stand in `rules.rs`.

mod common;

use std::num::NonZeroUsize;

use proofward::consensus::{ChainSpec, Rule};
use proofward::engine::verify::{Failure, Report, Run, Verdict, Verifier};
use proofward::hash::Algorithm;
use proofward::kernel::Kernel;
use proofward::primitives::HeaderBytes;

fn headers_of(bytes: &[u8]) -> Vec<HeaderBytes> {
    let (headers, rest) = bytes.as_chunks::<80>();
    assert!(rest.is_empty(), "whole headers");
    headers.to_vec()
}

fn file(name: &str) -> Option<Vec<HeaderBytes>> {
    let path = common::data(&format!("headers/{name}"))?;
    Some(headers_of(&std::fs::read(path).expect("a readable file")))
}

fn verifier(threads: usize) -> Verifier {
    let kernel = Kernel::available(Algorithm::Sha256d).next().expect("the portable row");
    Verifier::new(kernel, NonZeroUsize::new(threads).expect("not zero")).expect("threads")
}

fn verdict(spec: &ChainSpec, headers: &[HeaderBytes]) -> Verdict {
    verifier(2).verify(&Run::from_height(spec, 0), headers).expect("headers")
}

fn report(verdict: Verdict) -> Report {
    match verdict {
        Verdict::Valid(report) => report,
        Verdict::Invalid(failure) => panic!("invalid: {failure:?}"),
    }
}

fn failure(verdict: Verdict) -> Failure {
    match verdict {
        Verdict::Invalid(failure) => failure,
        Verdict::Valid(report) => panic!("valid: {report:?}"),
    }
}

#[test]
fn the_real_chain_is_valid_with_its_work() {
    let Some(headers) = file("mainnet_0_32260.bin") else { return };
    let spec = ChainSpec::bitcoin();
    for (count, work) in [(32_257, "138545659653586"), (32_261, "138565982022938")] {
        let report = report(verdict(&spec, &headers[..count]));
        assert_eq!(report.count, count as u64);
        assert_eq!(report.chain_work.to_string(), work);
        assert_eq!(report.judged_from(Rule::BadDiffbits), Some(0));
        assert_eq!(report.judged_from(Rule::TimeTooNew), None, "no clock was given");
    }
}

#[test]
fn signet_and_regtest_are_valid_under_their_own_rules() {
    let Some(signet) = file("signet_0_2015.bin") else { return };
    let Some(regtest) = file("regtest_151.bin") else { return };
    assert_eq!(report(verdict(&ChainSpec::signet(), &signet)).count, 2016);
    assert_eq!(report(verdict(&ChainSpec::regtest(), &regtest)).count, 151);
}

#[test]
fn a9_a_target_above_the_limit_is_refused() {
    let Some(regtest) = file("regtest_151.bin") else { return };
    let failure = failure(verdict(&ChainSpec::bitcoin(), &regtest));
    assert_eq!((failure.height, failure.violation.rule()), (0, Rule::HighHash));
    assert!(failure.violation.to_string().contains("above the limit"), "{}", failure.violation);
}
