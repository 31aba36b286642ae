//! The table, and how a row becomes a sentence.

use crate::ledger::policy::{Clause, LeafError, Purpose, Reason, Role, RoleRef};

/// A language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Lang {
    /// English.
    #[default]
    En,
    /// Chinese.
    Zh,
}

/// A sentence with its values in the place of `{0}`, `{1}`, ...
pub(super) fn filled(text: &str, values: &[&str]) -> String {
    let mut text = text.to_owned();
    for (number, value) in values.iter().enumerate() {
        text = text.replace(&format!("{{{number}}}"), value);
    }
    text
}

/// One thing in both languages.
pub(super) type Both = [&'static str; 2];

/// An enumeration of sentences, each with both languages beside its name.
macro_rules! sentences {
    ($(#[$doc:meta])* $name:ident { $($(#[$of:meta])* $variant:ident: [$en:literal, $zh:literal $(,)?],)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$of])* $variant,)+
        }

        impl $name {
            /// Every sentence, with its name in the program.
            pub const ALL: &'static [(&'static str, Self)] =
                &[$((stringify!($variant), Self::$variant)),+];

            /// The sentence with its values in the place of `{0}`, `{1}`, ...
            #[must_use]
            pub fn say(self, lang: $crate::words::Lang, values: &[&str]) -> String {
                let both = match self {
                    $(Self::$variant => [$en, $zh],)+
                };
                $crate::words::table::filled(lang.of(both), values)
            }
        }
    };
}
pub(super) use sentences;

/// A reason: what is so, and what would help. `{name}` stands for a value.
struct Row {
    is: Both,
    help: Both,
}

impl Lang {
    /// Every language.
    pub const ALL: [Self; 2] = [Self::En, Self::Zh];

    /// Its code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Zh => "zh",
        }
    }

    /// The language of a code.
    #[must_use]
    pub fn of_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|lang| lang.code() == code)
    }

    pub(super) fn of(self, both: Both) -> &'static str {
        match self {
            Self::En => both[0],
            Self::Zh => both[1],
        }
    }
}

/// What a clause asks for.
#[must_use]
pub fn clause(lang: Lang, clause: Clause) -> &'static str {
    lang.of(match clause {
        Clause::Record => {
            ["the record is active and this policy is in force", "记录有效，所依据的策略正在生效"]
        }
        Clause::Leaf => ["the rule shown is part of the policy", "出示的规则属于该策略"],
        Clause::Time => ["the time is right", "时间符合要求"],
        Clause::Purpose => ["the purpose is permitted", "用途获准"],
        Clause::Reader => ["the reader holds a role that may read", "读取者具有可读取的角色"],
        Clause::Place => ["the reader is at a place named", "读取者位于指定地点"],
        Clause::Approvers => ["enough people have approved", "已有足够的人批准"],
        Clause::Together => ["they are together as the rule says", "他们按规则同时在场"],
        Clause::Open => [
            "the delay is over, nobody objects, a read is left",
            "等待期已过，无人反对，仍有读取次数",
        ],
    })
}

/// A role.
#[must_use]
pub fn role(lang: Lang, role: Role) -> &'static str {
    lang.of(match role {
        Role::Physician => ["physician", "医生"],
        Role::Nurse => ["nurse", "护士"],
        Role::Pharmacist => ["pharmacist", "药剂师"],
        Role::EmergencyClinician => ["emergency clinician", "急诊医生"],
        Role::Patient => ["patient", "患者"],
        Role::Relative => ["relative", "亲属"],
        Role::Escrow => ["escrow service", "托管服务"],
        Role::Laboratory => ["laboratory", "化验室"],
        Role::Researcher => ["researcher", "研究人员"],
    })
}

/// A purpose.
#[must_use]
pub fn purpose(lang: Lang, purpose: Purpose) -> &'static str {
    lang.of(match purpose {
        Purpose::Treat => ["treatment", "治疗"],
        Purpose::EmergencyTreat => ["emergency treatment", "紧急治疗"],
        Purpose::BreakGlass => ["break the glass", "紧急破例访问"],
        Purpose::PatientRequest => ["at the patient's request", "应患者要求"],
        Purpose::Payment => ["payment", "支付"],
        Purpose::Operations => ["operations", "运营"],
        Purpose::Research => ["research", "研究"],
    })
}

/// Why a clause fails.
#[must_use]
pub fn reason(lang: Lang, reason: &Reason) -> String {
    fill(lang, lang.of(row(reason).is), reason)
}

/// What would help.
#[must_use]
pub fn help(lang: Lang, reason: &Reason) -> String {
    fill(lang, lang.of(row(reason).help), reason)
}

