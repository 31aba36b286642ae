//! What the commands that only look say of records, debts and wearers.

use super::table::sentences;

sentences! {
    /// A line of what is kept or held. `{0}`, `{1}`, ... in it stand for values.
    Shown {
        /// A record: key, epoch, whether a block holds it.
        Record: ["record      {0} (epoch {1}, {2})", "记录        {0}（第 {1} 代，{2}）"],
        /// A block holds it.
        OnChain: ["on the chain", "已上链"],
        /// None does.
        InNoBlock: ["in no block yet", "尚未入块"],
        /// An owner: key, how many of them sign.
        Owner: ["owner       {0} ({1} must sign)", "所有者      {0}（需 {1} 人签名）"],
        /// Where the content is: blob.
        Ciphertext: ["ciphertext  {0}", "密文        {0}"],
        /// Where the sealed shares are: blob.
        Package: ["shares      {0}", "分片        {0}"],
        /// How long every new policy waits: blocks.
        GrantDelay: ["delay       {0} blocks for every new policy", "等待        每个新策略 {0} 个区块"],
        /// The guardians of ordinary requests: needed, all.
        GuardiansDaily: ["guardians   {0} of {1} every day", "监护人      平时 {1} 人中的 {0} 人"],
        /// Those of emergencies: needed, all.
        GuardiansEmergency: ["guardians   {0} of {1} in emergencies", "监护人      紧急时 {1} 人中的 {0} 人"],
        /// A guardian: key, name in brackets, whether required.
        Guardian: ["            {0}{1}{2}", "            {0}{1}{2}"],
        /// Without whom nothing opens.
        Required: [", required", "，必需"],
        /// A policy: number, root, how it stands, names of leaves.
        Policy: ["policy{0} {1}: {2}; {3}", "策略{0} {1}：{2}；{3}"],
        /// How a policy stands.
        InForce: ["in force", "生效中"],
        /// How a policy stands.
        Waits: ["waits", "等待生效"],
        /// How a policy stands.
        WaitsForRecord: ["waits for its record", "等待其记录生效"],
        /// How a policy stands.
        Over: ["over", "已失效"],
        /// How a policy stands.
        NotGranted: ["not granted", "未授予"],

        /// How a record stands: announced.
        Announced: ["announced, in no block yet", "已宣布，尚未入块"],
        /// How a record stands: retired.
        Replaced: ["another record has taken its place", "已被另一份记录取代"],
        /// How a record stands: number in force, number that waits.
        TwoPolicies: ["policy {0} in force, {1} waits", "策略 {0} 生效中，{1} 等待生效"],
        /// How a record stands: number.
        PolicyInForce: ["policy {0} in force", "策略 {0} 生效中"],
        /// How a record stands: number.
        PolicyWaits: ["policy {0} waits", "策略 {0} 等待生效"],
        /// How a record stands: the one that it follows is still in force.
        WaitsForFormer: ["waits for the record before", "等待前一份记录失效"],
        /// How a record stands: all is revoked.
        OpensForNobody: ["opens for nobody", "不对任何人打开"],

        /// A debt: core.
        Debt: ["debt       {0}", "债务       {0}"],
        /// How a debt stands: word, height.
        Standing: ["standing   {0} at height {1}", "状态       {0}，高度 {1}"],
        /// How a debt stands.
        Open: ["open", "未还清"],
        /// How a debt stands.
        Overdue: ["overdue", "已逾期"],
        /// How a debt stands.
        Repaid: ["repaid", "已还清"],
        /// How a debt stands.
        Forgiven: ["forgiven", "已免除"],
        /// Who owes: key.
        Debtor: ["debtor     {0}", "债务人     {0}"],
        /// Who is owed: key.
        Creditor: ["creditor   {0}", "债权人     {0}"],
        /// Who lent, if somebody else is owed now: key.
        Lender: ["lender     {0}", "出借人     {0}"],
        /// Tokens left, owed at first, lent, and in which block.
        Owed: [
            "owed       {0} of {1} tokens, {2} were lent in block {3}",
            "尚欠       {1} 枚代币中的 {0} 枚，于区块 {3} 借出 {2} 枚",
        ],
        /// Until when: height.
        Due: ["due        in block {0}", "到期       区块 {0}"],
        /// When it ended: height.
        Closed: ["closed     in block {0}", "结清       区块 {0}"],
        /// What a debtor is about to sign: tokens, from whom, tokens owed, until when.
        Offered: [
            "{0} tokens from {1}, against {2} until block {3}",
            "{1} 借出 {0} 枚代币，区块 {3} 之前归还 {2} 枚",
        ],
        /// The name of a debt to be: core.
        DebtToBe: ["the debt is {0}, once a block holds it", "入块之后，债务编号为 {0}"],

        /// What a wearer has earned: hashes.
        Earned: [
            "{0} hashes earned in all, whether spent or not",
            "共赚得 {0} 次哈希，无论是否已用",
        ],
        /// By one model: hashes, readings, model, its issuer.
        ByModel: [
            "{0} by {1} readings, model {2} of {3}",
            "{1} 次读数赚得 {0} 次，型号 {2}，出具者 {3}",
        ],
        /// The model was withdrawn: height.
        Tainted: [
            "; tainted: withdrawn in block {0}, worth nothing",
            "；型号已在区块 {0} 撤销，不再有效",
        ],
    }
}
