//! Which heading means which column, by the words of the declarations.

use crate::tables::{Access, CatalogTable, fold_word};

/// A heading's claim to a column; the smaller one wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Claim {
    Key,
    Label,
    /// The place of the word among the column's words: the first ones are the usual ones.
    Word(usize),
}

/// What became of the headings: each won column, and what the others lost to.
#[derive(Debug, Default)]
pub(super) struct Matched {
    /// Heading, column, claim.
    pub(super) won: Vec<(usize, usize, Claim)>,
    /// Heading, the column it means, and the heading that has it.
    pub(super) lost: Vec<(usize, usize, usize)>,
}

impl Claim {
    pub(super) fn why(self) -> &'static str {
        match self {
            Claim::Key => "key",
            Claim::Label => "label",
            Claim::Word(_) => "word",
        }
    }
}

/// Gives each of the `free` headings at most one column, and each column that is not `taken` at most one
/// heading: the better claim first, then the earlier heading. `misfits` are headings with columns that they
/// do not mean after all.
pub(super) fn matched(
    table: &CatalogTable,
    headings: &[String],
    free: &[usize],
    taken: &[usize],
    misfits: &[(usize, usize)],
) -> Matched {
    let mut claims = Vec::new();
    for &heading in free {
        let Some(word) = headings.get(heading) else { continue };
        for (place, column) in table.columns.iter().enumerate() {
            let settable = !matches!(column.access, Access::Derived(_))
                && !taken.contains(&place)
                && !misfits.contains(&(heading, place));
            if settable && let Some(claim) = claim(table, place, word) {
                claims.push((claim, heading, place));
            }
        }
    }
    claims.sort_unstable();
    let mut matched = Matched::default();
    for (claim, heading, place) in &claims {
        let has = |&(other, column, _): &(usize, usize, Claim)| other == *heading || column == *place;
        if !matched.won.iter().any(has) {
            matched.won.push((*heading, *place, *claim));
        }
    }
    for (_, heading, place) in claims {
        let is_out = !matched.won.iter().any(|won| won.0 == heading)
            && !matched.lost.iter().any(|lost| lost.0 == heading);
        if is_out && let Some(winner) = matched.won.iter().find(|won| won.1 == place) {
            matched.lost.push((heading, place, winner.0));
        }
    }
    matched
}

/// The computed column that a heading means, when it means one.
pub(super) fn computed(table: &CatalogTable, heading: &str) -> Option<usize> {
    let is = |place: &usize| claim(table, *place, heading).is_some();
    (0..table.columns.len()).filter(is).find(|&place| {
        table.columns.get(place).is_some_and(|column| matches!(column.access, Access::Derived(_)))
    })
}

/// The place of the heading with this name: as it is written, or else in any spelling.
pub(super) fn heading(headings: &[String], name: &str) -> Option<usize> {
    let folded = fold_word(name);
    let same = |heading: &String| heading == name;
    let alike = |heading: &String| !folded.is_empty() && fold_word(heading) == folded;
    headings.iter().position(same).or_else(|| headings.iter().position(alike))
}

fn claim(table: &CatalogTable, place: usize, heading: &str) -> Option<Claim> {
    let column = table.columns.get(place)?;
    let wanted = fold_word(heading);
    if wanted.is_empty() || !column.answers_to(heading) {
        return None;
    }
    if fold_word(&column.key) == wanted {
        return Some(Claim::Key);
    }
    if fold_word(&column.label) == wanted {
        return Some(Claim::Label);
    }
    column.words.iter().position(|word| fold_word(word) == wanted).map(Claim::Word)
}
