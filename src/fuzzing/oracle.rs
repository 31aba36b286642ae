//! The oracle: cases on a stream, a verdict a line, so that any other verifier can be compared with this
//! one. It judges with the public API and adds no rule of its own.
//!
//! # Cases
//!
//! A case is a length and that many bytes; integers are little-endian, hashes in internal byte order.
//!
//! | bytes | what |
//! |---|---|
//! | 4 | length of the rest, at most [`CASE_BYTES_MAX`] |
//! | 1 | kind: `h` a header, `r` a run of headers, `b` a block, `n` nBits |
//! | 1 | chain: 0 bitcoin, 1 testnet3, 2 signet, 3 regtest, 4 none, 5 none with BLAKE3; add 128 for BIP54 |
//! | 1 | what is known: the sum of the numbers below |
//! | 4 | 1: height of the header, or of the first one of a run |
//! | 40 | 2: the parent: hash, time (4 bytes), nBits (4 bytes) |
//! | 4 | 4: median time past of the header |
//! | 4 | 8: time of the first header in the parent's epoch |
//! | 4 | 16: nBits of the last ancestor in the parent's epoch that is not at the limit, or of the epoch's first (testnet3) |
//! | 8 | 32: the verifier's clock, signed seconds since 1970 |
//! | rest | `h` 80 bytes; `r` 80 bytes a header, in order; `b` a Bitcoin block; `n` 4 bytes |
//!
//! A run takes the height and the clock only: what else it needs are headers of the run. Its height is 0
//! unless given.
//!
//! # Answers
//!
//! One line for each case, in order. The first word is the verdict: `ok`, the broken rule in Bitcoin
//! Core's words (`high-hash`, `bad-prevblk`, `bad-txnmrklroot`, ...), or `malformed` and why
//! there is no verdict. After `ok` stands `unjudged=` and the rules that the context did not allow to
//! judge, with commas, if there are any. After the rule that a run breaks stands the height. For nBits the
//! verdict is `ok` and the target in hex, most significant byte first, or `negative`, `overflow`, `zero` or
//! `above-limit`.

use std::io::{self, ErrorKind, Read, Write};
use std::num::NonZeroUsize;

use crate::consensus::block::{Block, BlockViolation};
use crate::consensus::{ChainSpec, Context, Parent, RuleSet, check_hashed_header};
use crate::engine::merkle::MerkleHasher;
use crate::engine::nodes::NodeKernel;
use crate::engine::verify::{Run, Verdict, Verifier};
use crate::hash::{Algorithm, hash_header};
use crate::kernel::Kernel;
use crate::primitives::codec::{DecodeError, Reader};
use crate::primitives::limits::{BITCOIN_BLOCK_BYTES_MAX, HEADER_BYTES};
use crate::primitives::{BlockHash, CompactError, CompactTarget, Digest, HeaderBytes};

/// Bytes of a case after its length: a block of the largest size, or a run of as many bytes, with all
/// that can be known. A longer one is skipped, not stored.
pub const CASE_BYTES_MAX: usize = BITCOIN_BLOCK_BYTES_MAX + 128;
/// Bytes asked of the input at a time.
const READ_BYTES: usize = 1 << 18;
/// Headers hashed side by side.
const BATCH_HEADERS: usize = 256;
const BIP54: u8 = 128;

/// How many cases were answered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Answered {
    /// All of them.
    pub cases: u64,
    /// Those without a verdict.
    pub malformed: u64,
}

