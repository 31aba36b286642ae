//! What became of a request, whether a guardian may send its share, and the events of a record's audit.

use super::table::{Lang, clause, reason};
use crate::ledger::chain::Release;
use crate::ledger::policy::Clause;
use crate::ledger::state::{Event, EventKind, RequestStatus};

/// How a request stands.
#[must_use]
pub fn status(lang: Lang, status: RequestStatus) -> String {
    let text = match status {
        RequestStatus::Pending => ["it waits for approvals", "等待批准"],
        RequestStatus::Refused(number) => {
            let asked = Clause::of_number(number).map(|of| clause(lang, of));
            return match (asked, lang) {
                (Some(asked), Lang::En) => {
                    format!("it was refused when it was asked: clause {number}, {asked}, failed")
                }
                (Some(asked), Lang::Zh) => {
                    format!("申请时即被拒绝：第 {number} 条（{asked}）不满足")
                }
                (None, Lang::En) => "it was refused: the reader has another one open".to_owned(),
                (None, Lang::Zh) => "申请被拒绝：读取者已有未结的申请".to_owned(),
            };
        }
        RequestStatus::Answered => ["enough have approved", "已有足够的人批准"],
        RequestStatus::Denied => ["too few guardians are left who agree", "同意的监护人已不足"],
        RequestStatus::Vetoed => ["the owners have objected", "所有者已反对"],
    };
    lang.of(text).to_owned()
}

/// Whether a guardian may send its share.
#[must_use]
pub fn release(lang: Lang, release: &Release) -> String {
    let say = |en: String, zh: String| match lang {
        Lang::En => en,
        Lang::Zh => zh,
    };
    match release {
        Release::Now => say("the share may be sent".into(), "可以发送分片".into()),
        Release::Unknown => say(
            "the chain does not know the request, and no block will hold it".into(),
            "链上没有该申请，也没有区块会收录它".into(),
        ),
        Release::NotOpen(None) => {
            say("the share stays: approvals are missing".into(), "不发送分片：批准人数不足".into())
        }
        Release::NotOpen(Some(why)) => {
            let (number, why) = (why.clause(), reason(lang, why));
            say(
                format!("the share stays: clause {number} fails: {why}"),
                format!("不发送分片：第 {number} 条不满足：{why}"),
            )
        }
        Release::TooFresh { until } => say(
            format!("the share waits until block {until}, so that the answer stays"),
            format!("分片等到区块 {until} 再发送，确保结果不会撤回"),
        ),
        Release::Relieved { height } => say(
            format!("the share waits: block {height} was mined under relief and is not settled"),
            format!("分片等待：区块 {height} 在难度放宽下产生，尚未确定"),
        ),
        Release::NoEmergency => say(
            "the share stays: before it is mined only an emergency counts".into(),
            "不发送分片：未入块之前只认紧急访问".into(),
        ),
        Release::ExpiresSoon { to, least } => say(
            format!("the share stays: the request ends at block {to}, at least {least} is asked"),
            format!("不发送分片：申请在区块 {to} 失效，至少应到 {least}"),
        ),
        Release::ShallowAnchor(_) => say(
            "the share stays: the request names a block that may still be abandoned".into(),
            "不发送分片：申请所指的区块仍可能被放弃".into(),
        ),
        Release::Alarm(_) => say(
            "the share stays: the witnesses have parted, people have to look first".into(),
            "不发送分片：见证人出现分歧，须先由人检查".into(),
        ),
    }
}

/// What an event of a record was.
#[must_use]
pub fn event(lang: Lang, event: &Event) -> String {
    let outcome = match event.note {
        1 => ["receipt: read", "回执：已读取"],
        2 => ["receipt: served", "回执：已提供密文"],
        3 => ["receipt: bad share", "回执：分片有误"],
        4 => ["receipt: a guardian refuses", "回执：监护人拒绝"],
        5 => ["receipt: the owners object", "回执：所有者反对"],
        6 => ["receipt: reviewed", "回执：已审查"],
        _ => ["receipt", "回执"],
    };
    let text = match event.kind {
        EventKind::Record => ["record", "登记记录"],
        EventKind::Rekey => ["re-key", "更换密钥"],
        EventKind::Grant => ["grant", "授权"],
        EventKind::Request => ["request", "申请"],
        EventKind::Approval => ["approval", "批准"],
        EventKind::Receipt => outcome,
        EventKind::Refusal => {
            let status = status(lang, RequestStatus::Refused(event.note));
            return match lang {
                Lang::En => format!("refusal: {status}"),
                Lang::Zh => format!("拒绝：{status}"),
            };
        }
    };
    lang.of(text).to_owned()
}
