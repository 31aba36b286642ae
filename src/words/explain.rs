//! Why a request is or is not open: the clauses that hold, the first that does not, what would help.

use super::table::{Lang, clause, filled, help, reason};
use crate::ledger::policy::{Clause, Reason};

/// An answer that can be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// Clauses that hold.
    pub met: Vec<Clause>,
    /// The first that does not, and why.
    pub first_failed: Option<Reason>,
    /// Why others fail as well, in the order of the clauses.
    pub also: Vec<Reason>,
}

/// Puts the answers of the nine clauses in order.
#[must_use]
pub fn explain(findings: &[Option<Reason>; 9]) -> Explanation {
    let judged = Clause::ALL.into_iter().zip(findings);
    let met = judged.filter(|(_, reason)| reason.is_none()).map(|(clause, _)| clause).collect();
    let mut failed = findings.iter().flatten().copied();
    Explanation { met, first_failed: failed.next(), also: failed.collect() }
}

impl Explanation {
    /// Whether the record is open.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        self.first_failed.is_none()
    }

    /// The sentences, one a line: first whether it is open, then each clause, then what would help.
    #[must_use]
    pub fn lines(&self, lang: Lang) -> Vec<String> {
        let say = |both, values: &[&str]| filled(lang.of(both), values);
        let why = |failed: &Reason| (failed.clause().to_string(), reason(lang, failed));
        let mut lines = Vec::new();
        lines.push(match &self.first_failed {
            None => say(["open: every clause holds", "可以打开：所有条款均满足"], &[]),
            Some(failed) => {
                let (number, why) = why(failed);
                let both = ["not open: clause {0} fails: {1}", "不能打开：第 {0} 条不满足：{1}"];
                say(both, &[&number, &why])
            }
        });
        for met in &self.met {
            let values = [&*met.to_string(), clause(lang, *met)];
            lines.push(say(["  met {0}: {1}", "  满足 {0}：{1}"], &values));
        }
        for failed in &self.also {
            let (number, why) = why(failed);
            lines.push(say(["  also fails {0}: {1}", "  亦不满足 {0}：{1}"], &[&number, &why]));
        }
        for failed in self.first_failed.iter().chain(&self.also) {
            let both = ["  would help: {0}", "  可行的办法：{0}"];
            lines.push(say(both, &[&help(lang, failed)]));
        }
        lines
    }
}
