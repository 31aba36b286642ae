//! What one stolen key opens, on a ledger of 1,000 records. Each thief does everything that the key permits,
//! has every public byte (ciphertexts, packages of sealed shares, the chain), and stands in the room, which
//! a relayed radio link gives to anybody. The table is README's; `PROOFWARD_WRITE_README=1` writes it anew.
#![allow(clippy::unwrap_used, reason = "a helper of tests fails the test")]

#[path = "../common/access.rs"]
mod access;
mod hospital;
#[path = "../common/ledger.rs"]
mod ledger;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use access::*;
use hospital::*;
use proofward::ledger::policy::{Draft, Leaf, Place, PolicyTree, Purpose, Purposes, Role};
use proofward::ledger::state::{EntryKey, HeldRequest, RequestStatus};
use proofward::ledger::transaction::attest::{Claim, IssuerSet};
use proofward::ledger::transaction::record::Previous;
use proofward::ledger::transaction::{
    Attest, Body, CoreId, Grant, Group, Party, Record, Request, Transaction,
};

const BEGIN: &str = "<!-- What one stolen key opens: written by tests/blast_radius. -->\n";
const END: &str = "<!-- End of what one stolen key opens. -->\n";

/// One stolen key: of whom, what it opened, and what stands against it.
struct Row(&'static str, usize, &'static str);

fn status(hospital: &Hospital, request: CoreId) -> RequestStatus {
    let held: HeldRequest = hospital.world.entry(&EntryKey::Request(request)).unwrap();
    held.status
}

fn send(hospital: &mut Hospital, request: Request) -> Result<CoreId, &'static str> {
    hospital.world.act(Body::Request(Box::new(request)))
}

/// Requests for every record under a leaf, a hundred a block: how each one stands.
fn ask_for_all(hospital: &mut Hospital, leaf: usize, reader: u32, beacon: u32) -> Vec<CoreId> {
    let mut cores = Vec::new();
    for hundred in 0..RECORDS / 100 {
        let tip = hospital.world.tip();
        let presence = hospital.world.presence(beacon, reader, tip);
        let mut transactions: Vec<Transaction> = Vec::new();
        for record in hundred * 100..(hundred + 1) * 100 {
            let branch = hospital.branch(record, leaf);
            let request = hospital.ask(record, &branch, reader, Some(presence.clone()));
            let (transaction, core) = hospital.world.transaction(Body::Request(Box::new(request)));
            transactions.push(transaction);
            cores.push(core);
        }
        hospital.world.mine(transactions).unwrap();
        hospital.services_at_work();
    }
    cores
}

/// A doctor's key, heard in the ward: every request waits for people who do not come.
fn reader(hospital: &mut Hospital) -> Row {
    let cores = ask_for_all(hospital, 0, DOCTOR, BEACON);
    assert!(cores.iter().all(|core| status(hospital, *core) == RequestStatus::Pending));
    let role = hospital.role(Role::Physician, SITE);
    assert_eq!(hospital.approve(cores[0], DOCTOR, role, None), Err("NotGuardian"));
    hospital.world.wait(2);
    hospital.services_at_work();
    Row(
        "reader (a doctor)",
        hospital.opened(&[DOCTOR]),
        "needs nurse and patient in the same round",
    )
}

/// A clinician's key, heard at the emergency service: one request at a time, and a colleague is needed;
/// where the owner has chosen that one is enough, what the unattended guardians agree to.
fn clinician(hospital: &mut Hospital) -> Vec<Row> {
    for record in 2..10 {
        let request = break_glass(hospital, record, CLINICIAN, SIREN);
        let core = send(hospital, request).unwrap();
        hospital.services_at_work();
        let expected = if record == 2 { RequestStatus::Pending } else { RequestStatus::Refused(0) };
        assert_eq!(status(hospital, core), expected);
    }
    hospital.world.wait(30);
    let two = Row(
        "reader (an emergency clinician)",
        hospital.opened(&[CLINICIAN]),
        "a second clinician is needed, and one request is open at a time",
    );
    hospital.forget();
    let (mut record, end) = (1, hospital.world.next() + 144);
    while hospital.world.next() < end {
        let request = break_glass(hospital, record, CLINICIAN, SIREN);
        let core = send(hospital, request).unwrap();
        if status(hospital, core) == RequestStatus::Pending {
            record += 10;
        }
        hospital.services_at_work();
        hospital.world.wait(3);
    }
    let one = Row(
        "the same, where the owner lets one clinician and the unattended guardians open",
        hospital.opened(&[CLINICIAN]),
        "in 144 blocks, one after another; each is logged, and owed a review",
    );
    vec![two, one]
}

