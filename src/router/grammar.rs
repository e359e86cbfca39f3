//! The fixed vocabulary: what English says about rows whatever the table is.
//!
//! Every phrase is here once. A word that is in no list, no table and no name explains nothing, and a message
//! with such a word is left alone.

use std::sync::LazyLock;

use super::phrases::Phrases;

/// What a phrase of the fixed vocabulary does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gram {
    /// Says nothing about which rows: articles, auxiliaries, pleasantries.
    Filler,
    /// Says that the user's own data is meant: "our", "in the CRM".
    Ours,
    /// Asks to see rows.
    Show,
    /// Asks to find something, perhaps outside one's own data.
    Find,
    /// "which", "what", "who".
    Ask,
    HowMany,
    HowMuch,
    Figure(Figure),
    /// "by", "per": what to group by, or who did it.
    By,
    /// "and how many each".
    Each,
    SortBy,
    Ascending,
    Descending,
    /// "newest first".
    NewestFirst,
    OldestFirst,
    LargestFirst,
    SmallestFirst,
    Alphabetical,
    /// "top", "biggest": most of the table's measure.
    Largest,
    Smallest,
    Newest,
    Oldest,
    Longest,
    Shortest,
    Most,
    Fewest,
    Over,
    Under,
    AtLeast,
    AtMost,
    Exactly,
    Between,
    /// After a number: "or more".
    OrMore,
    OrLess,
    With,
    Without,
    Empty,
    Filled,
    Not,
    And,
    Or,
    In,
    At,
    From,
    For,
    On,
    Of,
    To,
    As,
    Me,
    /// After these comes who works the row.
    OwnedBy,
    /// Before these stands who works the row.
    Owns,
    Unowned,
    Called,
    Mentions,
    StartsWith,
    Is,
    Whose,
    Upcoming,
    Past,
    Recent,
    /// "untouched": no contact in the time that follows.
    Stale,
    Create,
    Set,
    /// Gives the row to somebody: "assign".
    Assign,
    Delete,
}

/// A figure over the matching rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Figure {
    Count,
    Sum,
    Avg,
    Min,
    Max,
}

/// Every figure but the count, which needs no column.
pub(super) const FIGURES: &[Figure] = &[Figure::Sum, Figure::Avg, Figure::Max, Figure::Min];

impl Figure {
    pub(super) fn name(self) -> &'static str {
        match self {
            Figure::Count => "count",
            Figure::Sum => "sum",
            Figure::Avg => "avg",
            Figure::Min => "min",
            Figure::Max => "max",
        }
    }
}

/// The phrases, ready to be found in a message.
pub(super) static GRAMMAR: LazyLock<Phrases<Gram>> = LazyLock::new(|| {
    let mut phrases = Phrases::default();
    for (gram, list) in LISTS {
        for phrase in list.split(", ") {
            phrases.insert(phrase, *gram);
        }
    }
    phrases
});

