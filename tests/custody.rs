//! Custody of records: content keys, shares, seals. What opens, and above all what does not.

#![allow(clippy::unwrap_used, reason = "a helper of tests fails the test")]

use std::os::unix::fs::PermissionsExt as _;

use proofward::ledger::policy::{
    Draft, Leaf, Place, Purpose, Purposes, Role, RoleRef, Together, Window,
};
use proofward::ledger::signature::PubKey;
use proofward::ledger::transaction::{CoreId, Party};
use proofward::primitives::BlockHash;
use proofward::wallet::SecretKey;
use proofward::wallet::custody::content::{
    BlobOpenError, CONTENT_BYTES_MAX, ContentError, ContentKey, padded_length,
};
use proofward::wallet::custody::package::{Guardians, Package, PackageError, Sealed};
use proofward::wallet::custody::release::{Release, ReplyKey};
use proofward::wallet::custody::sealing::{SealError, SealKey, SealSecret, Use};
use proofward::wallet::custody::sharing::{
    CombineError, DealError, Dealing, Member, RecordEpoch, Share, Slip, combine, deal,
};
use proofward::wallet::handout::{self, HandoutError, HeardKeys, PolicyBranch};
use proofward::wallet::record::{
    KeptEpoch, KeptPolicy, KeptRecord, Owners, RecordError, RecordFolder, RecordName,
};

fn person(number: u8) -> SecretKey {
    SecretKey::from_seed(&[number; 32])
}

fn record(number: u8) -> RecordEpoch {
    RecordEpoch { rid: person(number).public_key(), epoch: 0 }
}

fn members(count: u8, required: &[u8]) -> Vec<Member> {
    (0..count)
        .map(|i| Member { key: person(100 + i).public_key(), is_required: required.contains(&i) })
        .collect()
}

fn shares(dealing: &Dealing) -> Vec<Share> {
    dealing.slips.iter().map(|slip| slip.share.clone()).collect()
}

/// Every subset of `0..n`.
fn subsets(n: usize) -> impl Iterator<Item = Vec<usize>> {
    (0..1_usize << n).map(move |bits| (0..n).filter(|i| bits >> i & 1 == 1).collect())
}

#[test]
fn content_opens_under_its_key_for_its_record_only() {
    let key = ContentKey::generate().unwrap();
    let other = ContentKey::generate().unwrap();
    let of = record(1);
    for length in [0, 1, 4095, 4096, 4097, 100_000] {
        let content = vec![0x80; length];
        let blob = key.seal(&of, &content).unwrap();
        assert_eq!(*key.open(&of, &blob).unwrap(), content);
        assert_eq!(blob.len(), padded_length(length) + 41);
        assert_eq!(other.open(&of, &blob), Err(BlobOpenError::WrongKey));
        assert_eq!(key.open(&record(2), &blob), Err(BlobOpenError::WrongKey));
        let later = RecordEpoch { epoch: 1, ..of };
        assert_eq!(key.open(&later, &blob), Err(BlobOpenError::WrongKey));
    }
    let mut zeros_at_the_end = vec![7; 10];
    zeros_at_the_end.extend([0; 50]);
    let blob = key.seal(&of, &zeros_at_the_end).unwrap();
    assert_eq!(*key.open(&of, &blob).unwrap(), zeros_at_the_end);
    for at in (0..blob.len()).step_by(97) {
        let mut changed = blob.clone();
        changed[at] ^= 1;
        assert!(key.open(&of, &changed).is_err(), "bit of byte {at}");
        assert!(key.open(&of, &blob[..at]).is_err(), "cut at {at}");
    }
    let error = key.seal(&of, &vec![0; CONTENT_BYTES_MAX + 1]).unwrap_err();
    assert_eq!(error, ContentError::TooLong(CONTENT_BYTES_MAX + 1));
}

