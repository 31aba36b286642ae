//! Blocks full of attempts to read, and a record with a long history: for `access`.

use std::num::NonZeroUsize;
use std::time::Instant;

use ed25519_zebra::Signature;
use proofward::engine::nodes::NodeKernel;
use proofward::engine::pool::Pool;
use proofward::ledger::audit::Audit;
use proofward::ledger::chain::{Ledger, Run};
use proofward::ledger::policy::{
    Draft, Entry as _, Guardian, Leaf, Need, Place, PolicyTree, Presence, Role, RoleRef, Together,
    Tree,
};
use proofward::ledger::signature::Signed;
use proofward::ledger::store::{CACHE_BYTES_DEFAULT, DiskStore, Overlay};
use proofward::ledger::transaction::approve::{Approver, GuardianProof};
use proofward::ledger::transaction::attest::Claim;
use proofward::ledger::transaction::record::ShareSet;
use proofward::ledger::transaction::{
    Approve, Attest, Body, CoreId, Grant, Record, Request, Transaction,
};
use proofward::wallet::audit_file;

use super::ledger::{NOW, easy_spec, next_block};
use super::raw::{RAW_BATCH, Raw, raw_batch};
use super::world::{BEACON, DOCTOR, ISSUER, NURSE, PATIENT, Policed, SITE, World, terms};

/// The keys of records begin here.
const FIRST: u32 = 10_000;

/// Records of a block that a doctor asks for, each of a patient who approves with a nurse.
pub(crate) struct Attempts {
    world: World,
    together: Together,
    records: Vec<(Policed, Tree)>,
}

/// What an approval needs to know of its request.
struct Asked {
    core: CoreId,
    /// The nurse and the patient, where a beacon heard them.
    heard: [Option<Presence>; 2],
}

impl Attempts {
    /// With so many records; either only the doctor shows where, or all three were heard in one round.
    pub(crate) fn new(records: usize, together: Together) -> Self {
        let mut attempts = Self { world: World::hospital(), together, records: Vec::new() };
        while attempts.records.len() < records {
            let first = attempts.records.len();
            let some = first..records.min(first + 400);
            let claims = some.clone().map(|index| attempts.patient(index)).collect();
            attempts.world.mine(claims).expect("patients");
            let transactions = some.map(|index| attempts.record(index)).collect();
            attempts.world.mine(transactions).expect("records");
        }
        attempts
    }

    /// The claim of a patient.
    fn patient(&mut self, index: usize) -> Transaction {
        let world = &mut self.world;
        let number = patient(index);
        let mut tag = [0; 16];
        tag[..4].copy_from_slice(&number.to_le_bytes());
        let claim = Claim::Role { role: Role::Patient, site: None };
        let subject = world.party(number);
        let attest = Attest { subject_tag: tag, ..world.attest(ISSUER, subject, claim, 0) };
        world.transaction(Body::Attest(attest)).0
    }

    fn record(&mut self, index: usize) -> Transaction {
        let number = FIRST + u32::try_from(index).expect("few");
        let world = &mut self.world;
        let rid = world.key(number);
        let guardians = (0_u8..).zip([NURSE, patient(index)]).map(|(index, number)| {
            let key = world.key(number);
            Guardian { rid, epoch: 0, set: 0, index, key }.leaf(&[index; 16])
        });
        let tree = Tree::new(guardians.collect()).expect("two guardians");
        let (site, issuer) = (world.id(SITE), world.id(ISSUER));
        let mut need = vec![
            Need { role: RoleRef { role: Role::Nurse, issuer: site }, count: 1 },
            Need { role: RoleRef { role: Role::Patient, issuer }, count: 1 },
        ];
        need.sort_by_key(|need| need.role);
        let draft = Draft {
            terms: Leaf { need, together: self.together, ..terms() },
            readers: vec![RoleRef { role: Role::Physician, issuer: site }],
            places: vec![Place::Site(site)],
        };
        let spacing_s = world.ledger.chain().spec.spacing_s;
        let policy = PolicyTree::build(&[9; 32], spacing_s, &[draft]).expect("a policy");
        let (shares_root, guardians_root) = ([5; 32], tree.root());
        let record = Record {
            policy_root: policy.root(),
            share_sets: vec![ShareSet { n: 2, k: 2, shares_root, guardians_root, required: 0 }],
            ..world.record_of(number, patient(index))
        };
        self.records.push((Policed { rid, policy }, tree));
        self.world.transaction(Body::Record(record)).0
    }

