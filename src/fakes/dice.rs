//! Random choices that come again with the same seed.

use std::time::Duration;

use uuid::Uuid;

/// The `SplitMix64` sequence (Steele, Lea and Flood 2014): small, and good enough for choices.
#[derive(Debug)]
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Dice {
        Dice(seed)
    }

    pub(super) fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// True `per_mille` times of a thousand.
    pub(super) fn chance(&mut self, per_mille: u32) -> bool {
        self.roll() % 1000 < u64::from(per_mille)
    }

    pub(super) fn between(&mut self, least: Duration, most: Duration) -> Duration {
        let spread = u64::try_from(most.saturating_sub(least).as_micros()).unwrap_or(u64::MAX);
        least + Duration::from_micros(self.roll() % spread.saturating_add(1))
    }

    pub(super) fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let places = u64::try_from(last).unwrap_or(u64::MAX).saturating_add(1);
            items.swap(last, usize::try_from(self.roll() % places).unwrap_or(last));
        }
    }

    /// An id of the form that random ids have.
    pub(super) fn uuid(&mut self) -> Uuid {
        let (high, low) = (self.roll(), self.roll());
        Uuid::from_u64_pair((high & !0xf000) | 0x4000, (low & !(0b11 << 62)) | (1 << 63))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_choices() {
        let choices = |seed| {
            let mut dice = Dice::new(seed);
            let mut order: Vec<u8> = (0..20).collect();
            dice.shuffle(&mut order);
            (order, dice.uuid())
        };
        assert_eq!(choices(7), choices(7));
        assert_ne!(choices(7), choices(8));
    }

    #[test]
    fn chances_are_kept_about_as_often_as_they_say() {
        let mut dice = Dice::new(1);
        let hits = (0..10_000).filter(|_| dice.chance(250)).count();
        assert!((2300..2700).contains(&hits), "{hits}");
        assert!((0..1000).all(|_| !dice.chance(0)));
    }

    #[test]
    fn a_shuffle_loses_nothing() {
        let mut order: Vec<u8> = (0..50).collect();
        Dice::new(3).shuffle(&mut order);
        assert_ne!(order, (0..50).collect::<Vec<u8>>());
        order.sort_unstable();
        assert_eq!(order, (0..50).collect::<Vec<u8>>());
    }
}
