//! Bounds of what people type in; a refusal names the field.

use talaria_core::{Code, Handle};
use talaria_port::Refusal;

const NAME_CHARS_MAX: usize = 200;
const DEVICE_CHARS_MAX: usize = 100;
const PASSWORD_CHARS_MIN: usize = 8;
const PASSWORD_CHARS_MAX: usize = 256;

pub(crate) fn handle(text: &str) -> Result<Handle, Refusal> {
    text.parse().map_err(|_| Code::HandleInvalid.into())
}

pub(crate) fn name(text: &str) -> Result<(), Refusal> {
    if within(text, 1, NAME_CHARS_MAX) {
        return Ok(());
    }
    Err(Refusal::new(Code::RequestInvalid, "name: 1 to 200 characters, none of them a control character"))
}

pub(crate) fn device(text: &str) -> Result<(), Refusal> {
    if within(text, 1, DEVICE_CHARS_MAX) {
        return Ok(());
    }
    Err(Refusal::new(Code::RequestInvalid, "device: 1 to 100 characters, none of them a control character"))
}

/// Length only; every character counts, also a NUL at the end.
pub(crate) fn password(text: &str) -> Result<(), Refusal> {
    if (PASSWORD_CHARS_MIN..=PASSWORD_CHARS_MAX).contains(&text.chars().take(PASSWORD_CHARS_MAX + 1).count()) {
        return Ok(());
    }
    Err(Code::PasswordInvalid.into())
}

fn within(text: &str, min: usize, max: usize) -> bool {
    (min..=max).contains(&text.chars().take(max + 1).count()) && !text.chars().any(char::is_control)
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
        assert!(password(&"p".repeat(256)).is_ok() && password(&"p".repeat(257)).is_err());
    }
}
