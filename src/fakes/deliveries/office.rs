//! What waits to be delivered, to whom it may go now, and what became of it.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use tokio::time::Instant;

use super::{Attempt, Habits, Letter, Subscriber};
use crate::fakes::dice::Dice;

/// After this many repetitions a delivery is given up: both CRMs say ten.
const REPETITIONS: u32 = 10;

#[derive(Debug)]
pub(super) struct Office {
    pub(super) habits: Habits,
    pub(super) paused: bool,
    pub(super) attempts: Vec<Attempt>,
    pub(super) given_up: usize,
    pub(super) lost: usize,
    /// Public beginnings of addresses, and the local ones that stand for them.
    routes: Vec<(String, String)>,
    /// By the subscriber's address.
    lanes: BTreeMap<String, Lane>,
    /// What waits for its time; the number keeps the order of what waits for the same.
    later: BTreeMap<(Instant, u64), Letter>,
    next: u64,
    /// How often somebody asked to be told when all is done.
    asked: u64,
    dice: Dice,
}

/// What may go to one address now.
#[derive(Debug, Default)]
struct Lane {
    ready: VecDeque<Letter>,
    deliveries: usize,
    events: usize,
}

/// Letters that travel together to one subscriber.
#[derive(Debug)]
pub(super) struct Parcel {
    pub(super) to: Arc<Subscriber>,
    pub(super) letters: Vec<Letter>,
    /// Where it really goes; none for an address that stands for no local one.
    pub(super) address: Option<String>,
}

impl Office {
    pub(super) fn new(seed: u64) -> Office {
        Office {
            habits: Habits::default(),
            paused: false,
            attempts: Vec::new(),
            given_up: 0,
            lost: 0,
            routes: Vec::new(),
            lanes: BTreeMap::new(),
            later: BTreeMap::new(),
            next: 0,
            asked: 0,
            dice: Dice::new(seed),
        }
    }

    pub(super) fn route(&mut self, public: String, local: String) {
        self.routes.retain(|(known, _)| *known != public);
        self.routes.push((public, local));
    }

    /// Whether anything is delivered at all.
    pub(super) fn is_open(&self) -> bool {
        !self.routes.is_empty()
    }

    pub(super) fn ask(&mut self) -> u64 {
        self.asked += 1;
        self.asked
    }

    pub(super) fn asked(&self) -> u64 {
        self.asked
    }

    pub(super) fn waiting(&self) -> usize {
        let inside = |lane: &Lane| lane.ready.len() + lane.events;
        self.later.len() + self.lanes.values().map(inside).sum::<usize>()
    }

    /// Takes in what happened: some of it gets lost, some comes several times.
    pub(super) fn post(&mut self, letters: Vec<Letter>, now: Instant) {
        for letter in letters {
            if self.dice.chance(self.habits.lost_per_mille) {
                self.lost += 1;
                continue;
            }
            let (least, most) = self.habits.copies;
            for copy in 0..self.pick(least, most) {
                let (least, most) = self.habits.delay;
                let due = now + self.dice.between(least, most);
                // A repetition that the sender thought was needed has a number of its own; one of the network has not.
                let attempt = if self.dice.chance(500) { copy } else { 0 };
                self.put_off(Letter { attempt, ..letter.clone() }, due);
            }
        }
    }

    /// The next letters that may go, all to one subscriber; none when everything has to wait.
    pub(super) fn parcel(&mut self, now: Instant) -> Option<Parcel> {
        self.release(now);
        if self.paused {
            return None;
        }
        let is_free = |lane: &&mut Lane| {
            lane.ready.front().is_some_and(|letter| lane.deliveries < letter.to.at_once.max(1))
        };
        let lane = self.lanes.values_mut().find(is_free)?;
        let first = lane.ready.pop_front()?;
        let to = Arc::clone(&first.to);
        let most = to.together.min(self.habits.together).max(1);
        let mut letters = vec![first];
        while letters.len() < most && lane.ready.front().is_some_and(|next| Arc::ptr_eq(&next.to, &to)) {
            letters.extend(lane.ready.pop_front());
        }
        lane.deliveries += 1;
        lane.events += letters.len();
        Some(Parcel { address: self.local(&to.target), to, letters })
    }

    /// Notes what became of a parcel. What was not taken comes again later; true when some of it is given up instead.
    pub(super) fn returned(&mut self, parcel: Parcel, status: Option<u16>, now: Instant) -> bool {
        let Parcel { to, letters, .. } = parcel;
        if let Some(lane) = self.lanes.get_mut(&to.target) {
            lane.deliveries = lane.deliveries.saturating_sub(1);
            lane.events = lane.events.saturating_sub(letters.len());
        }
        let number = letters.iter().map(|letter| letter.attempt).max().unwrap_or(0);
        self.attempts.push(Attempt { target: to.target.clone(), events: letters.len(), number, status });
        if status.is_some_and(|status| (200..300).contains(&status)) {
            return false;
        }
        let given_up_before = self.given_up;
        let retry = self.habits.retry;
        // What failed together is repeated together.
        let due = now + self.dice.between(retry, retry * 2) * (number + 1);
        for letter in letters {
            if letter.attempt >= REPETITIONS {
                self.given_up += 1;
            } else {
                self.put_off(Letter { attempt: letter.attempt + 1, ..letter }, due);
            }
        }
        self.given_up > given_up_before
    }

