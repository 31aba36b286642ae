//! The exit codes, each with its meaning.

use std::process::ExitCode;

/// How a command ended when nothing went wrong on the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Done, found, valid: 0.
    Yes,
    /// The answer is no (not found, invalid): 1.
    No,
}

impl Outcome {
    /// Usage, configuration, or input that cannot be read: 2.
    pub(crate) const USAGE: u8 = 2;
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        Self::from(match outcome {
            Outcome::Yes => 0,
            Outcome::No => 1,
        })
    }
}