fn break_glass(hospital: &mut Hospital, record: usize, reader: u32, beacon: u32) -> Request {
    let tip = hospital.world.tip();
    let presence = hospital.world.presence(beacon, reader, tip);
    let branch = hospital.branch(record, 1);
    hospital.ask(record, &branch, reader, Some(presence))
}

/// A nurse's key: one share of every record, and her approval of a request that waits.
fn guardian(hospital: &mut Hospital) -> Row {
    let role = hospital.role(Role::Nurse, SITE);
    let heard = hospital.round(BEACON, &[DOCTOR_2, NURSE]);
    let branch = hospital.branch(3, 0);
    let request = hospital.ask(3, &branch, DOCTOR_2, Some(heard[0].clone()));
    let request = send(hospital, request).unwrap();
    hospital.approve(request, NURSE, role, Some(heard[1].clone())).unwrap();
    hospital.world.wait(3);
    hospital.services_at_work();
    let branch = hospital.branch(4, 0);
    let own = hospital.ask(4, &branch, NURSE, None);
    let own = send(hospital, own).unwrap();
    assert_eq!(status(hospital, own), RequestStatus::Refused(5));
    Row(
        "guardian (a nurse)",
        hospital.opened(&[NURSE]),
        "one share of each; the patient's is required",
    )
}

/// One of three owners, two of whom have to sign.
fn owner(hospital: &mut Hospital) -> Row {
    let one = OWNERS[0];
    let member = hospital.world.key(one);
    for record in [0, 10, 20] {
        let rid = hospital.records[record].policed.rid;
        let grant = |owners| Grant { rid, owners, seq: 1, policy_root: [1; 32], not_before_h: 0 };
        assert_eq!(hospital.world.act(Body::Grant(grant(Party::Key(member)))), Err("NotOwner"));
        let Party::Group(group) = hospital.records[record].owners.clone() else {
            panic!("a group")
        };
        let alone = Group { k: 1, signed_by: 1, ..group.clone() };
        let refused = hospital.world.act(Body::Grant(grant(Party::Group(alone))));
        assert_eq!(refused, Err("NotOwner"));
        // In the name of two, with the signature of one.
        let body = Body::Grant(grant(Party::Group(group)));
        assert_eq!(forged(hospital, body), Err("BadSig"));
        let rid = hospital.world.key(40_000);
        let prev =
            Some(Previous { rid: hospital.records[record].policed.rid, owners: member.into() });
        let record = Record { rid, epoch: 1, prev, ..hospital.world.record_of(40_000, one) };
        assert_eq!(hospital.world.act(Body::Record(record)), Err("NotOwner"));
    }
    Row("owner (one of a two-of-three)", hospital.opened(&[one]), "the others have to sign")
}

/// Mines a body that the last of its signers has not signed.
fn forged(hospital: &mut Hospital, body: Body) -> Result<(), &'static str> {
    let (mut transaction, _) = hospital.world.transaction(body);
    let last = transaction.sigs.len() - 1;
    transaction.sigs[last] = transaction.sigs[0];
    hospital.world.mine(vec![transaction]).map_err(|(rule, _)| rule)
}

/// A patient's key, which owns fifty records alone: a policy of its own, for itself, anywhere.
fn patient_key(hospital: &mut Hospital) -> Row {
    let record = 5;
    let number = patient(record);
    let role = hospital.role(Role::Patient, ISSUER);
    let terms = Leaf { set: 1, purposes: Purposes::of(&[Purpose::BreakGlass]), ..terms() };
    let everyday =
        Leaf { set: 0, purposes: Purposes::of(&[Purpose::PatientRequest]), ..terms.clone() };
    let drafts = [terms, everyday].map(|terms| Draft {
        terms,
        readers: vec![role],
        places: vec![Place::Anywhere],
    });
    let spacing_s = hospital.world.ledger.chain().spec.spacing_s;
    let policy = PolicyTree::build(&[77; 32], spacing_s, &drafts).unwrap();
    let rid = hospital.records[record].policed.rid;
    let not_before = hospital.world.next() + 1;
    // Nobody else's.
    let other = hospital.records[6].policed.rid;
    assert_eq!(hospital.world.grant(other, number, 1, policy.root(), not_before), Err("NotOwner"));
    hospital.world.grant(rid, number, 1, policy.root(), not_before).unwrap();
    hospital.world.wait(8);
    for (branch, purpose) in
        policy.branches().iter().zip([Purpose::BreakGlass, Purpose::PatientRequest])
    {
        let request = Request { seq: 1, purpose, ..hospital.ask(record, branch, number, None) };
        let request = send(hospital, request).unwrap();
        assert_eq!(status(hospital, request), RequestStatus::Pending);
        hospital.services_at_work();
        assert_eq!(hospital.approve(request, number, role, None), Err("NotGuardian"));
        hospital.world.wait(35);
    }
    Row(
        "patient",
        hospital.opened(&[number]),
        "owns the policy, holds one share; unattended guardians name the readers they serve",
    )
}

