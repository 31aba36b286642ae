//! The dearest request that the limits allow: its people and places rest on issuers who have conspired to
//! make every walk through their claims as long as walks are. And the dearest approval: the request has all
//! others that it can have, by people about whom as much is claimed as can be. For `access`.

use proofward::ledger::block::BLOCK_BYTES_MAX;
use proofward::ledger::policy::{
    APPROVALS_MAX, Draft, Entry as _, Guardian, Leaf, Need, Place, PolicyTree, Role, RoleRef, Tree,
};
use proofward::ledger::spec::{HOLDINGS_KIND_MAX, HOLDINGS_MAX};
use proofward::ledger::state::HeldClaim;
use proofward::ledger::transaction::approve::{APPROVERS_MAX, Approver, GuardianProof};
use proofward::ledger::transaction::attest::{Claim, IssuerSet, Withdrawn};
use proofward::ledger::transaction::record::ShareSet;
use proofward::ledger::transaction::{Approve, Attest, Body, CoreId, Record, Request, Transaction};

use super::attempts::times_of;
use super::world::{ANCHOR, DOCTOR, ISSUER, PATIENT, Policed, SITE, World, terms};

/// Issuers whom the anchor has made, those whom these have made, and the one whom all of those have.
const FIRST: u32 = 200;
const SECOND: u32 = 210;
const THIRD: u32 = 220;
/// Sites, their one beacon, and who reads.
const PLACES: u32 = 230;
const RADIO: u32 = 240;
const READER: u32 = 241;
/// Who approves, the records about which they are asked, and issuers who come meanwhile.
const CROWD: u32 = 20_000;
const RECORDS: u32 = 30_000;
const LATER: u32 = 40_000;

fn kind() -> u32 {
    u32::try_from(HOLDINGS_KIND_MAX).expect("a few")
}

struct Conspiracy(World);

impl Conspiracy {
    /// Issuers three deep: of the ways from the last to the anchor all but the last tried are too long.
    fn new() -> Self {
        let mut all = Self(World::new());
        for number in 0..kind() {
            all.makes(ANCHOR, FIRST + number);
        }
        for first in 0..kind() {
            for second in 0..kind() {
                all.makes(FIRST + first, SECOND + second);
            }
        }
        for second in 1..kind() {
            all.makes(SECOND + second, THIRD);
        }
        all.makes(FIRST, THIRD);
        // What else there is about an issuer is looked at on every walk.
        let issuers = (0..kind()).map(|second| SECOND + second).chain([THIRD]);
        for (tag, issuer) in (1..).zip(issuers) {
            for _ in kind()..u32::try_from(HOLDINGS_MAX).expect("a few") {
                all.says(FIRST, issuer, role(Role::Researcher), tag);
            }
        }
        all
    }

    fn says(&mut self, by: u32, about: u32, claim: Claim, tag: u8) {
        let about = self.0.party(about);
        self.0.claim(by, about, claim, tag).expect("a claim");
    }

    fn makes(&mut self, by: u32, issuer: u32) {
        self.says(by, issuer, Claim::Issuer(IssuerSet::ALL), 0);
    }

    /// A record that the reader may open at one of the sites, the one tried last.
    fn record(&mut self) -> Policed {
        let world = &mut self.0;
        let issuer = world.id(THIRD);
        let place = Place::Site(world.id(PLACES + kind() - 1));
        world.treated(500, |draft| {
            draft.readers = vec![RoleRef { role: Role::Physician, issuer }];
            draft.places = vec![place];
        })
    }

    fn request(&mut self, policed: &Policed) -> Transaction {
        let world = &mut self.0;
        let tip = world.tip();
        let presence = world.presence(RADIO, READER, tip);
        let request: Request = world.request(policed, READER, Some(presence));
        world.transaction(Body::Request(Box::new(request))).0
    }
}

fn role(role: Role) -> Claim {
    Claim::Role { role, site: None }
}