#[test]
fn a_blob_tells_a_size_class_and_nothing_else() {
    assert_eq!(padded_length(0), padded_length(4095));
    let mut last = 0;
    for content in (0..5_000_000).step_by(997) {
        let padded = padded_length(content);
        assert!(padded > content && padded >= last);
        assert!(content < 4096 || padded - content <= content / 3, "{content}: {padded}");
        last = padded;
    }
    let (key, of) = (ContentKey::generate().unwrap(), record(1));
    let (first, second) = (key.seal(&of, b"same").unwrap(), key.seal(&of, b"same").unwrap());
    assert_ne!(first, second, "a fresh nonce each time");
}

#[test]
fn a_person_opens_what_is_sealed_to_the_key_that_names_them() {
    for number in 0..50 {
        let key = person(number);
        let to = SealKey::of_person(&key.public_key()).unwrap();
        assert_eq!(SealSecret::of_person(&key).public(), to);
    }
    let used = Use { info: b"test", of: b"record" };
    let to = SealKey::of_person(&person(1).public_key()).unwrap();
    let sealed = to.seal(used, b"secret").unwrap();
    let secret = SealSecret::of_person(&person(1));
    assert_eq!(secret.open(used, &sealed).unwrap().as_slice(), b"secret");
    assert!(SealSecret::of_person(&person(2)).open(used, &sealed).is_none());
    assert!(secret.open(Use { info: b"other", ..used }, &sealed).is_none());
    assert!(secret.open(Use { of: b"other", ..used }, &sealed).is_none());
    for at in 0..sealed.len() {
        let mut changed = sealed.clone();
        changed[at] ^= 0x40;
        assert!(secret.open(used, &changed).is_none(), "byte {at}");
        assert!(secret.open(used, &sealed[..at]).is_none(), "cut at {at}");
    }
    assert_eq!(SealKey([0; 32]).seal(used, b"secret"), Err(SealError::BadKey), "of small order");
    assert_eq!(SealKey::of_person(&PubKey([0xff; 32])), None);
}

#[test]
fn exactly_the_sets_that_the_scheme_names_give_the_key() {
    for (n, k, required) in
        [(2, 2, &[][..]), (5, 3, &[]), (5, 2, &[1]), (6, 3, &[0, 4]), (4, 4, &[2])]
    {
        let key = ContentKey::generate().unwrap();
        let of = record(1);
        let dealing = deal(&key, of, 0, k, &members(n, required)).unwrap();
        let all = shares(&dealing);
        for chosen in subsets(usize::from(n)) {
            let some: Vec<Share> = chosen.iter().map(|i| all[*i].clone()).collect();
            let missing = required.iter().find(|i| !chosen.contains(&usize::from(**i)));
            let expected = match missing {
                Some(index) => Some(CombineError::RequiredMissing(*index)),
                None if chosen.len() < usize::from(k) => {
                    Some(CombineError::TooFew { have: chosen.len(), need: k })
                }
                None => None,
            };
            let combined = combine(&of, &dealing.set, &some);
            match (combined, expected) {
                (Ok(combined), None) => assert_eq!(combined.as_bytes(), key.as_bytes()),
                (Err(error), Some(expected)) => assert_eq!(error, expected),
                (combined, expected) => panic!("{chosen:?}: {combined:?}, not {expected:?}"),
            }
        }
        // The same share twice is one share.
        let twice = vec![all[0].clone(); usize::from(n)];
        assert!(combine(&of, &dealing.set, &twice).is_err());
    }
}

