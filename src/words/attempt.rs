//! What became of a request, whether a guardian may send its share, and the events of a record's audit.

use super::table::{Lang, clause, filled, reason};
use crate::ledger::chain::Release;
use crate::ledger::policy::Clause;
use crate::ledger::state::{Event, EventKind, RequestStatus};
use crate::ledger::transaction::receipt::Outcome;

/// How a request stands.
#[must_use]
pub fn status(lang: Lang, status: RequestStatus) -> String {
    let text = match status {
        RequestStatus::Pending => ["it waits for approvals", "等待批准"],
        RequestStatus::Refused(number) => {
            let asked = Clause::of_number(number).map(|of| clause(lang, of));
            let both = match asked {
                Some(_) => [
                    "it was refused when it was asked: clause {0}, {1}, failed",
                    "申请时即被拒绝：第 {0} 条（{1}）不满足",
                ],
                None => [
                    "it was refused: the reader has another one open",
                    "申请被拒绝：读取者已有未结的申请",
                ],
            };
            return filled(lang.of(both), &[&number.to_string(), asked.unwrap_or_default()]);
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
    let (both, values) = match release {
        Release::Now => (["the share may be sent", "可以发送分片"], vec![]),
        Release::Unknown => (
            [
                "the chain does not know the request, and no block will hold it",
                "链上没有该申请，也没有区块会收录它",
            ],
            vec![],
        ),
        Release::NotOpen(None) => {
            (["the share stays: approvals are missing", "不发送分片：批准人数不足"], vec![])
        }
        Release::NotOpen(Some(why)) => (
            ["the share stays: clause {0} fails: {1}", "不发送分片：第 {0} 条不满足：{1}"],
            vec![why.clause().to_string(), reason(lang, why)],
        ),
        Release::TooFresh { until } => (
            [
                "the share waits until block {0}, so that the answer stays",
                "分片等到区块 {0} 再发送，确保结果不会撤回",
            ],
            vec![until.to_string()],
        ),
        Release::Relieved { height } => (
            [
                "the share waits: block {0} was mined under relief and is not settled",
                "分片等待：区块 {0} 在难度放宽下产生，尚未确定",
            ],
            vec![height.to_string()],
        ),
        Release::NoEmergency => (
            [
                "the share stays: before it is mined only an emergency counts",
                "不发送分片：未入块之前只认紧急访问",
            ],
            vec![],
        ),
        Release::ExpiresSoon { to, least } => (
            [
                "the share stays: the request ends at block {0}, at least {1} is asked",
                "不发送分片：申请在区块 {0} 失效，至少应到 {1}",
            ],
            vec![to.to_string(), least.to_string()],
        ),
        Release::ShallowAnchor(_) => (
            [
                "the share stays: the request names a block that may still be abandoned",
                "不发送分片：申请所指的区块仍可能被放弃",
            ],
            vec![],
        ),
        Release::PaidBySigner(_) => (
            [
                "the share stays: who signs the request or the approval pays for it too, so nobody else could \
                 have it mined; let another key pay",
                "不发送分片：签署人自己付费，他人无法代为入块；请改由其他密钥付费",
            ],
            vec![],
        ),
        Release::Untraced => (
            [
                "the share stays: the guardian's own approval could not be mined with the request",
                "不发送分片：保管人自己的同意无法与申请一同入块",
            ],
            vec![],
        ),
        Release::Alarm(_) => (
            [
                "the share stays: the witnesses have parted, people have to look first",
                "不发送分片：见证人出现分歧，须先由人检查",
            ],
            vec![],
        ),
    };
    let values: Vec<&str> = values.iter().map(String::as_str).collect();
    filled(lang.of(both), &values)
}

/// What a receipt says.
#[must_use]
pub fn receipt(lang: Lang, outcome: Outcome) -> &'static str {
    lang.of(match outcome {
        Outcome::Read => ["receipt: read", "回执：已读取"],
        Outcome::Served => ["receipt: served", "回执：已提供密文"],
        Outcome::BadShare => ["receipt: bad share", "回执：分片有误"],
        Outcome::Denied => ["receipt: a guardian refuses", "回执：监护人拒绝"],
        Outcome::Veto => ["receipt: the owners object", "回执：所有者反对"],
        Outcome::Reviewed => ["receipt: reviewed", "回执：已审查"],
    })
}

/// What an event of a record was.
#[must_use]
pub fn event(lang: Lang, event: &Event) -> String {
    let text = match event.kind {
        EventKind::Record => ["record", "登记记录"],
        EventKind::Rekey => ["re-key", "更换密钥"],
        EventKind::Grant => ["grant", "授权"],
        EventKind::Request => ["request", "申请"],
        EventKind::Approval => ["approval", "批准"],
        EventKind::Receipt => match Outcome::of_number(event.note) {
            Some(outcome) => return receipt(lang, outcome).to_owned(),
            None => ["receipt", "回执"],
        },
        EventKind::Refusal => {
            let status = status(lang, RequestStatus::Refused(event.note));
            return filled(lang.of(["refusal: {0}", "拒绝：{0}"]), &[&status]);
        }
    };
    lang.of(text).to_owned()
}
