//! Every SHA-512 kernel by name against the scalar oracle, the same suite against kernels that are wrong
//! on purpose, and batches of messages of any length.

use proofward::engine::sha512::sha512_many;
use proofward::hash::sha512::{ONE_BLOCK_BYTES_MAX, hash_block, sha512, write_block};
use proofward::kernel::conformance::Disagreement;
use proofward::kernel::sha512::conformance;
use proofward::kernel::{KernelError, Sha512Kernel};

use crate::wrong::sha512::{Flaw, Wrong};

/// Random blocks for each row.
const RANDOM: u32 = 200_000;

/// Runs the whole suite on one row, or says that this CPU cannot.
fn check_row(isa: &str) {
    let kernel = match Sha512Kernel::by_name(isa) {
        Ok(kernel) => kernel,
        Err(KernelError::NotOnThisCpu { .. }) => {
            println!("not on this CPU: sha512 {isa}");
            return;
        }
        Err(error) => panic!("{error}"),
    };
    assert_eq!(kernel.self_test(), Ok(()));
    let seed = 0x0070_726f_6f66;
    if let Err(disagreement) = conformance::full(&kernel, seed, RANDOM) {
        panic!("{kernel:?}, seed {seed}: {disagreement}");
    }
    println!("ran: sha512 {isa}, {RANDOM} random blocks");
}

macro_rules! row_tests {
    ($($test:ident: $isa:literal),* $(,)?) => {
        const TESTED: &[&str] = &[$($isa),*];
        $(#[test]
        fn $test() {
            check_row($isa);
        })*
    };
}

#[cfg(target_arch = "x86_64")]
row_tests! { avx512: "avx512", avx2: "avx2", portable: "portable" }

#[cfg(not(target_arch = "x86_64"))]
row_tests! { portable: "portable" }

/// Prints what the tests above could run, and fails if a row has no test or if one that
/// `KERNELS_MUST_RUN` names is missing here.
#[test]
fn report() {
    let Err(KernelError::Unknown { known, .. }) = Sha512Kernel::by_name("") else {
        panic!("no kernel has an empty name");
    };
    assert_eq!(known, TESTED.join(", "), "each row of the table has a test by name");
    let must_run = std::env::var("KERNELS_MUST_RUN").unwrap_or_default();
    let mut missing = Vec::new();
    for isa in TESTED {
        match Sha512Kernel::by_name(isa) {
            Ok(kernel) => {
                assert_eq!(kernel.isa(), *isa);
                assert!(Sha512Kernel::available().any(|other| other == kernel));
            }
            Err(KernelError::NotOnThisCpu { name, available, .. }) => {
                assert_eq!(name, *isa);
                assert!(available.ends_with("portable"));
                assert!(!must_run.split(',').any(|must| must == *isa), "sha512 {isa} must run");
                missing.push(*isa);
            }
            Err(error) => panic!("{error}"),
        }
    }
    let ran: Vec<_> = Sha512Kernel::available().map(Sha512Kernel::isa).collect();
    assert_eq!(Some(&Sha512Kernel::best().isa()), ran.first());
    println!("ran: sha512 {}; not on this CPU: {missing:?}", ran.join(", "));
}

#[test]
fn the_suite_passes_a_right_kernel_and_catches_each_wrong_one() {
    assert_eq!(conformance::full(&Wrong(None), 7, 1000), Ok(()));
    for flaw in Flaw::ALL {
        // All of them at start-up too.
        assert!(conformance::quick(&Wrong(Some(flaw))).is_err(), "{flaw:?} passed");
        assert!(conformance::full(&Wrong(Some(flaw)), 7, 1000).is_err(), "{flaw:?} passed");
    }
}

#[test]
fn a_wrong_digest_is_reported_with_both_values() {
    let wrong = Wrong(Some(Flaw::TailMessage));
    let caught = conformance::check_blocks(&wrong, "zero", &[[0; 128]; 3]).unwrap_err();
    let Disagreement::Digest { index: 2, count: 3, expected, found, .. } = &caught else {
        panic!("{caught}");
    };
    assert_eq!(*found, "00".repeat(64));
    assert_eq!(*expected, hex::encode(hash_block(&[0; 128])));
}

