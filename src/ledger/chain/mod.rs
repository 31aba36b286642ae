//! The chain: the header tree, the best branch, and the steps that move its tip.
//!
//! Every change is built in an overlay and committed in one write: a block that is accepted, and a
//! reorganisation of any depth, happens wholly or not at all.

mod access;
mod branch;
mod connect;
mod credit;
mod damage;
mod evidence;
mod finality;
pub mod header;
mod known;
mod ledger;
mod node;
mod proposal;
mod record;
mod release;
mod replay;
mod run;
mod scrub;
mod side;
mod view;
mod wanted;
mod world;
mod writer;

pub use connect::{Chain, Prepared};
pub use credit::{CREDIT_MODELS_MAX, ModelCredit};
pub use damage::BlockPart;
pub use evidence::{EvidenceError, Shown, StateEvidence};
pub use finality::{Alarm, CheckpointError, SignedCheckpoint, Witnessed};
pub use ledger::{Ledger, SubmitError, Submitted};
pub use node::SIDE_HEADERS_MAX;
pub use proposal::ProposalError;
pub use record::{Record, Status};
pub use release::{
    EMERGENCY_ANCHOR_DEPTH_BLOCKS, EMERGENCY_LIFE_BLOCKS, RELEASE_DEPTH_BLOCKS, Release,
};
pub use replay::ReplayError;
pub use run::{Group, Run, judge_isolated};
pub use scrub::{Finding, Scrubbed};
pub use side::{SIDE_BODY_BYTES_LEAST, SIDE_BYTES_MAX};
pub use view::View;
