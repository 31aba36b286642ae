//! The kinds of claim that take nothing besides issuer and subject: `proofward anchor`, `custodian`,
//! `maker`, `auditor`, `emergency`.

use super::Kind;
use crate::cli::desk::Desk;
use proofward::ledger::transaction::Party;
use proofward::ledger::transaction::attest::Claim;

/// May issue everything except anchors
#[derive(Debug, clap::Args)]
pub(crate) struct Anchor {}

/// Keeps ciphertexts
#[derive(Debug, clap::Args)]
pub(crate) struct Custodian {}

/// Makes goods
#[derive(Debug, clap::Args)]
pub(crate) struct Maker {}

/// Reviews emergencies
#[derive(Debug, clap::Args)]
pub(crate) struct Auditor {}

/// Is an emergency service: the subject is the site itself
#[derive(Debug, clap::Args)]
pub(crate) struct Emergency {}

impl Kind for Anchor {
    const NUMBER: u8 = 1;
    const EXAMPLES: &'static str = "\
Examples:
  proofward anchor attest region --issuer anchor
  proofward anchor withdraw region --by anchor";

    fn claim(&self, _desk: &Desk, _subject: &Party) -> anyhow::Result<Claim> {
        Ok(Claim::Anchor)
    }
}

impl Kind for Custodian {
    const NUMBER: u8 = 7;
    const EXAMPLES: &'static str = "\
Examples:
  proofward custodian attest archive --issuer hospital
  proofward custodian withdraw archive --by hospital";

    fn claim(&self, _desk: &Desk, _subject: &Party) -> anyhow::Result<Claim> {
        Ok(Claim::Custodian)
    }
}

impl Kind for Maker {
    const NUMBER: u8 = 9;
    const EXAMPLES: &'static str = "\
Examples:
  proofward maker attest factory --issuer region
  proofward maker withdraw factory --by region";

    fn claim(&self, _desk: &Desk, _subject: &Party) -> anyhow::Result<Claim> {
        Ok(Claim::Maker)
    }
}

impl Kind for Auditor {
    const NUMBER: u8 = 10;
    const OF_PERSON: bool = true;
    const EXAMPLES: &'static str = "\
Examples:
  proofward auditor attest inspector --issuer region
  proofward auditor withdraw inspector --by region";

    fn claim(&self, _desk: &Desk, _subject: &Party) -> anyhow::Result<Claim> {
        Ok(Claim::Auditor)
    }
}

impl Kind for Emergency {
    const NUMBER: u8 = 6;
    const EXAMPLES: &'static str = "\
Examples:
  proofward emergency attest service --issuer region
  proofward emergency withdraw service --by region";

    fn claim(&self, _desk: &Desk, subject: &Party) -> anyhow::Result<Claim> {
        Ok(Claim::Emergency { site: subject.id() })
    }
}