#[test]
fn a_bad_share_is_named_and_spoils_nothing() {
    let (key, of) = (ContentKey::generate().unwrap(), record(1));
    let dealing = deal(&key, of, 0, 2, &members(4, &[3])).unwrap();
    let good = shares(&dealing);
    let bad = |change: &dyn Fn(&mut Share)| {
        let mut shares = vec![good[3].clone(), good[1].clone()];
        change(&mut shares[1]);
        combine(&of, &dealing.set, &shares).map(|_| ())
    };
    assert_eq!(bad(&|_| {}), Ok(()), "the nearest valid neighbour");
    for byte in 0..32 {
        assert_eq!(bad(&|share| share.value[byte] ^= 1), Err(CombineError::BadShare(1)));
    }
    assert_eq!(bad(&|share| share.salt[0] ^= 1), Err(CombineError::BadShare(1)));
    assert_eq!(bad(&|share| share.set = 1), Err(CombineError::BadShare(1)));
    assert_eq!(bad(&|share| share.index = 2), Err(CombineError::BadShare(2)));
    assert_eq!(bad(&|share| share.index = 255), Err(CombineError::BadShare(255)));
    assert_eq!(bad(&|share| share.value.push(0)), Err(CombineError::BadShare(1)));
    assert_eq!(bad(&|share| share.value.clear()), Err(CombineError::BadShare(1)));
    assert_eq!(bad(&|share| share.path.siblings[0][0] ^= 1), Err(CombineError::BadShare(1)));
    // Shares of another record, epoch or dealing.
    for other in [record(2), RecordEpoch { epoch: 1, ..of }, of] {
        let foreign = deal(&key, other, 0, 2, &members(4, &[3])).unwrap();
        let mixed = [good[3].clone(), shares(&foreign)[1].clone()];
        assert_eq!(combine(&of, &dealing.set, &mixed).map(|_| ()), Err(CombineError::BadShare(1)));
    }
}

#[test]
fn thresholds_that_protect_nothing_are_refused() {
    let (key, of) = (ContentKey::generate().unwrap(), record(1));
    let refused = |k, members: &[Member]| deal(&key, of, 0, k, members).unwrap_err();
    assert_eq!(refused(1, &members(3, &[])), DealError::Threshold { k: 1, n: 3 });
    assert_eq!(refused(4, &members(3, &[])), DealError::Threshold { k: 4, n: 3 });
    assert_eq!(refused(2, &members(33, &[])), DealError::Threshold { k: 2, n: 33 });
    assert_eq!(refused(2, &[]), DealError::Threshold { k: 2, n: 0 });
    let mut twice = members(3, &[]);
    twice[2].key = twice[0].key;
    assert_eq!(refused(2, &twice), DealError::Twice(twice[0].key));
    assert!(deal(&key, of, 0, 32, &members(32, &[])).is_ok());
}

#[test]
fn a_slip_reaches_its_guardian_and_a_release_its_reader() {
    let (key, of) = (ContentKey::generate().unwrap(), record(1));
    let dealing = deal(&key, of, 1, 2, &members(3, &[0])).unwrap();
    let sealed: Vec<Vec<u8>> = dealing
        .slips
        .iter()
        .enumerate()
        .map(|(i, slip)| slip.seal(&members(3, &[])[i].key).unwrap())
        .collect();
    // A guardian finds its own by trying: nothing on a sealed slip says whose it is.
    for (i, sealed) in sealed.iter().enumerate() {
        for j in 0..3_u8 {
            let opened = Slip::open(&person(100 + j), sealed);
            assert_eq!(opened.is_some(), i == usize::from(j));
        }
    }
    let lengths: Vec<usize> = sealed.iter().map(Vec::len).collect();
    assert!(lengths.iter().all(|length| *length == lengths[0]));

    let secret = SealSecret::generate().unwrap();
    let reply = ReplyKey(secret.public());
    let (request, other) = (CoreId([1; 32]), CoreId([2; 32]));
    let releases: Vec<Release> = (0..2_u8)
        .map(|i| {
            let slip = Slip::open(&person(100 + i), &sealed[usize::from(i)]).unwrap();
            slip.release(request, &reply).unwrap()
        })
        .collect();
    let opened: Vec<Share> =
        releases.iter().map(|release| release.open(&secret).unwrap()).collect();
    let combined = combine(&of, &dealing.set, &opened).unwrap();
    assert_eq!(combined.as_bytes(), key.as_bytes());
    // For another request, or under another key, it opens nothing.
    let moved = Release { request: other.0, ..releases[0].clone() };
    assert!(moved.open(&secret).is_none());
    assert!(releases[0].open(&SealSecret::generate().unwrap()).is_none());
    assert_ne!(releases[0].hash(), releases[1].hash());
    // Garbage of any length is nothing.
    for length in (0..5000).step_by(313) {
        let garbage = Release { request: request.0, sealed: vec![9; length] };
        assert!(garbage.open(&secret).is_none());
        assert!(Slip::open(&person(100), &vec![9; length]).is_none());
    }
}

