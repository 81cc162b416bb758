//! The suite is whole: a rule that no backend runs holds nothing.

/// The files with rules.
const FILES: [&str; 4] =
    [include_str!("events.rs"), include_str!("growing.rs"), include_str!("index.rs"), include_str!("sessions.rs")];

#[test]
fn every_rule_is_in_the_suite() {
    let suite = include_str!("../messages.rs");
    let (_, suite) = suite.split_once("macro_rules! message_store_suite").unwrap();
    let listed: Vec<&str> = suite.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
    let rules = FILES
        .iter()
        .flat_map(|file| file.lines())
        .filter_map(|line| line.strip_prefix("pub fn ").and_then(|line| line.split_once('<')).map(|(rule, _)| rule));
    let rules: Vec<&str> = rules.collect();
    assert!(rules.len() > 25);
    for rule in rules {
        assert!(listed.contains(&rule), "{rule} is not in the suite");
    }
}
