//! The laws that make copies of the data agree: whatever the order, the grouping and the repetition of the
//! writes that reach a cell, it ends with the same value from the same hand.

use std::cmp::Ordering;

use chrono::DateTime;
use opstables::records::Source;
use opstables::records::merge::{Cell, Stamp, Verdict, compare, merge, tick};
use opstables::tables::{Policy, System, Value};
use proptest::prelude::*;
use proptest::strategy::Union;
use proptest::test_runner::Config;

/// Each case is six writes to one cell; three of them make a triple, in twenty ways.
const CASES: u32 = 50_000;
const WRITES: usize = 6;

/// The values that one column can hold: few, so that writes often agree. In a cell, none is a cleared one.
fn values() -> Vec<BoxedStrategy<Value>> {
    let text = prop::sample::select(vec!["", "a", "b", "ab", "true", "0", "é", "\n", "日本"]);
    let number = prop_oneof![
        (-2..3).prop_map(f64::from),
        prop::sample::select(vec![-0.0, 0.1, 1e-300, 1e300, f64::MIN, f64::MAX]),
        prop::num::f64::NORMAL,
    ];
    let years_of_four_digits = -62_135_596_800_000..253_402_300_800_000_i64;
    let time = prop_oneof![0..3_i64, years_of_four_digits]
        .prop_map(|ms| Value::Time(DateTime::from_timestamp_millis(ms).expect("a moment in range")));
    let tags = prop::sample::subsequence(vec!["a", "b", "c"], 0..=3)
        .prop_map(|tags| Value::Tags(tags.into_iter().map(str::to_owned).collect()));
    vec![
        text.prop_map(|text| Value::Text(text.to_owned())).boxed(),
        number.prop_map(Value::Number).boxed(),
        time.boxed(),
        any::<bool>().prop_map(Value::Flag).boxed(),
        tags.boxed(),
    ]
}

fn cell(value: BoxedStrategy<Value>) -> impl Strategy<Value = Cell> {
    let ms = prop_oneof![9 => 0..3_i64, 1 => prop::sample::select(vec![i64::MIN, -1, i64::MAX])];
    let source = prop::sample::select(vec![
        Source::App,
        Source::Manual,
        Source::Csv,
        Source::Derived,
        Source::Hubspot,
        Source::Attio,
    ]);
    let actor = prop::sample::select(vec!["copilot", "person:1", "person:2"]);
    (prop::option::weighted(0.8, value), ms, 0..3_i64, source, actor).prop_map(
        |(value, ms, ctr, source, actor)| Cell {
            value,
            stamp: Stamp { ms, ctr, source, actor: actor.to_owned() },
        },
    )
}

/// Writes to one cell, whose column is of any kind.
fn writes(count: usize) -> impl Strategy<Value = Vec<Cell>> {
    Union::new(values().into_iter().map(|value| prop::collection::vec(cell(value), count)))
}

fn config(cases: u32) -> Config {
    Config { failure_persistence: None, ..Config::with_cases(cases) }
}

fn policies() -> impl Strategy<Value = Policy> {
    prop::sample::select(vec![
        Policy::Lww,
        Policy::AppWins,
        Policy::RemoteWins(System::Hubspot),
        Policy::RemoteWins(System::Attio),
        Policy::Manual,
    ])
}

fn merged(policy: Policy, a: &Cell, b: &Cell) -> Cell {
    merge(policy, Some(a.clone()), b.clone()).0
}

fn arrived(policy: Policy, writes: impl IntoIterator<Item = Cell>) -> Option<Cell> {
    writes.into_iter().fold(None, |current, write| Some(merge(policy, current, write).0))
}

/// What the two writes say of each other, told from their values and times alone.
fn check_pair(policy: Policy, a: &Cell, b: &Cell) -> Result<(), TestCaseError> {
    let (ab, verdict) = merge(policy, Some(a.clone()), b.clone());
    let (ba, reverse) = merge(policy, Some(b.clone()), a.clone());
    prop_assert_eq!(&ab, &ba, "the order decided");
    prop_assert!(ab == *a || ab == *b, "a state that nobody wrote: {:?}", ab);
    match (a.stamp.ms, a.stamp.ctr).cmp(&(b.stamp.ms, b.stamp.ctr)) {
        _ if policy != Policy::Lww => {}
        Ordering::Less => prop_assert_eq!(&ab, b, "the newer write lost"),
        Ordering::Greater => prop_assert_eq!(&ab, a, "the newer write lost"),
        Ordering::Equal => {}
    }
    let expected = if a.value == b.value {
        (Verdict::Same, Verdict::Same)
    } else if ab == *b {
        (Verdict::Won, Verdict::Lost)
    } else {
        (Verdict::Lost, Verdict::Won)
    };
    prop_assert_eq!((verdict, reverse), expected);
    prop_assert_eq!(compare(policy, a, b), compare(policy, b, a).reverse());
    prop_assert_eq!(
        compare(policy, a, b) == Ordering::Equal,
        a == b,
        "two writes that differ are told apart"
    );
    Ok(())
}

fn check_triple(policy: Policy, a: &Cell, b: &Cell, c: &Cell) -> Result<(), TestCaseError> {
    prop_assert_eq!(
        merged(policy, &merged(policy, a, b), c),
        merged(policy, a, &merged(policy, b, c)),
        "the grouping decided"
    );
    prop_assert_eq!(
        merged(policy, &merged(policy, a, b), b),
        merged(policy, a, b),
        "a repeated write changed the state"
    );
    let sorted = [a, b, c].is_sorted_by(|x, y| compare(policy, x, y) != Ordering::Greater);
    prop_assert!(
        !sorted || compare(policy, a, c) != Ordering::Greater,
        "the order of writes goes in a circle"
    );
    Ok(())
}

#[test]
fn merging_is_commutative_associative_and_idempotent() {
    proptest!(config(CASES), |(policy in policies(), writes in writes(WRITES))| {
        for (i, a) in writes.iter().enumerate() {
            prop_assert_eq!(merge(policy, Some(a.clone()), a.clone()), (a.clone(), Verdict::Same));
            let first = if a.value.is_some() { Verdict::Won } else { Verdict::Same };
            prop_assert_eq!(merge(policy, None, a.clone()), (a.clone(), first));
            for (j, b) in writes.iter().enumerate().skip(i + 1) {
                check_pair(policy, a, b)?;
                for c in writes.iter().skip(j + 1) {
                    check_triple(policy, a, b, c)?;
                }
            }
        }
    });
}

#[test]
fn writes_arrive_in_any_order_any_number_of_times() {
    let shuffled = writes(WRITES).prop_flat_map(|writes| {
        let again: Vec<Cell> = writes.iter().chain(&writes).cloned().collect();
        (Just(writes), Just(again).prop_shuffle())
    });
    proptest!(config(CASES), |(policy in policies(), (writes, again) in shuffled)| {
        prop_assert_eq!(arrived(policy, writes), arrived(policy, again));
    });
}

#[test]
fn who_has_seen_a_version_writes_a_later_one() {
    proptest!(config(CASES), |(now in -5..5_i64, seen in prop::option::of((-5..5_i64, 0..3_i64)))| {
        let next = tick(now, seen);
        prop_assert!(next.0 >= now);
        prop_assert!(seen.is_none_or(|seen| next > seen));
    });
}
