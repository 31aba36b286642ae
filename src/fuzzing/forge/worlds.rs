//! Small random worlds around one record, and questions about them: most of each is in order, so that
//! every clause is now and then the first that fails, and often none.

use super::SplitMix64;
use crate::ledger::policy::{
    Approval, Asked, BeaconClaim, Cell, Daily, Heard, KnownBranch, Leaf, Led, Moment, Need, Place,
    Purpose, Purposes, Role, RoleClaim, RoleRef, Site, Standing, Threshold, Together, Window,
    World,
};
use crate::ledger::signature::PubKey;
use crate::ledger::state::Person;
use crate::ledger::transaction::{CoreId, PartyId};

/// Seconds between blocks in every world.
pub const SPACING_S: u32 = 10;
/// The moment of the next block in every world.
pub const NOW: Moment = Moment { height: 1000, median_time: 1_700_000_000 };
const ROOT: [u8; 32] = [9; 32];
const ROLES: [Role; 3] = [Role::Physician, Role::Nurse, Role::EmergencyClinician];
/// A cell of the coarsest resolution, one inside it and one elsewhere.
const CELLS: [Cell; 3] =
    [Cell(0x0800_1fff_ffff_ffff), Cell(0x0810_03ff_ffff_ffff), Cell(0x0800_3fff_ffff_ffff)];

/// A world with its dice.
#[derive(Debug)]
pub struct Maker {
    dice: SplitMix64,
}