    /// The doctor's request for a record.
    fn request(&mut self, at: usize) -> (Transaction, Asked) {
        let world = &mut self.world;
        let tip = world.tip();
        let [of_doctor, nurse, patient] = match self.together {
            Together::OneRound => {
                let room = world.room(BEACON, &[DOCTOR, NURSE, patient(at)], tip);
                <[_; 3]>::try_from(room).expect("three").map(Some)
            }
            _ => [Some(world.presence(BEACON, DOCTOR, tip)), None, None],
        };
        let request: Request = world.request(&self.records[at].0, DOCTOR, of_doctor);
        let (request, core) = world.transaction(Body::Request(Box::new(request)));
        (request, Asked { core, heard: [nurse, patient] })
    }

    /// The nurse and the patient approve it.
    fn approval(&mut self, at: usize, asked: Asked) -> Transaction {
        let (world, tree) = (&mut self.world, &self.records[at].1);
        let (site, issuer) = (world.id(SITE), world.id(ISSUER));
        let mut approver = |index: usize, number, role, presence| Approver {
            key: world.key(number),
            guardian: Some(GuardianProof {
                salt: [u8::try_from(index).expect("few"); 16],
                path: tree.path(index).expect("a guardian"),
            }),
            role,
            presence,
            release: [1; 32],
        };
        let [of_nurse, of_patient] = asked.heard;
        let approvers = vec![
            approver(0, NURSE, RoleRef { role: Role::Nurse, issuer: site }, of_nurse),
            approver(1, patient(at), RoleRef { role: Role::Patient, issuer }, of_patient),
        ];
        world.transaction(Body::Approve(Approve { request: asked.core.0, approvers })).0
    }

    /// [`times_of`] a block with a request for each record and its approval.
    pub(crate) fn at_once(mut self, rounds: usize) -> Times {
        let mut transactions = Vec::with_capacity(2 * self.records.len());
        for at in 0..self.records.len() {
            let (request, asked) = self.request(at);
            transactions.extend([request, self.approval(at, asked)]);
        }
        times_of(&mut self.world, transactions, rounds)
    }

    /// [`times_of`] a block that answers the requests of the block before, for half of the records, and
    /// holds requests for the other half.
    pub(crate) fn by_turns(mut self, rounds: usize) -> Times {
        let half = self.records.len() / 2;
        let (requests, asked): (Vec<_>, Vec<_>) = (0..half).map(|at| self.request(at)).unzip();
        self.world.mine(requests).expect("requests");
        let mut transactions = Vec::with_capacity(self.records.len());
        for (at, asked) in asked.into_iter().enumerate() {
            transactions.extend([self.approval(at, asked), self.request(half + at).0]);
        }
        times_of(&mut self.world, transactions, rounds)
    }
}

/// Seconds that a block takes, on the one thread of a pool, where a node applies blocks too.
pub(crate) struct Times {
    /// How many transactions it has.
    pub(crate) transactions: usize,
    /// How many signatures they have.
    pub(crate) signatures: usize,
    /// To verify them in raw batches, the yardstick.
    pub(crate) raw: f64,
    /// To verify them as the ledger does, with keys that it knows.
    pub(crate) verify: f64,
    /// To judge and apply the block with its state and every index.
    pub(crate) apply: f64,
    /// For everything that is judged before that without state, signatures again included.
    pub(crate) prepare: f64,
}

