//! `[[application.tool.wharf.problems]]`: extra members of the host's own error responses.

use std::collections::BTreeMap;

use crate::document::{Table, Value};

use super::super::context::read_paths;

/// Members that the host adds to its problem responses (RFC 9457) on some paths, for clients that expect another format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProblemMembers {
    /// Each path includes all paths below it.
    paths: Vec<String>,
    /// The status of the response; `None` means any.
    status: Option<u16>,
    pub members: BTreeMap<String, ProblemMember>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProblemMember {
    /// The value of another member of the problem.
    SameAs(String),
    Number(u64),
    Members(BTreeMap<String, ProblemMember>),
}

/// The members of every problem response.
const PROBLEM_MEMBERS: [&str; 6] = ["type", "title", "status", "detail", "code", "request_id"];

impl ProblemMembers {
    pub(super) fn read(table: &Table) -> Option<ProblemMembers> {
        let paths = table.require("paths").map(|paths| paths.texts());
        let status = table.number("status", 400..=599);
        let members = table.require("members");
        let members = members.and_then(|members| members.table("`members` of a problem"));
        table.refuse_unknown_keys();
        Some(ProblemMembers {
            paths: paths.map(|paths| read_paths(&paths))?,
            status: status.and_then(|status| u16::try_from(status).ok()),
            members: ProblemMember::read_all(&members?),
        })
    }

    /// Whether the members belong into a response with this status on this path.
    pub fn apply_to(&self, path: &str, status: u16) -> bool {
        let paths = self.paths.iter().map(|prefix| prefix.trim_end_matches('/'));
        let mut below = paths.filter_map(|prefix| path.strip_prefix(prefix));
        below.any(|rest| rest.is_empty() || rest.starts_with('/'))
            && self.status.is_none_or(|expected| expected == status)
    }
}

impl ProblemMember {
    fn read_all(table: &Table) -> BTreeMap<String, ProblemMember> {
        let entries = table.entries().into_iter();
        let members = entries
            .filter_map(|(name, value)| Some((name.to_string(), ProblemMember::read(&value)?)));
        members.collect()
    }

    fn read(value: &Value) -> Option<ProblemMember> {
        if value.is_table() {
            let table = value.table("a member of a problem")?;
            return Some(ProblemMember::Members(ProblemMember::read_all(&table)));
        }
        if !value.is_text() {
            return value
                .number(0..=u64::from(u32::MAX))
                .map(ProblemMember::Number);
        }
        let text = value.text()?;
        if !PROBLEM_MEMBERS.contains(&&*text) {
            text.fault_unknown("a problem response has no member", PROBLEM_MEMBERS);
        }
        Some(ProblemMember::SameAs(text.to_string()))
    }
}
