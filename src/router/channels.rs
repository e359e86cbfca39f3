//! Where rows came from and what line of business companies are in.

use serde_json::json;

use super::grammar::Gram;
use super::lists::any_of;
use super::names;
use super::reader::{Name, Reader};
use super::text::TokenKind;
use crate::tables::{Op, Role};

impl Reader<'_> {
    /// Words that name a way by which leads come in, with what goes before them.
    pub(super) fn channel_at(&self, at: usize) -> Option<Name> {
        let quoted = self.token(at).is_some_and(|token| token.kind == TokenKind::Quoted);
        if quoted {
            return Some(self.name(at, 1));
        }
        let fits = |length: usize| {
            let plain = (at..at + length).all(|i| {
                let word = self
                    .token(i)
                    .is_some_and(|token| matches!(token.kind, TokenKind::Word | TokenKind::Number(_)));
                word && self.date_at(i).is_none()
            });
            if !plain {
                return false;
            }
            if names::is_exact_channel(&self.name(at, length).words) {
                return true;
            }
            // "Helsinki trade show"
            let known = (1..length).find(|k| names::is_exact_channel(&self.name(at + k, length - k).words));
            if known.is_some_and(|k| (at..at + k).all(|i| self.is_unknown(i))) {
                return true;
            }
            // "the pricing page"
            let free = |i: usize| {
                self.is_unknown(i) || (names::is_common(self.word(i)) && self.senses(i).next().is_none())
            };
            if names::is_named_channel(&self.name(at, length).words) && (at..at + length - 1).all(free) {
                return true;
            }
            let words = (at..at + length).all(|i| {
                let token = self.token(i);
                token.is_some_and(|token| matches!(token.kind, TokenKind::Word | TokenKind::Number(_)))
                    && (names::is_channel(self.word(i))
                        || self.is_unknown(i)
                        || self.gram(i, Gram::Of).is_some() && i > at)
            });
            words && names::is_channel(&self.name(at, length).words)
        };
        // A grammar word that is no channel by itself starts none.
        if self.token(at).is_none_or(|token| token.kind == TokenKind::Word)
            && self.gram(at, Gram::Me).is_some()
        {
            return None;
        }
        let longest = (1..=5).rev().filter(|length| at + length <= self.end).find(|length| fits(*length))?;
        Some(self.name(at, longest))
    }

    /// "fintech", "construction or real estate", for companies.
    pub(super) fn industries(&mut self, at: usize) -> Option<usize> {
        let column = self.role(Role::Industry)?;
        let name = self.industry_at(at)?;
        let (end, values) = self.listed(at + name.length, name.text, |next| {
            self.industry_at(next).map(|other| (next + other.length, other.text))
        });
        let (op, value) = any_of(Op::Contains, &values);
        self.draft.filter(column, op, value, at..end);
        Some(end)
    }

    /// "has Product Hunt brought us": the channel before its verb.
    pub(super) fn channel_before_verb(&mut self, at: usize) -> Option<usize> {
        let column = self.role(Role::Channel)?;
        let name = self.channel_at(at).filter(|name| names::is_channel(&name.words))?;
        let end = at + name.length;
        let brings = [
            "brought",
            "bring",
            "brings",
            "generated",
            "generate",
            "sent",
            "send",
            "given",
            "gave",
            "give",
            "produced",
            "delivered",
            "deliver",
            "yield",
            "yielded",
        ];
        if !brings.contains(&self.word(end)) {
            return None;
        }
        let after = end + 1 + usize::from(["us", "in"].contains(&self.word(end + 1)));
        self.draft.filter(column, Op::Contains, json!(names::channel_singular(&name.text)), at..end);
        Some(after)
    }
}
