//! What is said of goods: steps, grades, what speaks against a move, and the trace of a lot line by line.
//! Whatever the grade, the words are "claimed by": nothing here says that something is so.

use super::table::{Both, Lang, filled};
use crate::ledger::goods::{Grade, Label, Origin, Trace, TracedStep};
use crate::ledger::state::{HeldLot, LotStatus};
use crate::ledger::transaction::lot::Step;

/// Digits of a key or an id that people compare.
const SHORT: usize = 12;

/// What is done to a lot.
#[must_use]
pub fn step(lang: Lang, step: &Step) -> &'static str {
    lang.of(match step {
        Step::Make { .. } => ["made", "制造"],
        Step::Ship { .. } => ["shipped", "发货"],
        Step::Receive { .. } => ["received", "收货"],
        Step::Pack { .. } => ["packed", "装箱"],
        Step::Unpack { .. } => ["unpacked", "拆箱"],
        Step::Split { .. } => ["split", "分装"],
        Step::Dispense { .. } => ["dispensed", "发放"],
        Step::Destroy { .. } => ["destroyed", "销毁"],
        Step::Recall { .. } => ["recalled", "召回"],
    })
}

/// Who stands behind a claim.
#[must_use]
pub fn grade(lang: Lang, grade: Grade) -> &'static str {
    lang.of(match grade {
        Grade::SelfClaimed => ["self-claimed", "自称"],
        Grade::CounterSigned => ["counter-signed", "双方签名"],
        Grade::Witnessed => ["witnessed", "有见证人"],
        Grade::BeaconAndWitnessed => ["beacon and witnessed", "有信标和见证人"],
    })
}

/// What speaks against a claim.
#[must_use]
pub fn label(lang: Lang, label: &Label) -> String {
    match label {
        Label::DoubleMake(other) => fill(
            lang,
            [
                "the maker also signed another make of the same name: {0}",
                "制造者还签署了同名的另一次制造：{0}",
            ],
            &[&short(&other.0)],
        ),
        Label::DoubleHold(other) => fill(
            lang,
            [
                "the holder also signed another move of it: {0}",
                "持有者还签署了对它的另一次移动：{0}",
            ],
            &[&short(&other.0)],
        ),
        Label::ImpossibleTravel { other, kilometres, seconds } => fill(
            lang,
            [
                "at least {0} km from {1} with {2} minutes between",
                "与 {1} 相距至少 {0} 公里，间隔仅 {2} 分钟",
            ],
            &[&kilometres.to_string(), &short(&other.0), &(seconds / 60).to_string()],
        ),
        Label::Tainted { device, height } => fill(
            lang,
            [
                "signed by device {0}, whose model was withdrawn in block {1}",
                "由设备 {0} 签署，其型号已在区块 {1} 被撤销",
            ],
            &[&short(&device.0), &height.to_string()],
        ),
    }
}

/// What the key of a package had to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Checked {
    /// It has none.
    NoKey,
    /// It has one, which nobody asked.
    NotAsked,
    /// It signed the hash of the latest block.
    Answered,
    /// It did not, or not rightly.
    Silent,
}

impl Checked {
    /// The name in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NoKey => "no-key",
            Self::NotAsked => "not-asked",
            Self::Answered => "answered",
            Self::Silent => "silent",
        }
    }
}

/// Nothing is known of a lot.
#[must_use]
pub fn unknown_lot(lang: Lang) -> &'static str {
    lang.of(["no move on this chain names this lot", "本链上没有涉及该批次的记录"])
}

/// Whether the code on a package is that of a lot on the chain.
#[must_use]
pub fn code_opens(lang: Lang, opens: bool) -> &'static str {
    lang.of(match opens {
        true => [
            "the code on the package opens where the lot came from",
            "包装上的码与该批次的来源相符",
        ],
        false => [
            "the code on the package is not that of where the lot came from",
            "包装上的码与该批次的来源不符",
        ],
    })
}

/// What was found out about a package, a line each.
#[must_use]
pub fn package(lang: Lang, is_recalled: bool, is_over: bool, tag: Checked) -> Vec<&'static str> {
    let recalled = match is_recalled {
        true => ["it is recalled: take it back to where it came from", "已被召回：请退回来源"],
        false => ["nothing behind it is recalled", "其来源均未被召回"],
    };
    let over = match is_over {
        true => [
            "it was consumed, dispensed or destroyed: this package should not be here",
            "已被使用、发放或销毁：此包装不应出现在这里",
        ],
        false => ["it is on its way or held by somebody", "正在运输或由某方持有"],
    };
    let tag = match tag {
        Checked::NoKey => [
            "the package has no key: its code could have been copied",
            "包装没有密钥：其码可能被复制",
        ],
        Checked::NotAsked => {
            ["the package has a key: ask it with --tag", "包装带有密钥：可用 --tag 验证"]
        }
        Checked::Answered => [
            "the key of the package signed the hash of the latest block",
            "包装的密钥签署了最新区块的哈希",
        ],
        Checked::Silent => [
            "the key of the package did not sign the hash of the latest block",
            "包装的密钥没有签署最新区块的哈希",
        ],
    };
    [recalled, over, tag].map(|line| lang.of(line)).to_vec()
}

