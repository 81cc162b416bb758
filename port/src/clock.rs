//! Time comes in through here, so that tests run on virtual time.

/// Reads clocks. Cheap enough for every packet.
pub trait Clock: Send + Sync {
    /// Wall time in Unix milliseconds. May step in either direction.
    fn unix_ms(&self) -> u64;

    /// Milliseconds since some moment; never steps back.
    fn monotonic_ms(&self) -> u64;
}