impl Maker {
    /// The same seed makes the same worlds.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { dice: SplitMix64::new(seed) }
    }

    /// A world of `people` keys and a beacon or two.
    ///
    /// # Panics
    ///
    /// Never: every number is small.
    pub fn world(&mut self, people: u32) -> World {
        let mut roles = Vec::new();
        for number in 1..=people {
            for _ in 0..self.dice.within(1, 2) {
                roles.push(self.role_claim(number, people));
            }
        }
        let beacons = (0..self.dice.within(0, 2)).map(|number| self.beacon(number)).collect();
        let branches = (0..self.dice.within(1, 2)).map(|_| self.branch()).collect();
        let guardians = [(); 2].map(|()| {
            let count = self.dice.within(2, people.min(4));
            let first = self.dice.within(1, people);
            (0..count).map(|i| key(1 + (first + i) % people)).collect::<Vec<_>>()
        });
        let sets = [0, 1].map(|set: usize| {
            let n = u8::try_from(guardians[set].len()).expect("small");
            let required = if set == 0 && self.chance(20) { 1 } else { 0 };
            (!self.chance(3)).then_some(Threshold {
                n,
                k: if self.chance(80) { 1 } else { 2 },
                required,
            })
        });
        let standing = Standing { is_active: !self.chance(2), seq: 3, root: ROOT, sets };
        let mut standings = vec![(0, standing)];
        if self.chance(15) {
            let next = Standing { seq: 4, ..standing };
            let gone = Standing { seq: 4, root: [0; 32], ..standing };
            let from = NOW.height + self.dice.within(0, 3);
            standings.push((from, if self.chance(50) { next } else { gone }));
        }
        let owing = roles.iter().map(|claim| claim.person).filter(|_| self.chance(5)).collect();
        let rid = PubKey([200; 32]);
        World { rid, spacing_s: SPACING_S, standings, roles, beacons, branches, guardians, owing }
    }

    /// A question about a world, and when it is asked.
    ///
    /// # Panics
    ///
    /// Never: every number is small.
    pub fn question(&mut self, world: &World) -> (Asked, Leaf, Moment) {
        let branch = self.pick(&world.branches).clone();
        let leaf = branch.leaf.clone();
        let role = *self.pick(&branch.readers);
        let fitting: Vec<RoleClaim> =
            world.roles.iter().filter(|claim| claim.is_of(&role)).copied().collect();
        let claim =
            if fitting.is_empty() { *self.pick(&world.roles) } else { *self.pick(&fitting) };
        let ago = self.dice.within(0, 4);
        let asked_at = Moment {
            height: NOW.height - ago,
            median_time: NOW.median_time - ago * self.dice.within(0, 12),
        };
        let place = *self.pick(&branch.places);
        let heard = (!self.chance(10)).then(|| Heard {
            beacon: key(100 + self.dice.within(0, 1)),
            round: [7; 32],
            is_signer: !self.chance(3),
            anchor_h: (!self.chance(3)).then(|| asked_at.height - self.dice.within(1, 3)),
        });
        let mut approvals: Vec<Approval> = Vec::new();
        for number in 1..=u32::try_from(world.roles.len()).expect("small") {
            if !self.chance(85) {
                continue;
            }
            let claims: Vec<RoleClaim> =
                world.roles.iter().filter(|claim| claim.key == key(number)).copied().collect();
            if claims.is_empty() {
                continue;
            }
            let claim = *self.pick(&claims);
            approvals.push(self.approval(world, &leaf, claim));
        }
        let completed = self
            .chance(25)
            .then(|| Moment { height: NOW.height - self.dice.within(0, ago), ..NOW });
        let asked = Asked {
            rid: world.rid,
            seq: if self.chance(3) { 2 } else { 3 },
            leaf: leaf.hash(),
            root: (!self.chance(2)).then_some(ROOT),
            purpose: if self.chance(5) {
                Purpose::Payment
            } else {
                leaf.purposes.iter().next().expect("a purpose")
            },
            reader: claim.key,
            person: Some(claim.person),
            role: (!self.chance(2)).then_some(Led { value: role, root: Some(leaf.readers) }),
            place: (!self.chance(2)).then_some(Led { value: place, root: Some(leaf.places) }),
            heard,
            after_h: (!self.chance(5)).then(|| NOW.height - self.dice.within(1, 4)),
            at: asked_at,
            approvals,
            denied: if self.chance(5) { self.dice.within(0, 7) } else { 0 },
            completed,
            vetoed: self.chance(3),
        };
        (asked, leaf, NOW)
    }

    fn approval(&mut self, world: &World, leaf: &Leaf, claim: RoleClaim) -> Approval {
        let by_site = claim.site.filter(|_| self.chance(40));
        let guardians = &world.guardians[usize::from(leaf.set)];
        let index = guardians.iter().position(|guardian| *guardian == claim.key);
        Approval {
            key: claim.key,
            person: claim.person,
            role: RoleRef { role: claim.role, issuer: by_site.unwrap_or(claim.person.issuer) },
            guardian: index.map(|index| u8::try_from(index).expect("small")),
            round: (!self.chance(5)).then_some([7; 32]),
            after_h: (!self.chance(5)).then(|| NOW.height - self.dice.within(1, 4)),
            core: CoreId([if self.chance(20) { 2 } else { 1 }; 32]),
        }
    }

    fn role_claim(&mut self, number: u32, people: u32) -> RoleClaim {
        let issuer = party(self.dice.within(0, 1));
        // Now and then two keys are one person to an issuer.
        let tag = if self.chance(8) { 1 + number % people } else { number };
        let (from_h, to_h) = self.window();
        let blocks = if self.chance(20) { self.dice.within(140, 148) } else { 400 };
        let since = Moment {
            height: NOW.height - blocks,
            median_time: NOW.median_time - blocks * self.dice.within(4, 12),
        };
        RoleClaim {
            key: key(number),
            person: Person { issuer, tag: [u8::try_from(tag).expect("small"); 16] },
            role: *self.pick(&ROLES),
            site: self.chance(40).then(|| site(self.dice.within(0, 1))),
            from_h,
            to_h,
            since,
        }
    }

    fn beacon(&mut self, number: u32) -> BeaconClaim {
        let (from_h, to_h) = self.window();
        let issuer = party(self.dice.within(0, 2));
        let cells = [&CELLS[..1], &CELLS[1..2], &CELLS[1..], &[]];
        let site = Site {
            key: site(self.dice.within(0, 1)),
            issuer,
            above: self.chance(20).then(|| party(self.dice.within(0, 2))).into_iter().collect(),
            cells: self.pick(&cells).to_vec(),
            emergency: self.vouchers(issuer),
        };
        BeaconClaim { key: key(100 + number), site, from_h, to_h }
    }

    fn vouchers(&mut self, issuer: PartyId) -> Vec<Vec<PartyId>> {
        let mut vouchers = Vec::new();
        for by in [issuer, party(self.dice.within(0, 2))] {
            if self.chance(40) {
                let above = self.chance(30).then(|| party(self.dice.within(0, 2)));
                vouchers.push(std::iter::once(by).chain(above).collect());
            }
        }
        vouchers
    }

    fn window(&mut self) -> (u32, u32) {
        let from = if self.chance(10) { NOW.height + self.dice.within(0, 3) - 1 } else { 0 };
        let to = if self.chance(12) { NOW.height + self.dice.within(0, 3) } else { 5000 };
        (from, to)
    }

    fn branch(&mut self) -> KnownBranch {
        let readers: Vec<RoleRef> = (0..self.dice.within(1, 2)).map(|_| self.role_ref()).collect();
        let emergency = self.chance(25);
        let mut need: Vec<Need> = (0..self.dice.within(0, 2))
            .map(|_| Need { role: self.role_ref(), count: if self.chance(85) { 1 } else { 2 } })
            .collect();
        need.sort_by_key(|need| need.role);
        need.dedup_by_key(|need| need.role);
        let places = (0..self.dice.within(1, 2)).map(|_| self.place()).collect();
        let price = u64::from(!emergency && self.chance(10));
        let times = [Together::Within, Together::OneTransaction, Together::OneRound];
        let together = if self.chance(50) { Together::Apart } else { *self.pick(&times) };
        let leaf = Leaf {
            salt: [5; 16],
            set: u8::from(emergency),
            readers: [1; 32],
            places: [2; 32],
            window: self.chance(60).then(|| self.period()),
            daily: None,
            purposes: Purposes::of(&[if emergency { Purpose::BreakGlass } else { Purpose::Treat }]),
            need,
            k: if self.chance(70) { 1 } else { 2 },
            together,
            together_within: self.dice.within(2, 5),
            answer_within: if self.chance(10) { self.dice.within(1, 3) } else { 50 },
            read_within: if self.chance(10) { 2 } else { 50 },
            delay: 0,
            max_reads: if emergency { 1 } else { 2 },
            price,
            scope: [0; 32],
        };
        let delayed = !emergency && price == 0 && self.chance(25);
        let delay = if delayed { self.dice.within(1, leaf.answer_within.min(4)) } else { 0 };
        let daily = (leaf.window.is_none() || self.chance(20)).then(|| self.daily());
        let reads = if self.chance(5) { 2 } else { 0 };
        KnownBranch { seq: 3, leaf: Leaf { delay, daily, ..leaf }, readers, places, reads }
    }

    /// A window that holds NOW, or begins or ends close to it.
    fn period(&mut self) -> Window {
        let near = |dice: &mut SplitMix64| SPACING_S * dice.within(0, 4);
        let from = if self.chance(15) { near(&mut self.dice) } else { 0 };
        let to = if self.chance(15) { near(&mut self.dice) } else { 4000 };
        Window { from: NOW.median_time - 500 + from * 25, to: NOW.median_time + to }
    }

    fn daily(&mut self) -> Daily {
        let minute = u16::try_from(NOW.median_time / 60 % 1440).expect("below 1440");
        let length = u16::try_from(self.dice.within(2, 1400)).expect("small");
        let before = if self.chance(85) { length / 2 } else { length + 1 };
        let from = (minute + 1440 - before) % 1440;
        Daily { from, to: (from + length) % 1440 }
    }

    fn place(&mut self) -> Place {
        match self.dice.within(0, 5) {
            0 => Place::Site(site(self.dice.within(0, 1))),
            1 => Place::Cell(*self.pick(&CELLS), party(self.dice.within(0, 2))),
            2 => Place::AnyEmergency,
            _ => Place::Anywhere,
        }
    }

    fn role_ref(&mut self) -> RoleRef {
        let issuer = if self.chance(70) {
            party(self.dice.within(0, 1))
        } else {
            site(self.dice.within(0, 1))
        };
        RoleRef { role: *self.pick(&ROLES), issuer }
    }

    fn chance(&mut self, percent: u32) -> bool {
        self.dice.within(1, 100) <= percent
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        let last = u32::try_from(from.len() - 1).expect("small");
        &from[self.dice.within(0, last) as usize]
    }
}

fn key(number: u32) -> PubKey {
    PubKey([u8::try_from(number).expect("small"); 32])
}

fn party(number: u32) -> PartyId {
    PartyId([u8::try_from(150 + number).expect("small"); 32])
}

fn site(number: u32) -> PartyId {
    PartyId([u8::try_from(180 + number).expect("small"); 32])
}