/// A beacon's key: it says that anybody was anywhere, and nobody else acts.
fn beacon(hospital: &mut Hospital) -> Row {
    let branch = hospital.branch(7, 0);
    let heard = hospital.round(BEACON, &[999])[0].clone();
    let request = hospital.ask(7, &branch, 999, Some(heard));
    assert_eq!(send(hospital, request), Err("RoleNotHeld"));
    hospital.services_at_work();
    Row("beacon", hospital.opened(&[BEACON]), "says who was in a room, and has no role")
}

/// A site's key: beacons and emergency services of its own, but no people.
fn site(hospital: &mut Hospital) -> Row {
    let site = hospital.world.id(SITE);
    hospital.claim(SITE, 990, Claim::Beacon { site }, 0);
    hospital.claim(SITE, SITE, Claim::Emergency { site }, 0);
    for role in [Role::Physician, Role::EmergencyClinician] {
        let claim = Claim::Role { role, site: Some(site) };
        assert_eq!(claim_as(&mut hospital.world, SITE, 991, claim, 1), Err("NotAllowedToIssue"));
    }
    // Its own emergency service is another's to nobody whom its issuer has made.
    let request = break_glass(hospital, 8, CLINICIAN_2, 990);
    let request = send(hospital, request).unwrap();
    assert_eq!(status(hospital, request), RequestStatus::Refused(6));
    hospital.services_at_work();
    Row("site", hospital.opened(&[SITE]), "makes beacons, no people")
}

/// An issuer's key: any people, at any site of its own, and issuers below it; but guardians are keys, and
/// an emergency place is another institution's.
fn issuer(hospital: &mut Hospital) -> Vec<Row> {
    let site = hospital.world.id(SITE);
    let (creature, service) = (992, hospital.world.id(993));
    hospital.claim(ISSUER, 980, Claim::Role { role: Role::Physician, site: Some(site) }, 980);
    hospital.claim(ISSUER, 981, Claim::Role { role: Role::Nurse, site: Some(site) }, 981);
    hospital.claim(ISSUER, 982, Claim::Role { role: Role::Patient, site: None }, 982);
    hospital.claim(ISSUER, 983, Claim::Beacon { site }, 0);
    hospital.claim(ISSUER, creature, Claim::Issuer(IssuerSet::ALL), 0);
    hospital.claim(creature, 993, Claim::Site(vec![CELL]), 0);
    hospital.claim(creature, 993, Claim::Emergency { site: service }, 0);
    hospital.claim(creature, 994, Claim::Beacon { site: service }, 0);
    for i in 0..20 {
        let claim = Claim::Role { role: Role::EmergencyClinician, site: None };
        hospital.claim(ISSUER, 1_000 + i, claim, 1_000 + i);
    }
    hospital.world.wait(150);
    let heard = hospital.round(983, &[980, 981, 982]);
    let branch = hospital.branch(12, 0);
    let request = hospital.ask(12, &branch, 980, Some(heard[0].clone()));
    let request = send(hospital, request).unwrap();
    let (nurse, patient) = (hospital.role(Role::Nurse, SITE), hospital.role(Role::Patient, ISSUER));
    hospital.approve(request, 981, nurse, Some(heard[1].clone())).unwrap();
    hospital.approve(request, 982, patient, Some(heard[2].clone())).unwrap();
    assert_eq!(status(hospital, request), RequestStatus::Pending);
    for beacon in [994, 983] {
        let request = break_glass(hospital, 12, 1_000, beacon);
        let request = send(hospital, request).unwrap();
        assert_eq!(status(hospital, request), RequestStatus::Refused(6));
    }
    hospital.services_at_work();
    let alone = Row(
        "role issuer",
        hospital.opened(&[ISSUER]),
        "makes people, places and issuers, but no guardian and no other institution",
    );
    hospital.forget();
    // With new clinicians, and a way into the other institution's emergency room.
    for i in 0..20_u32 {
        let record = 13 + 10 * usize::try_from(i).unwrap();
        let request = break_glass(hospital, record, 1_000 + i, SIREN);
        let request = send(hospital, request).unwrap();
        assert_eq!(status(hospital, request), RequestStatus::Pending);
        let role = hospital.role(Role::EmergencyClinician, ISSUER);
        hospital.approve(request, 1_000 + (i + 1) % 20, role, None).unwrap();
        hospital.services_at_work();
    }
    let there = Row(
        "the same, heard at another institution's emergency service",
        hospital.opened(&[ISSUER]),
        "what the unattended guardians agree to in 144 blocks; each is logged, and owed a review",
    );
    vec![alone, there]
}

