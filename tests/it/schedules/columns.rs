//! The organization's own columns in a schedule: added, filled like any other, emptied and deleted, added again.

use opstables::records::Actor;
use serde_json::json;

use super::calls::Player;
use super::dice::{Holds, TABLES};
use super::model::{Do, Edit};

const OWN_COLUMNS: &[(&str, &str, Holds)] = &[
    ("own_number", "number", Holds::Numbers),
    ("own_flag", "boolean", Holds::Flags),
    ("own_tags", "tags", Holds::Tags),
    ("own_words", "text", Holds::Words(&["x", "Y"])),
];

impl Player<'_> {
    pub(super) async fn add_column(&mut self) {
        let table = *self.dice.pick(TABLES);
        let (key, kind, holds) = *self.dice.pick(OWN_COLUMNS);
        if self.own.iter().any(|(of, known, _)| *of == table && *known == key) {
            return;
        }
        let arguments = json!({"table": table, "action": "add", "key": key, "label": key, "type": kind});
        self.send(&Actor::default(), "manage_columns", &arguments).await.expect("a new column");
        self.own.push((table, key, holds));
        self.world.gone.remove(&(table, key.to_owned()));
    }

    /// Deletes one of the organization's own columns and, half the time, adds it again.
    pub(super) async fn drop_column(&mut self) {
        if self.own.is_empty() {
            return self.add_column().await;
        }
        let place = self.dice.roll(self.own.len());
        let (table, key, holds) = self.own.remove(place);
        let actor = self.actor();
        let mut arguments = json!({"table": table, "action": "delete", "key": key});
        let mut done = self.send(&actor, "manage_columns", &arguments).await.expect("a deleted column");
        if done["status"] == "needs_confirmation" {
            arguments["confirm"] = done["confirm"].clone();
            done = self.send(&actor, "manage_columns", &arguments).await.expect("a deleted column");
        }
        let held = self.world.ids(table, |row| !row.value(key).is_null());
        let edits: Vec<Edit> =
            held.iter().map(|&id| Edit { id, is_new: false, what: Do::Empty(key.to_owned()) }).collect();
        let number = self.world.write(table, &self.writer(&actor), &edits).expect("a cell can be emptied");
        assert_eq!(
            done["change_ids"].as_array().map_or(0, Vec::len),
            usize::from(number.is_some()),
            "{done}"
        );
        if let Some(number) = number {
            self.world.changes[number].id = done["change_ids"][0].as_str().map(str::to_owned);
        }
        self.world.gone.insert((table, key.to_owned()));
        if self.dice.chance(50) {
            let kind = OWN_COLUMNS.iter().find(|(known, ..)| *known == key).expect("one of ours").1;
            let arguments = json!({"table": table, "action": "add", "key": key, "label": key, "type": kind});
            self.send(&actor, "manage_columns", &arguments).await.expect("a column that is free again");
            self.own.push((table, key, holds));
            self.world.gone.remove(&(table, key.to_owned()));
        }
    }
}
