//! Bounds of what people type in; a refusal names the field.

use talaria_core::limits::{DEVICE_NAME_CHARS_MAX, NAME_CHARS_MAX, PASSWORD_CHARS_MAX, PASSWORD_CHARS_MIN};
use talaria_core::{Code, Handle};
use talaria_port::Refusal;

pub(crate) fn handle(text: &str) -> Result<Handle, Refusal> {
    text.parse().map_err(|_| Code::HandleInvalid.into())
}

pub(crate) fn name(text: &str) -> Result<(), Refusal> {
    if fits(text, NAME_CHARS_MAX) {
        return Ok(());
    }
    let reason = format!("name: 1 to {NAME_CHARS_MAX} characters, not blank, none of them a control character");
    Err(Refusal::new(Code::RequestInvalid, reason))
}

pub(crate) fn device(text: &str) -> Result<(), Refusal> {
    if fits(text, DEVICE_NAME_CHARS_MAX) {
        return Ok(());
    }
    let reason =
        format!("device: 1 to {DEVICE_NAME_CHARS_MAX} characters, not blank, none of them a control character");
    Err(Refusal::new(Code::RequestInvalid, reason))
}

/// Length only; every character counts, also a NUL at the end.
pub(crate) fn password(text: &str) -> Result<(), Refusal> {
    if (PASSWORD_CHARS_MIN..=PASSWORD_CHARS_MAX).contains(&count(text, PASSWORD_CHARS_MAX)) {
        return Ok(());
    }
    Err(Code::PasswordInvalid.into())
}

fn fits(text: &str, max: usize) -> bool {
    count(text, max) <= max && !text.trim().is_empty() && !text.chars().any(char::is_control)
}

/// Characters; of a longer text no more than one beyond `max`.
fn count(text: &str, max: usize) -> usize {
    text.chars().take(max + 1).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_counted_in_characters_and_the_refusal_names_the_field() {
        assert!(name(&"김".repeat(200)).is_ok());
        assert!(name(&"김".repeat(201)).unwrap_err().reason.starts_with("name"));
        assert!(device(&"d".repeat(100)).is_ok());
        assert!(device("").unwrap_err().reason.starts_with("device"));
        assert!(device(&"d".repeat(101)).is_err());
        assert!(password("1234567").is_err() && password("12345678").is_ok());
        assert!(password(&"🔑".repeat(256)).is_ok() && password(&"p".repeat(257)).is_err());
    }

    #[test]
    fn blanks_and_control_characters_are_no_name() {
        for bad in ["", " ", "\u{3000}", "a\nb", "a\0", "\u{7f}"] {
            assert!(name(bad).is_err() && device(bad).is_err(), "{bad:?}");
        }
    }
}
