//! Defects read in other people's systems for medical records: MedRec (its contracts `Agent.sol` and
//! `Relationship.sol`, and the database beside them), a well-starred Fabric sample for health records, an
//! IPFS and Ethereum repository of the same kind. Each test opens with the defect that it guards against.

use bitcoin::hashes::{Hash as _, sha256, sha256d};

use crate::access::*;
use crate::ledger::{Key, NOW, easy_spec, memory_ledger};
use crate::opening::*;
use proofward::ledger::audit::Audit;
use proofward::ledger::block::Included;
use proofward::ledger::chain::{Release, Submitted};
use proofward::ledger::policy::{
    Draft, Leaf, Path, Place, PolicyTree, Purpose, Purposes, Role, RoleRef, Window,
};
use proofward::ledger::rules::isolation::Ids;
use proofward::ledger::state::{EntryKey, EventKind, HeldRecord, HeldRequest, RequestStatus};
use proofward::ledger::store::{Read as _, Table};
use proofward::ledger::transaction::attest::Claim;
use proofward::ledger::transaction::receipt::Outcome;
use proofward::ledger::transaction::record::Previous;
use proofward::ledger::transaction::{Body, CoreId, Grant, Receipt, Record, Request};
use proofward::wallet::custody::package::{Guardians, Sealed};
use proofward::wallet::custody::sharing::{Member, RecordEpoch};

const CUSTODIANS: [u32; 3] = [140, 141, 142];
const STRANGER: u32 = 700;

/// An answered request in a world with three custodians, and their claims.
fn with_custodians() -> (Opening, CoreId, [CoreId; 3]) {
    let mut opening = Opening::new();
    let claims = CUSTODIANS.map(|number| {
        let custodian = opening.world.party(number);
        opening.world.claim(ISSUER, custodian, Claim::Custodian, 0).unwrap()
    });
    let request = opening.answered();
    (opening, request, claims)
}

fn serves(opening: &mut Opening, request: CoreId, custodian: u32) -> Result<(), &'static str> {
    opening.receipt(request, Outcome::Served, custodian, BLOB).map(|_| ())
}

/// MedRec, `enableCustodian()`: no owner modifier, so anyone disables anybody's custodian.
#[test]
fn nobody_but_its_issuer_or_above_ends_a_custodians_claim() {
    let (mut opening, request, claims) = with_custodians();
    for thief in [STRANGER, PATIENT, DOCTOR, SITE, BEACON, CUSTODIANS[1]] {
        assert_eq!(opening.world.withdraw(thief, claims[0]), Err("NotAllowedToIssue"), "{thief}");
        assert_eq!(serves(&mut opening, request, CUSTODIANS[0]), Ok(()));
    }
    opening.world.withdraw(ISSUER, claims[0]).unwrap();
    assert_eq!(serves(&mut opening, request, CUSTODIANS[0]), Err("NotParty"));
    opening.world.withdraw(ANCHOR, claims[1]).unwrap();
    assert_eq!(serves(&mut opening, request, CUSTODIANS[1]), Err("NotParty"));
}

/// MedRec, `removeCustodian()`: for an address that is not in the list it deletes the last one.
#[test]
fn withdrawing_an_unknown_claim_ends_no_other() {
    let (mut opening, request, claims) = with_custodians();
    assert_eq!(opening.world.withdraw(ISSUER, CoreId([9; 32])), Err("NotAllowedToIssue"));
    for custodian in CUSTODIANS {
        assert_eq!(serves(&mut opening, request, custodian), Ok(()));
    }
    // From the middle of a list nothing else moves.
    opening.world.withdraw(ISSUER, claims[1]).unwrap();
    let served = CUSTODIANS.map(|custodian| serves(&mut opening, request, custodian));
    assert_eq!(served, [Ok(()), Err("NotParty"), Ok(())]);
    assert_eq!(opening.world.withdraw(ISSUER, claims[1]), Err("NotAllowedToIssue"), "once");
}

