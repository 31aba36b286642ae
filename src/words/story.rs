//! The sentences of the story that `demo` tells, in the order in which it tells them.

use super::table::sentences;

sentences! {
    /// A sentence of the story. `{0}`, `{1}`, ... in it stand for values.
    Told {
        /// What this is.
        Title: [
            "A record that opens only for the right people, together, at the right place and time",
            "一份病历：只有合适的人，在合适的地点和时间，共同在场，才能打开",
        ],
        /// The chain was founded: block, reward.
        Founded: [
            "A chain is founded and mined: block {0}, each rewarding its miner with {1} tokens",
            "创建并开始挖掘一条链：已到区块 {0}，每个区块奖励矿工 {1} 枚代币",
        ],
        /// Who there is: height.
        People: [
            "A hospital with a doctor, a nurse, a beacon and a patient; a region with an emergency \
             service, an escrow and an auditor: all claims stand at block {0}",
            "一家医院（医生、护士、信标、病人），一个地区（急救站、托管方、审计员）：\
             到区块 {0}，各项声明均已上链",
        ],
        /// The record was added: bytes, blob.
        Added: [
            "The patient adds a record: {0} bytes encrypted, its key split among guardians and \
             forgotten; on the chain stand commitments only (ciphertext {1}...)",
            "病人添加一份病历：加密 {0} 字节，密钥分给监护人后即被忘记；链上只有承诺（密文 {1}...）",
        ],
        /// The policy was granted.
        Granted: [
            "and grants: a doctor of this hospital may read it here, during the treatment, while a \
             nurse and the patient are in the same room and agree",
            "并授权：本院医生可在治疗期间、在本院、护士与病人同处一室并同意时读取",
        ],
        /// An attempt at another place.
        WrongPlace: ["The doctor asks from another place", "医生在另一地点申请"],
        /// An attempt for another purpose.
        WrongPurpose: ["The doctor asks for research", "医生以研究为由申请"],
        /// An attempt at another time.
        WrongTime: ["Before the treatment begins the doctor asks", "治疗开始之前，医生申请"],
        /// An attempt by a doctor without a licence.
        Revoked: ["A doctor whose licence was withdrawn asks", "一位执照已被吊销的医生申请"],
        /// An attempt with one person missing.
        OneMissing: [
            "The doctor asks at the bedside, and the nurse approves; the patient does not",
            "医生在床边申请，护士批准，病人没有批准",
        ],
        /// It lapsed.
        Lapsed: ["and when the time to answer is over, it lapses", "答复时限一过，申请失效"],
        /// Refused and logged, by this clause.
        Refused: [
            "refused by clause {0}, paid for, and logged at block {1}",
            "因第 {0} 条被拒绝，已付费并记录在区块 {1}",
        ],
        /// All of them are there.
        Together: [
            "Doctor, nurse and patient in one room, in the window: the nurse and the patient approve",
            "医生、护士、病人同处一室且在时限内：护士与病人批准",
        ],
        /// What the guardians wait for: height.
        GuardiansWait: [
            "the guardians wait until block {0}, so that the answer stays",
            "监护人等到区块 {0}，确保结果不会撤回",
        ],
        /// The record is open: bytes.
        Opened: [
            "every share is the committed one; the key is rebuilt, and the doctor reads {0} bytes",
            "每一份分片都与承诺一致；密钥重建，医生读到 {0} 字节",
        ],
        /// An emergency.
        BreakGlass: [
            "The patient lies unconscious elsewhere: an emergency clinician breaks the glass",
            "病人在别处昏迷：急救医生启用紧急访问",
        ],
        /// It opened at once: bytes.
        BrokenGlass: [
            "a second clinician, the escrow and the region agree: {0} bytes, with no delay and no fee",
            "第二位急救医生、托管方和地区同意：读到 {0} 字节，无等待，无费用",
        ],
        /// It was reviewed.
        Reviewed: [
            "an auditor of another institution reviews it afterwards",
            "事后由另一机构的审计员审查",
        ],
        /// The key was changed.
        Rekeyed: [
            "The patient re-keys the record: new key, new shares, the old policy's delay kept",
            "病人更换密钥：新密钥、新分片，并遵守旧策略的等待期",
        ],
        /// The old shares open nothing.
        OldSharesDead: [
            "the old shares do not open the new ciphertext, and the old record is retired",
            "旧分片打不开新密文，旧记录已停用",
        ],
        /// A batch of a drug was made: how many.
        LotMade: [
            "A factory makes a batch of a drug: {0} units, under a name that hides what it is",
            "药厂生产一批药品：{0} 个单位，链上名称不透露内容",
        ],
        /// It was handed over, witnessed, and divided.
        LotHandedOver: [
            "it ships and the ward's pharmacy receives: both sign, a nurse is witness, the beacon \
             hears the receiver; one package is split off for a patient",
            "药厂发货，病区药房收货：双方签名，护士见证，信标确认收货人在场；分出一盒给病人",
        ],
        /// More came out than went in.
        LotCreated: [
            "splitting 980 into 1000 is refused: QuantityCreated",
            "把 980 拆成 1000 被拒绝：凭空多出数量（QuantityCreated）",
        ],
        /// What its code tells: claims, signers, the weakest grade.
        LotTraced: [
            "The patient scans the package and reads {0} claims by {1} signers; the weakest is {2}",
            "病人扫描包装，读到由 {1} 个签名者作出的 {0} 条声明；最弱的一条为：{2}",
        ],
        /// It was recalled.
        LotRecalled: [
            "The factory recalls the batch: one entry reaches every package that came of it; it can \
             only go back or be destroyed",
            "药厂召回该批次：一条记录即可覆盖由它分出的每一盒；它们只能退回或销毁",
        ],
        /// What all of that does not prove.
        LotLimits: [
            "whether the box holds what its code says, no record can tell: that step is where lies enter",
            "盒中之物是否与码相符，任何记录都无法证明：谎言正是从这一步进入",
        ],
        /// A loan: what is lent, what is to be given back, until when.
        Lent: [
            "The doctor lends the patient {0} tokens against {1} until block {2}: both sign, and \
             without either there is no debt",
            "医生借给病人 {0} 枚代币，须在区块 {2} 之前归还 {1} 枚：双方签名，缺一不成债务",
        ],
        /// It was given back.
        Repaid: [
            "not more than is owed can be repaid; the debt is closed",
            "还款不能超过所欠数额；债务已结清",
        ],
        /// A walk: minutes, steps, hashes, time, rate.
        Walked: [
            "The patient's watch tells of {0} minutes and {1} steps, once: the walk bought {2} \
             hashes = {3} at {4}, spent to the last",
            "病人的手表记录了 {0} 分钟、{1} 步，只能记一次：这次步行换得 {2} 次哈希 = {3}（{4}），全部用尽",
        ],
        /// A researcher paid: tokens.
        ResearchPaid: [
            "A researcher reads a record that the patient has put a price on: {0} tokens go to the \
             patient with the approval",
            "研究者读取病人标价的一份病历：批准的同时，{0} 枚代币付给病人",
        ],
        /// The audit: events, refusals.
        Audit: [
            "The audit of the record: {0} events and {1} refused attempts, provably complete",
            "病历审计：{0} 个事件、{1} 次被拒绝的尝试，可证明完整",
        ],
        /// One of its lines: height, kind.
        AuditLine: ["block {0}: {1}", "区块 {0}：{1}"],
        /// A changed audit was noticed.
        AuditTampered: [
            "with one event dropped, the proof fails",
            "删去任何一个事件，证明即告失败",
        ],
        /// Nothing secret is on the chain: bytes.
        Secrecy: [
            "{0} bytes of chain hold no word of the record and no share",
            "链上 {0} 字节中没有病历原文，也没有任何分片",
        ],
        /// A changed chain was noticed: where and why.
        ChainTampered: [
            "One bit of a copy of the chain is changed: {0}",
            "在链的副本中改动一个比特：{0}",
        ],
        /// The chain was verified: blocks, transactions, signatures, seconds.
        Verified: [
            "The whole chain verifies again from genesis: {0} blocks, {1} transactions, {2} \
             signatures in {3}",
            "整条链从创世区块重新验证通过：{0} 个区块、{1} 笔交易、{2} 个签名，用时 {3}",
        ],
        /// What the miner has: tokens, hashes a second.
        Miner: ["The miner has earned {0} tokens at {1}", "矿工已获得 {0} 枚代币，算力 {1}"],
        /// How fast it was: blocks, transactions, seconds.
        Speed: [
            "{0} blocks and {1} transactions in {2}: {3} blocks/s, {4} transactions/s",
            "{0} 个区块、{1} 笔交易，用时 {2}：每秒 {3} 个区块、{4} 笔交易",
        ],
        /// Where it is kept.
        Kept: [
            "The chain, two records and everybody's keys are kept: proofward record list --dir {0}",
            "链、两份记录和所有人的密钥均已保留：proofward record list --dir {0}",
        ],
    }
}
