//! `proofward issuer`: who may make which claims.

use anyhow::ensure;

use super::Kind;
use crate::cli::desk::Desk;
use crate::cli::settings::parse_role;
use proofward::ledger::policy::Role;
use proofward::ledger::transaction::Party;
use proofward::ledger::transaction::attest::{Claim, IssuerSet};

/// What can be given to an issuer, by the number of the claim.
const CLAIMS: [(&str, u8); 9] = [
    ("issuer", 2),
    ("role", 3),
    ("site", 4),
    ("beacon", 5),
    ("emergency", 6),
    ("custodian", 7),
    ("device", 8),
    ("maker", 9),
    ("auditor", 10),
];

/// May make claims of some kinds
#[derive(Debug, clap::Args)]
pub(crate) struct Issuer {
    /// Which claims: issuer, role, site, beacon, emergency, custodian, device, maker, auditor
    /// [default: all of them]
    #[arg(long, value_name = "KIND,...", value_delimiter = ',', value_parser = parse_kind)]
    may: Vec<u8>,
    /// Which roles, by name [default: all, if roles are among the claims]
    #[arg(long, value_name = "ROLE,...", value_delimiter = ',', value_parser = parse_role)]
    roles: Vec<Role>,
}

impl Kind for Issuer {
    const NUMBER: u8 = 2;
    const EXAMPLES: &'static str = "\
Examples:
  proofward issuer attest hospital --issuer anchor
  proofward issuer attest ward --issuer hospital --may role,beacon --roles nurse,physician
  proofward issuer withdraw ward --by hospital";

    fn claim(&self, _desk: &Desk, _subject: &Party) -> anyhow::Result<Claim> {
        let claims = if self.may.is_empty() {
            CLAIMS.map(|(_, number)| number).to_vec()
        } else {
            self.may.clone()
        };
        let gives_roles = claims.contains(&3);
        ensure!(gives_roles || self.roles.is_empty(), "--roles, but role is not among --may");
        let roles = if gives_roles && self.roles.is_empty() {
            Role::ALL.to_vec()
        } else {
            self.roles.clone()
        };
        Ok(Claim::Issuer(IssuerSet::of(&claims, &roles)))
    }
}

fn parse_kind(text: &str) -> Result<u8, String> {
    let known = CLAIMS.iter().find(|(name, _)| *name == text);
    known.map(|(_, number)| *number).ok_or_else(|| {
        let names: Vec<&str> = CLAIMS.iter().map(|(name, _)| *name).collect();
        format!("{text:?} is no claim that can be given: expected {}", names.join(", "))
    })
}
