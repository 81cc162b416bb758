//! History is what was delivered, paged both ways (R8).

use serde_json::{Value, json};
use talaria_codec::Version;
use talaria_tests::Person;

use crate::{Pair, TO_LEE, place_of};

/// More than three pages of each kind that is asked for below.
const MESSAGES: usize = 25;
const LIMIT: usize = 7;

/// The conversation, and every event of it as Lee's inbox got it.
fn written() -> (Pair, Vec<Value>) {
    let pair = Pair::new();
    let (mut kim, mut lee) = (pair.kim(Version::V5, "laptop"), pair.lee(Version::V5));
    for number in 0..MESSAGES {
        kim.say(TO_LEE, &format!("number {number}"));
    }
    let delivered = (0..MESSAGES).map(|_| lee.take().json()).collect();
    (pair, delivered)
}

/// Pages from `query` on along `next`, each page's events.
fn pages(pair: &Pair, person: &Person, query: &str) -> Vec<Vec<Value>> {
    let (mut pages, mut query) = (Vec::new(), query.to_owned());
    loop {
        let page = pair.server.get(person, &format!("{}?{query}&limit={LIMIT}", pair.path())).is(200);
        let events = page["events"].as_array().unwrap().clone();
        assert!(events.len() <= LIMIT);
        pages.push(events);
        let Some(next) = page["next"].as_object() else { return pages };
        let next: Vec<String> = next.iter().map(|(name, value)| format!("{name}={value}")).collect();
        query = next.join("&");
        assert!(pages.len() <= MESSAGES, "pages go on and on: {query}");
    }
}

#[test]
fn pages_after_a_seq_and_after_an_id_are_what_was_delivered() {
    let (pair, delivered) = written();
    for person in [&pair.kim, &pair.lee] {
        assert_eq!(pages(&pair, person, "after_seq=0").concat(), delivered);
        assert_eq!(pages(&pair, person, "after_id=0").concat(), delivered);
    }
    for from in [1, 10, MESSAGES] {
        let (id, seq) = place_of(&delivered[from - 1]);
        assert_eq!(pages(&pair, &pair.lee, &format!("after_seq={seq}")).concat(), delivered[from..]);
        assert_eq!(pages(&pair, &pair.lee, &format!("after_id={id}")).concat(), delivered[from..]);
    }
}

#[test]
fn pages_before_a_seq_and_before_an_id_are_what_was_delivered() {
    let (pair, delivered) = written();
    let backwards = |query: &str| {
        let mut pages = pages(&pair, &pair.lee, query);
        pages.reverse();
        pages.concat()
    };
    // Without a place: from the newest.
    assert_eq!(backwards(""), delivered);
    for upto in [1, 10, MESSAGES] {
        let (id, seq) = place_of(&delivered[upto - 1]);
        assert_eq!(backwards(&format!("before_seq={seq}")), delivered[..upto - 1]);
        assert_eq!(backwards(&format!("before_id={id}")), delivered[..upto - 1]);
    }
}

#[test]
fn a_page_around_a_seq_holds_it_in_the_middle() {
    let (pair, delivered) = written();
    let page = pair.server.get(&pair.lee, &format!("{}?around_seq=12&limit=5", pair.path())).is(200);
    assert_eq!(page["events"], json!(delivered[9..14]));
    assert_eq!(page["next"], json!({"after_seq": 14, "before_seq": 10}));
}

#[test]
fn history_is_the_same_after_a_restart_and_goes_on() {
    let (mut pair, mut delivered) = written();
    pair.server = pair.server.restart();
    assert_eq!(pages(&pair, &pair.lee, "after_seq=0").concat(), delivered);
    let mut lee = pair.lee(Version::V311);
    pair.kim(Version::V311, "laptop").say(TO_LEE, "one more");
    let event = lee.take().json();
    assert_eq!(event["seq"], MESSAGES + 1);
    delivered.push(event);
    assert_eq!(pages(&pair, &pair.kim, "after_seq=0").concat(), delivered);
}
