//! What the commands that sign and send say, and the steps of an attempt to read: one sentence each.

use super::table::sentences;

sentences! {
    /// A sentence of a command. `{0}`, `{1}`, ... in it stand for values.
    Done {
        /// It is on its way: what, fee, transaction.
        Sent: ["{0}, fee {1}: transaction {2}", "{0}，费用 {1}：交易 {2}"],
        /// The name by which later transactions refer to it.
        Core: ["core {0}", "核心编号 {0}"],
        /// Others have to sign: how many.
        Missing: ["{0} signatures missing: `proofward tx sign`", "还缺 {0} 个签名：`proofward tx sign`"],
        /// A rule refuses it: the rule in words.
        Refused: ["refused: {0}", "被拒绝：{0}"],
        /// Left in the inbox: transaction.
        Left: ["left for the miner: transaction {0}", "已交给矿工：交易 {0}"],
        /// The same for one that has to wait: transaction, why.
        LeftForLater: ["left for the miner: transaction {0} (later: {1})", "已交给矿工：交易 {0}（稍后：{1}）"],

        /// Who asks for which record.
        Asks: ["{0} asks for record {1}", "{0} 申请读取记录 {1}"],
        /// It was not sent.
        WouldBeRefused: [
            "not sent: it would be refused, and logged; --anyway sends it",
            "未发送：该申请会被拒绝并留下记录；加 --anyway 仍可发送",
        ],
        /// How many agree to which request.
        Agree: ["{0} agree to request {1}", "{0} 人同意申请 {1}"],
        /// Somebody's part of an approval: who, file.
        PartIn: ["part of {0} in {1}", "{0} 的部分已写入 {1}"],
        /// It was not sent.
        NothingWaits: ["not sent: nothing waits for this approval", "未发送：没有申请在等待该批准"],
        /// It was not sent.
        NoBlock: ["not sent: no block would hold it", "未发送：没有区块会收录它"],
        /// A share was sent: blob.
        ShareSent: ["sent: blob {0}", "已发送：数据块 {0}"],
        /// A share is not the committed one: guardian.
        BadShare: [
            "the share of guardian {0} is not the one that the chain commits to: --receipt tells the chain",
            "监护人 {0} 的分片与链上承诺不符：加 --receipt 可在链上声明",
        ],
        /// A share has not come: guardian.
        Awaited: [
            "guardian {0} has agreed and not sent its share yet",
            "监护人 {0} 已同意，尚未发送分片",
        ],
        /// The record is open: bytes, shares, file.
        Opened: ["{0} bytes from {1} shares in {2}", "由 {1} 份分片还原 {0} 字节，已写入 {2}"],
        /// It is not: why.
        NotOpened: ["not opened: {0}", "未能打开：{0}"],
        /// Shares that there are, and that it takes.
        TooFewShares: ["{0} shares of the {1} that it takes", "只有 {0} 份分片，需要 {1} 份"],
        /// A required one is not there.
        ShareMissing: [
            "a share without which nothing opens is missing",
            "缺少一份必需的分片",
        ],
        /// A veto: by whom, request.
        Objects: ["{0} objects to request {1}", "{0} 反对申请 {1}"],
        /// A review: by whom, request.
        HasReviewed: ["{0} has reviewed request {1}", "{0} 已审查申请 {1}"],
        /// A withdrawal: by whom, request.
        TakesBack: ["{0} takes back the approval of request {1}", "{0} 收回对申请 {1} 的批准"],
        /// The head of an epoch in an audit of several: its number, its key.
        OfEpoch: ["epoch {0}, record {1}", "第 {0} 代，记录 {1}"],
        /// The end of an audit: events, refusals, up to, proven by.
        Complete: [
            "{0} events and {1} refused attempts, complete up to block {2}, proven by block {3}",
            "{0} 个事件，{1} 次被拒绝的尝试，截至区块 {2} 完整，由区块 {3} 证明",
        ],

        /// A record: key, bytes, share sets.
        Added: [
            "record {0}: {1} bytes encrypted, {2} share sets",
            "记录 {0}：已加密 {1} 字节，分片组 {2} 个",
        ],
        /// New content: record, key, bytes, blocks.
        Amended: [
            "record {0} amended as {1}, {2} bytes, from {3} blocks on",
            "记录 {0} 已修改为 {1}，{2} 字节，{3} 个区块后生效",
        ],
        /// A new key: record, key, bytes, blocks.
        Rekeyed: [
            "record {0} encrypted anew as {1}, {2} bytes, from {3} blocks on",
            "记录 {0} 已重新加密为 {1}，{2} 字节，{3} 个区块后生效",
        ],
        /// A policy: record, root.
        Granted: ["{0} opens by policy {1}", "{0} 依据策略 {1} 打开"],
        /// All is revoked: record.
        Revoked: ["{0} opens for nobody from the next block on", "自下一区块起 {0} 不对任何人打开"],
        /// A claim: issuer, subject, height.
        Claimed: ["{0} of {1}, to height {2}", "{0} 为 {1} 出具证明，至高度 {2}"],
        /// A claim ends: which.
        WithdrawnClaim: ["withdrawn: claim {0}", "已撤销：证明 {0}"],
        /// A model ends: which.
        WithdrawnModel: ["withdrawn: model {0}", "已撤销：型号 {0}"],

        /// A payment: tokens, to.
        Paid: ["{0} tokens to {1}", "向 {1} 支付 {0} 枚代币"],
        /// A loan: tokens, to, tokens owed, due.
        Lent: [
            "{0} tokens lent to {1} against {2} until block {3}",
            "借给 {1} {0} 枚代币，区块 {3} 之前归还 {2} 枚",
        ],
        /// An offer of one.
        Announced: [
            "{0} tokens announced to {1} against {2} until block {3}",
            "向 {1} 提出借出 {0} 枚代币，区块 {3} 之前归还 {2} 枚",
        ],
        /// A repayment: tokens, left.
        Repaid: ["{0} tokens repaid, {1} left", "已归还 {0} 枚代币，尚欠 {1} 枚"],
        /// A claim on a debt ends: who owed.
        Forgiven: ["what {0} owes is forgiven", "{0} 的债务已免除"],
        /// A claim on a debt goes to somebody else.
        HandedOn: ["the claim goes to {0}", "债权转给 {0}"],
        /// A step: what, lots.
        Moved: ["{0}: {1}", "{0}：{1}"],
        /// The same for goods that get a code: what, code.
        MovedWithCode: ["{0}: the code on the package is {1}", "{0}：包装上的码为 {1}"],

        /// A day with a wearable: from, to, samples, worn, in motion, steps, hashes.
        Worn: [
            "{0} to {1}: {2} samples, worn {3} s, in motion {4} s, {5} steps: {6} hashes",
            "{0} 至 {1}：{2} 个样本，佩戴 {3} 秒，运动 {4} 秒，{5} 步：{6} 次哈希",
        ],
        /// The samples of a day: blob.
        SamplesSealed: [
            "samples sealed to the wearer: blob {0}",
            "样本已为佩戴者加密：数据块 {0}",
        ],
        /// A budget grew: hashes, file, left.
        Bought: ["{0} hashes into {1}, {2} left in it", "{0} 次哈希存入 {1}，其中剩余 {2} 次"],
        /// A reading.
        Reading: ["reading", "读数"],
    }
}