/// Gives one byte for ever.
struct Constant(u8);

impl rand_core::TryRng for Constant {
    type Error = std::convert::Infallible;
    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        Ok(u32::from_le_bytes([self.0; 4]))
    }
    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        Ok(u64::from_le_bytes([self.0; 8]))
    }
    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Self::Error> {
        bytes.fill(self.0);
        Ok(())
    }
}

impl rand_core::TryCryptoRng for Constant {}

/// Two shares of one byte, over every secret and every coefficient that there is: whatever one share
/// says, every secret is behind it exactly once.
#[test]
fn one_share_of_two_leaves_every_secret_equally_likely() {
    for x in 0..4 {
        let mut behind = vec![[0_u32; 256]; 256];
        for secret in 0..=255_u8 {
            for coefficient in 0..=255_u8 {
                let mut draws = Constant(coefficient);
                let mut dealt = blahaj::Sharks(2).dealer_rng(&[secret], &mut draws);
                let share = Vec::from(&dealt.nth(x).unwrap());
                behind[usize::from(share[1])][usize::from(secret)] += 1;
            }
        }
        assert!(behind.iter().flatten().all(|count| *count == 1), "share {x}");
    }
}

/// The real thing: the bytes of each share, zero included, are spread evenly whatever the key is.
#[test]
fn the_bytes_of_shares_say_nothing() {
    const DEALINGS: usize = 1_000;
    for key in [[0; 32], [0xff; 32]] {
        let key = ContentKey::from_bytes(key.into());
        let mut counts = vec![[0_usize; 256]; 3];
        for _ in 0..DEALINGS {
            let dealing = deal(&key, record(1), 0, 3, &members(3, &[2])).unwrap();
            for (counts, slip) in counts.iter_mut().zip(&dealing.slips) {
                slip.share.value[..32].iter().for_each(|byte| counts[usize::from(*byte)] += 1);
            }
        }
        // Chi-square with 255 degrees of freedom: its mean is 255 and 450 is 8.6 deviations above.
        let expected = DEALINGS * 32 / 256;
        for counts in counts {
            let squares: usize = counts.iter().map(|count| count.abs_diff(expected).pow(2)).sum();
            assert!(squares / expected < 450, "{} against {expected}", squares / expected);
        }
    }
}

