//! Counting signature operations in a script. Nothing is executed.

const OP_PUSHDATA1: u8 = 0x4c;
const OP_PUSHDATA2: u8 = 0x4d;
const OP_PUSHDATA4: u8 = 0x4e;
const OP_CHECKSIG: u8 = 0xac;
const OP_CHECKSIGVERIFY: u8 = 0xad;
const OP_CHECKMULTISIG: u8 = 0xae;
const OP_CHECKMULTISIGVERIFY: u8 = 0xaf;
/// What a multisignature counts as when nobody looks at its number of keys.
const MULTISIG_SIGOPS: u64 = 20;

/// Signature operations up to the end or the first push that runs over it (`GetSigOpCount(false)`).
pub(super) fn sigops(script: &[u8]) -> u64 {
    let mut sigops = 0;
    let mut rest = script;
    while let Some((&opcode, after)) = rest.split_first() {
        let (length_bytes, pushed) = match opcode {
            OP_PUSHDATA1 => (1, None),
            OP_PUSHDATA2 => (2, None),
            OP_PUSHDATA4 => (4, None),
            short if short < OP_PUSHDATA1 => (0, Some(usize::from(short))),
            _ => (0, Some(0)),
        };
        let Some((length, after)) = after.split_at_checked(length_bytes) else { break };
        let pushed = pushed.unwrap_or_else(|| {
            length.iter().rev().fold(0, |length, byte| length << 8 | usize::from(*byte))
        });
        let Some(after) = after.get(pushed..) else { break };
        sigops += match opcode {
            OP_CHECKSIG | OP_CHECKSIGVERIFY => 1,
            OP_CHECKMULTISIG | OP_CHECKMULTISIGVERIFY => MULTISIG_SIGOPS,
            _ => 0,
        };
        rest = after;
    }
    sigops
}