/// One of the three anchors, two of which have to sign.
fn anchor(hospital: &mut Hospital) -> Row {
    let one = ANCHORS[0];
    let subject = hospital.world.party(995);
    let claim = Claim::Issuer(IssuerSet::ALL);
    assert_eq!(claim_as(&mut hospital.world, one, 995, claim.clone(), 0), Err("NotAllowedToIssue"));
    let group = hospital.world.group(2, &ANCHORS);
    let attest = hospital.world.attest(one, subject, claim, 0);
    let body = Body::Attest(Attest { issuer: group, ..attest });
    assert_eq!(forged(hospital, body), Err("BadSig"));
    Row("anchor member (one of a two-of-three)", hospital.opened(&[one]), "the others have to sign")
}

/// An unattended guardian's key: a share of each set.
fn escrow(hospital: &mut Hospital) -> Row {
    Row(
        "escrow service",
        hospital.opened(&[ESCROW]),
        "one share of each set; it reads nothing by itself",
    )
}

/// Whoever may talk to a node: every public byte, and no signature.
fn cookie(hospital: &mut Hospital) -> Row {
    let request = break_glass(hospital, 9, CLINICIAN_2, SIREN);
    assert_eq!(forged(hospital, Body::Request(Box::new(request))), Err("BadSig"));
    Row("node cookie", hospital.opened(&[]), "sees what everybody sees, signs nothing")
}

#[test]
fn what_one_stolen_key_opens_is_the_table_of_readme() {
    let mut hospital = Hospital::new();
    let all = [NURSE, patient(0)];
    assert_eq!(hospital.opened(&all), RECORDS / 20, "two keys of one record's guardians open it");
    let mut rows = Vec::new();
    let kinds: [fn(&mut Hospital) -> Vec<Row>; 10] = [
        |hospital| vec![reader(hospital)],
        clinician,
        |hospital| vec![guardian(hospital)],
        |hospital| vec![owner(hospital)],
        |hospital| vec![beacon(hospital)],
        |hospital| vec![site(hospital)],
        |hospital| vec![anchor(hospital)],
        |hospital| vec![escrow(hospital), cookie(hospital)],
        |hospital| vec![patient_key(hospital)],
        issuer,
    ];
    for kind in kinds {
        rows.extend(kind(&mut hospital));
        hospital.forget();
    }
    let mut table = String::from("| one stolen key | opens of 1,000 | because |\n|---|---|---|\n");
    for Row(kind, opened, because) in &rows {
        writeln!(table, "| {kind} | {opened} | {because} |").unwrap();
        assert!(*opened == 0 || kind.starts_with("the same, "), "{kind} opens {opened}");
    }
    println!("{table}");

    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = fs::read_to_string(&path).unwrap();
    let begin = readme.find(BEGIN).expect("the table begins") + BEGIN.len();
    let end = readme.find(END).expect("the table ends");
    if std::env::var_os("PROOFWARD_WRITE_README").is_some() {
        fs::write(path, format!("{}{table}{}", &readme[..begin], &readme[end..])).unwrap();
        return;
    }
    assert!(readme[begin..end] == table, "run this test with PROOFWARD_WRITE_README=1");
}

/// One key of every kind serves one role of one person at a time.
#[test]
fn one_key_is_not_two_people() {
    let mut world = World::hospital();
    let site = world.id(SITE);
    // A second key of the doctor, and a second name for the doctor's key.
    let nurse = Claim::Role { role: Role::Nurse, site: Some(site) };
    assert_eq!(claim_as_tag(&mut world, 700, nurse.clone(), 1), Err("DuplicateSubject"));
    assert_eq!(claim_as_tag(&mut world, DOCTOR, nurse.clone(), 9), Err("DuplicateSubject"));
    // The doctor may be a nurse as well, under the same name, and is still one person.
    claim_as_tag(&mut world, DOCTOR, nurse, 1).unwrap();
    let policed = world.treated(500, |draft| {
        let role = proofward::ledger::policy::RoleRef { role: Role::Nurse, issuer: site };
        draft.terms.need = vec![proofward::ledger::policy::Need { role, count: 1 }];
    });
    let request = world.ask(&policed);
    let request = world.act(Body::Request(Box::new(request))).unwrap();
    let role = proofward::ledger::policy::RoleRef { role: Role::Nurse, issuer: site };
    let approver = proofward::ledger::transaction::approve::Approver {
        key: world.key(DOCTOR),
        guardian: None,
        role,
        presence: None,
        release: [0; 32],
    };
    let approve =
        proofward::ledger::transaction::Approve { request: request.0, approvers: vec![approver] };
    assert_eq!(world.act(Body::Approve(approve)), Err("SamePerson"));
}

fn claim_as_tag(
    world: &mut World,
    subject: u32,
    claim: Claim,
    tag: u8,
) -> Result<CoreId, &'static str> {
    let subject = world.party(subject);
    world.claim(ISSUER, subject, claim, tag)
}
