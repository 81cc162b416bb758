//! The example file and the page of the documents, both written from [`Config::keys`].

use std::fmt::Write as _;

use super::Config;

/// A file with every key at its default, commented out as `#= key = value`.
pub fn example() -> String {
    let mut text = String::from("# Talaria. Every key is at its default; take the `#= ` away to change one.\n");
    let mut section = String::new();
    for key in Config::keys() {
        let (at, name) = key.name.rsplit_once('.').unwrap_or(("", &key.name));
        if at != section {
            section = at.to_owned();
            // Writing to memory cannot fail.
            let _ = write!(text, "\n[{section}]\n");
        }
        let _ = write!(text, "\n# {}\n#= {name} = {}\n", key.says, key.default);
    }
    text
}

/// `docs/config.md`.
pub fn markdown() -> String {
    let mut text = String::from(
        "# Configuration\n\n\
         `talaria --config FILE` reads a TOML file; the environment variable of a key goes before it.\n\
         `talaria config example` prints a file with every key, `talaria config check` reads one and says what is wrong.\n\n\
         | key | environment | default | meaning |\n| --- | --- | --- | --- |\n",
    );
    for key in Config::keys() {
        let variable = format!("TALARIA_{}", key.name.replace('.', "__").to_uppercase());
        let _ = writeln!(text, "| `{}` | `{variable}` | `{}` | {} |", key.name, key.default, key.says);
    }
    text
}
