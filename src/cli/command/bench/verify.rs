//! `proofward bench verify`: what a proof of work proves, and what it does not.

use std::fs::File;
use std::io::Read;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use serde::Serialize;

use crate::cli::exit::Outcome;
use crate::cli::output::{Format, json_line, seconds, text_line};
use proofward::engine::proof::{PROOF_FILE_BYTES_MAX, Proof, ProofError, Verified, read_proofs};

/// Check a proof that `bench --proof` wrote
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Exit code 0: every proof in the file holds; 1: refused; 2: not a proof, or not readable.

Examples:
  proofward bench verify work.proof
  proofward bench verify work.proof --challenge 'asked by Ann, 3 May' --confidence 0.99999")]
pub(crate) struct Args {
    /// The proof
    file: PathBuf,
    /// Probability with which the proven number must be right
    #[arg(long, value_name = "P", default_value = "0.999", value_parser = confidence)]
    confidence: f64,
    /// Refuse the proof unless it is bound to this text
    #[arg(long, value_name = "TEXT")]
    challenge: Option<String>,
    /// How to print the result
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

fn confidence(text: &str) -> Result<f64, String> {
    let confidence = text.parse().ok().filter(|share| (0.5..=0.999_999_999).contains(share));
    confidence.ok_or_else(|| "expected a probability from 0.5 to 0.999999999".into())
}

#[derive(Serialize)]
struct Holds<'a> {
    valid: bool,
    algorithm: &'static str,
    proven_hashes: u64,
    confidence: f64,
    estimated_hashes: u64,
    claimed_hashes: u64,
    claimed_seconds: f64,
    solutions: usize,
    challenge: &'a str,
    machine: &'a str,
    kernels: &'a str,
    threads: &'a str,
}

#[derive(Serialize)]
struct Refused {
    valid: bool,
    detail: String,
}

impl Args {
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        let name = self.file.display();
        let mut bytes = Vec::new();
        // One byte more than any proof has tells a longer file from the longest.
        File::open(&self.file)
            .and_then(|file| file.take(PROOF_FILE_BYTES_MAX as u64 + 1).read_to_end(&mut bytes))
            .with_context(|| format!("cannot read {name}"))?;
        let proofs = match read_proofs(&bytes) {
            Ok(proofs) => proofs,
            Err(error @ ProofError::NotAProof) => return Err(error).context(name.to_string()),
            Err(error) => return self.refuse(error.to_string()),
        };
        let mut outcome = Outcome::Yes;
        for proof in &proofs {
            match self.judge(proof) {
                Ok(verified) => self.accept(proof, verified)?,
                Err(reason) => {
                    outcome = self.refuse(format!("{}: {reason}", proof.terms.algorithm))?;
                }
            }
        }
        if outcome == Outcome::Yes && self.format == Format::Text {
            text_line(limits(&proofs))?;
        }
        Ok(outcome)
    }

    fn judge(&self, proof: &Proof) -> Result<Verified, String> {
        let wanted = self.challenge.as_ref().filter(|wanted| **wanted != proof.terms.challenge);
        if let Some(wanted) = wanted {
            return Err(format!(
                "bound to the challenge {:?}, expected {wanted:?}",
                proof.terms.challenge
            ));
        }
        proof.verify(self.confidence).map_err(|error| error.to_string())
    }

    fn accept(&self, proof: &Proof, verified: Verified) -> anyhow::Result<()> {
        let terms = &proof.terms;
        let claimed = Duration::from_millis(proof.milliseconds);
        if self.format.is_json() {
            return json_line(&Holds {
                valid: true,
                algorithm: terms.algorithm.name(),
                proven_hashes: verified.proven_hashes,
                confidence: verified.confidence,
                estimated_hashes: verified.estimated_hashes,
                claimed_hashes: proof.hashes,
                claimed_seconds: claimed.as_secs_f64(),
                solutions: proof.solutions.len(),
                challenge: &terms.challenge,
                machine: &terms.machine,
                kernels: &terms.kernels,
                threads: &terms.threads,
            });
        }
        text_line(format!(
            "{}: at least {} hashes were done (confidence {})\n  \
             claimed    {} in {}\n  \
             estimated  {} from {} solutions\n  \
             machine    {}\n  \
             kernels    {} on {} threads\n  \
             challenge  {}",
            terms.algorithm,
            grouped(verified.proven_hashes),
            verified.confidence,
            grouped(proof.hashes),
            seconds(claimed),
            grouped(verified.estimated_hashes),
            proof.solutions.len(),
            terms.machine,
            terms.kernels,
            terms.threads,
            if terms.challenge.is_empty() { "none" } else { &terms.challenge },
        ))
    }

    fn refuse(&self, detail: String) -> anyhow::Result<Outcome> {
        if self.format.is_json() {
            json_line(&Refused { valid: false, detail })?;
        } else {
            text_line(format!("refused: {detail}"))?;
        }
        Ok(Outcome::No)
    }
}

/// The honest limit of what was shown.
fn limits(proofs: &[Proof]) -> &'static str {
    if proofs.iter().any(|proof| proof.terms.challenge.is_empty()) {
        "The work is proven. Machine, kernels and time are the prover's word: nothing shows that one \
         machine did it, how fast, or when."
    } else {
        "The work is proven, and that it was done after the challenge was known. Machine, kernels and \
         time are the prover's word: nothing shows that one machine did it."
    }
}

/// Decimal with a comma between thousands.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