/// Seconds to apply a block that holds nothing but such a request: one whose beacon stands at as many sites
/// as it can, and one whose reader has as many claims as there can be, none of which holds any more.
pub(crate) fn dearest(rounds: usize) -> [f64; 2] {
    let mut placed = Conspiracy::new();
    placed.says(THIRD, READER, role(Role::Physician), 1);
    for number in 0..kind() {
        let site = PLACES + number;
        let id = placed.0.id(site);
        placed.says(THIRD, site, Claim::Site(vec![super::world::CELL]), 0);
        placed.says(THIRD, RADIO, Claim::Beacon { site: id }, 0);
        placed.says(THIRD, site, Claim::Emergency { site: id }, 0);
    }

    let mut ended = Conspiracy::new();
    for _ in 0..HOLDINGS_MAX {
        ended.says(THIRD, READER, role(Role::Physician), 1);
    }
    let first = ended.0.id(FIRST);
    let is_short =
        |held: &HeldClaim| held.issuer == first && matches!(held.claim, Claim::Issuer(_));
    let held = ended.0.held_of(THIRD, is_short);
    let by = ended.0.party(FIRST);
    let withdrawal = Attest::withdrawal(by, Withdrawn::Claim(held.0), [0; 32]);
    ended.0.act(Body::Attest(withdrawal)).expect("a withdrawal");

    [placed, ended].map(|mut all| {
        let policed = all.record();
        let request = all.request(&policed);
        times_of(&mut all.0, vec![request], rounds).apply
    })
}

/// People about whom as much is claimed as can be, what counts last.
struct Crowd {
    world: World,
    nurse: RoleRef,
    /// By which they are nurses.
    licences: Vec<CoreId>,
}

/// A request that awaits one more approval, and the tree of its guardians.
type Pending = (CoreId, Tree);

impl Crowd {
    fn new() -> Self {
        let mut world = World::hospital();
        let nurse = RoleRef { role: Role::Nurse, issuer: world.id(ISSUER) };
        let mut crowd = Self { world, nurse, licences: Vec::new() };
        for _ in 1..HOLDINGS_MAX {
            crowd.all_are(Role::Researcher);
        }
        crowd.licences = crowd.all_are(Role::Nurse);
        crowd
    }

    fn all_are(&mut self, of: Role) -> Vec<CoreId> {
        let people = (0..APPROVALS_MAX).map(|number| self.claim(person(number), role(of)));
        let (claims, cores): (Vec<_>, Vec<_>) = people.unzip();
        self.world.mine(claims).expect("claims");
        cores
    }

    fn claim(&mut self, number: u32, claim: Claim) -> (Transaction, CoreId) {
        let subject = self.world.party(number);
        let mut tag = [0; 16];
        if matches!(claim, Claim::Role { .. }) {
            tag[..4].copy_from_slice(&number.to_le_bytes());
        }
        let attest = Attest { subject_tag: tag, ..self.world.attest(ISSUER, subject, claim, 0) };
        self.world.transaction(Body::Attest(attest))
    }

    /// A request for a record whose leaf asks for as many nurses as a leaf can. The first two are guardians.
    fn request(&mut self, number: u32) -> Pending {
        let world = &mut self.world;
        let rid = world.key(RECORDS + number);
        let guardians = [0_u8, 1].map(|index| {
            let key = world.key(CROWD + u32::from(index));
            Guardian { rid, epoch: 0, set: 0, index, key }.leaf(&[index; 16])
        });
        let tree = Tree::new(guardians.to_vec()).expect("two guardians");
        let count = u8::try_from(APPROVERS_MAX).expect("a few");
        let need = vec![Need { role: self.nurse, count }];
        let draft = Draft {
            terms: Leaf { need, answer_within: 900, ..terms() },
            readers: vec![RoleRef { role: Role::Physician, issuer: world.id(SITE) }],
            places: vec![Place::Anywhere],
        };
        let spacing_s = world.ledger.chain().spec.spacing_s;
        let policy = PolicyTree::build(&[9; 32], spacing_s, &[draft]).expect("a policy");
        let (shares_root, guardians_root) = ([5; 32], tree.root());
        let record = Record {
            policy_root: policy.root(),
            share_sets: vec![ShareSet { n: 2, k: 2, shares_root, guardians_root, required: 0 }],
            ..world.record_of(RECORDS + number, PATIENT)
        };
        world.act(Body::Record(record)).expect("a record");
        let request = world.request(&Policed { rid, policy }, DOCTOR, None);
        (world.act(Body::Request(Box::new(request))).expect("a request"), tree)
    }

