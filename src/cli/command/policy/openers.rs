//! Who can open a record, in sentences or as objects: what `check` and `who-can-open` share.

use serde::Serialize;

use crate::cli::desk::Desk;
use crate::cli::output::{Format, json_line, text_line};
use proofward::ledger::chain::RELEASE_DEPTH_BLOCKS;
use proofward::ledger::policy::{
    KnownBranch, Openers, Place, PolicyTree, Risk, Together, Way, World,
};
use proofward::ledger::rules::access::Around;
use proofward::ledger::signature::PubKey;
use proofward::ledger::transaction::PartyId;
use proofward::wallet::record::{KeptEpoch, KeptPolicy};
use proofward::words::{Lang, Opening, risk, role};

/// Farthest that is looked ahead.
pub(super) const WITHIN_MAX: u32 = 10_000;

/// Branches with their names, and everybody around the record.
pub(super) struct Known {
    pub(super) world: World,
    names: Vec<String>,
}

/// How an answer is told.
pub(super) struct Teller<'a> {
    pub(super) desk: &'a Desk,
    pub(super) lang: Lang,
    pub(super) format: Format,
}

#[derive(Serialize)]
struct WayLine<'a> {
    kind: &'static str,
    leaf: &'a str,
    keys: Vec<String>,
    reader: String,
    role: &'static str,
    place: String,
    beacon: Option<String>,
    approvers: Vec<ApproverLine>,
    request_h: u32,
    approve_h: u32,
    open_h: u32,
    shares_h: Option<u32>,
}

#[derive(Serialize)]
struct ApproverLine {
    key: String,
    role: &'static str,
    issuer: String,
}

#[derive(Serialize)]
struct PointLine {
    kind: &'static str,
    key: String,
}

#[derive(Serialize)]
struct RiskLine {
    kind: &'static str,
    risk: &'static str,
    text: String,
}

impl Known {
    /// Gathers the world around one epoch of a record and these of its policies, with their numbers.
    pub(super) fn gather(
        desk: &Desk,
        epoch: &KeptEpoch,
        policies: &[(u32, &KeptPolicy, PolicyTree)],
        within: u32,
    ) -> anyhow::Result<Self> {
        let (mut branches, mut names) = (Vec::new(), Vec::new());
        for (seq, policy, tree) in policies {
            for ((name, draft), branch) in policy.leaves.iter().zip(tree.branches()) {
                branches.push(KnownBranch {
                    seq: *seq,
                    leaf: branch.leaf.clone(),
                    readers: draft.readers.clone(),
                    places: draft.places.clone(),
                    reads: 0,
                });
                names.push(name.clone());
            }
        }
        let mut guardians = [Vec::new(), Vec::new()];
        for (all, kept) in guardians.iter_mut().zip(&epoch.sets) {
            all.extend(kept.seats.iter().map(|seat| seat.member.key));
        }
        let rid = epoch.rid.public_key();
        let around = Around { rid, branches, guardians, within };
        Ok(Self { world: desk.chain.world(desk.view(), around)?, names })
    }
}

