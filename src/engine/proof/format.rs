//! The proof file: lines of text, one way to write each proof, nothing in it that a reader must trust
//! before checking. The head, up to and including `threads`, is what [`Terms`] are bound by.
//!
//! ```text
//! proofward work proof 1
//! algorithm sha256d
//! seed <64 hex digits>
//! challenge <text>
//! machine <text>
//! kernels <text>
//! threads <text>
//! hashes <decimal>
//! milliseconds <decimal>
//! limit <64 hex digits, most significant first>
//! solutions <decimal>
//! <header index> <nonce>          as many lines as `solutions` says
//! end
//! ```
//!
//! A file holds one proof for each algorithm at most, one after the other.

use std::fmt::{self, Write as _};

use super::{Proof, SOLUTIONS_MAX, Solution, Terms};
use crate::hash::Algorithm;

const MAGIC: &str = "proofward work proof 1";
/// Bytes of a text in the head.
const TEXT_BYTES_MAX: usize = 200;
/// Bytes of the head and of the claims: eleven lines of a word and a text.
const HEAD_BYTES_MAX: usize = 11 * (16 + TEXT_BYTES_MAX);
/// Bytes of a solution: two numbers, a space, a line feed.
const SOLUTION_BYTES_MAX: usize = 20 + 10 + 2;
/// Bytes of a file; a longer one is no proof.
pub const PROOF_FILE_BYTES_MAX: usize =
    Algorithm::ALL.len() * (HEAD_BYTES_MAX + SOLUTIONS_MAX * SOLUTION_BYTES_MAX + 8);

/// Why a file does not hold proofs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProofError {
    /// It starts like something else.
    #[error("not a proof: the first line is not {MAGIC:?}")]
    NotAProof,
    /// It is longer than any proof.
    #[error("more than {PROOF_FILE_BYTES_MAX} bytes")]
    TooLong,
    /// It ends inside a proof.
    #[error("line {line}: the file ends here, expected {expected:?}")]
    Truncated {
        /// From 1.
        line: usize,
        /// What should stand there.
        expected: &'static str,
    },
    /// A line is not what should stand there.
    #[error("line {line}: expected {expected}")]
    Malformed {
        /// From 1.
        line: usize,
        /// What should stand there.
        expected: &'static str,
    },
    /// A second proof for the same algorithm.
    #[error("line {line}: a second proof for {algorithm}")]
    Repeated {
        /// From 1.
        line: usize,
        /// The algorithm.
        algorithm: Algorithm,
    },
}

/// The lines that the terms stand in.
pub(super) fn head(terms: &Terms) -> String {
    let mut text = format!("{MAGIC}\nalgorithm {}\nseed ", terms.algorithm);
    text.push_str(&hex::encode(terms.seed));
    let texts = [
        ("challenge", &terms.challenge),
        ("machine", &terms.machine),
        ("kernels", &terms.kernels),
        ("threads", &terms.threads),
    ];
    for (name, value) in texts {
        write!(text, "\n{name} {value}").expect("a string takes everything");
    }
    text.push('\n');
    text
}

impl Terms {
    /// Whether a text can stand in the terms: at most 200 bytes and no control character, so that it
    /// stays on its line.
    #[must_use]
    pub fn is_text(text: &str) -> bool {
        text.len() <= TEXT_BYTES_MAX && !text.chars().any(char::is_control)
    }
}

/// The text of the file, which [`read_proofs`] reads back if the terms hold no text that
/// [`Terms::is_text`] refuses.
impl fmt::Display for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&head(&self.terms))?;
        writeln!(f, "hashes {}", self.hashes)?;
        writeln!(f, "milliseconds {}", self.milliseconds)?;
        writeln!(f, "limit {}", self.limit)?;
        writeln!(f, "solutions {}", self.solutions.len())?;
        for Solution { index, nonce } in &self.solutions {
            writeln!(f, "{index} {nonce}")?;
        }
        writeln!(f, "end")
    }
}