    fn approval(&mut self, pending: &Pending, by: std::ops::Range<usize>) -> Transaction {
        let (request, tree) = pending;
        let approver = |number| Approver {
            key: self.world.key(person(number)),
            guardian: tree.path(number).map(|path| GuardianProof {
                salt: [u8::try_from(number).expect("a guardian"); 16],
                path,
            }),
            role: self.nurse,
            presence: None,
            release: [0; 32],
        };
        let approvers = by.map(approver).collect();
        self.world.transaction(Body::Approve(Approve { request: request.0, approvers })).0
    }

    /// Requests with all approvals but one. So few nurses are left that the last one completes none, and so
    /// many approve that nobody knows before each claim has been looked at.
    fn asked(&mut self, requests: u32) -> Vec<Pending> {
        let asked: Vec<Pending> = (0..requests).map(|number| self.request(number)).collect();
        let last = APPROVALS_MAX - 1;
        let approve = |crowd: &mut Self, by: std::ops::Range<usize>| {
            let all = asked.iter().map(|pending| crowd.approval(pending, by.clone())).collect();
            crowd.world.mine(all).expect("approvals");
        };
        approve(self, 2..APPROVERS_MAX);
        approve(self, APPROVERS_MAX..last);
        let withdrawals = self.licences[APPROVERS_MAX - 2..last].to_vec();
        let by = self.world.party(ISSUER);
        let withdrawal = |core: CoreId| {
            let withdrawn = Withdrawn::Claim(core.0);
            let attest = Attest::withdrawal(by.clone(), withdrawn, [0; 32]);
            self.world.transaction(Body::Attest(attest)).0
        };
        let withdrawals = withdrawals.into_iter().map(withdrawal).collect();
        self.world.mine(withdrawals).expect("withdrawals");
        approve(self, 0..2);
        asked
    }
}

fn person(number: usize) -> u32 {
    CROWD + u32::try_from(number).expect("a few")
}

/// Seconds that the dearest approval takes.
pub(crate) struct DearestApproval {
    /// Alone in its block.
    pub(crate) alone: f64,
    /// To verify the signatures of that block.
    pub(crate) signatures: f64,
    /// As many as a block holds, after each a claim that may change who holds what.
    pub(crate) block: f64,
}

/// Measures it, and extrapolates from so many of them to a block.
#[expect(clippy::float_arithmetic, reason = "an estimate for people")]
pub(crate) fn dearest_approval(many: u32, rounds: usize) -> DearestApproval {
    let mut crowd = Crowd::new();
    let asked = crowd.asked(many);
    let last = APPROVALS_MAX - 1..APPROVALS_MAX;
    let alone = crowd.approval(&asked[0], last.clone());
    let alone = times_of(&mut crowd.world, vec![alone], rounds);
    let mut both = Vec::new();
    for (pending, number) in asked.iter().zip(LATER..) {
        both.push(crowd.claim(number, Claim::Issuer(IssuerSet::ALL)).0);
        both.push(crowd.approval(pending, last.clone()));
    }
    let bytes: usize = both.iter().map(|transaction| transaction.encode().len()).sum();
    let times = times_of(&mut crowd.world, both, rounds).apply;
    DearestApproval {
        alone: alone.apply,
        signatures: alone.verify,
        block: times * BLOCK_BYTES_MAX as f64 / bytes as f64,
    }
}