/// Medians of so many rounds.
pub(crate) fn times_of(world: &mut World, transactions: Vec<Transaction>, rounds: usize) -> Times {
    let count = transactions.len();
    let payout = world.key(1);
    let ledger = &world.ledger;
    let block = next_block(ledger, payout, transactions).encode();
    let (chain, height) = (ledger.chain(), world.next());
    let one = Pool::new(NonZeroUsize::MIN).expect("a thread");
    let prepared =
        proofward::ledger::chain::judge_isolated(chain, height, &block).expect("a sound block");
    let transactions = prepared.block.transactions.iter().zip(&prepared.ids);
    let signed: Vec<Signed<'_>> = transactions
        .flat_map(|(included, ids)| ids.signed(&included.transaction).expect("signed"))
        .collect();
    let by_zebra: Vec<Raw> = signed
        .iter()
        .map(|signed| {
            let message = signed.message.try_into().expect("an id");
            (signed.key.0.into(), Signature::from_bytes(&signed.sig.0), message)
        })
        .collect();
    let round = || {
        let raw = seconds(|| by_zebra.chunks(RAW_BATCH).for_each(raw_batch));
        let verify = seconds(|| chain.keys.verify_all(&one, &signed).expect("good signatures"));
        let mut group = None;
        let prepare = seconds(|| group = Some(chain.prepare(&one, height, vec![block.clone()])));
        let group = group.expect("just prepared");
        let mut overlay = Overlay::new(ledger.store());
        let apply = seconds(|| {
            let mut run = Run::default();
            let applied = chain.apply(&one, &mut overlay, &group, Some(NOW), &mut run);
            applied.expect("a valid block");
        });
        [raw, verify, apply, prepare]
    };
    let (all, ()) = one.join(|| (0..rounds).map(|_| round()).collect::<Vec<_>>(), || ());
    let median = |of: usize| {
        let mut values: Vec<f64> = all.iter().map(|times| times[of]).collect();
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    let [raw, verify, apply, prepare] = [0, 1, 2, 3].map(median);
    Times { transactions: count, signatures: signed.len(), raw, verify, apply, prepare }
}

/// The key of the patient whose record this is.
fn patient(index: usize) -> u32 {
    2 * FIRST + u32::try_from(index).expect("few")
}

/// Seconds to read the audit of a record with so many events out of a store on disk, with its proof as
/// text, and to check that.
pub(crate) fn audit(events: u32, rounds: usize) -> [f64; 2] {
    let mut world = World::hospital();
    let rid = world.founded_record(500, PATIENT, [0; 32], 1);
    let owners = world.party(PATIENT);
    let mut seq = 0;
    while seq + 1 < events {
        let some = (events - 1 - seq).min(1_000);
        let mut grants = Vec::new();
        for _ in 0..some {
            seq += 1;
            let owners = owners.clone();
            let grant = Grant { rid, owners, seq, policy_root: [0; 32], not_before_h: 0 };
            grants.push(world.transaction(Body::Grant(grant)).0);
        }
        world.mine(grants).expect("grants");
    }
    world.wait(1);
    let dir = tempfile::tempdir().expect("a directory");
    let store = DiskStore::create(dir.path(), CACHE_BYTES_DEFAULT).expect("a working disk");
    let pool = Pool::new(NonZeroUsize::MIN).expect("a thread");
    let disk = Ledger::create(store, easy_spec(), NodeKernel::best(), pool).expect("a chain");
    for block in &world.blocks {
        disk.submit(block, NOW).expect("a valid block");
    }
    let (mut reads, mut checks) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        let mut text = String::new();
        reads.push(seconds(|| {
            let audit = Audit::read(disk.chain(), disk.store(), rid).expect("a store");
            text = audit_file::to_json(&audit.expect("a record"));
        }));
        checks.push(seconds(|| {
            let audit = audit_file::from_json(text.as_bytes()).expect("an audit");
            assert_eq!(audit.access.len(), events as usize, "every event is listed");
            audit.check(disk.chain()).expect("a proof");
        }));
    }
    [reads, checks].map(|mut times| {
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    })
}

fn seconds(work: impl FnOnce()) -> f64 {
    let start = Instant::now();
    work();
    start.elapsed().as_secs_f64()
}
