//! Where below a seed a derived key stands: indices from the seed down.

use std::fmt;
use std::str::FromStr;

const STEPS_MAX: usize = 8;

/// A path such as `0`, or `7/2/19`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Derivation(Vec<u32>);

/// A text is not a path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[error(
    "derivation {text:?}: expected 1 to {STEPS_MAX} numbers below 2^32 with / between, such as 0/3"
)]
pub struct DerivationError {
    text: String,
}

impl Derivation {
    /// The steps, from the seed down.
    #[must_use]
    pub fn indices(&self) -> &[u32] {
        &self.0
    }
}

/// One text for each path: no sign, no leading zero.
impl FromStr for Derivation {
    type Err = DerivationError;

    fn from_str(text: &str) -> Result<Self, DerivationError> {
        let step = |part: &str| part.parse().ok().filter(|index: &u32| index.to_string() == part);
        let steps: Option<Vec<u32>> = text.split('/').take(STEPS_MAX + 1).map(step).collect();
        match steps {
            Some(steps) if steps.len() <= STEPS_MAX => Ok(Self(steps)),
            _ => Err(DerivationError { text: text.chars().take(100).collect() }),
        }
    }
}

impl fmt::Display for Derivation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let steps: Vec<String> = self.0.iter().map(u32::to_string).collect();
        f.write_str(&steps.join("/"))
    }
}
