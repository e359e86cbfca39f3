//! Reads an operator's name for a column, and says which one other spellings probably meant.

use super::catalog::CatalogColumn;
use super::kind::{Kind, Op, Storage, fold_word};
use super::text::quote;
use crate::error::{Error, Result, invalid};

/// The operator, when there is one of that name and the column's kind has it.
pub(super) fn parse(column: &CatalogColumn, name: &str) -> Result<Op> {
    match Op::from_name(name) {
        Some(op) if column.kind.operators().contains(&op) => Ok(op),
        Some(op) => Err(unfit(column, op)),
        None => Err(unknown(column, name)),
    }
}

fn unfit(column: &CatalogColumn, op: Op) -> Error {
    let kind = column.kind.type_name();
    let error = invalid(format!("`{}` does not work on `{}`, whose type is {kind}", op.name(), column.key));
    with_choices(error, column, instead_of(op, column.kind))
}

fn unknown(column: &CatalogColumn, name: &str) -> Error {
    let error = invalid(format!("there is no operator {}", quote(name)));
    if let Some(op) = meant_by(name, column.kind) {
        let fitting = column.kind.operators().contains(&op).then_some(op).or(instead_of(op, column.kind));
        return with_choices(error, column, fitting);
    }
    let folded = fold_word(name);
    if folded.starts_with("not") || folded.starts_with("doesnot") || name.starts_with('!') {
        return with_choices(error, column, None).hint("exclude values with `not_equals` or `not_in`");
    }
    error.choices(name, names(column))
}

fn with_choices(error: Error, column: &CatalogColumn, best: Option<Op>) -> Error {
    let error = error.choices("", names(column));
    match best {
        Some(op) => error.hint(format!("did you mean `{}`?", op.name())),
        None => error,
    }
}

fn names(column: &CatalogColumn) -> impl Iterator<Item = &'static str> {
    column.kind.operators().iter().map(|op| op.name())
}

/// The operator that other query languages and people call by this name.
fn meant_by(name: &str, kind: Kind) -> Option<Op> {
    let is_time = kind.storage() == Storage::Time;
    let symbol = match name.trim() {
        "=" | "==" | "===" | ":" => Some(Op::Equals),
        "!=" | "<>" | "!==" | "≠" => Some(Op::NotEquals),
        ">" => Some(Op::Gt),
        ">=" | "≥" => Some(Op::Gte),
        "<" => Some(Op::Lt),
        "<=" | "≤" => Some(Op::Lte),
        "~" | "~*" => Some(Op::Contains),
        _ => None,
    };
    symbol.or_else(|| {
        Some(match fold_word(name).as_str() {
            "equals" | "eq" | "is" | "equal" | "equalto" | "on" | "exact" => Op::Equals,
            "notequals" | "ne" | "neq" | "not" | "isnot" | "notequal" | "notequalto" | "excludes" => {
                Op::NotEquals
            }
            "in" | "any" | "anyof" | "oneof" | "isanyof" | "isin" => Op::In,
            "notin" | "nin" | "noneof" | "isnoneof" | "notanyof" => Op::NotIn,
            "contains" | "like" | "ilike" | "includes" | "include" | "has" | "hastag" | "search"
            | "match" | "matches" | "containstoken" | "substring" | "endswith" => Op::Contains,
            "startswith" | "beginswith" | "prefix" | "startwith" => Op::StartsWith,
            "isempty" | "empty" | "isnull" | "null" | "missing" | "blank" | "isblank" | "notset"
            | "hasnotproperty" | "notexists" => Op::IsEmpty,
            "isnotempty" | "notempty" | "notnull" | "isnotnull" | "exists" | "present" | "isset"
            | "notblank" | "hasproperty" => Op::IsNotEmpty,
            "gt" | "greaterthan" | "greater" | "morethan" | "over" | "above" => Op::Gt,
            "gte" | "ge" | "greaterthanorequal" | "greaterorequal" | "atleast" | "min" | "since" | "from"
            | "onorafter" => Op::Gte,
            "lt" | "lessthan" | "less" | "under" | "below" | "fewerthan" => Op::Lt,
            "lte" | "le" | "lessthanorequal" | "lessorequal" | "atmost" | "max" | "until" | "by"
            | "through" | "onorbefore" => Op::Lte,
            "before" | "earlierthan" | "olderthan" => Op::Before,
            "after" | "laterthan" | "newerthan" => Op::After,
            "within" if !is_time => Op::Between,
            "between" | "range" | "inrange" => Op::Between,
            "withinlastdays" | "within" | "withinlast" | "lastdays" | "inlast" | "inthelast" | "pastdays"
            | "last" | "past" | "withindays" => Op::WithinLastDays,
            "withinnextdays" | "withinnext" | "nextdays" | "innext" | "inthenext" | "next" => {
                Op::WithinNextDays
            }
            _ => return None,
        })
    })
}

