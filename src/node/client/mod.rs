//! The miner as a client of other people's servers: stratum and getblocktemplate, with failover. It has no
//! part in a chain of ours and decides no validity.
//!
//! The protocols are machines without input, output or clock: [`Session::step`] takes what happened and
//! what time it is, and says what to do. [`Fleet`] holds a session for each server and decides which of
//! them is mined for. `run` (feature `net`) gives them sockets and an engine.
//!
//! | file | what |
//! |---|---|
//! | `server` | what a URL says |
//! | `offer` | work of any protocol, ready for the engine |
//! | `session` | what every protocol machine takes and gives |
//! | `stratum` | Stratum V1 |
//! | `template` | getblocktemplate and submitblock (BIP22, BIP23, BIP145) |
//! | `fleet` | the list of servers: who is connected, who is mined for, who rests |
//! | `report` | what people and programs are told |
//! | `meter` | the account of shares |
//! | `payout` | who is paid by blocks that we assemble |
//! | `battery` | whether the machine runs on its battery |

pub mod battery;
pub mod fleet;
mod meter;
mod offer;
pub mod payout;
mod report;
mod server;
mod session;
pub mod stratum;
pub mod template;
mod trouble;

#[cfg(feature = "net")]
mod connection;
#[cfg(feature = "net")]
mod run;
#[cfg(feature = "net")]
mod tls;

pub use fleet::{Fleet, FleetAction, FleetEvent, ServerEvent};
pub use meter::{Account, Fates};
pub use offer::Offer;
pub use report::{Fate, Report, ShareReport};
pub use server::{Protocol, Server, ServerError};
pub use session::{Action, Event, Session};
pub use trouble::Trouble;

#[cfg(feature = "net")]
pub use connection::{LINE_BYTES_MAX, RESPONSE_BYTES_MAX};
#[cfg(feature = "net")]
pub use run::{Control, Observer, PauseReason, RunError, Settings, run};
