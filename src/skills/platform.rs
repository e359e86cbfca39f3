//! The skills that ship with the product, compiled into the program. A test holds the list against `skills/`.

use std::sync::LazyLock;

use super::reading::Shelf;

/// Every platform skill, by its folder.
const TEXTS: &[(&str, &str)] = &[
    ("client-onboarding-check", include_str!("../../skills/client-onboarding-check/SKILL.md")),
    ("client-risk-review", include_str!("../../skills/client-risk-review/SKILL.md")),
    ("duplicate-review", include_str!("../../skills/duplicate-review/SKILL.md")),
    ("enrichment-check", include_str!("../../skills/enrichment-check/SKILL.md")),
    ("import-clean-up", include_str!("../../skills/import-clean-up/SKILL.md")),
    ("lead-triage", include_str!("../../skills/lead-triage/SKILL.md")),
    ("meeting-prep", include_str!("../../skills/meeting-prep/SKILL.md")),
    ("no-show-follow-up", include_str!("../../skills/no-show-follow-up/SKILL.md")),
    ("owner-handover", include_str!("../../skills/owner-handover/SKILL.md")),
    ("seq-data-spring-clean", include_str!("../../skills/seq-data-spring-clean/SKILL.md")),
    ("seq-monday-start", include_str!("../../skills/seq-monday-start/SKILL.md")),
    ("stale-contact-re-engagement", include_str!("../../skills/stale-contact-re-engagement/SKILL.md")),
    ("sync-conflict-review", include_str!("../../skills/sync-conflict-review/SKILL.md")),
    ("weekly-lead-review", include_str!("../../skills/weekly-lead-review/SKILL.md")),
];

static SHELF: LazyLock<Shelf> = LazyLock::new(|| {
    let mut shelf = Shelf::default();
    for (key, text) in TEXTS {
        shelf.add(key, &format!("skills/{key}/SKILL.md"), text, Vec::new());
    }
    shelf
});

/// The platform's skills as they were written.
pub fn platform() -> &'static Shelf {
    &SHELF
}
