//! Every kernel by name against the scalar oracle, and the same suite against kernels that are wrong on
//! purpose.

mod sha512;
mod wrong;

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

use proofward::hash::{Algorithm, hash_header};
use proofward::kernel::conformance::{self, Disagreement};
use proofward::kernel::{self, Hits, Job, Kernel, KernelError, NonceRange};
use proofward::primitives::{HeaderBytes, Target};
use wrong::{Flaw, Wrong};

/// Random messages of each kind for the fastest row of an algorithm, and for the others.
const RANDOM_FASTEST: u32 = 10_000_000;
const RANDOM_OTHERS: u32 = 200_000;

/// Runs the whole suite on one row, or says that this CPU cannot.
fn check_row(algorithm: Algorithm, isa: &str) {
    let kernel = match Kernel::by_name(algorithm, isa) {
        Ok(kernel) => kernel,
        Err(KernelError::NotOnThisCpu { .. }) => {
            println!("not on this CPU: {algorithm} {isa}");
            return;
        }
        Err(error) => panic!("{error}"),
    };
    let is_fastest = Kernel::available(algorithm).next() == Some(kernel);
    let random = if is_fastest { RANDOM_FASTEST } else { RANDOM_OTHERS };
    let seed = 0x0070_726f_6f66;
    if let Err(disagreement) = conformance::full(&kernel, seed, random) {
        panic!("{kernel:?}, seed {seed}: {disagreement}");
    }
    println!("ran: {algorithm} {isa}, {random} random headers");
}

macro_rules! row_tests {
    ($($test:ident: $algorithm:ident $isa:literal),* $(,)?) => {
        const TESTED: &[(Algorithm, &str)] = &[$((Algorithm::$algorithm, $isa)),*];
        $(#[test]
        fn $test() {
            check_row(Algorithm::$algorithm, $isa);
        })*
    };
}

#[cfg(target_arch = "x86_64")]
row_tests! {
    sha256d_avx512: Sha256d "avx512",
    blake3_avx512: Blake3 "avx512",
    sha256d_sha_ni: Sha256d "sha-ni",
    sha256d_avx2: Sha256d "avx2",
    blake3_avx2: Blake3 "avx2",
    sha256d_sse41: Sha256d "sse4.1",
    blake3_sse41: Blake3 "sse4.1",
    sha256d_portable: Sha256d "portable",
    blake3_portable: Blake3 "portable",
}

#[cfg(not(target_arch = "x86_64"))]
row_tests! {
    sha256d_portable: Sha256d "portable",
    blake3_portable: Blake3 "portable",
}

/// Prints what the tests above could run, and fails if a row has no test or if one that
/// `KERNELS_MUST_RUN` names (by instruction set, separated by commas) is missing here.
#[test]
fn report() {
    let listed: Vec<_> = kernel::table().map(|row| (row.algorithm, row.isa)).collect();
    assert_eq!(listed, TESTED, "each row of the table has a test by name");
    let names = |available: bool| {
        let rows = kernel::table().filter(|row| row.available == available);
        let names: Vec<_> = rows.map(|row| format!("{} {}", row.algorithm, row.isa)).collect();
        if names.is_empty() { "-".to_owned() } else { names.join(", ") }
    };
    println!("ran: {}; not on this CPU: {}", names(true), names(false));
    let must_run = std::env::var("KERNELS_MUST_RUN").unwrap_or_default();
    for isa in must_run.split(',').filter(|isa| !isa.is_empty()) {
        let rows: Vec<_> = kernel::table().filter(|row| row.isa == isa).collect();
        assert!(!rows.is_empty(), "KERNELS_MUST_RUN names no kernel: {isa:?}");
        for row in rows {
            assert!(row.available, "{} {isa} must run and this CPU cannot", row.algorithm);
        }
    }
}

#[test]
fn every_available_kernel_passes_its_self_test() {
    for kernel in Algorithm::ALL.into_iter().flat_map(Kernel::available) {
        assert_eq!(kernel.self_test(), Ok(()));
    }
}

#[test]
fn names_that_no_row_has_are_refused_with_those_that_exist() {
    for (algorithm, name) in [
        (Algorithm::Sha256d, "avx1024"),
        (Algorithm::Sha256d, ""),
        (Algorithm::Sha256d, "AVX2"),
        (Algorithm::Blake3, "sha-ni"),
    ] {
        let error = Kernel::by_name(algorithm, name).unwrap_err();
        let KernelError::Unknown { known, .. } = &error else { panic!("{error}") };
        let of_algorithm = kernel::table().filter(|row| row.algorithm == algorithm);
        assert_eq!(*known, of_algorithm.map(|row| row.isa).collect::<Vec<_>>().join(", "));
        assert!(error.to_string().contains("portable"), "{error}");
    }
}

