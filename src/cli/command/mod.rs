//! One file for each command; its arguments stand beside what they do.

mod access;
mod balance;
mod bench;
mod chain;
mod claim;
mod demo;
mod fuzz;
mod grant;
mod init;
pub(super) mod kernels;
mod key;
mod loan;
mod lot;
mod mine;
mod node;
mod oracle;
mod pay;
mod policy;
mod print;
mod proof;
mod record;
mod search;
mod tx;
mod verify;
mod wear;

use super::exit::Outcome;

/// What to do.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Say who may issue everything except anchors: the genesis anchor does
    Anchor(Box<claim::Args<claim::Anchor>>),
    Approve(Box<access::ApproveArgs>),
    Audit(access::AuditArgs),
    /// Say who reviews emergencies
    Auditor(Box<claim::Args<claim::Auditor>>),
    Balance(balance::Args),
    /// Say what is a beacon of a site, and let it say which keys are in the room
    Beacon(Box<claim::BeaconArgs>),
    Bench(Box<bench::Args>),
    Chain(chain::Args),
    /// Say who keeps ciphertexts
    Custodian(Box<claim::Args<claim::Custodian>>),
    Demo(demo::Args),
    /// Say what is a device of a model, and what is no more
    Device(Box<claim::DeviceArgs>),
    /// Say which site is an emergency service
    Emergency(Box<claim::Args<claim::Emergency>>),
    Explain(access::ExplainArgs),
    Fuzz(fuzz::Args),
    Guardian(Box<access::GuardianArgs>),
    Grant(Box<grant::Args>),
    Init(init::Args),
    /// Say who may make which claims
    Issuer(Box<claim::Args<claim::Issuer>>),
    Kernels(kernels::Args),
    Key(key::Args),
    Loan(Box<loan::Args>),
    Lot(lot::Args),
    /// Say who makes goods
    Maker(Box<claim::Args<claim::Maker>>),
    Mine(Box<mine::Args>),
    Node(Box<node::Args>),
    Open(Box<access::OpenArgs>),
    Oracle(oracle::Args),
    Pay(Box<pay::Args>),
    #[command(hide = true)]
    Print(print::Args),
    Policy(policy::Args),
    Proof(proof::Args),
    Release(access::ReleaseArgs),
    Request(Box<access::RequestArgs>),
    Review(Box<access::ReviewArgs>),
    Record(record::Args),
    Revoke(Box<grant::Revoke>),
    /// Say who is a physician, a nurse, a patient, ...
    Role(Box<claim::Args<claim::Role>>),
    Search(search::Args),
    /// Say where a site stands, by cells or by a map
    Site(Box<claim::Args<claim::Site>>),
    Tx(tx::Args),
    Verify(verify::Args),
    Veto(Box<access::VetoArgs>),
    Withdraw(Box<access::WithdrawArgs>),
    Wear(Box<wear::Args>),
}

impl Command {
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        match self {
            Self::Anchor(args) => args.run(),
            Self::Approve(args) => args.run(),
            Self::Audit(args) => args.run(),
            Self::Auditor(args) => args.run(),
            Self::Balance(args) => args.run(),
            Self::Beacon(args) => args.run(),
            Self::Bench(args) => args.run(),
            Self::Chain(args) => args.run(),
            Self::Custodian(args) => args.run(),
            Self::Demo(args) => args.run(),
            Self::Device(args) => args.run(),
            Self::Emergency(args) => args.run(),
            Self::Explain(args) => args.run(),
            Self::Fuzz(args) => args.run(),
            Self::Guardian(args) => args.run(),
            Self::Grant(args) => args.run(),
            Self::Init(args) => args.run(),
            Self::Issuer(args) => args.run(),
            Self::Kernels(args) => args.run(),
            Self::Key(args) => args.run(),
            Self::Loan(args) => args.run(),
            Self::Lot(args) => args.run(),
            Self::Maker(args) => args.run(),
            Self::Mine(args) => args.run(),
            Self::Node(args) => args.run(),
            Self::Open(args) => args.run(),
            Self::Oracle(args) => args.run(),
            Self::Pay(args) => args.run(),
            Self::Print(args) => args.run(),
            Self::Policy(args) => args.run(),
            Self::Proof(args) => args.run(),
            Self::Release(args) => args.run(),
            Self::Request(args) => args.run(),
            Self::Review(args) => args.run(),
            Self::Record(args) => args.run(),
            Self::Revoke(args) => args.run(),
            Self::Role(args) => args.run(),
            Self::Search(args) => args.run(),
            Self::Site(args) => args.run(),
            Self::Tx(args) => args.run(),
            Self::Verify(args) => args.run(),
            Self::Veto(args) => args.run(),
            Self::Withdraw(args) => args.run(),
            Self::Wear(args) => args.run(),
        }
    }
}
