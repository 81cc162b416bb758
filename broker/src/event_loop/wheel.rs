//! A coarse wheel: when to look at a connection again. One second a slot, 8 bytes an entry.

/// Slots; a deadline further away is looked at once a turn of the wheel.
const SLOTS: u64 = 512;

/// Entries by the second in which they are due. An entry is never taken out early: who is looked at too soon is put in again.
pub(crate) struct Wheel {
    slots: Vec<Vec<(u32, u32)>>,
    now_s: u64,
}

impl Wheel {
    /// An empty wheel at that second.
    pub(crate) fn new(now_s: u64) -> Self {
        Self { slots: (0..SLOTS).map(|_| Vec::new()).collect(), now_s }
    }

    /// Looks at (entry, nonce) again at that second, or earlier; says when.
    pub(crate) fn put(&mut self, at_s: u64, entry: (u32, u32)) -> u64 {
        let at_s = at_s.clamp(self.now_s + 1, self.now_s + SLOTS - 1);
        if let Some(slot) = self.slots.get_mut((at_s % SLOTS) as usize) {
            slot.push(entry);
        }
        at_s
    }

    /// Adds what is due up to that second to `due`.
    pub(crate) fn advance(&mut self, now_s: u64, due: &mut Vec<(u32, u32)>) {
        // A long sleep makes everything due, once.
        self.now_s = self.now_s.max(now_s.saturating_sub(SLOTS));
        while self.now_s < now_s {
            self.now_s += 1;
            if let Some(slot) = self.slots.get_mut((self.now_s % SLOTS) as usize) {
                due.append(slot);
                slot.shrink_to(64);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Wheel;

    #[test]
    fn what_is_due_comes_once_and_not_later() {
        let mut wheel = Wheel::new(10);
        wheel.put(12, (1, 1));
        wheel.put(11, (2, 1));
        wheel.put(100_000, (3, 1));
        let mut due = Vec::new();
        wheel.advance(12, &mut due);
        assert_eq!(due, [(2, 1), (1, 1)]);
        due.clear();
        wheel.advance(100_000, &mut due);
        assert_eq!(due, [(3, 1)]);
    }
}