fn fill(lang: Lang, text: &str, reason: &Reason) -> String {
    values(lang, reason)
        .into_iter()
        .fold(text.to_owned(), |text, (name, value)| text.replace(&format!("{{{name}}}"), &value))
}

/// What the placeholders of a reason stand for.
fn values(lang: Lang, reason: &Reason) -> Vec<(&'static str, String)> {
    let named = |of: RoleRef| {
        let issuer = of.issuer.to_string();
        format!("{} ({})", role(lang, of.role), issuer.get(..8).unwrap_or(&issuer))
    };
    match *reason {
        Reason::OtherPolicy { current, asked } => {
            vec![("current", current.to_string()), ("asked", asked.to_string())]
        }
        Reason::BadLeaf(error) => vec![("why", leaf_error(lang, error).to_owned())],
        Reason::OutsideWindow { median_time } => vec![("time", median_time.to_string())],
        Reason::AnswerOver { to } | Reason::ReadOver { to } => vec![("height", to.to_string())],
        Reason::PurposeNotPermitted(of) => vec![("purpose", purpose(lang, of).to_owned())],
        Reason::RoleNotHeld(of) | Reason::RoleNotLive(of) | Reason::RoleTooYoung(of) => {
            vec![("role", named(of))]
        }
        Reason::StalePresence { anchor, least } => {
            vec![("anchor", anchor.to_string()), ("least", least.to_string())]
        }
        Reason::TooFew { role, have, need } => {
            vec![("role", named(role)), ("have", have.to_string()), ("need", need.to_string())]
        }
        Reason::RequiredMissing { missing } => vec![("missing", missing.to_string())],
        Reason::TooFewGuardians { have, need } => {
            vec![("have", have.to_string()), ("need", need.to_string())]
        }
        Reason::Delay { until } => vec![("height", until.to_string())],
        Reason::NoReads { most } => vec![("most", most.to_string())],
        _ => Vec::new(),
    }
}

fn leaf_error(lang: Lang, error: LeafError) -> &'static str {
    lang.of(match error {
        LeafError::NoTime | LeafError::ShortWindow | LeafError::BadDaily => {
            ["its time window is missing or too short", "时间窗口缺失或过短"]
        }
        LeafError::NoPurpose | LeafError::MixedPurposes => {
            ["its purposes do not go together", "用途互相矛盾"]
        }
        LeafError::WrongSet(_) | LeafError::BadK(_) => {
            ["it names a share set that is not its own", "份额组不符"]
        }
        LeafError::BadNeed => ["the people it needs are out of range", "所需人员超出范围"],
        LeafError::LongAnswer(_) | LeafError::LongRead(_) => {
            ["it may be answered or read for too long", "答复或读取期限过长"]
        }
        _ => ["one of its numbers is out of range", "某个数值超出范围"],
    })
}