/// Reads every proof of a file; what they prove is for [`Proof::verify`] to say.
///
/// # Errors
///
/// The first line that is not as the format wants it.
pub fn read_proofs(bytes: &[u8]) -> Result<Vec<Proof>, ProofError> {
    if bytes.len() > PROOF_FILE_BYTES_MAX {
        return Err(ProofError::TooLong);
    }
    let start = MAGIC.len().min(bytes.len());
    if bytes[..start] != MAGIC.as_bytes()[..start] {
        return Err(ProofError::NotAProof);
    }
    let mut lines = Lines { rest: bytes, line: 0 };
    let mut proofs: Vec<Proof> = Vec::with_capacity(Algorithm::ALL.len());
    loop {
        let first = lines.line + 1;
        let proof = read_proof(&mut lines)?;
        let algorithm = proof.terms.algorithm;
        if proofs.iter().any(|earlier| earlier.terms.algorithm == algorithm) {
            return Err(ProofError::Repeated { line: first, algorithm });
        }
        proofs.push(proof);
        if lines.rest.is_empty() {
            return Ok(proofs);
        }
    }
}

fn read_proof(lines: &mut Lines<'_>) -> Result<Proof, ProofError> {
    lines.exactly(MAGIC)?;
    let algorithm = lines.value("algorithm", |text| text.parse().ok())?;
    let terms = Terms {
        algorithm,
        seed: lines.value("seed", seed)?,
        challenge: lines.value("challenge", text)?,
        machine: lines.value("machine", text)?,
        kernels: lines.value("kernels", text)?,
        threads: lines.value("threads", text)?,
    };
    let hashes = lines.value("hashes", decimal)?;
    let milliseconds = lines.value("milliseconds", decimal)?;
    let limit = lines.value("limit", |text| text.parse().ok().filter(|_| is_lower_case(text)))?;
    let count = lines.value("solutions", |text| {
        decimal(text).and_then(|count| usize::try_from(count).ok()).filter(|count| {
            // Before anything is allocated for them.
            *count <= SOLUTIONS_MAX
        })
    })?;
    let mut solutions = Vec::with_capacity(count);
    for _ in 0..count {
        solutions.push(lines.next("a header index and a nonce", |line| {
            let (index, nonce) = line.split_once(' ')?;
            let nonce = decimal(nonce)?.try_into().ok()?;
            Some(Solution { index: decimal(index)?, nonce })
        })?);
    }
    lines.exactly("end")?;
    Ok(Proof { terms, hashes, milliseconds, limit, solutions })
}

fn seed(text: &str) -> Option<[u8; 32]> {
    let mut seed = [0; 32];
    hex::decode_to_slice(text, &mut seed).ok()?;
    is_lower_case(text).then_some(seed)
}

fn text(text: &str) -> Option<String> {
    Terms::is_text(text).then(|| text.to_owned())
}

fn is_lower_case(hex: &str) -> bool {
    !hex.bytes().any(|byte| byte.is_ascii_uppercase())
}

/// No sign, no leading zero.
fn decimal(text: &str) -> Option<u64> {
    let value: u64 = text.parse().ok()?;
    (value.to_string() == text).then_some(value)
}

struct Lines<'a> {
    rest: &'a [u8],
    /// Lines read.
    line: usize,
}

impl Lines<'_> {
    /// Reads the next line, which must end with a line feed.
    fn next<T>(
        &mut self,
        expected: &'static str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Result<T, ProofError> {
        let line = self.line + 1;
        let end = self.rest.iter().position(|byte| *byte == b'\n');
        let end = end.ok_or(ProofError::Truncated { line, expected })?;
        let text = std::str::from_utf8(&self.rest[..end]).ok();
        self.rest = &self.rest[end + 1..];
        self.line = line;
        text.and_then(read).ok_or(ProofError::Malformed { line, expected })
    }

    fn exactly(&mut self, wanted: &'static str) -> Result<(), ProofError> {
        self.next(wanted, |line| (line == wanted).then_some(()))
    }

    /// A line of a name, a space and a value.
    fn value<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Result<T, ProofError> {
        self.next(name, |line| read(line.strip_prefix(name)?.strip_prefix(' ')?))
    }
}