/// Why the oracle stopped before the end of the input.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OracleError {
    /// The input ends inside a case. Every case before it was answered.
    #[error("the input ends inside a case: {missing} bytes are missing")]
    Truncated {
        /// Bytes up to the end of the case, or of its length.
        missing: u64,
    },
    /// The input cannot be read.
    #[error("cannot read cases")]
    Read(#[source] io::Error),
    /// The answers cannot be written.
    #[error("cannot write verdicts")]
    Write(#[source] io::Error),
}

/// Why a case has no verdict.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
enum Malformed {
    #[error("{0} bytes, more than {CASE_BYTES_MAX}")]
    TooLong(u32),
    #[error("kind {0:#04x}, expected h, r, b or n")]
    Kind(u8),
    #[error("chain {0}")]
    Chain(u8),
    #[error("unknown knowledge {0:#04x}")]
    Known(u8),
    #[error("a run takes its context from its own headers")]
    RunContext,
    #[error("{0} bytes are no whole headers")]
    Headers(usize),
    #[error(transparent)]
    Bytes(#[from] DecodeError),
}

/// Answers cases; holds the rules and a batch of headers that wait to be hashed together.
#[derive(Debug)]
pub struct Oracle {
    chains: Vec<Chain>,
    merkle: MerkleHasher,
    batch: Batch,
    answered: Answered,
}

#[derive(Debug)]
struct Chain {
    code: u8,
    spec: ChainSpec,
    kernel: Kernel,
}

/// Single headers of one algorithm, in the order in which they came.
#[derive(Debug, Default)]
struct Batch {
    headers: Vec<HeaderBytes>,
    /// Index of the chain and what is known.
    contexts: Vec<(usize, Context)>,
    digests: Vec<Digest>,
}

impl Default for Oracle {
    fn default() -> Self {
        Self::new()
    }
}

impl Oracle {
    /// An oracle for every chain of the table, on the kernels expected to be the fastest.
    #[must_use]
    pub fn new() -> Self {
        let none = ChainSpec::none;
        let specs = [
            ChainSpec::bitcoin(),
            ChainSpec::testnet3(),
            ChainSpec::signet(),
            ChainSpec::regtest(),
            none(Algorithm::Sha256d),
            none(Algorithm::Blake3),
        ];
        let mut chains = Vec::new();
        for (code, spec) in (0..).zip(specs) {
            let kernel = Kernel::available(spec.algorithm).next().expect("portable is available");
            chains.push(Chain { code, spec: spec.clone(), kernel });
            chains.push(Chain { code: code + BIP54, spec: spec.with_bip54(), kernel });
        }
        let merkle = MerkleHasher::new(NodeKernel::best());
        Self { chains, merkle, batch: Batch::default(), answered: Answered::default() }
    }

    /// Answers every case of `input` on `output`. Whatever has arrived is answered and flushed before
    /// more is asked for, so that a case can be written and its verdict awaited.
    ///
    /// # Errors
    ///
    /// If the input ends inside a case, or one of the two breaks.
    pub fn answer(
        &mut self,
        mut input: impl Read,
        mut output: impl Write,
    ) -> Result<Answered, OracleError> {
        self.answered = Answered::default();
        let mut buffer = Vec::new();
        let mut answers = Vec::new();
        // Bytes of a case that is too long, still to come.
        let mut to_skip = 0;
        loop {
            let arrived = read_some(&mut input, &mut buffer).map_err(OracleError::Read)?;
            let wanted = self.take_cases(&mut buffer, &mut to_skip, &mut answers);
            output.write_all(&answers).and_then(|()| output.flush()).map_err(OracleError::Write)?;
            answers.clear();
            if arrived == 0 {
                return match wanted {
                    0 => Ok(self.answered),
                    missing => Err(OracleError::Truncated { missing }),
                };
            }
        }
    }

    /// Takes the whole cases from the front of the buffer; returns how many bytes the one that is left
    /// still lacks.
    fn take_cases(&mut self, buffer: &mut Vec<u8>, to_skip: &mut u64, out: &mut Vec<u8>) -> u64 {
        let mut rest = buffer.as_slice();
        let missing = loop {
            if *to_skip > 0 {
                let skipped = rest.len().min(usize::try_from(*to_skip).unwrap_or(usize::MAX));
                rest = &rest[skipped..];
                *to_skip -= skipped as u64;
                if *to_skip > 0 {
                    break *to_skip;
                }
            }
            if rest.is_empty() {
                break 0;
            }
            let Some((length, after)) = rest.split_first_chunk() else {
                break (size_of::<u32>() - rest.len()) as u64;
            };
            let length = u32::from_le_bytes(*length);
            let bytes = usize::try_from(length).unwrap_or(usize::MAX);
            if bytes > CASE_BYTES_MAX {
                self.malformed(&Malformed::TooLong(length), out);
                *to_skip = length.into();
                rest = after;
            } else if let Some((case, after)) = after.split_at_checked(bytes) {
                if let Err(why) = self.take_case(case, out) {
                    self.malformed(&why, out);
                }
                rest = after;
            } else {
                break (bytes - after.len()) as u64;
            }
        };
        self.judge_batch(out);
        let left = rest.len();
        buffer.drain(..buffer.len() - left);
        missing
    }

    fn malformed(&mut self, why: &Malformed, out: &mut Vec<u8>) {
        self.judge_batch(out);
        self.answered.malformed += 1;
        self.line(out, format_args!("malformed {why}"));
    }

    fn line(&mut self, out: &mut Vec<u8>, line: std::fmt::Arguments<'_>) {
        self.answered.cases += 1;
        writeln!(out, "{line}").expect("writing to memory");
    }

    fn take_case(&mut self, case: &[u8], out: &mut Vec<u8>) -> Result<(), Malformed> {
        let mut reader = Reader::new(case);
        let (kind, code) = (reader.u8()?, reader.u8()?);
        let chain = self.chains.iter().position(|chain| chain.code == code);
        let chain = chain.ok_or(Malformed::Chain(code))?;
        let context = read_context(&mut reader)?;
        match kind {
            b'h' => {
                let header = reader.array()?;
                reader.finish()?;
                self.push(chain, context, &header, out);
                Ok(())
            }
            b'r' => self.judge_run(chain, &context, &mut reader, out),
            b'b' => {
                let bytes = reader.take(reader.left() as u64)?;
                self.judge_batch(out);
                self.answered.cases += 1;
                match self.judge_block(chain, &context, bytes) {
                    Ok(unjudged) => ok_line(unjudged, out),
                    Err(violation) => {
                        writeln!(out, "{}", violation.rule()).expect("writing to memory")
                    }
                }
                Ok(())
            }
            b'n' => {
                let bits = CompactTarget(reader.u32()?);
                reader.finish()?;
                self.judge_bits(chain, bits, out);
                Ok(())
            }
            _ => Err(Malformed::Kind(kind)),
        }
    }

    fn push(&mut self, chain: usize, context: Context, header: &HeaderBytes, out: &mut Vec<u8>) {
        let algorithm = |index: usize| self.chains[index].spec.algorithm;
        let is_other = self
            .batch
            .contexts
            .last()
            .is_some_and(|(last, _)| algorithm(*last) != algorithm(chain));
        if is_other || self.batch.headers.len() == BATCH_HEADERS {
            self.judge_batch(out);
        }
        self.batch.headers.push(*header);
        self.batch.contexts.push((chain, context));
    }

    /// Hashes the headers that wait, side by side, and answers them in order.
    fn judge_batch(&mut self, out: &mut Vec<u8>) {
        let mut batch = std::mem::take(&mut self.batch);
        if let Some((first, _)) = batch.contexts.first() {
            batch.digests.resize(batch.headers.len(), [0; 32]);
            self.chains[*first].kernel.hash_headers(&batch.headers, &mut batch.digests);
        }
        let hashed = batch.headers.iter().zip(&batch.digests);
        for ((header, digest), (chain, context)) in hashed.zip(&batch.contexts) {
            let spec = &self.chains[*chain].spec;
            match check_hashed_header(spec, context, header, digest) {
                Ok(unjudged) => ok_line(unjudged, out),
                Err(violation) => {
                    out.extend_from_slice(violation.rule().name().as_bytes());
                    out.push(b'\n');
                }
            }
        }
        self.answered.cases += batch.headers.len() as u64;
        batch.headers.clear();
        batch.contexts.clear();
        self.batch = batch;
    }

    fn judge_run(
        &mut self,
        chain: usize,
        context: &Context,
        reader: &mut Reader<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), Malformed> {
        let Context { height, now, .. } = *context;
        if *context != (Context { height, now, ..Context::default() }) {
            return Err(Malformed::RunContext);
        }
        let bytes = reader.take(reader.left() as u64)?;
        let (headers, []) = bytes.as_chunks::<HEADER_BYTES>() else {
            return Err(Malformed::Headers(bytes.len()));
        };
        let Chain { spec, kernel, .. } = &self.chains[chain];
        let height = u32::try_from(height.unwrap_or(0)).expect("read from four bytes");
        let run = Run::from_height(spec, height);
        let run = match now {
            Some(now) => run.with_now(now),
            None => run,
        };
        let verifier = Verifier::new(*kernel, NonZeroUsize::MIN).expect("one thread is ours");
        // The only error of headers in memory is that there are none.
        let verdict = verifier.verify(&run, headers).map_err(|_| Malformed::Headers(0))?;
        self.judge_batch(out);
        self.answered.cases += 1;
        match verdict {
            Verdict::Valid(report) => {
                let mut unjudged = RuleSet::EMPTY;
                report.not_judged.iter().for_each(|range| unjudged.insert(range.rule));
                ok_line(unjudged, out);
            }
            Verdict::Invalid(failure) => {
                let rule = failure.violation.rule();
                writeln!(out, "{rule} {}", failure.height).expect("writing to memory");
            }
        }
        Ok(())
    }

    fn judge_block(
        &mut self,
        chain: usize,
        context: &Context,
        bytes: &[u8],
    ) -> Result<RuleSet, BlockViolation> {
        let block = Block::read(bytes)?;
        let spec = &self.chains[chain].spec;
        let digest = hash_header(spec.algorithm, block.header());
        block.check(spec, context, &digest, |leaves| self.merkle.root(leaves))
    }

    fn judge_bits(&mut self, chain: usize, bits: CompactTarget, out: &mut Vec<u8>) {
        self.judge_batch(out);
        match bits.to_target() {
            Ok(target) if target <= self.chains[chain].spec.limit => {
                self.line(out, format_args!("ok {target}"));
            }
            Ok(_) => self.line(out, format_args!("above-limit")),
            Err(CompactError::Negative(_)) => self.line(out, format_args!("negative")),
            Err(CompactError::Overflow(_)) => self.line(out, format_args!("overflow")),
            Err(CompactError::Zero(_)) => self.line(out, format_args!("zero")),
        }
    }
}

fn ok_line(unjudged: RuleSet, out: &mut Vec<u8>) {
    out.extend_from_slice(b"ok");
    for (at, rule) in unjudged.iter().enumerate() {
        out.extend_from_slice(if at == 0 { b" unjudged=" } else { b"," });
        out.extend_from_slice(rule.name().as_bytes());
    }
    out.push(b'\n');
}

fn read_context(reader: &mut Reader<'_>) -> Result<Context, Malformed> {
    let known = reader.u8()?;
    if known >= 64 {
        return Err(Malformed::Known(known));
    }
    let mut word = |flag: u8| (known & flag != 0).then(|| reader.u32()).transpose();
    let height = word(1)?.map(u64::from);
    let parent = match known & 2 {
        0 => None,
        _ => Some(Parent {
            hash: BlockHash(reader.array()?),
            time: reader.u32()?,
            bits: CompactTarget(reader.u32()?),
        }),
    };
    let mut word = |flag: u8| (known & flag != 0).then(|| reader.u32()).transpose();
    let median_time_past = word(4)?;
    let epoch_first_time = word(8)?;
    let epoch_bits = word(16)?.map(CompactTarget);
    let now = (known & 32 != 0).then(|| reader.u64()).transpose()?.map(u64::cast_signed);
    Ok(Context { height, parent, median_time_past, epoch_first_time, epoch_bits, now })
}

/// Appends what one read gives; 0 at the end of the input.
fn read_some(input: &mut impl Read, buffer: &mut Vec<u8>) -> io::Result<usize> {
    let start = buffer.len();
    buffer.resize(start + READ_BYTES, 0);
    loop {
        match input.read(&mut buffer[start..]) {
            Ok(arrived) => {
                buffer.truncate(start + arrived);
                return Ok(arrived);
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
