//! Why a transaction is refused. The English sentences stand with the rules, where programs find them
//! too; the Chinese ones stand here, and a rule that has none does not compile.

use super::table::Lang;
use crate::ledger::mempool::Refused;
use crate::ledger::rules::access::{
    ApproveError, AttestError, GrantError, ReceiptError, RecordError, RequestError,
};
use crate::ledger::rules::{MoveError, PayError, ReadingError, TransactionError};

/// Why no block, or not this pool, takes a transaction: the rule's name, then what is wrong.
#[must_use]
pub fn refusal(lang: Lang, refused: &Refused) -> String {
    match lang {
        Lang::En => format!("{}: {refused}", refused.name()),
        Lang::Zh => format!("{}：{}", refused.name(), pool(refused)),
    }
}

fn pool(refused: &Refused) -> String {
    match refused {
        Refused::Rule(error) => transaction(error),
        Refused::Source { score, max } => format!("来源的失信分为 {score}，超过 {max} 即不受理"),
        Refused::Known => "已在等待入块".into(),
        Refused::ExpiresSoon { to, least } => {
            format!("有效期至高度 {to}，他人的交易至少应到 {least}")
        }
        Refused::PoolFull { least, got } => format!("等待区已满，费用 {got}，至少 {least}"),
        Refused::Underbid { least, got } => {
            format!("要取代等待中的交易，费用 {got} 不够，至少 {least}")
        }
        Refused::RequestBusy(count) => {
            format!("已有 {count} 笔批准随该申请等待，入块前不再接受")
        }
        Refused::AccountBusy(count) => format!("已有 {count} 笔等待中的交易从该账户支出，不再接受"),
    }
}

fn transaction(error: &TransactionError) -> String {
    match error {
        TransactionError::BadVersion(got) => format!("核心版本为 {got}，应为 1"),
        TransactionError::WrongChain { .. } => "属于另一条链".into(),
        TransactionError::NotYetValid { from, height } => {
            format!("自高度 {from} 起有效，现在是 {height}")
        }
        TransactionError::Expired { to, height } => format!("有效期至高度 {to}，现在是 {height}"),
        TransactionError::UnknownAnchor(_) => "所指的区块不在最近 144 个祖先之中".into(),
        TransactionError::NonceGap { last, got } => {
            format!("序号为 {got}，应比 {last} 大 1 至 64")
        }
        TransactionError::FeeTooLow { least, got } => format!("费用 {got}，至少 {least}"),
        TransactionError::PayerCannotPay { balance, fee } => {
            format!("付款人余额 {balance}，费用为 {fee}")
        }
        TransactionError::BadKey { index, .. } => format!("第 {index} 个密钥不合格"),
        TransactionError::BadSig(index) => format!("第 {index} 个签名无效"),
        TransactionError::WrongSigners { expected, got } => {
            format!("应有 {expected} 个签名，实有 {got} 个")
        }
        TransactionError::NonCanonical(_) => "不是规范的编码".into(),
        TransactionError::TooLarge(_) => "超出大小限制".into(),
        TransactionError::Duplicate(height) => format!("该核心已在高度 {height} 入块"),
        TransactionError::Pay(error) => pay(error),
        TransactionError::Attest(error) => attest(error),
        TransactionError::Record(error) => record(error),
        TransactionError::Grant(error) => grant(error),
        TransactionError::Request(error) => request(error),
        TransactionError::Approve(error) => approve(error),
        TransactionError::Receipt(error) => receipt(error),
        TransactionError::Move(error) => goods(error),
        TransactionError::Reading(error) => reading(error),
    }
}

fn pay(error: &PayError) -> String {
    match error {
        PayError::ZeroAmount => "金额为零".into(),
        PayError::SelfPay => "付款与收款是同一密钥".into(),
        PayError::Insufficient { balance, amount } => {
            format!("账户余额 {balance}，金额为 {amount}")
        }
        PayError::DueInPast { due, height } => format!("应在高度 {due} 归还，现在已是 {height}"),
        PayError::DebtUnknown => "没有这笔债务".into(),
        PayError::DebtClosed(height) => format!("债务已在高度 {height} 结清"),
        PayError::NotDebtor => "不是债务人".into(),
        PayError::OverRepay { left, amount } => format!("尚欠 {left}，归还的却是 {amount}"),
        PayError::NotCreditor => "不是债权人".into(),
    }
}

fn attest(error: &AttestError) -> String {
    match error {
        AttestError::NotAllowedToIssue => "签发方无权出具该证明".into(),
        AttestError::ChainTooDeep => "到创世锚点超过 3 级证明".into(),
        AttestError::IssuerNotLive => "签发方当前没有有效的授权证明".into(),
        AttestError::DuplicateSubject => "在该签发方处，此标签或密钥已属于他人".into(),
        AttestError::WindowEmpty { from, to, height } => {
            format!("自高度 {from} 至 {to}，在区块 {height} 之后没有有效的高度")
        }
        AttestError::CheckpointOffGrid(at) => format!("检查点在高度 {at}，应为 8 的倍数"),
        AttestError::CheckpointTooShallow { at, height } => {
            format!("检查点在高度 {at}，到区块 {height} 还不足 6 层深")
        }
        AttestError::CheckpointNotAncestor => "检查点所指的区块不是祖先".into(),
        AttestError::CheckpointPrevious => {
            "上一个检查点缺失、不是祖先，或不是该见证人的最后一个".into()
        }
    }
}

