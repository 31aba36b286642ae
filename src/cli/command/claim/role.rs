//! `proofward role`: who is a physician, a nurse, a patient, by whose word and at which site.

use anyhow::Context as _;

use super::Kind;
use crate::cli::desk::Desk;
use crate::cli::settings::parse_role;
use proofward::ledger::policy;
use proofward::ledger::transaction::Party;
use proofward::ledger::transaction::attest::Claim;

/// Has a role
#[derive(Debug, clap::Args)]
pub(crate) struct Role {
    /// Which: physician, nurse, pharmacist, emergency-clinician, patient, relative, escrow, laboratory,
    /// researcher
    #[arg(value_parser = parse_role)]
    role: policy::Role,
    /// At which site [default: wherever the issuer's word counts]
    #[arg(long, value_name = "PARTY")]
    site: Option<String>,
}

impl Kind for Role {
    const NUMBER: u8 = 3;
    const OF_PERSON: bool = true;
    const EXAMPLES: &'static str = "\
Examples:
  proofward role attest doctor physician --issuer hospital --site ward
  proofward role attest lpw1... patient --issuer hospital --out patient.tx
  proofward role withdraw doctor --by hospital";

    fn claim(&self, desk: &Desk, _subject: &Party) -> anyhow::Result<Claim> {
        let site = self.site.as_deref().map(|site| desk.party_id(site)).transpose();
        Ok(Claim::Role { role: self.role, site: site.context("--site")? })
    }
}
