//! Why a request is or is not open: the clauses that hold, the first that does not, what would help.

use super::table::{Lang, clause, help, reason};
use crate::ledger::policy::{AccessRead, Asked, Clause, Leaf, Moment, Reason, findings};

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

/// Explains a request, sent or not yet sent, at a moment.
///
/// # Errors
///
/// If the view cannot be read.
pub fn explain_opening<V: AccessRead>(
    view: &V,
    asked: &Asked,
    leaf: &Leaf,
    at: Moment,
) -> Result<Explanation, V::Error> {
    Ok(explain(&findings(view, asked, leaf, at)?))
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
        let say = |en: &str, zh: &str| match lang {
            Lang::En => en.to_owned(),
            Lang::Zh => zh.to_owned(),
        };
        let mut lines = Vec::new();
        lines.push(match &self.first_failed {
            None => say("open: every clause holds", "可以打开：所有条款均满足"),
            Some(failed) => {
                let why = reason(lang, failed);
                let number = failed.clause();
                say(
                    &format!("not open: clause {number} fails: {why}"),
                    &format!("不能打开：第 {number} 条不满足：{why}"),
                )
            }
        });
        for met in &self.met {
            let text = clause(lang, *met);
            lines.push(say(&format!("  met {met}: {text}"), &format!("  满足 {met}：{text}")));
        }
        for failed in &self.also {
            let (number, why) = (failed.clause(), reason(lang, failed));
            let zh = format!("  亦不满足 {number}：{why}");
            lines.push(say(&format!("  also fails {number}: {why}"), &zh));
        }
        for failed in self.first_failed.iter().chain(&self.also) {
            let text = help(lang, failed);
            lines.push(say(&format!("  would help: {text}"), &format!("  可行的办法：{text}")));
        }
        lines
    }
}
