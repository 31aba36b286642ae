//! Who is on the stage, and the claims that make them so.

use proofward::ledger::policy::{Cell, Role, RoleRef};
use proofward::ledger::transaction::attest::{Claim, IssuerSet};
use proofward::ledger::transaction::{Attest, Body, CoreId, Party, PartyId};
use proofward::wallet::SecretKey;

use super::stage::Stage;

/// A cell of the H3 grid, resolution 9: where the hospital stands.
const HOSPITAL_CELL: Cell = Cell(0x0892_8308_280f_ffff);
/// Where the emergency service stands.
const SERVICE_CELL: Cell = Cell(0x0892_8308_2803_ffff);
const FOR_EVER: u32 = 1_000_000;

/// Every key of the story.
pub(super) struct People {
    pub(super) anchor: SecretKey,
    pub(super) hospital: SecretKey,
    pub(super) ward: SecretKey,
    pub(super) ward_beacon: SecretKey,
    pub(super) doctor: SecretKey,
    pub(super) locum: SecretKey,
    pub(super) nurse: SecretKey,
    pub(super) patient: SecretKey,
    pub(super) region: SecretKey,
    pub(super) service: SecretKey,
    pub(super) service_beacon: SecretKey,
    pub(super) escrow: SecretKey,
    pub(super) registry: SecretKey,
    pub(super) clinicians: [SecretKey; 2],
    pub(super) auditor: SecretKey,
}

impl People {
    pub(super) fn new() -> anyhow::Result<Self> {
        let key = SecretKey::generate;
        Ok(Self {
            anchor: key()?,
            hospital: key()?,
            ward: key()?,
            ward_beacon: key()?,
            doctor: key()?,
            locum: key()?,
            nurse: key()?,
            patient: key()?,
            region: key()?,
            service: key()?,
            service_beacon: key()?,
            escrow: key()?,
            registry: key()?,
            clinicians: [key()?, key()?],
            auditor: key()?,
        })
    }

    /// Puts every key into the folder, so that the story can be gone on with by commands.
    pub(super) fn keep(&self, stage: &Stage) -> anyhow::Result<()> {
        let [first, second] = &self.clinicians;
        let keys = [
            ("anchor", &self.anchor),
            ("hospital", &self.hospital),
            ("ward", &self.ward),
            ("ward-beacon", &self.ward_beacon),
            ("doctor", &self.doctor),
            ("locum", &self.locum),
            ("nurse", &self.nurse),
            ("patient", &self.patient),
            ("region", &self.region),
            ("service", &self.service),
            ("service-beacon", &self.service_beacon),
            ("escrow", &self.escrow),
            ("registry", &self.registry),
            ("clinician-1", first),
            ("clinician-2", second),
            ("auditor", &self.auditor),
        ];
        keys.into_iter().try_for_each(|(name, key)| stage.keep_key(name, key))
    }

    pub(super) fn id(key: &SecretKey) -> PartyId {
        key.public_key().into()
    }

    /// A role at the ward, or of an institution.
    pub(super) fn role(role: Role, issuer: &SecretKey) -> RoleRef {
        RoleRef { role, issuer: Self::id(issuer) }
    }

    /// Puts every claim on the chain; returns the one of the locum's licence.
    pub(super) fn attest(&self, stage: &mut Stage) -> anyhow::Result<CoreId> {
        let ward = Self::id(&self.ward);
        let service = Self::id(&self.service);
        let all = || Claim::Issuer(IssuerSet::ALL);
        let at_ward = |role| Claim::Role { role, site: Some(ward) };
        let of = |role| Claim::Role { role, site: None };
        let [first, second] = &self.clinicians;
        let claims = [
            (&self.anchor, &self.hospital, all(), 0),
            (&self.anchor, &self.region, all(), 0),
            (&self.hospital, &self.ward, Claim::Site(vec![HOSPITAL_CELL]), 0),
            (&self.hospital, &self.ward_beacon, Claim::Beacon { site: ward }, 0),
            (&self.region, &self.service, Claim::Site(vec![SERVICE_CELL]), 0),
            (&self.region, &self.service, Claim::Emergency { site: service }, 0),
            (&self.region, &self.service_beacon, Claim::Beacon { site: service }, 0),
            (&self.hospital, first, of(Role::EmergencyClinician), 1),
            (&self.hospital, second, of(Role::EmergencyClinician), 2),
            (&self.region, &self.escrow, of(Role::Escrow), 3),
            (&self.region, &self.registry, of(Role::Escrow), 4),
            (&self.region, &self.auditor, Claim::Auditor, 5),
            (&self.hospital, &self.doctor, at_ward(Role::Physician), 6),
            (&self.hospital, &self.nurse, at_ward(Role::Nurse), 7),
            (&self.hospital, &self.patient, of(Role::Patient), 8),
            (&self.hospital, &self.locum, at_ward(Role::Physician), 9),
        ];
        let mut last = None;
        for (issuer, subject, claim, tag) in claims {
            last = Some(Self::claim(stage, issuer, subject, claim, tag)?);
        }
        last.ok_or_else(|| anyhow::anyhow!("there are claims"))
    }

    /// Puts one claim on the chain.
    pub(super) fn claim(
        stage: &mut Stage,
        issuer: &SecretKey,
        subject: &SecretKey,
        claim: Claim,
        tag: u8,
    ) -> anyhow::Result<CoreId> {
        let attest = Attest {
            issuer: Party::Key(issuer.public_key()),
            subject: Party::Key(subject.public_key()),
            claim,
            from_h: 0,
            to_h: FOR_EVER,
            subject_tag: [tag; 16],
            evidence: [0; 32],
            prev: None,
        };
        stage.act(Body::Attest(attest), &[issuer, subject])
    }
}
