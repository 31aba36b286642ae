//! The sentences about who can open a record, how long that takes, and what may lock everybody out.

use super::table::{Lang, filled, sentences};
use crate::ledger::policy::Risk;

sentences! {
    /// A sentence. `{0}`, `{1}`, ... in it stand for values.
    Opening {
        /// A minimal set: keys, leaf.
        Way: ["{0}: by leaf {1}", "{0}：依据规则 {1}"],
        /// The request: height, reader, role, place.
        Request: ["  block {0}: {1} asks as {2}, {3}", "  区块 {0}：{1} 以{2}身份申请，{3}"],
        /// No matter where.
        Anywhere: ["anywhere", "地点不限"],
        /// At a site: its name.
        AtSite: ["at site {0}", "地点 {0}"],
        /// At a site of an issuer inside a cell: cell, issuer.
        InCell: ["at a site of {1} in cell {0}", "{1} 在网格 {0} 内的地点"],
        /// At an emergency service.
        AtEmergency: ["at an emergency service", "在急救机构"],
        /// The beacon that has to speak.
        HeardBy: [", heard by beacon {0}", "，由信标 {0} 作证"],
        /// The approvals: height, who.
        Approve: ["  block {0}: {1} approve", "  区块 {0}：{1} 批准"],
        /// They stand in one transaction.
        OneTransaction: [" in one transaction", "，在同一笔交易中"],
        /// They and the reader are heard in one round.
        OneRound: [", heard with the reader in one round", "，与读取者在同一轮被听到"],
        /// They and the reader sign within so many blocks.
        Within: [
            ", signed within {0} blocks of the reader's signature",
            "，与读取者的签名相隔不超过 {0} 个区块",
        ],
        /// It is open: height.
        Open: ["  block {0}: open", "  区块 {0}：打开"],
        /// When guardians send their shares: height.
        Shares: [
            "  block {0}: the guardians among them send their shares",
            "  区块 {0}：其中的监护人发送分片",
        ],
        /// The same in an emergency.
        SharesAtOnce: [
            "  the guardians among them send their shares as soon as request and approvals are pending",
            "  申请与批准一经广播，其中的监护人即发送分片",
        ],
        /// A key in every set.
        SinglePoint: ["without {0} nobody opens it", "缺少 {0} 则无人能打开"],
        /// No set.
        Nobody: ["nobody can open it up to block {0}", "到区块 {0} 为止无人能打开"],
        /// What every answer rests on.
        Behind: [
            "Behind every answer stand those who make and withdraw claims, and the owners after their \
             delay.",
            "以上结论均以证明的签发与撤销方、以及等待期后的所有者不作改动为前提。",
        ],
        /// How many blocks an opening takes: leaf, all, delay or approvals, guardians.
        Blocks: [
            "leaf {0}: {1} blocks from sending the request to the shares: 1 takes the request, {2} the \
             approvals or the delay, {3} the guardians wait",
            "规则 {0}：从发出申请到收到分片共 {1} 个区块：申请 1 个，批准或等待期 {2} 个，监护人等待 {3} 个",
        ],
        /// An emergency: leaf.
        AtOnce: [
            "leaf {0}: an emergency opens at once, when request and approvals are pending; the chain \
             holds them after 1 block",
            "规则 {0}：紧急访问在申请与批准广播后立即打开；1 个区块后上链",
        ],
        /// A line of times: chain, seconds between blocks, median, 99th percentile.
        Times: [
            "  {0}: a block every {1} s: median {2}, 99 of 100 within {3}",
            "  {0}：每 {1} 秒一个区块：中位数 {2}，百分之九十九不超过 {3}",
        ],
        /// The record has no leaf for emergencies.
        NoEmergency: [
            "no leaf breaks the glass: in an emergency it opens as on every day, or not at all",
            "没有紧急规则：紧急情况下只能按日常规则打开，或根本打不开",
        ],
    }
}

/// What may lock everybody out.
#[must_use]
pub fn risk(lang: Lang, risk: &Risk) -> String {
    match *risk {
        Risk::LockedOut => {
            filled(lang.of(["no set of keys opens it in this time", "在此期间没有任何密钥组合能打开"]), &[])
        }
        Risk::TooFewGuardians { set, live, k } => filled(
            lang.of([
                "share set {0}: {1} guardians hold a role at the end, {2} are needed: then not even \
                 another policy opens it",
                "分片组 {0}：期末只有 {1} 位监护人仍有角色，需要 {2} 位：届时任何策略都打不开",
            ]),
            &[&set.to_string(), &live.to_string(), &k.to_string()],
        ),
        Risk::RequiredNotLive { set, index } => filled(
            lang.of([
                "share set {0}: guardian {1} is required and holds no role at the end",
                "分片组 {0}：必需的监护人 {1} 期末已无角色",
            ]),
            &[&set.to_string(), &index.to_string()],
        ),
        Risk::EndsAt(height) => filled(
            lang.of([
                "after block {0} no request opens it",
                "区块 {0} 之后任何申请都不能打开",
            ]),
            &[&height.to_string()],
        ),
    }
}