/// MedRec, `Relationship.setProviderAddress` and `setProviderName`: unguarded. The Fabric sample's
/// `updatePatientMedicalDetails`: nobody checks that the patient has permitted the change.
#[test]
fn nobody_but_the_owners_changes_what_belongs_to_a_record() {
    let mut opening = Opening::new();
    let rid = opening.policed.rid;
    let held =
        |opening: &Opening| -> HeldRecord { opening.world.entry(&EntryKey::Record(rid)).unwrap() };
    let before = held(&opening);
    let replacement = |opening: &mut Opening, owner| Record {
        epoch: 1,
        prev: Some(Previous { rid, owners: opening.world.party(owner) }),
        ..opening.world.record_of(701, owner)
    };
    // Guardians, readers, the place, who issues, whoever founded the chain.
    for thief in [NURSE, DOCTOR, SITE, BEACON, ISSUER, ANCHOR, STRANGER] {
        let record = replacement(&mut opening, thief);
        assert_eq!(opening.world.act(Body::Record(record)), Err("NotOwner"), "{thief}");
        let soon = opening.world.next() + 1;
        for (root, height) in [([0; 32], 0), ([1; 32], soon)] {
            assert_eq!(opening.world.grant(rid, thief, 1, root, height), Err("NotOwner"));
        }
    }
    assert_eq!(held(&opening), before);
    let record = replacement(&mut opening, PATIENT);
    opening.world.act(Body::Record(record)).unwrap();
}

/// MedRec keeps `perm-startTime` and `perm-durationDays` in the provider's own database, so the ledger
/// never sees time, and every node may hold another opinion. Here the median time past is judged by the
/// chain: a node that replays it ten years later, by whatever clock, says the same.
#[test]
fn time_is_judged_by_the_chain_and_not_by_anybodys_clock() {
    let mut world = World::hospital();
    let from = world.now().median_time + 40;
    let window = Some(Window { from, to: from + 40 });
    let policed = world.treated(500, |draft| draft.terms.window = window);
    let ask = |world: &mut World| {
        let request = world.ask(&policed);
        let (transaction, core) = world.transaction(Body::Request(Box::new(request)));
        world.mine(vec![transaction]).unwrap();
        core
    };
    let early = ask(&mut world);
    while world.now().median_time < from {
        world.wait(1);
    }
    let right = ask(&mut world);

    let other = memory_ledger(easy_spec());
    for block in &world.blocks {
        let submitted = other.submit(block, NOW + 315_360_000).unwrap();
        assert!(matches!(submitted, Submitted::Tip { .. }), "{submitted:?}");
    }
    for (request, status) in [(early, RequestStatus::Refused(3)), (right, RequestStatus::Pending)] {
        let here: HeldRequest = world.entry(&EntryKey::Request(request)).unwrap();
        let (there, _) = other.chain().answer(other.view(), request).unwrap().unwrap();
        assert_eq!((here.status, there.status), (status, status));
    }
    assert_eq!(other.view().root().unwrap(), world.ledger.view().root().unwrap());
}

/// MedRec, `CheckPermission`: indexes before it checks the bounds. Every index that a stranger may choose
/// is a named error or a refusal, and none is out of range of anything.
#[test]
fn no_index_is_used_before_it_is_in_range() {
    let paths = |of: &Path| {
        let far = Path { index: u16::MAX, ..of.clone() };
        let alone = Path { index: u16::MAX, siblings: Vec::new() };
        let deep = Path { index: 0, siblings: vec![[0; 32]; 16] };
        [far, alone, deep]
    };
    let mut opening = Opening::new();
    let good = opening.world.ask(&opening.policed);
    for leaf_path in paths(&good.leaf_path) {
        let bad = Request { leaf_path, ..good.clone() };
        assert_eq!(opening.world.status(bad), Err("BranchNotInPolicy"));
    }
    // A refusal each, by as many people as have a licence: three refusals a person and record.
    let mut role = good.clone();
    role.role.as_mut().unwrap().path = paths(&role.role.as_ref().unwrap().path)[1].clone();
    assert_eq!(opening.world.status(role), Ok(RequestStatus::Refused(5)));
    let mut place = good.clone();
    place.place.as_mut().unwrap().path = paths(&place.place.as_ref().unwrap().path)[1].clone();
    assert_eq!(opening.world.status(place), Ok(RequestStatus::Refused(6)));

    let request = opening.send(good);
    let mut approvers = opening.approvers(&[PATIENT]);
    for path in paths(&approvers[0].guardian.as_ref().unwrap().path) {
        approvers[0].guardian.as_mut().unwrap().path = path;
        assert_eq!(opening.approve_as(request, approvers.clone()), Err("NotGuardian"));
    }
    opening.approve(request, &[NURSE, PATIENT]).unwrap();
    assert_eq!(opening.failed(request), 0);

    // A leaf that names the second share set of a record which has one.
    let mut world = World::hospital();
    let issuer = world.id(ISSUER);
    let draft = Draft {
        terms: Leaf { set: 1, purposes: Purposes::of(&[Purpose::BreakGlass]), ..terms() },
        readers: vec![RoleRef { role: Role::Physician, issuer }],
        places: vec![Place::Anywhere],
    };
    let policy = PolicyTree::build(&[3; 32], 1, &[draft]).unwrap();
    let rid = world.founded_record(500, PATIENT, policy.root(), 1);
    let policed = Policed { rid, policy };
    let request = world.request(&policed, DOCTOR, None);
    let request = Request { purpose: Purpose::BreakGlass, ..request };
    assert_eq!(world.status(request), Err("BranchNotInPolicy"));
}

