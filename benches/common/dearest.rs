//! The dearest request that the limits allow: its people and places rest on issuers who have conspired to
//! make every walk through their claims as long as walks are. For `access`.

use proofward::ledger::policy::{Place, Role, RoleRef};
use proofward::ledger::spec::{HOLDINGS_KIND_MAX, HOLDINGS_MAX};
use proofward::ledger::state::HeldClaim;
use proofward::ledger::transaction::attest::{Claim, IssuerSet, Withdrawn};
use proofward::ledger::transaction::{Attest, Body, Request, Transaction};

use super::attempts::times_of;
use super::world::{ANCHOR, Policed, World};

/// Issuers whom the anchor has made, those whom these have made, and the one whom all of those have.
const FIRST: u32 = 200;
const SECOND: u32 = 210;
const THIRD: u32 = 220;
/// Sites, their one beacon, and who reads.
const PLACES: u32 = 230;
const RADIO: u32 = 240;
const READER: u32 = 241;

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
