//! L3, throughput: keeps every core busy with a kernel. It knows jobs, ranges, headers, merkle trees
//! and batches of messages; it knows nothing of pools, peers, transactions or disks.
//!
//! # Search
//!
//! An [`Engine`] is a kernel and the threads that run it. [`Engine::publish`] gives them [`Work`]: a
//! target and a [`WorkSource`] of header [`Template`]s, each with the version bits, times and nonces
//! that may be tried. [`Engine::events`] brings every [`Solution`], judged by the scalar hash over the
//! full target, with the number of the publication that it solves.
//!
//! - The current work is behind one atomic pointer. Workers look at it between batches of at most
//!   half a millisecond ([`meter::Pace`] sizes them by the measured rate) and park when they have
//!   nothing to do.
//! - A batch is one atomic addition on a line of positions: nonces of the first version, of the second,
//!   ..., of the first version one second later, and so on. So no header is hashed twice, and rolling
//!   costs nobody a wait. A new template takes a lock for the exchange of a pointer; it was fetched
//!   while the one before was searched.
//! - Every nonce that a kernel visits is counted once, by the worker that visited it.
//!
//! ```
//! use proofward::engine::{Engine, Event, Options, Template, Until, Work, tune};
//! use proofward::hash::Algorithm;
//! use proofward::primitives::{Target, limits::VERSION_ROLLING_MASK};
//!
//! let engine = Engine::new(tune::fastest(Algorithm::Sha256d)?, Options::default())?;
//! let header = [0; 80];
//! let template = Template::new(&header).with_version_mask(VERSION_ROLLING_MASK).with_time_max(600);
//! let target: Target = "0000ffff".repeat(8).parse()?;
//! let generation = engine.publish(Work::of(template, target).until(Until::FirstSolution));
//! let Event::Solution(solution) = engine.events().recv()? else { unreachable!("so easy a target") };
//! assert_eq!(solution.generation, generation);
//! assert!(target.is_met_by(&solution.digest));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod affinity;
mod allowance;
mod claim;
mod extranonce;
pub mod measure;
pub mod merkle;
pub mod meter;
pub mod nodes;
#[cfg(feature = "ledger")]
pub mod points;
pub mod pool;
pub mod proof;
mod search;
pub mod sha512;
pub mod tune;
pub mod verify;
mod work;
mod worker;

pub use affinity::{AffinityError, Apart, on_cpus};
pub use extranonce::{Coinbase, ExtranonceError, ExtranonceSource};
pub use search::{Engine, Event, Generation, Options, Propose, Solution, StartError};
pub use work::{Template, Until, Work, WorkSource};