/// What does the same on this kind as an operator that the kind does not have.
fn instead_of(op: Op, kind: Kind) -> Option<Op> {
    let other = match op {
        Op::Contains | Op::StartsWith if kind == Kind::Tags => Op::Contains,
        Op::Contains | Op::StartsWith | Op::In => Op::Equals,
        Op::NotIn => Op::NotEquals,
        Op::Before => Op::Lt,
        Op::After => Op::Gt,
        _ => return None,
    };
    kind.operators().contains(&other).then_some(other)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tables::testing::column;

    #[test]
    fn every_kind_takes_its_own_operators_by_name() {
        for kind in Kind::ALL {
            for op in Op::ALL {
                let parsed = parse(&column(*kind), op.name());
                assert_eq!(parsed.is_ok(), kind.operators().contains(op), "{kind:?} {op:?}");
            }
        }
    }

    #[test]
    fn other_spellings_are_refused_with_the_right_name() {
        let check = |kind: Kind, name: &str, expected: &str| {
            let error = parse(&column(kind), name).unwrap_err();
            assert_eq!(error.hint.as_deref(), Some(format!("did you mean `{expected}`?").as_str()), "{name}");
            assert!(!error.allowed.is_empty());
        };
        for name in ["=", "==", "eq", "is", "EQUALS", "equal_to"] {
            check(Kind::Text, name, "equals");
        }
        for name in ["!=", "<>", "ne", "not", "is not"] {
            check(Kind::Status, name, "not_equals");
        }
        for (name, expected) in [(">", "gt"), (">=", "gte"), ("<", "lt"), ("<=", "lte"), ("at least", "gte")]
        {
            check(Kind::Number, name, expected);
            check(Kind::Instant, name, expected);
        }
        check(Kind::Text, "like", "contains");
        check(Kind::Text, "ILIKE", "contains");
        check(Kind::Text, "startsWith", "starts_with");
        check(Kind::Status, "any_of", "in");
        check(Kind::Text, "is_null", "is_empty");
        check(Kind::Text, "exists", "is_not_empty");
        check(Kind::Instant, "within", "within_last_days");
        check(Kind::Number, "within", "between");
        check(Kind::Day, "since", "gte");
        check(Kind::Text, "containz", "contains");
    }

    #[test]
    fn an_operator_of_another_kind_says_what_to_use() {
        let check = |kind: Kind, name: &str, hint: Option<&str>| {
            let error = parse(&column(kind), name).unwrap_err();
            assert_eq!(error.hint.as_deref(), hint, "{name}");
        };
        check(Kind::Status, "contains", Some("did you mean `equals`?"));
        check(Kind::Status, "like", Some("did you mean `equals`?"));
        check(Kind::Number, "before", Some("did you mean `lt`?"));
        check(Kind::Day, "in", Some("did you mean `equals`?"));
        check(Kind::Tags, "starts_with", Some("did you mean `contains`?"));
        check(Kind::Text, "gt", None);
        check(Kind::Text, "not_contains", Some("exclude values with `not_equals` or `not_in`"));
        let error = parse(&column(Kind::Boolean), "contains").unwrap_err();
        assert_eq!(error.message, "`contains` does not work on `it`, whose type is boolean");
        assert_eq!(error.allowed, ["equals", "not_equals", "is_empty", "is_not_empty"]);
    }
}
