//! The words of sales work that mean the same when somebody asks for help.

use std::collections::HashMap;
use std::sync::LazyLock;

use rust_stemmers::{Algorithm, Stemmer};

/// Groups of words; the first names the group. A word is in one group only.
const GROUPS: &[&str] = &[
    "meeting call conversation chat session demo appointment",
    "lead prospect",
    "company account business organisation organization firm startup vendor",
    "person people contact stakeholder everyone everybody attendee participant",
    "role cto ceo cfo coo cmo cro vp svp director head founder executive exec decision maker buyer officer engineer recruiter",
    "industry saas fintech healthcare manufacturing construction retail insurance edtech ecommerce logistics staffing biotech advertising",
    "place uk us usa europe london boston berlin germany france york francisco america canada australia",
    "deal opportunity opp",
    "draft write compose pen word",
    "create build make generate produce construct",
    "start run launch kick begin execute trigger fire",
    "show list display view see",
    "find search locate discover get source",
    "check verify review inspect audit",
    "prepare prep preparation ready brief briefing",
    "recap summary summarize summarise summarisation digest overview debrief",
    "email mail inbox",
    "send share forward deliver",
    "reply respond response answer",
    "update refresh modify edit change",
    "research investigate dig intelligence intel background",
    "enrich enrichment augment append populate",
    "task todo reminder remind",
    "automation automate rule workflow",
    "risk slip slippage danger trouble jeopardy struggle problem unhealthy worry",
    "stall stuck stale stagnant cold dark ghost quiet silent dormant inactive dead",
    "revive reengage reactivate resurrect rekindle rewarm",
    "objection pushback concern hesitation",
    "competitor competitive competition rival compete versus vs",
    "schedule book calendar availability available slot reschedule",
    "day today daily morning tomorrow",
    "week weekly",
    "month monthly",
    "quarter quarterly qbr",
    "similar like lookalike alike resemble same",
    "sync synchronise synchronize push export",
    "import pull load ingest",
    "handoff handover transfer transition reassign",
    "target goal quota",
    "sequence cadence outreach",
    "qualify qualification score fit icp rate grade rank",
    "table spreadsheet op",
    "commitment commit promise pledge",
    "renewal renew expire expiry expiring",
    "coach coaching feedback improve",
    "next upcoming forthcoming",
    "manager boss escalate escalation",
    "introduction intro introduce",
    "scrape scraping scraper crawl",
    "recording record video",
    "documentation document docs guide article",
    "rescue save recover salvage",
    "plan planner planning roadmap",
    "focus prioritise prioritize priority attention",
    "noshow absent attend",
    "tag label categorise categorize",
    "website site landing webpage",
    "announce announcement celebrate",
    "pattern trend recurring theme",
    "history timeline interaction past",
    "event webinar conference summit tradeshow",
    "column field attribute",
    "technology tech technographic stack",
    "quote proposal sow pricing",
    "followup nudge bump chase",
    "hello hi hey greeting thank cheer",
    "insight analysis analyze analyse analytic",
    "metric statistic stat kpi number performance figure",
    "advance progress accelerate",
    "win won victory closed",
    "post after following",
    "approve approval",
    "client customer",
];

static CONCEPTS: LazyLock<HashMap<String, &'static str>> = LazyLock::new(|| {
    let stemmer = Stemmer::create(Algorithm::English);
    let groups = GROUPS.iter().filter_map(|group| Some((group.split(' ').next()?, group.split(' '))));
    groups.flat_map(|(name, group)| group.map(move |word| (word, name))).fold(
        HashMap::new(),
        |mut concepts, (word, name)| {
            concepts.entry(stemmer.stem(word).into_owned()).or_insert(name);
            concepts
        },
    )
});

/// Two words that are written together as often as apart.
const COMPOUNDS: &[(&str, &str, &str)] = &[
    ("thank", "you", "thanks"),
    ("good", "morning", "hello"),
    ("good", "afternoon", "hello"),
    ("good", "evening", "hello"),
    ("follow", "up", "followup"),
    ("follow", "ups", "followup"),
    ("no", "show", "noshow"),
    ("no", "shows", "noshow"),
    ("didn", "attend", "noshow"),
    ("hand", "off", "handoff"),
    ("hand", "over", "handoff"),
    ("check", "in", "checkin"),
    ("re", "engage", "reengage"),
    ("re", "engagement", "reengage"),
    ("look", "up", "lookup"),
    ("catch", "up", "catchup"),
    ("kick", "off", "kickoff"),
    ("set", "up", "setup"),
    ("wrap", "up", "recap"),
    ("look", "alike", "lookalike"),
    ("to", "do", "todo"),
    ("e", "mail", "email"),
    ("web", "site", "website"),
    ("land", "page", "landing"),
];

/// The one word that two words make.
pub(super) fn compound(first: &str, second: &str) -> Option<&'static str> {
    COMPOUNDS.iter().find(|(a, b, _)| *a == first && *b == second).map(|(_, _, whole)| *whole)
}

/// The group that a stem belongs to.
pub(super) fn concept(stem: &str) -> Option<&'static str> {
    CONCEPTS.get(stem).copied()
}