/// The examples of FIPS 180: one block and, with 112 bytes, two.
#[test]
fn known_answers() {
    let abc = "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a\
               2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f";
    let long = "8e959b75dae313da8cf4f72814fc143f8f7779c6eb9f7fa17299aeadb6889018\
                501d289e4900f7e4331b99dec4b5433ac7d329eeb6dd26545e96e55b874be909";
    let alphabet = b"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmn\
                     hijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu";
    assert_eq!(alphabet.len(), ONE_BLOCK_BYTES_MAX + 1);
    for kernel in Sha512Kernel::available() {
        let mut digests = Vec::new();
        sha512_many(kernel, [[b"abc".as_slice()], [alphabet]], &mut digests);
        assert_eq!(
            digests.into_iter().map(hex::encode).collect::<Vec<_>>(),
            [abc, long],
            "{kernel:?}"
        );
    }
}

fn bytes(seed: usize, len: usize) -> Vec<u8> {
    (0..len).map(|i| ((seed * 131 + i * 7) ^ (i >> 3)).to_le_bytes()[0]).collect()
}

/// Compares a batch with the oracle, message by message; what stood in the list before stays.
fn check_batch(kernel: Sha512Kernel, messages: &[[Vec<u8>; 3]]) {
    let before = [0xa5; 64];
    let mut digests = vec![before];
    let parts = messages.iter().map(|message| message.each_ref().map(Vec::as_slice));
    sha512_many(kernel, parts.clone(), &mut digests);
    assert_eq!(digests.len(), 1 + messages.len());
    assert_eq!(digests[0], before);
    for (index, (digest, parts)) in digests[1..].iter().zip(parts).enumerate() {
        let lens = parts.map(<[u8]>::len);
        assert_eq!(*digest, sha512(parts), "{kernel:?}, message {index} of {lens:?}");
    }
}

#[test]
fn messages_of_every_length_hash_as_the_oracle_says() {
    // Each length with the cuts between its parts elsewhere, alone, beside longer ones, and all at once.
    let lens: Vec<usize> = (0..=ONE_BLOCK_BYTES_MAX + 1).chain([127, 128, 200, 1000]).collect();
    let message = |seed: usize, len: usize| {
        let all = bytes(seed, len);
        let (first, second) = (seed * 5 % (len + 1), seed * 11 % (len + 1));
        let (first, second) = (first.min(second), first.max(second));
        [all[..first].to_vec(), all[first..second].to_vec(), all[second..].to_vec()]
    };
    let all: Vec<_> = lens.iter().zip(0..).map(|(len, seed)| message(seed, *len)).collect();
    let mixed: Vec<_> =
        (0..600).map(|seed| message(seed, if seed % 3 == 0 { 112 + seed } else { 96 })).collect();
    for kernel in Sha512Kernel::available() {
        for one in &all {
            check_batch(kernel, std::slice::from_ref(one));
        }
        check_batch(kernel, &all);
        check_batch(kernel, &mixed);
    }
}

#[test]
fn batches_of_every_size_hash_as_the_oracle_says() {
    let challenge = |seed: usize| [bytes(seed, 32), bytes(seed + 1, 32), bytes(seed + 2, 32)];
    let messages: Vec<_> = (0..1025).map(challenge).collect();
    for kernel in Sha512Kernel::available() {
        let around_chunks = [127, 128, 129, 255, 256, 257, 1023, 1024, 1025];
        for count in (0..=66).chain(around_chunks) {
            check_batch(kernel, &messages[..count]);
        }
    }
}

#[test]
fn a_block_is_the_message_and_its_padding() {
    let mut block = [0xa5; 128];
    assert!(write_block([b"ab", b"", b"c"], &mut block));
    assert_eq!(block[..4], *b"abc\x80");
    assert!(block[4..127].iter().all(|byte| *byte == 0));
    assert_eq!(block[127], 24);
    assert!(write_block([&[7; 60], &[7; 51]], &mut block));
    assert_eq!(block[110..112], [7, 0x80]);
    assert_eq!(block[112..], (111 * 8_u128).to_be_bytes());
    assert!(!write_block([&[7; 60], &[7; 52]], &mut block));
    assert!(!write_block([[7; 112].as_slice(), &[]], &mut block));
    assert!(!write_block([[].as_slice(), &[7; 1 << 20]], &mut block));
}
