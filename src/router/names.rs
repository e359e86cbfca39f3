//! Which unknown words can be names, and of what: people, companies, industries, channels, jobs.
//!
//! The lists are general knowledge of the language. They say what a word is likely to be, never what an
//! organization has in its tables.

use std::collections::HashSet;
use std::sync::LazyLock;

/// Given names in use in many countries.
static GIVEN_NAMES: LazyLock<HashSet<&str>> = LazyLock::new(|| lines(include_str!("words/given_names.txt")));
/// Words too common to be a name by themselves.
static COMMON: LazyLock<HashSet<&str>> = LazyLock::new(|| lines(include_str!("words/common.txt")));
/// Countries, regions and cities: no standard column holds them.
static PLACES: LazyLock<HashSet<&str>> = LazyLock::new(|| lines(include_str!("words/places.txt")));
static INDUSTRIES: LazyLock<HashSet<&str>> = LazyLock::new(|| lines(include_str!("words/industries.txt")));
/// Ways by which leads come in.
static CHANNELS: LazyLock<HashSet<&str>> = LazyLock::new(|| lines(include_str!("words/channels.txt")));
static JOB_ROLES: LazyLock<HashSet<&str>> = LazyLock::new(|| lines(include_str!("words/job_roles.txt")));
/// Departments and ranks, which stand before or behind a job: "VP Sales", "marketing manager".
static DEPARTMENTS: LazyLock<HashSet<&str>> = LazyLock::new(|| lines(include_str!("words/departments.txt")));
/// Words that companies carry behind their name.
static BUSINESS_WORDS: LazyLock<HashSet<&str>> =
    LazyLock::new(|| lines(include_str!("words/business_words.txt")));

fn lines(text: &'static str) -> HashSet<&'static str> {
    text.lines().filter(|line| !line.is_empty()).collect()
}

/// Words of channels, industries and jobs that are long enough to be found again when misspelt.
pub(super) fn spelled() -> impl Iterator<Item = &'static str> {
    let words =
        CHANNELS.iter().chain(INDUSTRIES.iter()).chain(JOB_ROLES.iter()).flat_map(|phrase| phrase.split(' '));
    words.filter(|word| word.len() >= 6 && word.bytes().all(|byte| byte.is_ascii_alphabetic()))
}

pub(super) fn is_given_name(word: &str) -> bool {
    GIVEN_NAMES.contains(word)
}

pub(super) fn is_common(word: &str) -> bool {
    COMMON.contains(word)
}

pub(super) fn is_place(word: &str) -> bool {
    PLACES.contains(word)
}

/// Services that sell data about people and companies: what comes "from" them is not in the tables.
pub(super) fn is_data_vendor(words: &str) -> bool {
    const VENDORS: &[&str] = &[
        "apollo",
        "zoominfo",
        "clearbit",
        "lusha",
        "cognism",
        "explorium",
        "apify",
        "hunter",
        "rocketreach",
        "crunchbase",
        "clay",
        "pitchbook",
        "seamless",
        "dealroom",
        "bombora",
        "sales navigator",
        "linkedin sales navigator",
        "instantly",
        "lemlist",
        "snov",
        "uplead",
        "leadiq",
    ];
    VENDORS.contains(&words)
}

pub(super) fn is_business_word(word: &str) -> bool {
    BUSINESS_WORDS.contains(word)
}

/// Whether the words name an industry.
pub(super) fn is_industry(words: &str) -> bool {
    INDUSTRIES.contains(words)
}

/// Whether the words name a way by which leads come in: one of those known, or a page, a form, an event by
/// its name.
pub(super) fn is_channel(words: &str) -> bool {
    is_exact_channel(words) || is_named_channel(words) || words.split(' ').any(|word| CHANNELS.contains(word))
}

/// "the pricing page", "the spring campaign": a way by which leads come in, with a name of its own.
pub(super) fn is_named_channel(words: &str) -> bool {
    const KINDS: &[&str] = &[
        "page",
        "form",
        "link",
        "campaign",
        "event",
        "list",
        "fair",
        "conference",
        "webinar",
        "show",
        "ad",
        "ads",
        "post",
        "group",
        "program",
        "programme",
        "scheme",
        "partner",
        "summit",
        "expo",
        "meetup",
    ];
    words.rsplit_once(' ').is_some_and(|(_, last)| KINDS.contains(&last))
}

/// One channel in the singular: "referrals" are of the channel "referral".
pub(super) fn channel_singular(written: &str) -> &str {
    match written.strip_suffix(['s', 'S']) {
        Some(singular) if CHANNELS.contains(singular.to_lowercase().as_str()) && singular.len() > 3 => {
            singular
        }
        _ => written,
    }
}

pub(super) fn is_exact_channel(words: &str) -> bool {
    CHANNELS.contains(words)
}

/// The singular of a word that names a job: "ctos" is "cto".
pub(super) fn job_role(word: &str) -> Option<&'static str> {
    let singular = word.strip_suffix('s').unwrap_or(word);
    JOB_ROLES.get(singular).or_else(|| JOB_ROLES.get(word)).copied()
}

pub(super) fn is_department(word: &str) -> bool {
    DEPARTMENTS.contains(word)
}

/// Reads every list, so that no message pays for it.
pub(super) fn prepare() {
    for list in
        [&GIVEN_NAMES, &COMMON, &PLACES, &INDUSTRIES, &CHANNELS, &JOB_ROLES, &DEPARTMENTS, &BUSINESS_WORDS]
    {
        LazyLock::force(list);
    }
}