/// The trace of a lot, a line each: what it is, who made what it came from, each step with its grade, and
/// the whole.
#[must_use]
pub fn trace(lang: Lang, trace: &Trace) -> Vec<String> {
    let mut lines = vec![match &trace.held {
        Some(held) => standing(lang, trace, held),
        None => fill(
            lang,
            ["lot {0}: consumed or over", "批次 {0}：已被使用或已终结"],
            &[&short(&trace.lot.0)],
        ),
    }];
    lines.extend(trace.origins.iter().map(|origin| origin_line(lang, origin)));
    for step in &trace.steps {
        lines.push(step_line(lang, step));
        let against = step.labels.iter().map(|found| label(lang, found));
        let said = ["      against it: {0}", "      疑点：{0}"];
        lines.extend(against.map(|text| fill(lang, said, &[&text])));
    }
    if trace.is_cut {
        lines.push(fill(lang, ["the beginning is not shown", "起点未显示"], &[]));
    }
    if let Some(weakest) = trace.grade() {
        let signers = trace.signers.to_string();
        let weakest = grade(lang, weakest);
        lines.push(fill(
            lang,
            [
                "claimed by {0} signers; the weakest claim is {1}. Whether the goods are what these \
                 claims say, no record can tell",
                "由 {0} 个签名者声明；最弱的声明为：{1}。货物是否如声明所说，任何记录都无法证明",
            ],
            &[&signers, weakest],
        ));
    }
    lines
}

fn standing(lang: Lang, trace: &Trace, held: &HeldLot) -> String {
    let status = match held.status {
        LotStatus::Held => ["held by {2}", "由 {2} 持有"],
        LotStatus::InTransit(_) => ["on its way from {2} to {3}", "由 {2} 运往 {3}"],
        LotStatus::Consumed => ["other lots came of it, by {2}", "已由 {2} 分成其他批次"],
        LotStatus::Dispensed => ["dispensed by {2}", "已由 {2} 发放"],
        LotStatus::Destroyed => ["destroyed by {2}", "已由 {2} 销毁"],
    };
    let to = match held.status {
        LotStatus::InTransit(transit) => short(&transit.to.0),
        _ => String::new(),
    };
    let quantity = held.quantity.to_string();
    let values = [&short(&trace.lot.0)[..], &quantity, &short(&held.holder.0), &to];
    let start = fill(lang, ["lot {0}, quantity {1}: ", "批次 {0}，数量 {1}："], &values);
    start + &fill(lang, status, &values)
}

fn origin_line(lang: Lang, origin: &Origin) -> String {
    let values = [&short(&origin.made.0)[..], &short(&origin.maker.0)];
    let mut line = fill(lang, ["origin {0}, made by {1}", "来源 {0}，制造者 {1}"], &values);
    if let Some(height) = origin.recalled {
        let recalled = ["; recalled in block {0}", "；已在区块 {0} 召回"];
        line += &fill(lang, recalled, &[&height.to_string()]);
    }
    line
}

fn step_line(lang: Lang, traced: &TracedStep) -> String {
    let body = traced.moved.body();
    let mut line = fill(
        lang,
        ["  block {0}: {1} by {2} ({3})", "  区块 {0}：{1}，由 {2}（{3}）"],
        &[
            &traced.moved.at.height.to_string(),
            step(lang, &body.step),
            &short(&body.by.id().0),
            grade(lang, traced.grade),
        ],
    );
    if let Some(site) = &body.site {
        line += &fill(lang, [", at site {0}", "，地点 {0}"], &[&short(&site.0)]);
    }
    if !body.witnesses.is_empty() {
        let count = body.witnesses.len().to_string();
        line += &fill(lang, [", {0} witnesses", "，见证人 {0} 名"], &[&count]);
    }
    line
}

fn fill(lang: Lang, text: Both, values: &[&str]) -> String {
    filled(lang.of(text), values)
}

fn short(id: &[u8; 32]) -> String {
    let mut digits = hex::encode(id);
    digits.truncate(SHORT);
    digits
}