/// The Fabric sample puts names, phone and diagnosis into the state of the ledger, beside an unsalted
/// SHA-256 of the password; and what `deleteState` deletes stays in its history. Here nothing that is in
/// the state, and nothing in any block, is a word of the content, a hash of one, or a key; and what is
/// committed to twice looks different each time.
#[test]
fn neither_state_nor_history_holds_a_word_or_a_hash_of_one() {
    const CONTENT: &str = "Zhang Wei, +86 10 5555 0199, hunter2-password, diagnosis C50.9";
    let mut world = World::hospital();
    let members = [NURSE, PATIENT, DOCTOR].map(|number| world.key(number));
    let members = members.map(|key| Member { key, is_required: false }).to_vec();
    let sealed_as = |world: &mut World, rid: u32| {
        let of = RecordEpoch { rid: world.key(rid), epoch: 0 };
        let sets = [Guardians { k: 2, members: members.clone() }];
        let sealed = Sealed::new(of, CONTENT.as_bytes(), &sets).unwrap();
        let record = Record {
            blob: sha256::Hash::hash(&sealed.blob).to_byte_array(),
            pointer: sha256::Hash::hash(&sealed.package).to_byte_array(),
            share_sets: sealed.share_sets,
            policy_root: world.treated(rid + 1, |_| {}).policy.root(),
            ..world.record_of(rid, PATIENT)
        };
        world.act(Body::Record(record.clone())).unwrap();
        record
    };
    let (first, second) = (sealed_as(&mut world, 500), sealed_as(&mut world, 510));
    let committed = |record: &Record| {
        let set = &record.share_sets[0];
        [record.blob, record.pointer, set.shares_root, set.guardians_root, record.policy_root]
    };
    for (one, other) in committed(&first).iter().zip(committed(&second)) {
        assert_ne!(*one, other, "the same content, guardians and terms, committed to twice");
    }
    // Deleted as far as anything can be: revoked, and gone from the state of what is in force.
    world.grant(first.rid, PATIENT, 1, [0; 32], 0).unwrap();

    let mut needles: Vec<Vec<u8>> = Vec::new();
    let words = CONTENT.split([',', ' ', '-']).filter(|word| word.len() > 3);
    for word in words.chain([CONTENT]) {
        needles.push(word.as_bytes().to_vec());
        needles.push(sha256::Hash::hash(word.as_bytes()).to_byte_array().to_vec());
        needles.push(sha256d::Hash::hash(word.as_bytes()).to_byte_array().to_vec());
    }
    needles.push(b"nurse@".to_vec());
    assert!(needles.len() > 20);
    let store = world.ledger.store();
    let tables = Table::ALL.iter().flat_map(|table| store.range(*table, &[], usize::MAX).unwrap());
    let rows = tables.flat_map(|(key, value)| [key.to_vec(), value.to_vec()]);
    let all: Vec<Vec<u8>> = rows.chain(world.blocks.iter().cloned()).collect();
    for needle in &needles {
        let holds = |bytes: &Vec<u8>| bytes.windows(needle.len()).any(|window| window == needle);
        assert!(!all.iter().any(holds), "{:?}", String::from_utf8_lossy(needle));
    }
    let holds_rid = |bytes: &Vec<u8>| bytes.windows(32).any(|window| window == first.rid.0);
    assert!(all.iter().any(holds_rid), "what is looked through holds what is on the chain");
}

/// The Fabric sample's `updatePatientMedicalDetails` takes `changedBy` from the caller. Here whoever a
/// body names has signed it: with any one signature by somebody else, the payer's too, nothing moves.
#[test]
fn nobody_acts_or_pays_in_anothers_name() {
    let mut opening = Opening::with(|draft| draft.places = vec![Place::Anywhere]);
    let world = &mut opening.world;
    let subject = world.party(130);
    let claim = Claim::Role { role: Role::Nurse, site: None };
    let attest = Body::Attest(world.attest(ISSUER, subject, claim, 60));
    let record = Body::Record(world.record_of(701, PATIENT));
    let request = world.request(&opening.policed, DOCTOR, None);
    act_only_as_signed(&mut opening, attest, 3);
    act_only_as_signed(&mut opening, record, 3);
    let request = act_only_as_signed(&mut opening, Body::Request(Box::new(request)), 2);
    let approvers = opening.approvers(&[NURSE, PATIENT]);
    act_only_as_signed(&mut opening, Opening::body(request, approvers), 3);
    let by = opening.world.party(DOCTOR);
    let receipt =
        Receipt { request: request.0, outcome: Outcome::Read, by, blob: BLOB, detail: [0; 32] };
    act_only_as_signed(&mut opening, Body::Receipt(receipt), 2);
    let owners = opening.world.party(PATIENT);
    let (rid, policy_root) = (opening.policed.rid, [0; 32]);
    let grant = Grant { rid, owners, seq: 1, policy_root, not_before_h: 0 };
    act_only_as_signed(&mut opening, Body::Grant(grant), 2);
}