#[test]
fn a_sealed_record_opens_by_its_guardians_and_says_nothing_about_them() {
    let content = br#"{"resourceType":"DocumentReference"}"#;
    let (of, emergency) = (
        record(1),
        vec![members(3, &[])[0], Member { key: person(200).public_key(), is_required: false }],
    );
    let sets =
        [Guardians { k: 2, members: members(3, &[1]) }, Guardians { k: 2, members: emergency }];
    let sealed = Sealed::new(of, content, &sets).unwrap();
    assert_eq!(sealed.share_sets.len(), 2);
    let package = Package::decode(&sealed.package).unwrap();
    assert_eq!(package.encode(), sealed.package);

    let mut by_set: [Vec<Share>; 2] = Default::default();
    for number in [100, 101, 102, 200] {
        let slips = package.slips_of(&person(number));
        assert_eq!(slips.len(), if number == 100 { 2 } else { 1 }, "guardian {number}");
        for slip in slips {
            assert!(slip.is_committed(&person(number).public_key(), &sealed.share_sets));
            assert!(!slip.is_committed(&person(7).public_key(), &sealed.share_sets));
            by_set[usize::from(slip.share.set)].push(slip.share.clone());
        }
    }
    assert!(package.slips_of(&person(7)).is_empty());
    for (shares, set) in by_set.iter().zip(&sealed.share_sets) {
        let key = combine(&of, set, shares).unwrap();
        assert_eq!(key.open(&of, &sealed.blob).unwrap().as_slice(), content);
    }
    // Shares of the two sets do not add up.
    let mixed = [by_set[0][1].clone(), by_set[1][1].clone()];
    assert!(combine(&of, &sealed.share_sets[0], &mixed).is_err());

    // Four guardians and five look alike, and nothing of the content or the keys is in clear.
    let larger = [Guardians { k: 2, members: members(6, &[]) }];
    let other = Sealed::new(of, content, &larger).unwrap();
    assert_eq!(Package::decode(&other.package).unwrap().encode().len(), other.package.len());
    for bytes in [&sealed.blob, &sealed.package] {
        let holds = |needle: &[u8]| bytes.windows(needle.len()).any(|window| window == needle);
        assert!(!holds(b"DocumentReference") && !holds(&of.rid.0));
        assert!(!members(3, &[]).iter().any(|member| holds(&member.key.0)));
        assert!(!by_set.iter().flatten().any(|share| holds(&share.value[..32])));
    }
    for cut in (0..sealed.package.len()).step_by(41) {
        assert_eq!(Package::decode(&sealed.package[..cut]), None);
    }
    assert!(matches!(Sealed::new(of, content, &[]), Err(PackageError::Sets(0))));
}

/// One everyday leaf for a nurse, anywhere.
fn leaf_draft() -> Draft {
    let issuer = person(9).public_key().into();
    let terms = Leaf {
        salt: [0; 16],
        set: 0,
        readers: [0; 32],
        places: [0; 32],
        window: Some(Window { from: 0, to: u32::MAX }),
        daily: None,
        purposes: Purposes::of(&[Purpose::Treat]),
        need: vec![],
        k: 2,
        together: Together::Apart,
        together_within: 3,
        answer_within: 6,
        read_within: 20,
        delay: 0,
        max_reads: 1,
        price: 0,
        scope: [0; 32],
    };
    let readers = vec![RoleRef { role: Role::Nurse, issuer }];
    Draft { terms, readers, places: vec![Place::Anywhere] }
}

fn kept_record() -> KeptRecord {
    let (rid, owner) = (person(1), person(2).public_key());
    let sets = [
        Guardians { k: 2, members: members(3, &[1]) },
        Guardians { k: 2, members: members(2, &[]) },
    ];
    let sealed = Sealed::new(record(1), b"a finding", &sets).unwrap();
    let owners = Owners::of(&Party::Key(owner));
    let mut epoch = KeptEpoch::new(rid, &sealed, owners, owner, 4);
    epoch.policies.push(KeptPolicy::new(vec![("ward".into(), leaf_draft())]).unwrap());
    KeptRecord { genesis: BlockHash([7; 32]), epochs: vec![epoch] }
}

