//! The API as clients see it: each test states a rule.
#![allow(clippy::unwrap_used, reason = "clippy.toml allows it in tests, and does not know the functions they share")]

mod accounts;
mod world;

use std::sync::atomic::Ordering;

use axum::body::Body;
use axum::http::Request;
use serde_json::json;
use world::{PASSWORD, World};

#[tokio::test]
async fn signing_up_logging_in_and_asking_who_i_am_agree() {
    let world = World::new().await;
    let kim = world.person("@kim").await;
    let me = world.get(&kim, "/v1/me").await;
    assert_eq!((&me.is(200)["id"], &me.json["handle"]), (&json!(kim.id), &json!("@kim")));
    let wish = json!({"handle": "@kim", "password": PASSWORD, "name": "x"}).to_string();
    world.anonymous("POST", "/v1/users", wish).await.is_problem(409, "handle_taken");
}

#[tokio::test]
async fn a_device_token_is_as_good_as_an_access_token() {
    let world = World::new().await;
    let mut kim = world.person("@kim").await;
    let made = world.by(&kim, "POST", "/v1/me/device-tokens", r#"{"device":"lamp"}"#).await;
    kim.token = made.is(201)["device_token"].as_str().unwrap().to_owned();
    assert!(kim.token.starts_with("tld_"));
    assert_eq!(world.get(&kim, "/v1/me").await.is(200)["id"], kim.id);
}

#[tokio::test]
async fn without_a_good_token_nothing_is_answered() {
    let world = World::new().await;
    let answer = world.anonymous("GET", "/v1/me", "").await;
    answer.is_problem(401, "not_authenticated");
    assert_eq!(answer.headers["www-authenticate"], "Bearer");
    for bad in ["Bearer x", "Bearer ", "Basic eDp4", "x"] {
        let request = Request::get("/v1/me").header("authorization", bad).body(Body::empty()).unwrap();
        world.send(request).await.is_problem(401, "not_authenticated");
    }
    let wrong = json!({"handle": "@kim", "password": "wrong password", "device": "x"}).to_string();
    world.person("@kim").await;
    world.anonymous("POST", "/v1/tokens", wrong).await.is_problem(401, "not_authenticated");
}

#[tokio::test]
async fn every_refusal_of_the_router_is_a_problem() {
    let world = World::new().await;
    world.anonymous("GET", "/v2/nothing", "").await.is_problem(404, "not_found");
    let answer = world.anonymous("PATCH", "/v1/users", "").await;
    answer.is_problem(405, "method_not_allowed");
    assert_eq!(answer.headers["allow"], "POST");
    world.anonymous("POST", "/v1/users", vec![b' '; 2 * 1024 * 1024 + 1]).await.is_problem(413, "too_large");
    assert!(answer.headers.contains_key("x-request-id"));
}

#[tokio::test]
async fn a_body_that_does_not_fit_is_refused_by_the_name_of_its_field() {
    let world = World::new().await;
    let post = async |body: &'static str| world.anonymous("POST", "/v1/users", body).await;
    post("{").await.is_problem(400, "request_invalid");
    post("[]").await.is_problem(400, "request_invalid");
    post(r#"{"handle":5,"password":"x"}"#).await.is_problem(400, "request_invalid").names("handle");
    post(r#"{"handle":"@kim"}"#).await.is_problem(400, "request_invalid").names("password");
    let kim = world.person("@kim").await;
    let wish = r#"{"name":"x","members":["@kim",7]}"#;
    world.by(&kim, "POST", "/v1/channels", wish).await.is_problem(400, "request_invalid").names("members[1]");
}

#[tokio::test]
async fn a_channel_holds_its_owner_and_those_named() {
    let world = World::new().await;
    let (kim, lee) = (world.person("@kim").await, world.person("@lee").await);
    let id = world.channel(&kim, &["@lee", &lee.id, "me"]).await;
    let channel = world.get(&lee, &format!("/v1/channels/{id}")).await;
    assert_eq!((&channel.is(200)["owner"], &channel.json["name"]), (&json!(kim.id), &json!("lunch")));
    let members = world.get(&lee, &format!("/v1/channels/{id}/members")).await;
    let handles: Vec<_> = members.is(200)["members"].as_array().unwrap().iter().map(|user| &user["handle"]).collect();
    assert_eq!(handles, ["@kim", "@lee"]);
}

#[tokio::test]
async fn a_channels_name_has_1_to_200_characters() {
    let world = World::new().await;
    let kim = world.person("@kim").await;
    for (name, is_good) in
        [("", false), (" ", false), ("a\u{0}", false), (&"안".repeat(200), true), (&"안".repeat(201), false)]
    {
        let answer = world.by(&kim, "POST", "/v1/channels", json!({"name": name}).to_string()).await;
        if is_good {
            answer.is(201);
        } else {
            answer.is_problem(400, "request_invalid").names("name");
        }
    }
}

#[tokio::test]
async fn a_channel_takes_no_more_members_than_it_may() {
    let world = World::new().await;
    let kim = world.person("@kim").await;
    for handle in ["@aaa", "@bbb", "@ccc"] {
        world.person(handle).await;
    }
    let wish = json!({"name": "x", "members": ["@aaa", "@bbb", "@ccc"]}).to_string();
    world.by(&kim, "POST", "/v1/channels", wish).await.is_problem(409, "channel_full");
    let id = world.channel(&kim, &["@aaa", "@bbb"]).await;
    let path = format!("/v1/channels/{id}/members");
    world.by(&kim, "PUT", &format!("{path}/@ccc"), "").await.is_problem(409, "channel_full");
    world.by(&kim, "PUT", &format!("{path}/@aaa"), "").await.is(204);
    world.by(&kim, "PUT", &format!("{path}/@nobody"), "").await.is_problem(404, "unknown_user").names("user");
}

#[tokio::test]
async fn members_add_and_leave_and_only_the_owner_removes() {
    let world = World::new().await;
    let (kim, lee, joe) = (world.person("@kim").await, world.person("@lee").await, world.person("@joe").await);
    let id = world.channel(&kim, &["@lee"]).await;
    let member = |who: &str| format!("/v1/channels/{id}/members/{who}");
    world.by(&joe, "PUT", &member("me"), "").await.is_problem(403, "not_a_member");
    world.by(&lee, "PUT", &member("@joe"), "").await.is(204);
    world.by(&lee, "DELETE", &member("@joe"), "").await.is_problem(403, "not_allowed");
    world.by(&kim, "DELETE", &member("@joe"), "").await.is(204);
    world.get(&joe, &format!("/v1/channels/{id}")).await.is_problem(403, "not_a_member");
    world.by(&lee, "DELETE", &member("me"), "").await.is(204);
    world.by(&lee, "DELETE", &member("me"), "").await.is(204);
    world.get(&lee, &format!("/v1/channels/{id}")).await.is_problem(403, "not_a_member");
}

#[tokio::test]
async fn a_stranger_cannot_tell_a_channel_from_none() {
    let world = World::new().await;
    let (kim, joe) = (world.person("@kim").await, world.person("@joe").await);
    let id = world.channel(&kim, &[]).await;
    for (method, path, body) in [
        ("GET", "/v1/channels/ID", ""),
        ("GET", "/v1/channels/ID/members", ""),
        ("PUT", "/v1/channels/ID/members/@kim", ""),
        ("DELETE", "/v1/channels/ID/members/@kim", ""),
        ("DELETE", "/v1/channels/ID/members/me", ""),
        ("GET", "/v1/conversations/channel/ID/events", ""),
        ("POST", "/v1/conversations/channel/ID/events", "hello"),
        ("PUT", "/v1/conversations/channel/ID/read", r#"{"seq":1}"#),
    ] {
        let there = world.by(&joe, method, &path.replace("ID", &id), body).await;
        let absent = world.by(&joe, method, &path.replace("ID", "77"), body).await;
        assert_eq!((there.status, &there.raw), (absent.status, &absent.raw), "{method} {path}");
        assert!(path.ends_with("me") || there.status == 403, "{method} {path}");
    }
}

#[tokio::test]
async fn a_message_is_read_back_byte_for_byte() {
    let world = World::new().await;
    let (kim, lee) = (world.person("@kim").await, world.person("@lee").await);
    let sent = world.by(&kim, "POST", "/v1/users/@lee/messages", "안녕 🎉").await;
    assert_eq!(sent.is(201)["seq"], 1);
    let conv = sent.json["conv"].as_str().unwrap();
    let id = sent.json["id"].as_str().unwrap();
    let page = world.get(&lee, &format!("/v1/conversations/{conv}/events")).await;
    let text = String::from_utf8(page.raw.clone()).unwrap();
    assert!(text.starts_with(&format!(r#"{{"events":[{{"id":"{id}","seq":1,"conv":"{conv}","#)), "{text}");
    assert!(text.ends_with(r#""text":"안녕 🎉"}],"head":1,"next":null}"#), "{text}");
}

#[tokio::test]
async fn a_resend_returns_the_first_id() {
    let world = World::new().await;
    let (kim, _lee) = (world.person("@kim").await, world.person("@lee").await);
    let send = async |key: &str, body: &'static str| {
        let request = Request::post("/v1/users/@lee/messages").header("authorization", format!("Bearer {}", kim.token));
        world.send(request.header("idempotency-key", key).body(body.into()).unwrap()).await
    };
    let first = send("k1", "one").await;
    let again = send("k1", r#"{"text":"other","key":"k1"}"#).await;
    assert_eq!(first.is(201), again.is(201));
    assert_ne!(send("k2", "one").await.is(201), &first.json);
    send("k2", r#"{"text":"x","key":"k3"}"#).await.is_problem(400, "key_invalid").names("key");
    send(&"k".repeat(65), "x").await.is_problem(400, "key_invalid").names("Idempotency-Key");
}

#[tokio::test]
async fn a_message_that_does_not_fit_is_refused_as_a_publish_is() {
    let world = World::new().await;
    let kim = world.person("@kim").await;
    let send = async |body: String| world.by(&kim, "POST", "/v1/users/me/messages", body).await;
    send(r#"{"text":5}"#.into()).await.is_problem(400, "payload_invalid").names("text");
    send(String::new()).await.is_problem(400, "payload_invalid");
    send("🎉".repeat(100_000)).await.is(201);
    send("🎉".repeat(100_001)).await.is_problem(413, "text_too_long").names("text");
    world
        .by(&kim, "POST", &format!("/v1/conversations/self/{}/events", kim.id), "x")
        .await
        .is_problem(403, "not_allowed");
    let nobody = format!("/v1/conversations/dm/{}-9223372036854775807/events", kim.id);
    world.by(&kim, "POST", &nobody, "x").await.is_problem(404, "unknown_user");
}

#[tokio::test]
async fn nothing_is_acknowledged_that_was_not_stored() {
    let world = World::new().await;
    let kim = world.person("@kim").await;
    world.chat.is_full.store(true, Ordering::Relaxed);
    let answer = world.by(&kim, "POST", "/v1/users/me/messages", "x").await;
    answer.is_problem(503, "unavailable");
    assert!(answer.headers.contains_key("retry-after"));
}

#[tokio::test]
async fn history_is_paged_both_ways_by_seq_and_by_id() {
    let world = World::new().await;
    let kim = world.person("@kim").await;
    let mut ids = vec![String::new()];
    for _ in 0..5 {
        let sent = world.by(&kim, "POST", "/v1/users/me/messages", "x").await;
        ids.push(sent.is(201)["id"].as_str().unwrap().to_owned());
    }
    let path = format!("/v1/conversations/dm/{0}-{0}/events", kim.id);
    let (after_2, before_4) = (format!("after_id={}", ids[2]), format!("before_id={}", ids[4]));
    for (query, seqs, next) in [
        ("limit=2", json!([4, 5]), json!({"before_seq": 4})),
        ("limit=2&after_seq=1", json!([2, 3]), json!({"after_seq": 3})),
        ("after_seq=3", json!([4, 5]), json!(null)),
        ("limit=2&before_seq=3", json!([1, 2]), json!(null)),
        ("limit=2&around_seq=3", json!([2, 3]), json!({"after_seq": 3, "before_seq": 2})),
        (&format!("limit=2&{after_2}"), json!([3, 4]), json!({"after_seq": 4})),
        (&format!("limit=1&{before_4}"), json!([3]), json!({"before_seq": 3})),
        ("after_seq=5", json!([]), json!(null)),
    ] {
        let page = world.get(&kim, &format!("{path}?{query}")).await;
        let got: Vec<_> = page.is(200)["events"].as_array().unwrap().iter().map(|event| event["seq"].clone()).collect();
        assert_eq!((json!(got), &page.json["next"]), (seqs, &next), "{query}");
    }
    for (query, field) in
        [("limit=0", "limit"), ("limit=201", "limit"), ("after_seq=-1", "after_seq"), ("before_id=x", "before_id")]
    {
        world.get(&kim, &format!("{path}?{query}")).await.is_problem(400, "request_invalid").names(field);
    }
    world.get(&kim, &format!("{path}?after_seq=1&before_seq=3")).await.is_problem(400, "request_invalid");
}

#[tokio::test]
async fn foreign_and_misspelt_conversations_are_refused() {
    let world = World::new().await;
    let (kim, lee, joe) = (world.person("@kim").await, world.person("@lee").await, world.person("@joe").await);
    world.by(&kim, "POST", "/v1/users/@lee/messages", "x").await.is(201);
    let (low, high) =
        if kim.id.parse::<u64>().unwrap() < lee.id.parse().unwrap() { (&kim, &lee) } else { (&lee, &kim) };
    world
        .get(&joe, &format!("/v1/conversations/dm/{}-{}/events", low.id, high.id))
        .await
        .is_problem(403, "not_a_member");
    world
        .get(&kim, &format!("/v1/conversations/dm/{}-{}/events", high.id, low.id))
        .await
        .is_problem(400, "request_invalid")
        .names("id");
    world.get(&kim, "/v1/conversations/group/5/events").await.is_problem(400, "request_invalid");
    world.get(&joe, &format!("/v1/conversations/self/{}/events", kim.id)).await.is_problem(403, "not_a_member");
}

#[tokio::test]
async fn conversations_come_newest_first_and_count_what_is_unread() {
    let world = World::new().await;
    let (kim, lee, _joe) = (world.person("@kim").await, world.person("@lee").await, world.person("@joe").await);
    let first = world.by(&lee, "POST", "/v1/users/@kim/messages", "1").await;
    let conv = first.is(201)["conv"].as_str().unwrap();
    for text in ["2", "3"] {
        world.by(&lee, "POST", "/v1/users/@kim/messages", text).await.is(201);
    }
    world.by(&kim, "POST", "/v1/users/@joe/messages", "newer").await.is(201);
    world.by(&kim, "PUT", &format!("/v1/conversations/{conv}/read"), r#"{"seq":1}"#).await.is(204);
    let newest = world.get(&kim, "/v1/conversations?limit=1").await;
    let before = newest.is(200)["next"].as_str().unwrap();
    let page = world.get(&kim, &format!("/v1/conversations?before={before}")).await;
    let with_lee = &page.is(200)["conversations"][0];
    assert_eq!((&with_lee["conv"], &with_lee["read"], &with_lee["unread"]), (&json!(conv), &json!(1), &json!(2)));
    assert_eq!((&with_lee["messages"], &with_lee["head"]["seq"]), (&json!(3), &json!(3)));
    assert_eq!(page.json["next"], json!(null));
}

#[tokio::test]
async fn a_sync_tells_what_moved_since_its_cursor_and_nothing_of_others() {
    let world = World::new().await;
    let (kim, lee, joe) = (world.person("@kim").await, world.person("@lee").await, world.person("@joe").await);
    world.by(&lee, "POST", "/v1/users/@kim/messages", "old").await.is(201);
    let now = world.get(&kim, "/v1/sync").await;
    assert_eq!((&now.is(200)["moved"], &now.json["more"]), (&json!([]), &json!(false)));
    for (who, to) in [(&lee, "@kim"), (&joe, "@kim"), (&joe, "@lee"), (&kim, "me")] {
        world.by(who, "POST", &format!("/v1/users/{to}/messages"), "new").await.is(201);
    }
    let mut cursor = now.json["cursor"].as_str().unwrap().to_owned();
    let mut moved = Vec::new();
    loop {
        let page = world.get(&kim, &format!("/v1/sync?cursor={cursor}&limit=1")).await;
        moved.extend(page.is(200)["moved"].as_array().unwrap().iter().cloned());
        cursor = page.json["cursor"].as_str().unwrap().to_owned();
        if page.json["more"] == false {
            break;
        }
    }
    assert_eq!(moved.len(), 3, "{moved:?}");
    assert!(moved.iter().any(|one| one["after_seq"] == 1 && one["head"]["seq"] == 2), "{moved:?}");
    let after = world.get(&kim, &format!("/v1/sync?cursor={cursor}")).await;
    assert_eq!(after.is(200)["moved"], json!([]));
    world.get(&kim, "/v1/sync?cursor=zz").await.is_problem(400, "request_invalid").names("cursor");
}

#[tokio::test]
async fn health_is_life_and_readiness_is_told_by_the_server() {
    let world = World::new().await;
    world.anonymous("GET", "/healthz", "").await.is(200);
    world.anonymous("GET", "/readyz", "").await.is(200);
    world.is_ready.store(false, Ordering::Relaxed);
    world.anonymous("GET", "/readyz", "").await.is_problem(503, "unavailable");
    world.anonymous("GET", "/healthz", "").await.is(200);
}

#[tokio::test]
async fn a_sync_looks_past_what_the_caller_may_not_see() {
    let world = World::new().await;
    let (kim, lee) = (world.person("@kim").await, world.person("@lee").await);
    let now = world.get(&kim, "/v1/sync").await;
    for _ in 0..4 {
        world.by(&lee, "POST", "/v1/users/@kim/messages", "x").await.is(201);
    }
    world.chat.hidden_below.store(3, Ordering::Relaxed);
    let path = format!("/v1/sync?cursor={}", now.is(200)["cursor"].as_str().unwrap());
    assert_eq!(world.get(&kim, &path).await.is(200)["moved"][0]["after_seq"], 2);
    world.chat.hidden_below.store(9, Ordering::Relaxed);
    assert_eq!(world.get(&kim, &path).await.is(200)["moved"], json!([]));
}

#[tokio::test(start_paused = true)]
async fn a_request_that_takes_too_long_is_answered_as_unavailable() {
    let world = World::new().await;
    let kim = world.person("@kim").await;
    world.chat.is_stuck.store(true, Ordering::Relaxed);
    world.by(&kim, "POST", "/v1/users/me/messages", "x").await.is_problem(503, "unavailable");
}