/// The sentences of a reason.
fn row(reason: &Reason) -> Row {
    let (is, help): (Both, Both) = match reason {
        Reason::NoRecord => (
            ["there is no such record", "没有这条记录"],
            ["check the record's key", "请核对记录的密钥"],
        ),
        Reason::Retired => (
            ["another record has taken its place", "该记录已被新记录取代"],
            ["ask for the record that replaced it", "请改为申请取代它的记录"],
        ),
        Reason::Revoked => (
            ["the owners have revoked all access", "所有者已撤销全部访问权"],
            ["the owners can grant a new policy", "所有者可授予新策略"],
        ),
        Reason::OtherPolicy { .. } => (
            [
                "policy {current} is in force, the request names {asked}",
                "现行策略为 {current}，请求所依据的是 {asked}",
            ],
            ["ask again under the policy in force", "请依据现行策略重新申请"],
        ),
        Reason::NotInPolicy => (
            ["the rule shown is not in the policy", "出示的规则不在策略中"],
            ["show a rule of the policy in force, with its path", "请出示现行策略中的规则及其路径"],
        ),
        Reason::BadLeaf(_) => (
            ["the rule shown opens nothing: {why}", "出示的规则无效：{why}"],
            [
                "the owners can grant a policy that holds a sound rule",
                "所有者可授予含有效规则的策略",
            ],
        ),
        Reason::BadSet => (
            [
                "the rule asks for fewer guardians than the record has it",
                "规则要求的监护人少于记录的规定",
            ],
            [
                "the owners can grant a policy that fits the record's share sets",
                "所有者可授予与记录份额组相符的策略",
            ],
        ),
        Reason::OutsideWindow { .. } => (
            [
                "chain time {time} lies outside the time window",
                "链上时间 {time} 不在允许的时间窗口内",
            ],
            ["wait for the window, if it is still to come", "若窗口尚未到来，请等待"],
        ),
        Reason::AnswerOver { .. } => (
            ["it could be approved up to block {height}", "批准的截止区块为 {height}"],
            ["send a new request", "请重新提交申请"],
        ),
        Reason::ReadOver { .. } => (
            ["it could be read up to block {height}", "读取的截止区块为 {height}"],
            ["send a new request", "请重新提交申请"],
        ),
        Reason::PurposeNotPermitted(_) => (
            ["the rule does not permit: {purpose}", "规则不允许的用途：{purpose}"],
            ["only a rule that permits this purpose would do", "需要允许该用途的规则"],
        ),
        Reason::RoleNotShown => (
            ["the reader shows no role that the rule names", "读取者未出示规则所列的角色"],
            ["show a role of the rule, with its path", "请出示规则所列的角色及其路径"],
        ),
        Reason::RoleNotHeld(_) => (
            ["the reader never was: {role}", "读取者从未担任：{role}"],
            ["the issuer can attest the role", "签发方可证明该角色"],
        ),
        Reason::RoleNotLive(_) => (
            ["the reader's claim does not hold now: {role}", "读取者的角色证明当前无效：{role}"],
            ["the issuer can renew the claim", "签发方可续签该证明"],
        ),
        Reason::RoleTooYoung(_) => (
            ["in an emergency a claim must be older: {role}", "紧急情况下证明须签发已久：{role}"],
            ["somebody with an older claim can ask", "可由证明较早的人申请"],
        ),
        Reason::ReviewOwed => (
            [
                "an earlier emergency of the reader awaits its review",
                "读取者此前的紧急访问尚待审查",
            ],
            ["an auditor or the owners can review it", "审计员或所有者可完成审查"],
        ),
        Reason::PlaceNotShown => (
            ["the reader shows no place that the rule names", "读取者未出示规则所列的地点"],
            ["show a place of the rule, with its path", "请出示规则所列的地点及其路径"],
        ),
        Reason::NotPresent => (
            ["no beacon spoke for the reader", "没有信标为读取者作证"],
            ["ask at a beacon of the place", "请在该地点的信标处申请"],
        ),
        Reason::NotHeard => (
            ["the beacon did not hear the reader's key", "信标未听到读取者的密钥"],
            ["ask again in a round that hears it", "请在信标听到后重新申请"],
        ),
        Reason::UnknownAnchor => (
            ["the beacon names no recent block", "信标所指的区块不在近期链上"],
            ["ask again with a new round", "请用新一轮信标重新申请"],
        ),
        Reason::StalePresence { .. } => (
            [
                "the beacon spoke at block {anchor}, at least {least} is asked",
                "信标作证于区块 {anchor}，要求不早于 {least}",
            ],
            ["ask again with a new round", "请用新一轮信标重新申请"],
        ),
        Reason::BeaconNotLive => (
            ["the beacon or its site has no valid claim now", "信标或其地点当前没有有效证明"],
            ["the site can renew the beacon's claim", "该地点可续签信标证明"],
        ),
        Reason::ElsePlace => (
            ["the beacon stands at another place", "信标位于其他地点"],
            ["ask at a place that the rule names", "请在规则所列的地点申请"],
        ),
        Reason::TooFew { .. } => (
            ["{have} of {need} have approved: {role}", "已批准 {have} 人，需要 {need} 人：{role}"],
            ["more of them can approve: {role}", "还需更多人批准：{role}"],
        ),
        Reason::RequiredMissing { .. } => (
            [
                "{missing} without whom it does not open have not approved",
                "尚有 {missing} 位必需的监护人未批准",
            ],
            ["those required can approve", "请必需的监护人批准"],
        ),
        Reason::TooFewGuardians { .. } => (
            [
                "{have} of {need} guardians have approved",
                "已批准的监护人 {have} 位，需要 {need} 位",
            ],
            ["more guardians can approve", "还需更多监护人批准"],
        ),
        Reason::ReaderApart => (
            [
                "the reader signed too early, or elsewhere, to be together with them",
                "读取者签名过早或不在同处，不算同时在场",
            ],
            ["send a new request when all are there", "请在所有人到场时重新申请"],
        ),
        Reason::Apart => (
            ["enough have approved, but not together", "批准人数足够，但未同时在场"],
            ["approve again together, on a new request", "请在新的申请上一同批准"],
        ),
        Reason::Delay { .. } => (
            ["the owners may object up to block {height}", "所有者可在区块 {height} 之前反对"],
            ["wait for the delay to end", "请等待期满"],
        ),
        Reason::Vetoed => (
            ["the owners have objected", "所有者已反对"],
            ["settle it with the owners", "请与所有者协商"],
        ),
        Reason::NoReads { .. } => (
            ["the rule has been used {most} times, as often as it may", "该规则已用满 {most} 次"],
            ["the owners can grant a new policy", "所有者可授予新策略"],
        ),
    };
    Row { is, help }
}