#[test]
fn an_owner_keeps_what_shows_every_leaf_and_guardian_and_no_share() {
    let dir = tempfile::tempdir().unwrap();
    let folder = RecordFolder::in_dir(dir.path());
    let name: RecordName = "finding".parse().unwrap();
    assert!(matches!(folder.read(&name), Err(RecordError::Missing { .. })));
    let kept = kept_record();
    let path = folder.create(&name, &kept).unwrap();
    assert_eq!(folder.create(&name, &kept), Err(RecordError::Exists { path: path.clone() }));
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let mut again = folder.read(&name).unwrap();
    assert_eq!(again, kept);
    let (epoch, spacing_s) = (again.latest(), 1);
    assert_eq!(epoch.guardians()[0].members, members(3, &[1]));
    let root = kept.latest().policies[0].tree(spacing_s).unwrap().root();
    let (policy, tree) = epoch.policy_of(&root, spacing_s).unwrap();
    assert_eq!(policy.leaf_named("ward"), Some(0));
    assert!(tree.branches()[0].is_sound());

    again.epochs.push(KeptEpoch { epoch: 1, ..kept_record().epochs.remove(0) });
    // The guardians' entries name the epoch, so those of another do not lead to the root.
    folder.replace(&name, &again).unwrap();
    assert!(matches!(folder.read(&name), Err(RecordError::File { .. })));
    folder.replace(&name, &kept).unwrap();
    assert_eq!(folder.list().unwrap(), std::slice::from_ref(&name));

    let text = std::fs::read(&path).unwrap();
    for at in (0..text.len()).step_by(7) {
        let mut changed = text.clone();
        changed[at] ^= 1;
        std::fs::write(&path, &changed).unwrap();
        // Refused, or a change of what nothing here commits to: a hash, a number, a seed.
        let _ = folder.read(&name);
        std::fs::write(&path, &text[..at]).unwrap();
        assert!(matches!(folder.read(&name), Err(RecordError::File { .. })), "cut at {at}");
    }
    std::fs::write(&path, &text).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
    assert!(matches!(folder.read(&name), Err(RecordError::Exposed { mode: 0o640, .. })));
}

#[test]
fn a_branch_is_handed_over_alone_and_a_changed_one_is_refused() {
    let kept = kept_record();
    let tree = kept.latest().policies[0].tree(1).unwrap();
    let given = kept.latest().handout(&tree.branches()[0]);
    let text = handout::to_text(&kept.genesis, &given);
    let (genesis, read) = handout::parse::<PolicyBranch>(text.as_bytes()).unwrap();
    assert_eq!((genesis, &read), (kept.genesis, &given));
    assert_eq!(read.branch.root(), Some(tree.root()));
    assert_eq!(read.only(|_| false, |_| true).branch.readers, []);
    let mut bad = given;
    bad.branch.places[0].salt[0] ^= 1;
    let text = handout::to_text(&kept.genesis, &bad);
    let error = handout::parse::<PolicyBranch>(text.as_bytes()).unwrap_err();
    assert!(matches!(error, HandoutError::Fault { .. }), "{error}");
    let error = handout::parse::<HeardKeys>(text.as_bytes()).unwrap_err();
    assert!(error.to_string().contains("proofward-presence"), "{error}");
}

#[test]
fn a_round_is_handed_over_whole_or_to_each_alone() {
    let (beacon, genesis) = (person(1), BlockHash([7; 32]));
    let keys = [2, 3, 4].map(|number| person(number).public_key());
    let round = HeardKeys::sign(&beacon, &genesis, 5, BlockHash([8; 32]), &keys).unwrap();
    let alone = round.only(&keys[1]).unwrap();
    let text = handout::to_text(&genesis, &alone);
    assert!(!text.contains(&keys[0].to_string()), "nobody else is named");
    let (_, read) = handout::parse::<HeardKeys>(text.as_bytes()).unwrap();
    assert_eq!(read.of(&keys[1]), round.of(&keys[1]));
    assert_eq!(read.of(&keys[0]), None);
    let elsewhere = handout::to_text(&BlockHash([9; 32]), &alone);
    let error = handout::parse::<HeardKeys>(elsewhere.as_bytes()).unwrap_err();
    assert!(error.to_string().contains("signature"), "of another chain: {error}");
    let stolen = HeardKeys { heard: vec![(keys[0], round.of(&keys[1]).unwrap().clone())] };
    let error = handout::parse::<HeardKeys>(handout::to_text(&genesis, &stolen).as_bytes());
    assert!(error.unwrap_err().to_string().contains("did not hear"));
    assert!(HeardKeys::sign(&beacon, &genesis, 5, BlockHash([8; 32]), &[]).is_err());
}
