//! Results as a markdown table for people and as JSON for what compares runs.

use std::fmt::Write;

use serde_json::{Map, Value, json};

use crate::figure::{Figure, Goal};
use crate::results::{Cell, MACHINE, Results};

/// What a reader needs to believe a table: machine, servers, sizes.
#[derive(Debug, Default)]
pub(crate) struct Conditions {
    /// Lines of "what: value".
    pub lines: Vec<(&'static str, String)>,
}

/// The table with its conditions above and the reasons of invalid figures below.
pub(crate) fn markdown(conditions: &Conditions, results: &Results) -> String {
    let mut text = String::new();
    for (what, value) in &conditions.lines {
        put(&mut text, format_args!("- {what}: {value}"));
    }
    put(&mut text, format_args!("\n| | mosquitto | talaria | ratio | goal | met |"));
    put(&mut text, format_args!("| --- | --- | --- | --- | --- | --- |"));
    for figure in results.figures() {
        put(&mut text, format_args!("{}", row(figure, results)));
    }
    for (figure, server, reason) in results.reasons() {
        put(&mut text, format_args!("\ninvalid: {}, {server}: {reason}", figure.key()));
    }
    text
}

fn put(text: &mut String, line: std::fmt::Arguments<'_>) {
    // Writing to a String cannot fail.
    let _ = writeln!(text, "{line}");
}

fn row(figure: Figure, results: &Results) -> String {
    let machine = results.cell(figure, MACHINE);
    if machine != Cell::Empty {
        return format!("| {} | {} | | | | |", figure.label(), cell(machine, figure, results.runs(figure, MACHINE)));
    }
    let column = |server| cell(results.cell(figure, server), figure, results.runs(figure, server));
    let ratio = match (results.median(figure, "mosquitto"), results.median(figure, "talaria")) {
        (Some(peer), Some(own)) if peer > 0.0 => format!("{:.2}", own / peer),
        _ => String::new(),
    };
    let met = results.verdict(figure).map_or("", |verdict| if verdict.met { "yes" } else { "**no**" });
    format!(
        "| {} | {} | {} | {ratio} | {} | {met} |",
        figure.label(),
        column("mosquitto"),
        column("talaria"),
        goal(figure, results)
    )
}

/// The median, and how far the runs lie apart.
fn cell(cell: Cell<'_>, figure: Figure, runs: &[f64]) -> String {
    match cell {
        Cell::Empty => "–".to_owned(),
        Cell::Invalid(_) => "invalid".to_owned(),
        Cell::Median(value) => {
            let low = runs.iter().copied().fold(f64::INFINITY, f64::min);
            let high = runs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let spread = if runs.len() > 1 { format!(" ({}–{})", number(low), number(high)) } else { String::new() };
            format!("{} {}{spread}", number(value), figure.unit())
        }
    }
}

fn goal(figure: Figure, results: &Results) -> String {
    let limit = |text: String| match results.verdict(figure) {
        Some(verdict) => format!("{text} = {} {}", number(verdict.limit), figure.unit()),
        None => text,
    };
    match figure.goal() {
        None => String::new(),
        Some(Goal::TimesPeer(share)) => limit(format!("≤ {share} × mosquitto")),
        Some(Goal::PeerPlusSyncs(syncs, _)) => limit(format!("≤ mosquitto + {syncs} fdatasync")),
        Some(Goal::AtMost(limit)) => format!("≤ {limit} {}", figure.unit()),
    }
}

/// Three digits that matter, thousands grouped.
pub(crate) fn number(value: f64) -> String {
    let magnitude = value.abs();
    if magnitude < 10.0 {
        return format!("{value:.2}");
    }
    if magnitude < 100.0 {
        return format!("{value:.1}");
    }
    let digits = format!("{magnitude:.0}");
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    if value < 0.0 { format!("-{grouped}") } else { grouped }
}

/// The same, with the value of every run.
pub(crate) fn json(conditions: &Conditions, results: &Results) -> Value {
    let conditions: Map<String, Value> =
        conditions.lines.iter().map(|(what, value)| ((*what).to_owned(), json!(value))).collect();
    let figures: Map<String, Value> =
        results.figures().map(|figure| (figure.key().to_owned(), figure_json(figure, results))).collect();
    json!({ "conditions": conditions, "figures": figures })
}

fn figure_json(figure: Figure, results: &Results) -> Value {
    let mut value = json!({ "label": figure.label(), "unit": figure.unit() });
    for server in ["mosquitto", "talaria", MACHINE] {
        match results.cell(figure, server) {
            Cell::Empty => {}
            Cell::Invalid(reason) => value[server] = json!({ "invalid": reason }),
            Cell::Median(median) => {
                value[server] = json!({ "median": median, "runs": results.runs(figure, server) });
            }
        }
    }
    if let Some(verdict) = results.verdict(figure) {
        value["goal"] = json!({ "limit": verdict.limit, "met": verdict.met });
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_what_matters() {
        assert_eq!(number(0.4567), "0.46");
        assert_eq!(number(22.06), "22.1");
        assert_eq!(number(1013.4), "1,013");
        assert_eq!(number(623_000.0), "623,000");
        assert_eq!(number(-1013.4), "-1,013");
    }

    #[test]
    fn a_row_shows_ratio_goal_and_verdict() {
        let mut results = Results::default();
        for value in [20.0, 22.0, 24.0] {
            results.add(Figure::PairsCpu, "mosquitto", value);
        }
        results.add(Figure::PairsCpu, "talaria", 5.5);
        assert_eq!(
            row(Figure::PairsCpu, &results),
            "| 100 pairs, window 16, saturated: CPU per message | 22.0 µs (20.0–24.0) | 5.50 µs | 0.25 \
             | ≤ 0.35 × mosquitto = 7.70 µs | yes |"
        );
    }

    #[test]
    fn an_invalid_figure_gives_its_reason() {
        let mut results = Results::default();
        results.add_invalid(Figure::PairsCpu, "talaria", "lost one");
        let text = markdown(&Conditions::default(), &results);
        assert!(text.contains("| invalid |"), "{text}");
        assert!(text.contains("pairs_cpu, talaria: lost one"), "{text}");
        let value = json(&Conditions::default(), &results);
        assert_eq!(value["figures"]["pairs_cpu"]["talaria"]["invalid"], "lost one");
    }
}
