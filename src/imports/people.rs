//! The people of a file: members that are known, and those that an import adds.

use std::collections::HashMap;

use serde_json::Value as Json;
use uuid::Uuid;

use super::mapping::People as Rule;
use crate::clock::Ids;
use crate::error::{Result, invalid};
use crate::tables::value::parse;
use crate::tables::{CatalogColumn, Member, Reading, Value};

/// More new people than this in one file are rather a wrong heading.
const ADDED_MAX: usize = 500;
const NAME_CHARS_MAX: usize = 200;

/// Members by what a file calls them; the new ones have their ids already.
#[derive(Debug)]
pub(super) struct People<'a> {
    known: &'a [Member],
    pub(super) new: Vec<Member>,
    found: HashMap<String, Uuid>,
    rule: Rule,
    ids: &'a Ids,
}

impl<'a> People<'a> {
    pub(super) fn new(known: &'a [Member], rule: Rule, ids: &'a Ids) -> People<'a> {
        People { known, new: Vec::new(), found: HashMap::new(), rule, ids }
    }

    /// The member that a cell names, a new one when that is allowed and the cell is somebody's name.
    pub(super) fn find(
        &mut self,
        column: &CatalogColumn,
        raw: &Json,
        reading: &Reading<'_>,
    ) -> Result<Option<Value>> {
        let name = raw
            .as_str()
            .map(|text| text.split_whitespace().collect::<Vec<_>>().join(" "))
            .unwrap_or_default();
        if let Some(id) = self.found.get(&name.to_lowercase()) {
            return Ok(Some(Value::Text(id.to_string())));
        }
        let refusal = match parse(column, raw, &Reading { members: self.known, ..*reading }) {
            Ok(value) => return Ok(value),
            Err(error) => error,
        };
        if self.rule == Rule::Refuse || !is_name(&name) || self.is_ambiguous(&name) {
            return Err(refusal);
        }
        if self.new.len() >= ADDED_MAX {
            return Err(invalid(format!("the file names more than {ADDED_MAX} people who are no members"))
                .hint(format!(
                    "is `{}` really a person? leave its heading out, or add the members first",
                    column.key
                )));
        }
        let id = self.ids.next();
        let email = name.contains('@').then(|| name.to_lowercase());
        self.found.insert(name.to_lowercase(), id);
        self.new.push(Member { id, name: email.clone().unwrap_or(name), email });
        Ok(Some(Value::Text(id.to_string())))
    }

    /// Whether several members answer to it: then it is no stranger's name.
    fn is_ambiguous(&self, name: &str) -> bool {
        let first = |member: &&Member| {
            member
                .name
                .split_whitespace()
                .next()
                .is_some_and(|first| first.to_lowercase() == name.to_lowercase())
        };
        self.known.iter().filter(first).count() > 1
    }
}

/// Whether a text can be a person's name or address: not an id, not `me`, not a paragraph.
fn is_name(text: &str) -> bool {
    text.chars().any(char::is_alphabetic)
        && text.chars().count() <= NAME_CHARS_MAX
        && !text.chars().any(|c| c.is_control() || c == '{')
        && !text.eq_ignore_ascii_case("me")
        && Uuid::parse_str(text).is_err()
}