/// Mines a body after each of its signatures was tried with a stranger's in its place.
fn act_only_as_signed(opening: &mut Opening, body: Body, signers: usize) -> CoreId {
    let (transaction, core) = opening.world.transaction(body);
    assert_eq!(transaction.sigs.len(), signers);
    let genesis = opening.world.ledger.chain().genesis;
    let ids = Ids::of(&Included::new(transaction.clone()), &genesis);
    for at in 0..signers {
        let mut forged = transaction.clone();
        forged.sigs[at] = Key::new(STRANGER).sign(ids.signed_message(at));
        assert_eq!(opening.world.mine(vec![forged]), Err(("BadSig", 1)), "signer {at}");
    }
    let mut fewer = transaction.clone();
    fewer.sigs.pop();
    assert_eq!(opening.world.mine(vec![fewer]), Err(("WrongSigners", 1)));
    opening.world.mine(vec![transaction]).unwrap();
    core
}

/// The Fabric sample's `readPatient` writes nothing, so that reading leaves no trace. Here no guardian
/// sends a share for what the chain does not hold, and what it holds is in the record's audit: the
/// request, each approval, and the attempts that were refused.
#[test]
fn nobody_reads_without_a_trace() {
    let mut opening = Opening::new();
    let release = |opening: &Opening, request| {
        let ledger = &opening.world.ledger;
        ledger.chain().may_release(ledger.view(), request).unwrap()
    };
    assert_eq!(release(&opening, CoreId([7; 32])), Release::Unknown);
    let wrong = opening.world.ask(&opening.policed);
    let wrong = Request { purpose: Purpose::Research, ..wrong };
    assert_eq!(opening.world.status(wrong), Ok(RequestStatus::Refused(4)));
    let request = opening.asked();
    assert!(matches!(release(&opening, request), Release::NotOpen(_)));
    let approval = opening.approve(request, &[NURSE, PATIENT]).unwrap();
    opening.world.wait(2);
    assert_eq!(release(&opening, request), Release::Now);

    let (ledger, rid) = (&opening.world.ledger, opening.policed.rid);
    let audit = Audit::read(ledger.chain(), ledger.store(), rid).unwrap().unwrap();
    audit.check(ledger.chain()).unwrap();
    let events: Vec<_> = audit.access.iter().map(|event| (event.kind, event.core)).collect();
    assert!(events.contains(&(EventKind::Request, request)));
    assert!(events.contains(&(EventKind::Approval, approval)));
    let refused: Vec<_> = audit.refusals.iter().map(|event| (event.kind, event.note)).collect();
    assert_eq!(refused, [(EventKind::Refusal, 4)]);
}

/// The contract of the IPFS and Ethereum repository is a list of admins and doctors, with no grants. Here
/// a licence opens nothing by itself: whoever issues cannot grant, and before the owner does nobody asks.
#[test]
fn a_licence_without_a_grant_opens_nothing() {
    let mut world = World::hospital();
    let rid = world.founded_record(510, PATIENT, [0; 32], 1);
    let policy = PolicyTree::build(&[7; 32], 1, &[world.everyday()]).unwrap();
    let root = policy.root();
    let ungranted = Policed { rid, policy };
    let request = world.ask(&ungranted);
    assert_eq!(world.status(request), Err("BranchNotInPolicy"));
    for admin in [ANCHOR, ISSUER, SITE, DOCTOR] {
        let height = world.next() + 1;
        assert_eq!(world.grant(rid, admin, 1, root, height), Err("NotOwner"));
    }
    let height = world.next() + 1;
    world.grant(rid, PATIENT, 1, root, height).unwrap();
    world.wait(1);
    let request = world.ask(&ungranted);
    assert_eq!(world.status(Request { seq: 1, ..request }), Ok(RequestStatus::Pending));
}
