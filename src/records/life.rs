//! Whether a row lives and whether its record at a CRM does: by the latest of what is known, whenever it comes to be known.
//!
//! Pure. A deletion, a restoring and an edit of ours each have their moment; the latest of them stands, and of a deletion and a
//! restoring at one moment the restoring. So that a late event
//! cannot overturn a later one, the moment of the last restoring is kept beside that of the last deletion.

use super::change::Life;

/// A row's own state, with the versions that it is from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Standing {
    pub archived: Option<(i64, i64)>,
    pub restored: Option<(i64, i64)>,
}

/// A record's state at its CRM, by that CRM's clock.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Presence {
    /// Set while it is deleted.
    pub gone_ms: Option<i64>,
    /// When it was last restored.
    pub back_ms: Option<i64>,
}

/// What an event did to a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turned {
    Archived,
    Restored,
    /// It lives on, because it was edited here after it was deleted there.
    Kept,
    Nothing,
}

impl Standing {
    /// Takes in what became of the row's record; `edited_ms` is the latest edit that people here made of the row.
    pub fn observe(&mut self, life: Life, edited_ms: Option<i64>) -> Turned {
        match life {
            Life::Deleted(ms) if self.restored.is_some_and(|(restored, _)| restored >= ms) => Turned::Nothing,
            Life::Deleted(ms) if self.archived.is_some() => {
                self.archived = self.archived.max(Some((ms, 0)));
                Turned::Nothing
            }
            Life::Deleted(ms) if edited_ms.is_some_and(|edited| edited >= ms) => Turned::Kept,
            Life::Deleted(ms) => {
                self.archived = Some((ms, 0));
                Turned::Archived
            }
            Life::Restored(ms) => {
                self.restored = self.restored.max(Some((ms, 0)));
                if self.archived.is_none_or(|(archived, _)| archived > ms) {
                    return Turned::Nothing;
                }
                self.archived = None;
                Turned::Restored
            }
        }
    }
}

impl Presence {
    /// Takes in what became of the record; whether it came back by that.
    pub fn observe(&mut self, life: Life) -> bool {
        match life {
            Life::Deleted(ms) if self.back_ms.is_some_and(|back| back >= ms) => false,
            Life::Deleted(ms) => {
                self.gone_ms = self.gone_ms.max(Some(ms));
                false
            }
            Life::Restored(ms) => {
                self.back_ms = self.back_ms.max(Some(ms));
                let is_back = self.gone_ms.is_some_and(|gone| gone <= ms);
                if is_back {
                    self.gone_ms = None;
                }
                is_back
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All orders of some events, each twice over.
    fn orders(events: &[Life]) -> Vec<Vec<Life>> {
        if events.is_empty() {
            return vec![Vec::new()];
        }
        let mut all = Vec::new();
        for place in 0..events.len() {
            let mut others = events.to_vec();
            let first = others.remove(place);
            for mut rest in orders(&others) {
                rest.insert(0, first);
                all.push(rest.iter().flat_map(|life| [*life, *life]).collect());
            }
        }
        all
    }

    #[test]
    fn the_latest_stands_in_whatever_order_it_is_heard_of() {
        let check = |events: &[Life], edited: Option<i64>, lives: bool| {
            for order in orders(events) {
                let (mut standing, mut presence) = (Standing::default(), Presence::default());
                for life in &order {
                    standing.observe(*life, edited);
                    presence.observe(*life);
                }
                assert_eq!(standing.archived.is_none(), lives, "{order:?}");
                let is_last_a_restoring =
                    events.iter().max_by_key(|life| life.ms()).map(|life| matches!(life, Life::Restored(_)));
                assert_eq!(presence.gone_ms.is_none(), is_last_a_restoring == Some(true), "{order:?}");
            }
        };
        check(&[Life::Deleted(10)], None, false);
        check(&[Life::Deleted(10), Life::Restored(15)], None, true);
        check(&[Life::Deleted(10), Life::Restored(15), Life::Deleted(20)], None, false);
        check(&[Life::Deleted(10), Life::Restored(15), Life::Deleted(20), Life::Restored(25)], None, true);
        check(&[Life::Deleted(10), Life::Restored(15), Life::Deleted(20)], Some(20), true);
        check(&[Life::Deleted(10)], Some(9), false);
        check(&[Life::Deleted(10), Life::Deleted(12)], Some(11), false);
    }

    #[test]
    fn an_event_says_what_it_did() {
        let mut standing = Standing::default();
        assert_eq!(standing.observe(Life::Deleted(10), Some(12)), Turned::Kept);
        assert_eq!(standing.observe(Life::Deleted(14), Some(12)), Turned::Archived);
        assert_eq!(standing.observe(Life::Deleted(14), Some(12)), Turned::Nothing);
        assert_eq!(standing.observe(Life::Restored(13), Some(12)), Turned::Nothing);
        assert_eq!(standing.observe(Life::Restored(15), Some(12)), Turned::Restored);
        let mut presence = Presence::default();
        assert!(!presence.observe(Life::Restored(5)));
        assert!(!presence.observe(Life::Deleted(4)));
        assert!(!presence.observe(Life::Deleted(6)));
        assert!(presence.observe(Life::Restored(7)));
    }
}
