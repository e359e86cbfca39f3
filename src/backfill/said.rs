//! What records said last, kept as digests, so that a value which is the same says nothing new: a record's time is that of
//! all its columns, and would make every one of them look changed.

use std::collections::BTreeMap;

use crate::tables::{CatalogColumn, Place, Storage, Value};

const DIGEST_BYTES: usize = 6;
/// Slots of one kind are fewer than this.
const KIND: u8 = 64;

/// By the slot of a column, the digest of the value that a record has for it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Memory(BTreeMap<u8, [u8; DIGEST_BYTES]>);

/// What a value is beside what was said before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum News {
    First,
    Changed,
    None,
}

impl Memory {
    /// Reads what [`Memory::to_bytes`] wrote.
    pub(super) fn from_bytes(bytes: &[u8]) -> Memory {
        let entries = bytes.chunks_exact(DIGEST_BYTES + 1).filter_map(|entry| {
            let (slot, digest) = entry.split_first()?;
            Some((*slot, digest.try_into().ok()?))
        });
        Memory(entries.collect())
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.0.len() * (DIGEST_BYTES + 1));
        for (slot, digest) in &self.0 {
            bytes.push(*slot);
            bytes.extend_from_slice(digest);
        }
        bytes
    }

    /// Notes what a record says of a column now; whether that is news.
    pub(super) fn hear(&mut self, column: &CatalogColumn, value: Option<&Value>) -> News {
        let Some(slot) = slot(column) else { return News::None };
        let Some(value) = value else {
            return if self.0.remove(&slot).is_some() { News::Changed } else { News::None };
        };
        let digest = digest(&value.canonical());
        match self.0.insert(slot, digest) {
            None => News::First,
            Some(before) if before == digest => News::None,
            Some(_) => News::Changed,
        }
    }
}

/// A column's slot in one byte; a core column never changes its.
fn slot(column: &CatalogColumn) -> Option<u8> {
    let Place::Slot(slot) = column.place else { return None };
    let kind = match slot.storage {
        Storage::Text => 0,
        Storage::Number => 1,
        Storage::Time => 2,
        Storage::Flag => 3,
    };
    Some(kind * KIND + slot.number)
}

/// FNV-1a: quick, and the same in every version.
fn digest(text: &str) -> [u8; DIGEST_BYTES] {
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    // The upper bytes are mixed best; the lowest are folded in.
    let bytes = (hash ^ (hash >> 48)).to_be_bytes();
    let mut digest = [0; DIGEST_BYTES];
    digest.copy_from_slice(bytes.split_at(bytes.len() - DIGEST_BYTES).1);
    digest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tables::{LEADS, as_declared};

    #[test]
    fn only_another_value_is_news() {
        let leads = as_declared(&LEADS);
        let [name, start] = ["contact_name", "meeting_start"].map(|key| leads.find(key).unwrap());
        let text = |text: &str| Some(Value::Text(text.to_owned()));
        let mut memory = Memory::default();
        assert_eq!(memory.hear(name, None), News::None);
        assert_eq!(memory.hear(name, text("Ann").as_ref()), News::First);
        assert_eq!(memory.hear(start, Some(&Value::Number(1.0))), News::First);
        let mut memory = Memory::from_bytes(&memory.to_bytes());
        assert_eq!(memory.hear(name, text("Ann").as_ref()), News::None);
        assert_eq!(memory.hear(name, text("Ann L.").as_ref()), News::Changed);
        assert_eq!(memory.hear(name, None), News::Changed);
        assert_eq!(memory.hear(name, None), News::None);
        assert_eq!(memory.hear(start, Some(&Value::Number(1.0))), News::None);
    }
}
