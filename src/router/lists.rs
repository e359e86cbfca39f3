//! Lists: "webinar or referral", "Tom, Priya and Ann", and the comparison that they come to.

use serde_json::{Value as Json, json};

use super::grammar::Gram;
use super::reader::Reader;
use super::text::TokenKind;
use crate::tables::Op;

/// The comparison with what is listed: `op` with a single value, with several its form for many.
pub(super) fn any_of(op: Op, values: &[String]) -> (Op, Json) {
    match (op, values) {
        (op, [one]) => (op, json!(one)),
        (Op::NotEquals, many) => (Op::NotIn, json!(many)),
        (_, many) => (Op::In, json!(many)),
    }
}

impl Reader<'_> {
    pub(super) fn is_comma(&self, at: usize) -> bool {
        self.token(at).is_some_and(|token| matches!(token.kind, TokenKind::Mark(',' | ';' | '/')))
    }

    /// The place after a comma, "or", "and", or a comma and either.
    pub(super) fn past_separator(&self, at: usize) -> usize {
        let comma = at + usize::from(self.is_comma(at));
        self.past_any(comma, &[Gram::Or, Gram::And])
    }

    /// The list that goes on at `end` after its first value: where it ends, and its values. `item` reads one, and
    /// says where that ends.
    pub(super) fn listed(
        &self,
        end: usize,
        first: String,
        item: impl Fn(usize) -> Option<(usize, String)>,
    ) -> (usize, Vec<String>) {
        let (mut end, mut values) = (end, vec![first]);
        loop {
            let next = self.past_separator(end);
            let Some((after, value)) = (next > end).then(|| item(next)).flatten() else {
                return (end, values);
            };
            end = after;
            values.push(value);
        }
    }
}
