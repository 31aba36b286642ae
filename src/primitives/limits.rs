//! Every limit of the wire and of consensus, unit last, with the relations between them checked at
//! compile time.

/// Bytes of a block header.
pub const HEADER_BYTES: usize = 80;
/// Byte offset of the nonce: the last word, so that one midstate serves a whole search.
pub const NONCE_OFFSET_BYTES: usize = 76;
/// Bytes of a digest of either algorithm.
pub const DIGEST_BYTES: usize = 32;
/// Header version bits that miners may roll (BIP320).
pub const VERSION_ROLLING_MASK: u32 = 0x1fff_e000;
/// How far ahead of the verifier's clock a Bitcoin header may be stamped (`MAX_FUTURE_BLOCK_TIME`).
pub const FUTURE_TIME_SECONDS_MAX: u32 = 7200;
/// Headers whose median is the median time past (`nMedianTimeSpan`).
pub const MEDIAN_TIME_SPAN_BLOCKS: usize = 11;
/// Blocks between two retargets of Bitcoin's difficulty rule.
pub const RETARGET_INTERVAL_BLOCKS: u32 = 2016;
/// Bytes of a serialised Bitcoin block with its witnesses (`MAX_BLOCK_SERIALIZED_SIZE`): what a block
/// file may claim at most.
pub const BITCOIN_BLOCK_BYTES_MAX: usize = 4_000_000;
/// Weight of a Bitcoin block (BIP141, `MAX_BLOCK_WEIGHT`).
pub const BITCOIN_BLOCK_WEIGHT_MAX: u64 = 4_000_000;
/// What a byte outside the witnesses weighs (`WITNESS_SCALE_FACTOR`).
pub const BITCOIN_WITNESS_SCALE: u64 = 4;
/// Signature operations of a Bitcoin block, counted as before segregated witness
/// (`MAX_BLOCK_SIGOPS_COST` by the scale).
pub const BITCOIN_BLOCK_SIGOPS_MAX: u64 = 20_000;

const _: () = assert!(NONCE_OFFSET_BYTES + size_of::<u32>() == HEADER_BYTES);
const _: () = assert!(MEDIAN_TIME_SPAN_BLOCKS % 2 == 1, "the median must be one of the times");