impl Teller<'_> {
    /// Tells an answer about a time up to a height.
    pub(super) fn tell(&self, known: &Known, openers: &Openers, last: u32) -> anyhow::Result<()> {
        for way in &openers.ways {
            self.way(known, way)?;
        }
        if openers.ways.is_empty() && !self.format.is_json() {
            text_line(self.say(Opening::Nobody, &[&last.to_string()]))?;
        }
        for key in &openers.single_points {
            if self.format.is_json() {
                json_line(&PointLine { kind: "single-point", key: key.to_string() })?;
            } else {
                text_line(self.say(Opening::SinglePoint, &[&self.name(key)]))?;
            }
        }
        for found in &openers.risks {
            let text = risk(self.lang, found);
            if self.format.is_json() {
                json_line(&RiskLine { kind: "risk", risk: risk_name(found), text })?;
            } else if *found != Risk::LockedOut {
                text_line(text)?;
            }
        }
        if !self.format.is_json() {
            text_line(self.say(Opening::Behind, &[]))?;
        }
        Ok(())
    }

    fn way(&self, known: &Known, way: &Way) -> anyhow::Result<()> {
        let (branch, leaf) = (&known.world.branches[way.branch], &known.names[way.branch]);
        let is_emergency = branch.leaf.is_emergency();
        let shares_h = (!is_emergency).then_some(way.open_h + RELEASE_DEPTH_BLOCKS);
        if self.format.is_json() {
            let approvers = way.approvers.iter().map(|(key, role)| ApproverLine {
                key: key.to_string(),
                role: role.role.name(),
                issuer: role.issuer.to_string(),
            });
            return json_line(&WayLine {
                kind: "way",
                leaf,
                keys: way.keys.iter().map(PubKey::to_string).collect(),
                reader: way.reader.to_string(),
                role: way.role.role.name(),
                place: self.place(&way.place),
                beacon: way.beacon.map(|beacon| beacon.to_string()),
                approvers: approvers.collect(),
                request_h: way.request_h,
                approve_h: way.approve_h,
                open_h: way.open_h,
                shares_h,
            });
        }
        let list = |keys: &mut dyn Iterator<Item = &PubKey>| {
            keys.map(|key| self.name(key)).collect::<Vec<_>>().join(", ")
        };
        text_line(self.say(Opening::Way, &[&list(&mut way.keys.iter()), leaf]))?;
        let mut place = self.place(&way.place);
        if let Some(beacon) = &way.beacon {
            place += &self.say(Opening::HeardBy, &[&self.name(beacon)]);
        }
        let (height, reader) = (way.request_h.to_string(), self.name(&way.reader));
        let as_role = role(self.lang, way.role.role);
        text_line(self.say(Opening::Request, &[&height, &reader, as_role, &place]))?;
        let who = list(&mut way.approvers.iter().map(|(key, _)| key));
        let within = branch.leaf.together_within.to_string();
        let together = match branch.leaf.together {
            Together::Apart => String::new(),
            Together::Within => self.say(Opening::Within, &[&within]),
            Together::OneTransaction => self.say(Opening::OneTransaction, &[]),
            Together::OneRound => self.say(Opening::OneRound, &[]),
        };
        let approve = self.say(Opening::Approve, &[&way.approve_h.to_string(), &who]);
        text_line(format!("{approve}{together}"))?;
        text_line(self.say(Opening::Open, &[&way.open_h.to_string()]))?;
        match shares_h {
            Some(height) => text_line(self.say(Opening::Shares, &[&height.to_string()])),
            None => text_line(self.say(Opening::SharesAtOnce, &[])),
        }
    }

    fn place(&self, place: &Place) -> String {
        let party = |party: &PartyId| self.name(&PubKey(party.0));
        match place {
            Place::Anywhere => self.say(Opening::Anywhere, &[]),
            Place::AnyEmergency => self.say(Opening::AtEmergency, &[]),
            Place::Site(site) => self.say(Opening::AtSite, &[&party(site)]),
            Place::Cell(cell, issuer) => {
                self.say(Opening::InCell, &[&format!("{:x}", cell.0), &party(issuer)])
            }
        }
    }

    /// What the directory calls a key, or its first digits.
    fn name(&self, key: &PubKey) -> String {
        let name = self.desk.name_of(key);
        name.map_or_else(|| key.to_string()[..16].to_owned(), |name| name.to_string())
    }

    pub(super) fn say(&self, sentence: Opening, values: &[&str]) -> String {
        sentence.say(self.lang, values)
    }
}

fn risk_name(risk: &Risk) -> &'static str {
    match risk {
        Risk::LockedOut => "locked-out",
        Risk::TooFewGuardians { .. } => "too-few-guardians",
        Risk::RequiredNotLive { .. } => "required-not-live",
        Risk::EndsAt(_) => "ends",
        _ => "other",
    }
}
