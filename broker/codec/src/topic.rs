//! Topic names and topic filters (section 4.7), shared subscriptions (section 4.8.2), and which filter matches which name.
//!
//! Only syntax: what a topic means and who may use it is decided where it acts. The same rules hold in 3.1.1 and 5.0,
//! also for `$share`, which 3.1.1 does not know: one broker cannot give the same filter two meanings.

/// Levels of a topic name or filter. The standard has no bound but the 65,535 bytes of the string, which is 32,768
/// levels; matching and every tree of subscriptions take a step or a node a level, so one short packet could cost
/// megabytes. No sensible topic comes near 128. Beyond: the packet is refused with 0x90 or 0x8F.
pub const LEVELS_MAX: usize = 128;

/// Bytes of a topic name or filter (MQTT-4.7.3-3).
const BYTES_MAX: usize = 65_535;

/// Why a string is no topic name or no topic filter.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, thiserror::Error)]
pub enum TopicError {
    /// At least one character (MQTT-4.7.3-1).
    #[error("it is empty (MQTT-4.7.3-1)")]
    Empty,
    /// No U+0000 (MQTT-4.7.3-2).
    #[error("it contains U+0000 (MQTT-4.7.3-2)")]
    Nul,
    /// At most 65,535 bytes (MQTT-4.7.3-3).
    #[error("it has more than 65535 bytes (MQTT-4.7.3-3)")]
    TooLong,
    /// At most [`LEVELS_MAX`] levels.
    #[error("it has too many levels")]
    TooManyLevels,
    /// No wildcard in a name (MQTT-4.7.0-1, MQTT-3.3.2-2).
    #[error("a name contains a wildcard (MQTT-4.7.0-1)")]
    WildcardInName,
    /// `#` fills the last level and `+` fills a level (MQTT-4.7.1-1, MQTT-4.7.1-2).
    #[error("a wildcard does not fill its level, or # is not last (MQTT-4.7.1-1, MQTT-4.7.1-2)")]
    WildcardMisplaced,
    /// A share name has at least one character and no wildcard (MQTT-4.8.2-1, MQTT-4.8.2-2).
    #[error("the share name is empty or contains a wildcard (MQTT-4.8.2-1, MQTT-4.8.2-2)")]
    ShareName,
    /// A share name is followed by `/` and a filter (MQTT-4.8.2-2).
    #[error("no filter follows the share name (MQTT-4.8.2-2)")]
    ShareWithoutFilter,
}

/// What one pass over a topic finds; no branch inside, so that it runs many bytes at a time.
struct Scan {
    nul: bool,
    wildcard: bool,
    levels: usize,
}

#[inline]
fn scan(topic: &str) -> Scan {
    let (mut nul, mut wildcard, mut separators) = (false, false, 0);
    for &byte in topic.as_bytes() {
        nul |= byte == 0;
        wildcard |= (byte == b'#') | (byte == b'+');
        separators += usize::from(byte == b'/');
    }
    Scan { nul, wildcard, levels: separators + 1 }
}

/// U+0000 anywhere; short strings are faster this way than by a search routine.
#[inline]
pub(crate) fn has_nul(text: &str) -> bool {
    text.as_bytes().iter().fold(false, |found, &byte| found | (byte == 0))
}

#[inline]
fn scan_checked(topic: &str) -> Result<Scan, TopicError> {
    if topic.is_empty() {
        return Err(TopicError::Empty);
    }
    if topic.len() > BYTES_MAX {
        return Err(TopicError::TooLong);
    }
    let found = scan(topic);
    if found.nul {
        return Err(TopicError::Nul);
    }
    if found.levels > LEVELS_MAX {
        return Err(TopicError::TooManyLevels);
    }
    Ok(found)
}

/// A name that can be published to: not empty, no U+0000, no wildcard, at most [`LEVELS_MAX`] levels (section 4.7).
///
/// # Errors
/// The first rule that is broken.
#[inline]
pub fn validate_name(name: &str) -> Result<(), TopicError> {
    if scan_checked(name)?.wildcard { Err(TopicError::WildcardInName) } else { Ok(()) }
}

/// A filter that can be subscribed to: as a name, but `+` may fill a level and `#` the last one; after `$share/` come a
/// share name and such a filter.
///
/// # Errors
/// The first rule that is broken.
pub fn validate_filter(filter: &str) -> Result<(), TopicError> {
    match share(filter)? {
        Some(_) => Ok(()),
        None => validate_plain_filter(filter),
    }
}

fn validate_plain_filter(filter: &str) -> Result<(), TopicError> {
    if !scan_checked(filter)?.wildcard {
        return Ok(());
    }
    let mut levels = filter.split('/');
    while let Some(level) = levels.next() {
        match level {
            "+" => {}
            "#" if levels.next().is_none() => {}
            _ if level.contains(['+', '#']) => return Err(TopicError::WildcardMisplaced),
            _ => {}
        }
    }
    Ok(())
}

/// The share name and the filter of `$share/{name}/{filter}`; `None` for every other filter (section 4.8.2).
///
/// # Errors
/// `$share/` that does not continue as it must, and a filter in it that is none.
pub fn share(filter: &str) -> Result<Option<(&str, &str)>, TopicError> {
    let parts = split_share(filter)?;
    if let Some((_, shared)) = parts {
        validate_plain_filter(shared)?;
    }
    Ok(parts)
}

/// Whether a filter asks for a shared subscription, well-formed or not.
#[inline]
pub(crate) fn is_shared(filter: &str) -> bool {
    filter.starts_with("$share/")
}

fn split_share(filter: &str) -> Result<Option<(&str, &str)>, TopicError> {
    let Some(rest) = filter.strip_prefix("$share/") else { return Ok(None) };
    if filter.len() > BYTES_MAX {
        return Err(TopicError::TooLong);
    }
    let (name, shared) = rest.split_once('/').ok_or(TopicError::ShareWithoutFilter)?;
    if name.is_empty() || name.contains(['+', '#']) {
        return Err(TopicError::ShareName);
    }
    if name.contains('\0') {
        return Err(TopicError::Nul);
    }
    if shared.is_empty() {
        return Err(TopicError::ShareWithoutFilter);
    }
    Ok(Some((name, shared)))
}

/// Whether a message to `name` belongs to a subscription of `filter` (section 4.7).
///
/// Both must be valid, and the filter one without its `$share/{name}/`; otherwise the answer means nothing. A filter that
/// begins with a wildcard does not match a name that begins with `$` (MQTT-4.7.2-1); `a/#` matches `a` as well
/// (section 4.7.1.2).
pub fn matches(filter: &str, name: &str) -> bool {
    if name.starts_with('$') && filter.starts_with(['+', '#']) {
        return false;
    }
    let mut levels = name.split('/');
    for filter_level in filter.split('/') {
        if filter_level == "#" {
            return true;
        }
        match levels.next() {
            Some(level) if filter_level == "+" || filter_level == level => {}
            _ => return false,
        }
    }
    levels.next().is_none()
}