#[test]
fn by_name_agrees_with_the_table() {
    for row in kernel::table() {
        match Kernel::by_name(row.algorithm, row.isa) {
            Ok(kernel) => {
                assert!(row.available);
                assert_eq!((kernel.algorithm(), kernel.isa()), (row.algorithm, row.isa));
                assert_eq!(kernel.lanes(), row.lanes);
                assert!(Kernel::available(row.algorithm).any(|other| other == kernel));
            }
            Err(KernelError::NotOnThisCpu { name, available, .. }) => {
                assert!(!row.available);
                assert_eq!(name, row.isa);
                assert!(available.ends_with("portable"));
            }
            Err(error) => panic!("{error}"),
        }
    }
}

#[test]
fn a_job_for_another_algorithm_is_refused_before_anything_runs() {
    let kernel = Kernel::by_name(Algorithm::Blake3, "portable").unwrap();
    let job = Job::new(Algorithm::Sha256d, &[0; 80], Target::MAX);
    let mut hits = Hits::new();
    let outcome =
        catch_unwind(AssertUnwindSafe(|| kernel.search(&job, NonceRange::ALL, &mut hits)));
    assert!(outcome.is_err(), "{outcome:?}");
    assert!(hits.as_slice().is_empty());
}

#[test]
fn the_suite_passes_a_right_kernel_and_catches_each_wrong_one() {
    for algorithm in Algorithm::ALL {
        let right = Wrong { algorithm, flaw: None };
        assert_eq!(conformance::full(&right, 7, 1000), Ok(()));
        for flaw in Flaw::ALL {
            let caught = conformance::full(&Wrong { algorithm, flaw: Some(flaw) }, 7, 1000);
            assert!(caught.is_err(), "{algorithm} kernel with {flaw:?} passed");
        }
    }
}

#[test]
fn the_start_up_test_catches_wrong_hashes_and_lost_lanes() {
    for algorithm in Algorithm::ALL {
        assert_eq!(conformance::quick(&Wrong { algorithm, flaw: None }), Ok(()));
        for flaw in [
            Flaw::Rotation,
            Flaw::OneLaneOfTheSearch,
            Flaw::LastLane,
            Flaw::RangeEndsEarly,
            Flaw::RangeEndsLate,
            Flaw::StrictTarget,
            Flaw::TailMessage,
            Flaw::SwappedLanes,
        ] {
            let caught = conformance::quick(&Wrong { algorithm, flaw: Some(flaw) });
            assert!(caught.is_err(), "{algorithm} kernel with {flaw:?} passed");
        }
    }
}

#[test]
fn steps_that_forget_the_state_before_them_are_caught() {
    let (algorithm, flaw) = (Algorithm::Sha256d, Some(Flaw::ForgottenState));
    let caught = conformance::quick(&Wrong { algorithm, flaw });
    assert!(matches!(caught, Err(Disagreement::Digest { .. })), "{caught:?}");
}

#[test]
fn a_wrong_digest_is_reported_with_both_values() {
    let wrong = Wrong { algorithm: Algorithm::Sha256d, flaw: Some(Flaw::TailMessage) };
    let caught = conformance::check_headers(&wrong, "zero", &[[0; 80]; 3]).unwrap_err();
    let Disagreement::Digest { index: 2, count: 3, expected, found, .. } = &caught else {
        panic!("{caught}");
    };
    assert_eq!(*found, "00".repeat(32));
    assert_eq!(*expected, hex::encode(hash_header(Algorithm::Sha256d, &[0; 80])));
}

/// Real headers in groups of 1 to 33, and again with one bit flipped in each, at every byte position
/// in turn.
#[test]
fn real_headers_and_their_bit_flips_hash_as_the_oracle_says() {
    let Some(data) = std::env::var_os("PROOFWARD_DATA").map(PathBuf::from) else {
        println!("skipped: PROOFWARD_DATA is not set");
        return;
    };
    for file in ["mainnet_0_32260.bin", "signet_0_2015.bin", "regtest_151.bin"] {
        let bytes = fs::read(data.join("headers").join(file)).unwrap();
        let (headers, rest) = bytes.as_chunks::<80>();
        assert!(rest.is_empty() && !headers.is_empty(), "{file} holds whole headers");
        let flipped: Vec<HeaderBytes> = headers
            .iter()
            .enumerate()
            .map(|(i, header)| {
                let mut flipped = *header;
                flipped[i % 80] ^= 1 << (i / 80 % 8);
                flipped
            })
            .collect();
        for kernel in Algorithm::ALL.into_iter().flat_map(Kernel::available) {
            for headers in [headers, &flipped] {
                let mut at = 0;
                for count in (1..=33).cycle() {
                    let end = headers.len().min(at + count);
                    if at == end {
                        break;
                    }
                    conformance::check_headers(&kernel, "real", &headers[at..end])
                        .unwrap_or_else(|error| panic!("{kernel:?}, {file} from {at}: {error}"));
                    at = end;
                }
            }
        }
    }
}
