//! Asks for a new password.

use std::io::{self, IsTerminal as _, Write as _, stderr, stdin};

use anyhow::Context as _;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

/// From a terminal without showing what is typed, and twice; otherwise the first line of standard input.
pub(super) fn ask(handle: &str) -> anyhow::Result<String> {
    if !stdin().is_terminal() {
        return read_line().context("the password cannot be read");
    }
    let password = ask_once(&format!("password for {handle}: "))?;
    let again = ask_once("the same again: ")?;
    anyhow::ensure!(password == again, "the two passwords differ");
    Ok(password)
}

fn ask_once(prompt: &str) -> anyhow::Result<String> {
    let hidden = Hidden::new().context("the terminal cannot be kept from showing the password")?;
    write!(stderr(), "{prompt}")?;
    let password = read_line().context("the password cannot be read");
    drop(hidden);
    // The Enter that ended it was not shown either.
    writeln!(stderr())?;
    password
}

/// A line without its end. Nothing at all is no empty password, but no answer.
fn read_line() -> io::Result<String> {
    let mut line = String::new();
    if stdin().read_line(&mut line)? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let password = line.strip_suffix('\n').unwrap_or(&line);
    Ok(password.strip_suffix('\r').unwrap_or(password).to_owned())
}

/// While it lives the terminal shows nothing of what is typed.
struct Hidden(Termios);

impl Hidden {
    fn new() -> io::Result<Self> {
        let shown = tcgetattr(stdin())?;
        let mut hidden = shown.clone();
        hidden.local_modes.remove(LocalModes::ECHO);
        // What was typed before the prompt was shown, and thrown away: nobody is to type a password before it.
        tcsetattr(stdin(), OptionalActions::Flush, &hidden)?;
        Ok(Self(shown))
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        // There is nothing left to do where it fails.
        let _ = tcsetattr(stdin(), OptionalActions::Now, &self.0);
    }
}
