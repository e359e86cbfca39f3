//! All that waits of one record, so that a burst of events about it is one change and at most one read.

use std::collections::BTreeMap;

use crate::store::inbox::Inbound;
use crate::sync::news::{News, news};
use crate::tables::{Object, System};

/// The events of a record, in the order in which they came.
#[derive(Debug)]
pub(super) struct Story {
    pub(super) object: Object,
    pub(super) record: String,
    pub(super) events: Vec<Inbound>,
    /// What each event says.
    pub(super) news: Vec<News>,
}

impl Story {
    /// The record that is read to learn the rest: the one that this one became, when it was merged.
    pub(super) fn reads(&self) -> &str {
        let merged = self.news.iter().rev().find_map(|news| match news {
            News::Merged { into, .. } => Some(into.as_str()),
            _ => None,
        });
        merged.unwrap_or(&self.record)
    }
}

/// Events by the record that they are of. Those of objects that no table holds have nothing to tell.
pub(super) fn stories(system: System, events: Vec<Inbound>, writer: Option<&str>) -> Vec<Story> {
    let mut stories = BTreeMap::<(Object, String), Story>::new();
    for event in events {
        let known = Object::from_name(&event.object);
        let object = known.unwrap_or(Object::Contact);
        let said = if known.is_some() { news(system, &event.event.0, writer) } else { News::Nothing };
        let key = (object, event.record_id.clone());
        let story = stories.entry(key).or_insert_with(|| Story {
            object,
            record: event.record_id.clone(),
            events: Vec::new(),
            news: Vec::new(),
        });
        story.news.push(said);
        story.events.push(event);
    }
    stories.into_values().collect()
}
