//! Every bound of the stratum server, unit last, and where it comes from.

/// Bytes of a line from a client, its end left out. ckpool allows 1,024.
pub const LINE_BYTES_MAX: usize = 4096;
/// Bytes that wait for a client that does not read; beyond them it is dropped.
pub const QUEUE_BYTES_MAX: usize = 16 * 1024;
/// Bytes of answers that are written at once.
pub const REPLIES_BYTES: usize = 4096;
/// How long a client may leave what it is sent unread.
pub const SLOW_MS_MAX: u64 = 20_000;
/// Bytes that the kernel buffers for a client, which it doubles for its own use.
pub const SEND_BUFFER_BYTES: usize = 32 * 1024;
/// Bytes taken from one connection before others have their turn.
pub const READ_TURN_BYTES_MAX: usize = 16 * 1024;
/// Characters of a worker's name.
pub const NAME_CHARS_MAX: usize = 160;
/// Workers of one connection.
pub const WORKERS_MAX: usize = 16;
/// Lines that a client may send at once. A miner of 20,000 times the power that its difficulty was made for
/// stays below until it has a difficulty that fits.
pub const LINES_AT_ONCE_MAX: u64 = 10_000;
/// Lines a second that a client may go on with. It keeps a processor busy for a hundredth of its time, and is
/// five thousand times what is aimed at.
pub const LINES_PER_S_MAX: u64 = 1_000;
/// Lines that are no message before a client is dropped.
pub const MALFORMED_LINES_MAX: u32 = 16;

/// Bytes of the extranonce that the server fills.
pub const EXTRANONCE1_BYTES: usize = 4;
/// Bytes of the extranonce that the client fills; NerdMiner knows 2, 4 and 8 only.
pub const EXTRANONCE2_BYTES: usize = 4;

/// Until a client must have authorised (ckpool).
pub const UNAUTHORISED_MS_MAX: u64 = 60_000;
/// Without a line from a client that asked for no fixed difficulty. One that hashes at all has sent a
/// share by then, since its difficulty has been lowered ten times.
pub const SILENT_MS_MAX: u64 = 600_000;
/// Only invalid shares for so long: fresh work, then an invitation to reconnect, then the end (ckpool).
pub const INVALID_ONLY_MS: [u64; 3] = [60_000, 120_000, 180_000];

/// Between two jobs for everybody: clients take a pool that is silent for 90 seconds for dead (cgminer).
pub const JOB_MS_MAX: u64 = 30_000;
/// Between two jobs on one tip, however fast its transactions change.
pub const JOB_MS_LEAST: u64 = 1_000;
/// How long a job of the current tip lives (public-pool).
pub const JOB_LIFE_MS: u64 = 300_000;
/// Jobs of the current tip that live whatever their age: as many as ESP-Miner remembers.
pub const JOBS_LEAST: usize = 16;
/// Jobs of the current tip.
pub const JOBS_MAX: usize = 512;
/// Jobs of earlier tips, whose shares are stale but whose blocks are blocks.
pub const STALE_JOBS_MAX: usize = 16;
/// How far a stamp may be rolled past its job's (ckpool).
pub const TIME_ROLL_S_MAX: u32 = 7000;

const _: () = assert!(JOB_LIFE_MS / JOB_MS_MAX < JOBS_MAX as u64 && JOBS_LEAST <= JOBS_MAX);
const _: () = assert!(JOB_MS_MAX <= 55_000, "minerd stops hashing 120 s after the last new job");
const _: () =
    assert!(QUEUE_BYTES_MAX >= REPLIES_BYTES + 8 * 1024, "answers and a full notification fit");
