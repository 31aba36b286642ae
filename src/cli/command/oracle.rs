//! `proofward oracle`: cases on standard input, verdicts on standard output.

use std::io;

use crate::cli::exit::Outcome;
use proofward::fuzzing::oracle::Oracle;

/// Answer cases on standard input with a verdict a line, to compare another verifier with this one
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {}

const EXAMPLES: &str = r"Examples:
  Regtest's nBits, 207fffff, as seven bytes of case:
  printf '\007\000\000\000n\003\000\377\377\177\040' | proofward oracle

  A file of cases:
  proofward oracle < cases.bin > verdicts.txt

A case is a length and that many bytes; integers are little-endian, hashes as they are on the wire.
   4  length of the rest
   1  kind: h a header, r a run of headers, b a block, n nBits
   1  chain: 0 bitcoin, 1 testnet3, 2 signet, 3 regtest, 4 none, 5 none with BLAKE3;
      add 128 for the rules of BIP54
   1  what is known, the sum of:
   4    1 height of the header, or of the first one of a run (0 unless given)
  40    2 the parent: hash, time, nBits
   4    4 median time past
   4    8 time of the first header in the parent's epoch
   4   16 nBits of the last ancestor in the parent's epoch that is not at the limit, or of the
          epoch's first (testnet3)
   8   32 the clock, signed seconds since 1970
  ..  h: 80 bytes; r: 80 bytes a header, with no more known than height and clock; b: a whole
      block; n: 4 bytes

The first word of a line is the verdict: ok, the broken rule in Bitcoin Core's words, or malformed.
After ok: unjudged= and the rules that need more context. After the rule of a run: the height.
For nBits: ok and the target, or negative, overflow, zero or above-limit.
Whatever has arrived is answered at once, so a case can be written and its verdict awaited.
Exit code: 0 all cases were answered, whatever the verdicts; 2 the input ends inside a case.";

impl Args {
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        Oracle::new().answer(io::stdin().lock(), io::stdout().lock())?;
        Ok(Outcome::Yes)
    }
}