    /// When the next letter's time comes.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.later.keys().next().map(|(due, _)| *due)
    }

    /// Lets those go whose time has come.
    fn release(&mut self, now: Instant) {
        while let Some(entry) = self.later.first_entry().filter(|entry| entry.key().0 <= now) {
            let letter = entry.remove();
            let ready = &mut self.lanes.entry(letter.to.target.clone()).or_default().ready;
            ready.push_back(letter);
            if self.habits.shuffle {
                let places = u64::try_from(ready.len()).unwrap_or(u64::MAX);
                let place = usize::try_from(self.dice.roll() % places).unwrap_or(0);
                ready.swap(place, ready.len() - 1);
            }
        }
    }

    fn put_off(&mut self, letter: Letter, due: Instant) {
        self.next += 1;
        self.later.insert((due, self.next), letter);
    }

    fn pick(&mut self, least: u32, most: u32) -> u32 {
        let spread = u64::from(most.saturating_sub(least)) + 1;
        least + u32::try_from(self.dice.roll() % spread).unwrap_or(0)
    }

    fn local(&self, target: &str) -> Option<String> {
        let rest = |public: &str| {
            let rest = target.strip_prefix(public)?;
            (rest.is_empty() || rest.starts_with(['/', '?'])).then_some(rest)
        };
        self.routes.iter().find_map(|(public, local)| Some(format!("{local}{}", rest(public)?)))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::*;

    const TARGET: &str = "https://hooks.example.com/webhooks/x";

    fn office() -> Office {
        let mut office = Office::new(1);
        office.route("https://hooks.example.com".to_owned(), "http://127.0.0.1:9".to_owned());
        office
    }

    fn letters(count: usize, at_once: usize, together: usize) -> Vec<Letter> {
        let (target, webhook) = (TARGET.to_owned(), String::new());
        let to = Subscriber { target, webhook, secret: "s".into(), at_once, together };
        let to = Arc::new(to);
        let letter =
            |number| Letter { to: Arc::clone(&to), event: json!(number), key: String::new(), attempt: 0 };
        (0..count).map(letter).collect()
    }

    fn numbers(parcel: &Parcel) -> Vec<u64> {
        parcel.letters.iter().filter_map(|letter| letter.event.as_u64()).collect()
    }

    #[test]
    fn letters_go_in_parcels_to_the_address_that_stands_for_the_target() {
        let (mut office, now) = (office(), Instant::now());
        office.post(letters(5, 2, 2), now);
        let (first, second) = (office.parcel(now).unwrap(), office.parcel(now).unwrap());
        assert_eq!((numbers(&first), numbers(&second)), (vec![0, 1], vec![2, 3]));
        assert_eq!(first.address.as_deref(), Some("http://127.0.0.1:9/webhooks/x"));
        assert!(office.parcel(now).is_none(), "two deliveries at once");
        assert!(!office.returned(first, Some(204), now));
        assert_eq!(numbers(&office.parcel(now).unwrap()), [4]);
        assert_eq!(office.waiting(), 3);
    }

    #[test]
    fn only_whole_beginnings_of_addresses_are_routed() {
        let office = office();
        assert_eq!(office.local("https://hooks.example.com").as_deref(), Some("http://127.0.0.1:9"));
        assert_eq!(office.local("https://hooks.example.com?a=b").as_deref(), Some("http://127.0.0.1:9?a=b"));
        assert_eq!(office.local("https://hooks.example.community/x"), None);
    }

    #[test]
    fn what_fails_comes_again_ten_times_and_is_then_given_up() {
        let (mut office, mut now) = (office(), Instant::now());
        office.post(letters(2, 1, 100), now);
        for number in 0..=REPETITIONS {
            let parcel = office.parcel(now).unwrap();
            let status = if number % 2 == 0 { None } else { Some(500) };
            assert_eq!(office.returned(parcel, status, now), number == REPETITIONS);
            assert!(office.parcel(now).is_none(), "not before its time");
            now += Duration::from_secs(1000);
        }
        assert_eq!((office.given_up, office.waiting()), (2, 0));
        let tried: Vec<u32> = office.attempts.iter().map(|attempt| attempt.number).collect();
        assert_eq!(tried, (0..=REPETITIONS).collect::<Vec<_>>());
    }

    #[test]
    fn events_get_lost_come_often_and_in_any_order_when_told_to() {
        let (mut office, now) = (office(), Instant::now());
        let lossy = Habits { shuffle: true, copies: (1, 4), lost_per_mille: 250, ..Habits::default() };
        office.habits = lossy;
        office.post(letters(1000, 1, usize::MAX), now);
        office.habits.together = usize::MAX;
        let parcel = office.parcel(now).unwrap();
        let came = numbers(&parcel);
        let mut kinds = came.clone();
        kinds.sort_unstable();
        assert_ne!(came, kinds);
        let copies = |number: &u64| came.iter().filter(|other| *other == number).count();
        assert!(kinds.iter().any(|number| copies(number) == 4));
        kinds.dedup();
        assert_eq!((kinds.len() + office.lost, office.lost > 150), (1000, true));
        let shown: Vec<u32> = parcel.letters.iter().map(|letter| letter.attempt).collect();
        assert!(shown.contains(&0) && shown.contains(&3), "{shown:?}");
    }

    #[test]
    fn nothing_goes_while_paused_or_before_its_time() {
        let (mut office, now) = (office(), Instant::now());
        office.habits.delay = (Duration::from_secs(5), Duration::from_secs(5));
        office.post(letters(1, 1, 1), now);
        assert!(office.parcel(now).is_none());
        let due = office.next_due().unwrap();
        office.paused = true;
        assert!(office.parcel(due).is_none());
        assert_eq!(office.waiting(), 1);
        office.paused = false;
        assert!(office.parcel(due).is_some());
    }
}