fn record(error: &RecordError) -> String {
    match error {
        RecordError::RidUsed => "该密钥已用于另一条记录".into(),
        RecordError::BadThreshold { set, .. } => format!("分片组 {set} 的人数或门限不成立"),
        RecordError::EpochNotNext { expected: Some(expected), got } => {
            format!("期号为 {got}，应为 {expected}")
        }
        RecordError::EpochNotNext { expected: None, got } => {
            format!("期号为 {got}，但该记录不存在或已有后继")
        }
        RecordError::NotOwner => "签名者不是前一记录的所有者".into(),
    }
}

fn grant(error: &GrantError) -> String {
    match error {
        GrantError::StaleSeq { expected, got } => format!("策略序号为 {got}，应为 {expected}"),
        GrantError::NotOwner => "签名者不是该记录的所有者".into(),
        GrantError::RecordRetired => "该记录已被另一条取代".into(),
        GrantError::TooSoon { least, got } => format!("生效高度为 {got}，最早为 {least}"),
    }
}

fn request(error: &RequestError) -> String {
    match error {
        RequestError::UnknownRecord => "没有这条记录".into(),
        RequestError::StaleSeq { got } => format!("序号 {got} 不是现行策略"),
        RequestError::BranchNotInPolicy => "出示的规则不在策略中".into(),
        RequestError::TooManyOpen => "读取者对该记录已有未结的申请".into(),
        RequestError::TooManyRefused { clause } => {
            format!("会因第 {clause} 条被拒绝，而本时段内此类申请已过多")
        }
        RequestError::RoleNotHeld => "读取者从未担任该角色".into(),
    }
}

fn approve(error: &ApproveError) -> String {
    match error {
        ApproveError::NotPending => "没有这样的申请在等待批准".into(),
        ApproveError::Late { to, height } => format!("批准的截止高度为 {to}，现在是 {height}"),
        ApproveError::NotGuardian(index) => format!("批准人 {index} 不是监护人"),
        ApproveError::DuplicateApprover(index) => format!("批准人 {index} 已经批准过"),
        ApproveError::SamePerson(index) => format!("批准人 {index} 与已计入的人或读取者是同一人"),
        ApproveError::RoleRevoked(index) => format!("批准人 {index} 当前不具有该角色"),
        ApproveError::NoPresence(index) => format!("批准人 {index} 没有规则所要求的在场证明"),
        ApproveError::Insufficient { balance, price } => {
            format!("读取者余额 {balance}，价格为 {price}")
        }
    }
}

fn receipt(error: &ReceiptError) -> String {
    match error {
        ReceiptError::TooLateToVeto => "已来不及反对".into(),
        ReceiptError::UnknownRequest => "没有这样的申请".into(),
        ReceiptError::NotParty => "签名者与此无关".into(),
        ReceiptError::NotOpen => "该申请当前不处于可作此声明的状态".into(),
        ReceiptError::BlobMismatch => "不是该记录的密文".into(),
    }
}

fn goods(error: &MoveError) -> String {
    match error {
        MoveError::NotMaker => "不是证明有效的制造者，或既非该批次的制造者，也不在其上级".into(),
        MoveError::LotExists(lot) => format!("批次 {lot} 早已制造"),
        MoveError::NotHolder(lot) => format!("批次 {lot} 不由操作者持有"),
        MoveError::InTransit(lot) => format!("批次 {lot} 正在运输"),
        MoveError::NotAddressee(lot) => format!("批次 {lot} 不是运往操作者"),
        MoveError::TooFewWitnesses { needed, counted } => {
            format!("有效见证人 {counted} 名，应有 {needed} 名")
        }
        MoveError::NoPresence => "没有该地点的有效信标刚刚为操作者作证".into(),
        MoveError::QuantityCreated { inputs, outputs } => {
            format!("投入 {inputs}，产出 {outputs}：数量不能凭空增减")
        }
        MoveError::ClassMixed => "批次属于不同类别，只有制造才可合并".into(),
        MoveError::Recalled(lot) => format!("批次 {lot} 已被召回：只能退回来源制造者或销毁"),
        MoveError::Destroyed(lot) => format!("批次 {lot} 已发放或销毁"),
        MoveError::TooManyOrigins(count) => format!("来源有 {count} 个，至多 16 个"),
    }
}

fn reading(error: &ReadingError) -> String {
    match error {
        ReadingError::DeviceNotLive(_) => "没有有效证明表明该密钥是设备".into(),
        ReadingError::SeqGap { expected: Some(expected), got } => {
            format!("读数序号为 {got}，应为 {expected}")
        }
        ReadingError::SeqGap { expected: None, got } => format!("读数序号为 {got}，序号已用尽"),
        ReadingError::ChainBreak => "未接续该设备的上一读数".into(),
        ReadingError::Overlap { until, t0 } => format!("始于 {t0}，而上一读数止于 {until}"),
        ReadingError::FutureTime { now, t1 } => format!("止于 {t1}，而链上时间为 {now}"),
        ReadingError::TooOld { least, t1 } => format!("止于 {t1}，不得早于 {least}"),
        ReadingError::Implausible { got, most, .. } => format!("总计 {got} 不合常理，至多 {most}"),
        ReadingError::Replay => "另一读数含有相同的样本".into(),
    }
}
