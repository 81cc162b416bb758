//! A send over HTTP is the same as a publish.

use serde_json::json;
use talaria_codec::Version;

use crate::{Pair, TO_LEE, place, place_of};

#[test]
fn a_send_over_http_is_stored_and_delivered_like_a_publish() {
    let pair = Pair::new();
    let mut lee = pair.lee(Version::V5);
    let sent = pair.server.post(&pair.kim, "/v1/users/@lee/messages", &json!({"text": "by http"})).is(201);
    let published = place(&pair.kim(Version::V5, "laptop").publish(TO_LEE, b"by mqtt"));
    let again = pair.server.post(&pair.kim, &pair.path(), &json!({"text": "by http again"})).is(201);
    let events: Vec<_> = (0..3).map(|_| lee.take().json()).collect();
    assert_eq!(events.iter().map(place_of).collect::<Vec<_>>(), [place_of(&sent), published, place_of(&again)]);
    for (event, text) in events.iter().zip(["by http", "by mqtt", "by http again"]) {
        assert_eq!(
            (&event["text"], &event["from"], &event["type"]),
            (&json!(text), &json!(pair.kim.id), &json!("message"))
        );
        assert_eq!(event["conv"], sent["conv"]);
    }
    assert_eq!(pair.stored(), events);
}

#[test]
fn the_header_idempotency_key_is_the_key() {
    let pair = Pair::new();
    let head = format!(
        "POST {} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {}\r\nIdempotency-Key: k-1\r\n",
        pair.path(),
        pair.kim.token
    );
    let send = |text: &str| talaria_tests::http::exchange(pair.server.http(), &head, text.as_bytes()).is(201);
    let first = place_of(&send("once"));
    assert_eq!(place_of(&send("again")), first);
    assert_eq!(place(&pair.kim(Version::V5, "laptop").publish(TO_LEE, br#"{"key":"k-1","text":"x"}"#)), first);
    assert_eq!(pair.stored_texts(), ["once"]);
}