const LISTS: &[(Gram, &str)] = &[
    (
        Gram::Filler,
        "take, takes, become, have become, i wonder if you could, i was wondering if you could, i wonder if, i was wondering if, ended, may i ask, can i ask, could i ask, holds, hold, booked, anything booked, assigned to them, anything, gave, gave us, brought us, sent us, got us, won us, did the team run, the team ran, did the team do, the team did, did the team hold, did we run, did we do, did we hold, have we run, have we done, we ran, we held, has the team run, has the team done, have we held, an overview of, overview of, might i, may i, could i, can i, shall we, could we, can we, may we, everything in, everything, how are, how is, how do, bring in, bring us, send us, did we, does anyone, in it for us, this way, by any chance, kindly can you, i would like you to, so kind as to, be so kind as to, would it be possible to, would it be possible to see, it be possible to, i would be grateful for, grateful for, i would appreciate, be grateful, i would be grateful if you could, picked up, brought in, taken on, carries, carry, generates, generate, drives, drive, produces, produce, gives, give us, sends, spend, spent, spend in, spent in, spent on, did the team, has the team, did we spend, we spent, to the crm, to crm, with the crm, to hubspot, to attio, time spent, let me have, let us have, where are, where do, where did, later, earlier, both, altogether, i please, could i please, may i please, can i please, coming, are we tracking, we track, we are tracking, tracking, we have got, at hand, later on, using, using a, who use, who use a, that use a, with both, sitting, sitting there, stuck, lying around, hanging around, sat there, pulling together, floating around, someone, somebody, i am looking, i am looking at, i am after, it is possible to, is it possible to, ya, would ya, is it possible to see, i am trying to see, you have, on us, i mean, em, but, able, be able to, able to, she is, he is, they are, she is the, he is the, across, across all, across our, done, made, received, in it, please to, for this, any of, just the, every single, at all, the following, happen to, we hold, hold for, each of, all of, pencil, the, a, an, all, any, every, each, me, us, please, kindly, hey, hi, hello, ok, okay, so, um, uh, er, erm, hmm, well, \
         just, only, actually, basically, like, really, quickly, quick, thanks, thank you, thank you very much, many thanks, \
         can, could, would, will, do, does, did, are, was, were, am, be, been, being, has, have, had, having, got, get, gotten, \
         that, which, these, those, them, they, their, theirs, it, its, there, here, some, still, currently, right now, now, \
         at the moment, at present, as of now, as of today, yet, already, ever, again, for me, for us, to me, to see, you, your, \
         may i have, can i have, could i have, can i get, could i get, can i see, could i see, may i see, may i get, might i have, can we see, can we have, could we have, can we get, could we get, could we see, among, amongst, i would like, i would like to, i would love, i want, i want to, i need, i need to, i am looking for, \
         would you mind, if you can, if possible, when you can, when you have a moment, real quick, out, up, down, ones, one, \
         ones that, can you, could you, would you, let, let us, let me, know, tell, tell me, may, might, should, \
         list them, show them, show it, display them, give me the list, the list of, list of, a list of, the full list of, full list of, \
         the names of, names of, details of, details for, details on, information, info, data, record, \
         records, rows, entries, results, details, in total, in all, overall, altogether, whole, entire, full, complete, \
         go ahead and, i think, you know, mate, buddy, team, folks, also, too, exactly how, my friend, dear, \
         this time, and also, who are, who is, that are, that is, which are, where the, we have with, with us, to date, so far, \
         whoever, anything, sort of, kind of, then, yeah, yep, sure, sorry, oh, ah, right, cool, great, good morning, \
         good afternoon, morning, afternoon, appreciate it, much appreciated, asap, need, want, each one, one by one, fall into, \
         fit into, belong to, split, breakdown, break down, broken down, broke down, grouped, group, distribution, numbers, figures, \
         stats for, looking, to look at, look at, check, check for, pull up, pulled, please can you, cheers, kind, \
         been marked, marked as, marked, flagged as, flagged, tagged as, labelled, labeled, labelled as, labeled as, set to, \
         classed as, classified as, listed as, showing as, sitting in, sitting at, sat in, stuck in, who have, we had, \
         we did, happened, happening, taking place, took place, going on, on the list, on our list, as well, for the team",
    ),
    (
        Gram::Ours,
        "we have recorded, we have listed, we have saved, we have noted, from the list, from our list, off the list, from my list, from the table, from the database, if we have it, if we have one, if you have it, if there is one, if available, that are in our crm, are in our crm, that are in the crm, are in the crm, that we have in the crm, that we have in our crm, we have in the crm, we have in our crm, that sit in our crm, we have on the books, in our account base, from the system, off the crm, we have on file, we hold on file, on our file, we hold, have we any, do we hold, we have on, our, ours, we, we are, we have, we have got, do we have, have we got, have we, did we, we work with, that we work with, we know, do we know, in the crm, in our crm, \
         in crm, in my crm, from the crm, from our crm, in the system, in our system, in the database, in our database, in the db, on file, on record, \
         on the books, on our books, in our records, in our books, in our data, in the table, across the team, on the team, in the team, \
         has the team, have the team, the team has, the team have, does the team have, did the team have, our team, the whole team, in our list, \
         we own, in our account list, of ours, that we have, we currently have, across our book, in our book, in the book, on our side",
    ),
    (
        Gram::Show,
        "compare, rank, break, split up, group up, bucket, slice, segment, work out, calculate, compute, figure out, find out, tot up, give me back, showing, listing, giving me, giving us, telling me, pulling, sending me, showing me, listing out, telling us, sharing, chuck up, get up, put up, throw up, dig out for me, break out, show, list, display, give, view, see, pull, pull up, bring up, fetch, return, print, output, present, open, list out, give me, \
         show me, let me see, select, read out, run me, get me a list of, pull out, bring me, send me, select all, hand me, export, fetch me, \
         pull together, share, surface, filter, filter for, filter to, filter by, dig up, dig out, retrieve, load",
    ),
    (
        Gram::Find,
        "find, find me, search, search for, source, identify, discover, get, get me, get us, look for, hunt for, locate, look up, lookup, grab, grab me",
    ),
    (
        Gram::Ask,
        "what time is, what time are, is there, are there, is there a, is there an, is there any, are there any, do i have, do we have, which, what, who, what are, which are, what is, whom, how about, which of, who all",
    ),
    (
        Gram::HowMany,
        "volume, volume of, volumes, # of, how many, number of, total number of, the number of, count of, count, counts, total count, tally, no of, how many of, quantity of, \
         headcount of, head count of, what number of, how big is the list of",
    ),
    (Gram::HowMuch, "how much, how much is, how much are"),
    (
        Gram::Figure(Figure::Sum),
        "total, sum, sum of, the sum of, combined, total of, in total, aggregate, summed, total up, add up",
    ),
    (Gram::Figure(Figure::Avg), "average, mean, typical, on average, avg of, average of"),
    (Gram::Figure(Figure::Max), "max, maximum"),
    (Gram::Figure(Figure::Min), "min, minimum"),
    (
        Gram::By,
        "by, per, for each, for every, broken down by, break down by, broken out by, split by, split across, grouped by, group by, segmented by, \
         split out by, sliced by, bucketed by, across each, in each, at each, from each, with each, each, breakdown by, summarised by, \
         distributed by, distributed across, divided by, organised by, organized by, according to, split up by, split per, across",
    ),
    (
        Gram::Each,
        "and how many each, how many each, how many of each, how many in each, and how many in each, and how many of each, how many for each, with counts, and counts, and the count, with a count, and their counts, with count, and how many are in each, with how many each",
    ),
    (
        Gram::SortBy,
        "in descending order of, in decreasing order of, in ascending order of, in increasing order of, descending by, ascending by, arranged, arranged by, arrange by, sorted by, sort by, sorted on, ordered by, order by, ranked by, rank by, in order of, sorted, ordered, ranked, sort, ranked on, ordered on, arranged by, order",
    ),
    (
        Gram::Ascending,
        "asc, ascending, lowest to highest, low to high, smallest to largest, earliest to latest, oldest to newest, in ascending order, a to z, a z, soonest first, soonest",
    ),
    (
        Gram::Descending,
        "desc, descending, highest to lowest, high to low, largest to smallest, newest to oldest, in descending order, z to a, latest to oldest, biggest to smallest",
    ),
    (
        Gram::NewestFirst,
        "most recently engaged first, most recently contacted first, recently engaged first, most recently active first, most recently added first, most recently created first, most recently touched first, newest first, latest first, most recent first, recent first, newest at the top, most recently, newest on top, latest on top, most recent on top, most recent at the top, latest at the top, with the newest first, with the latest first, with the most recent first",
    ),
    (
        Gram::OldestFirst,
        "least recently engaged first, least recently contacted first, least recently active first, least recently touched first, oldest first, earliest first, oldest at the top, oldest on top, with the oldest first, with the earliest first",
    ),
    (
        Gram::LargestFirst,
        "highest count first, largest count first, biggest count first, highest number first, highest total first, most leads first, most first, biggest groups first, largest groups first, highest first, largest first, biggest first, most first, longest first, top first, highest at the top, biggest at the top, biggest on top, highest on top, richest first, most valuable first, with the biggest first, with the highest first, largest at the top, largest on top",
    ),
    (
        Gram::SmallestFirst,
        "lowest first, smallest first, shortest first, least first, lowest at the top, smallest at the top, cheapest first",
    ),
    (
        Gram::Alphabetical,
        "alphabetically, alphabetical, in alphabetical order, alphabetical order, from a to z",
    ),
    (
        Gram::Largest,
        "top, biggest, largest, highest, greatest, richest, highest paying, best paying, top paying, most valuable, highest value, largest by value, biggest paying, highest valued, priciest",
    ),
    (
        Gram::Smallest,
        "smallest, lowest, least valuable, lowest paying, bottom, cheapest, lowest value, littlest, lowest valued",
    ),
    (Gram::Newest, "newest, latest, most recent, last, most recently added, most recently created, freshest"),
    (Gram::Oldest, "soonest, oldest, earliest, first, longest standing, longest running"),
    (Gram::Longest, "longest"),
    (Gram::Shortest, "shortest, briefest"),
    (Gram::Most, "the most, most, most common, the most common, most frequent, most popular, commonest"),
    (Gram::Fewest, "the fewest, fewest, the least, least, least common, least frequent, rarest"),
    (
        Gram::Over,
        "over, above, more than, greater than, higher than, larger than, bigger than, exceeding, in excess of, north of, longer than, upwards of, beyond, >, exceeds, exceed, is over, better than, that exceed, bigger then, more then, higher then",
    ),
    (
        Gram::Under,
        "under, below, less than, fewer than, lower than, smaller than, shorter than, south of, <, beneath, is under, cheaper than, less then, lower then",
    ),
    (
        Gram::AtLeast,
        "at least, no less than, not less than, minimum of, a minimum of, no fewer than, not fewer than, >=, starting at, upward of, min of, from at least, of at least",
    ),
    (
        Gram::AtMost,
        "at most, no more than, not more than, up to, maximum of, a maximum of, <=, max of, not over, not above, no greater than, no longer than, not longer than, capped at, of at most, not exceeding",
    ),
    (Gram::Exactly, "exactly, equal to, equals, =, precisely, of exactly"),
    (Gram::Between, "between, ranging from, in the range, in the range of, from between, anywhere between"),
    (
        Gram::OrMore,
        "or more, or above, or over, or higher, or greater, or longer, and up, and above, and over, plus, +, or up, and more, or bigger, or larger, upwards, and higher, and upwards, or better",
    ),
    (
        Gram::OrLess,
        "or less, or fewer, or under, or below, or lower, or shorter, and under, and below, or smaller, max, tops, and less, or cheaper, and lower",
    ),
    (
        Gram::With,
        "that have got, have got, has got, that has got, who have got, needing, needs, requiring, requires, that need, which need, in need of, that still need, still need, still needing, who need, with, has, have, having, that have, who have, which have, that has, has a, have a, with a, with an, with any, that had, whose has, containing a, that do have, who do have, including, that include, that come with, featuring, plus a",
    ),
    (
        Gram::Without,
        "missing both, without both, with neither, without, without a, without an, without any, no, with no, have no, has no, having no, that have no, missing, missing a, missing an, missing their, missing any, \
         lacking, lacking a, that lack, who lack, lack, lacks, do not have, does not have, did not have, do not have a, do not have an, do not have any, does not have a, does not have an, \
         not have, have not got, have not got a, have not got an, have not got any, has not got a, has not got, that do not have, that do not have a, who do not have, with missing, with empty, with blank, with an empty, with a blank, with a missing, \
         with unknown, with an unknown, minus a, without their, that are missing, that are missing a, who are missing, are missing, is missing, are missing a, is missing a, that are lacking, we have no, we do not have, \
         where we have no, we are missing, where we are missing, where there is no, there is no, for which we have no, for whom we have no, we lack, we do not have a, we do not have an, not got a, with no known, blank, w/out, have yet to get, have not set, with nothing in, with nothing under, that never got a, that did not get a",
    ),
    (
        Gram::Empty,
        "has been left blank, was left blank, been left blank, not assigned, is not assigned, has not been entered, not given, not provided, was never entered, was never set, has not been set, not added, empty, is empty, are empty, blank, is blank, are blank, is missing, missing, are missing, not set, unset, is not set, unknown, null, is null, not filled in, not filled, is unknown, unfilled, is not filled in, not entered, not known, none, is unset, not recorded, left blank, is left blank, left empty, not present, is not known, nil, is absent",
    ),
    (
        Gram::Filled,
        "set, assigned, listed, still listed, logged, recorded, noted, captured, entered, given, attached, saved, is set, is not empty, not empty, filled in, is filled in, is not null, not null, is present, is known, filled, is filled, is not blank, not blank, exists, on file, populated, is populated, present, not missing, is not missing, available, is available, known",
    ),
    (
        Gram::Not,
        "neither, non, nobody has, no one has, nobody, no one, that nobody has, that no one has, nobody have, not, no longer, is not, are not, was not, were not, excluding, exclude, except, except for, except the, other than, apart from, but not, \
         that are not, which are not, who are not, that is not, never, excl, aside from, besides, outside, outside of, anything but, all but, !=, not in, not the, skip, skipping, \
         leave out, leaving out, minus, not equal to, that were not, that was not, is anything but, are anything but, rather than, barring, ignoring, ignore, omit, omitting, save for, and not",
    ),
    (Gram::And, "and, as well as, along with, together with, plus, &"),
    (Gram::Or, "nor, or, either, and or, either of"),
    (
        Gram::In,
        "in, in the, within, inside, into, in an, in a, in status, in stage, in our, from within, that are in, who are in",
    ),
    (
        Gram::At,
        "at, at the, @, over at, who work at, that work at, working at, who works at, works at, work at, employed at, employed by, based at, who work for, working for, who works for, works for, work for",
    ),
    (
        Gram::From,
        "came by, come by, coming by, by way of, comes from, comes via, came off, coming in from, coming in via, coming in through, coming through, coming via, came to us through, came to us via, came to us from, come to us through, come to us via, come to us from, came our way through, come our way from, reached us through, from, from the, from a, from an, from our, via, via the, via a, through, through the, out of, that came from, who came from, came from, come from, coming from, originating from, sourced from, sourced via, that came via, came via, came through, came in from, came in via, came in through, come through, come in through, come in via, come in from, who came through, that came through, thanks to, generated by, attributed to, acquired through, acquired via, acquired from, who found us through, who found us via, found us via, found us through, off, off the, off of, originated from, referred by, that originated from, brought in by, brought in through",
    ),
    (Gram::For, "for, for the, regarding, concerning, for our"),
    (Gram::On, "on, on the, on our, against"),
    (Gram::Of, "of, of the, of our, of a"),
    (
        Gram::To,
        "to, ->, :, so that it is, to be, over to, across to, to be set to, should be, becomes, become, needs to be, to say, to read",
    ),
    (Gram::As, "as, as a, as an, into, as being"),
    (
        Gram::Me,
        "i spent in, did i spend in, have i spent in, i spend in, did i spend on, i spent on, i have spent in, my, mine, i own, i have, do i have, have i got, i have got, i had, did i have, did i do, did i hold, i did, i am handling, i handle, i am working on, i am on, i work, i run, i ran, i held, \
         assigned to me, owned by me, on my calendar, in my calendar, in my diary, on my plate, belonging to me, that are mine, under my name, under me, in my name, i am working, i am looking after, i look after, am i meeting, have i had, i am responsible for, i manage, do i own, \
         on my books, with me, i am having, have i, handled by me, of mine, i took, for myself, myself, on my list, in my pipeline of, i was in, i attended, i hosted, did i run, did i host, did i attend, do i manage, do i look after, i am managing, i logged, that i have, that i own, in my book",
    ),
    (
        Gram::OwnedBy,
        "belong to, belongs to, belonging to, owned by, assigned to, handled by, managed by, belonging to, belongs to, run by, held by, hosted by, led by, looked after by, worked by, under, owner is, owned, whose owner is, with owner, being handled by, being worked by, \
         done by, taken by, that belong to, allocated to, in the hands of, under the name of, being managed by, that belongs to, assigned over to, booked by, closed by, conducted by, looked after, with owner as, whose rep is, in the name of, sitting with, on the plate of, where owner is, where the owner is, the owner is, kept by, overseen by, owner name is",
    ),
    (
        Gram::Owns,
        "pick up, bring in, close, sign, land, book, handle, manage, run, hold, host, get, look after, source, brought in, brought, generated, added, created, closed, signed, landed, took on, onboarded, picked up, met with, spoke to, spoke with, done, put in, logged, sourced, signed up, brought on, owns, own, owned, is handling, handles, handling, handled, manages, is managing, managing, managed, looks after, is looking after, looking after, look after, works, is working, working, is working on, working on, \
         has, have, had, has got, got, did, do, does, ran, runs, is running, running, took, held, holds, hosted, hosts, hosting, led, is responsible for, covers, is covering, has on, has had, does own, own right now, currently owns, is assigned to, is assigned, takes care of, is taking care of, \
         has lost, lost, won, booked, had booked, has booked, holding, is holding, worked, worked on, is on, attended, looked after, was handling, was managing, conducted, oversees, led on, is in charge of, in charge of, responsible for, did have, carries",
    ),
    (
        Gram::Unowned,
        "is nobody working, nobody working, nobody is working on, no one working, nobody working on, nobody owning, with nobody owning them, no one owning, nobody owning them, with nobody owning, not been assigned to anyone, not been assigned to anybody, not been assigned, have not been assigned, has not been assigned, have not been assigned to anyone, have not been assigned to anybody, has not been assigned to anyone, not assigned to anybody, not yet been assigned, still to be assigned, waiting for an owner, waiting to be assigned, that need an owner, needing an owner, nobody assigned, no one assigned, have nobody assigned, have no one assigned, with no one assigned, no rep owns, that no rep owns, no one has picked up, nobody has picked up, without anyone assigned, without anybody assigned, with nobody on it, not claimed, unclaimed, no rep, unassigned, unowned, ownerless, not assigned, not assigned to anyone, not assigned to anybody, no one owns, nobody owns, not owned by anyone, not owned, without owner, that nobody owns, that no one owns, not yet assigned, nobody is handling, nobody is working, no one is working, orphaned, nobody has, that nobody has, not allocated, owned by nobody, owned by no one, assigned to nobody, assigned to no one, belonging to nobody, with nobody assigned, up for grabs",
    ),
    (
        Gram::Called,
        "called, named, titled, entitled, with the name, with name, with the title, by the name of, name is, name of, goes by, whose name is",
    ),
    (
        Gram::Mentions,
        "someone mentions, somebody mentions, anyone mentions, they mention, we mention, people mention, they mentioned, somebody mentions, brought up, somebody brought up, someone brought up, somebody mentioned, someone mentioned, where somebody mentioned, where someone mentioned, came up, anyone mentioned, mentions, mention, mentioning, mentioned, containing, contains, contain, includes, includes the word, that mention, that mentions, which mention, talks about, talk about, like, matching, has the word, with the word, with the words, contains the word, \
         containing the word, with the phrase, containing the phrase, refers to, references, referring to, says, that says, saying, that contain, that contains, which contain, mention the word, mentions the word, including the word, brings up, features, matches, ilike",
    ),
    (
        Gram::StartsWith,
        "starts with, starting with, beginning with, begins with, start with, that start with, begin with, that begin with, that starts with, starting in the letters",
    ),
    (
        Gram::Is,
        "is, are, was, were, is a, are a, is an, are an, is the, is now, are now, is now a, are now a, is in, are in, is still, are still, equals, =, :, is currently, are currently, being, set to, is set to, was a, became, has become, is at, is one of, are one of, is either, are either, stands at, in, in the, within, is considered, comes from, came from, is from, are from, is on, is within, are within",
    ),
    (
        Gram::Whose,
        "whose, where, where the, where their, with their, when, for which, wherein, such that, having the",
    ),
    (
        Gram::Upcoming,
        "pencilled in, penciled in, pencilled, penciled, upcoming, coming up, future, scheduled, yet to happen, still to come, ahead, to come, in the future, forthcoming, planned, that are coming up, still ahead, booked in, lined up, in the diary, on the calendar, in the calendar, on the schedule, on the books for",
    ),
    (Gram::Past, "past, previous, historic, historical, in the past"),
    (Gram::Recent, "recent, recently, lately, of late"),
    (
        Gram::Stale,
        "left alone, been left alone, ignored, been ignored, been neglected, untouched, inactive, quiet, silent, gone quiet, gone dark, gone cold, gone silent, uncontacted, idle, dormant, went quiet, went dark, went silent, went cold, been quiet, been silent, been inactive, been idle, been untouched, stale, neglected, unengaged, disengaged, cold",
    ),
    (
        Gram::Create,
        "adding, creating, logging, add, create, log, record, new, register, enter, insert, make, put in, note down, jot down, add in, add a new, create a new, make a new, log a new, record a new, save a new, add me a, set me up a, file, input, store, capture, start a new",
    ),
    (
        Gram::Set,
        "setting, changing, updating, marking, moving, switching, moved, changed, updated, switched, rename, set, change, update, mark, move, switch, make, put, flag, edit, correct, fix, turn, bump, raise, lower, shift, adjust, amend, modify, increase, decrease, drop, mark up, replace, push, progress, upgrade, downgrade, tag, label, overwrite, promote, revert, rename, reclassify, categorise, categorize, advance, flip, \
         can you set, has been, have been, needs to be, should be, mark off, escalate, deprioritise, deprioritize, reset, alter",
    ),
    (
        Gram::Assign,
        "assigning, reassigning, transferring, giving, passing, handing, assign, reassign, hand over, hand, transfer, give, give the, stick, pass, pass over, hand off, allocate, reallocate, re assign, swap, move ownership of, change ownership of, transfer ownership of, change owner of, transfer over",
    ),
    (
        Gram::Delete,
        "deleting, removing, archiving, kill, drop, del, rm, delete, remove, erase, trash, purge, get rid of, bin, scrub, wipe, discard, archive",
    ),
];
