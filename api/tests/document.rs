//! The OpenAPI document: complete, and the same routes as the router.
#![allow(clippy::unwrap_used, reason = "clippy.toml allows it in tests, and does not know the functions they share")]

mod accounts;
#[allow(dead_code)]
mod world;

use serde_json::Value;
use world::World;

/// Every route of PROTOCOL "HTTP". A change here is a change of the contract.
const ROUTES: [&str; 18] = [
    "DELETE /v1/channels/{id}/members/{user}",
    "GET /healthz",
    "GET /openapi.json",
    "GET /readyz",
    "GET /v1/channels/{id}",
    "GET /v1/channels/{id}/members",
    "GET /v1/conversations",
    "GET /v1/conversations/{kind}/{id}/events",
    "GET /v1/me",
    "GET /v1/sync",
    "POST /v1/channels",
    "POST /v1/conversations/{kind}/{id}/events",
    "POST /v1/me/device-tokens",
    "POST /v1/tokens",
    "POST /v1/users",
    "POST /v1/users/{user}/messages",
    "PUT /v1/channels/{id}/members/{user}",
    "PUT /v1/conversations/{kind}/{id}/read",
];

fn operations() -> Vec<(String, Value)> {
    let document = talaria_api::openapi();
    let paths = document["paths"].as_object().unwrap().clone();
    let mut all = Vec::new();
    for (path, item) in paths {
        for (method, operation) in item.as_object().unwrap() {
            all.push((format!("{} {path}", method.to_uppercase()), operation.clone()));
        }
    }
    all.sort_by(|a, b| a.0.cmp(&b.0));
    all
}

#[test]
fn the_documents_routes_are_the_contracts() {
    let documented: Vec<_> = operations().into_iter().map(|(route, _)| route).collect();

    assert_eq!(documented, ROUTES);
}

#[tokio::test]
async fn the_router_answers_each_documented_route_and_no_other_method_of_it() {
    let world = World::new().await;
    let routes: Vec<_> = operations().into_iter().map(|(route, _)| route).collect();
    let mut paths: Vec<_> = routes.iter().map(|route| route.split_once(' ').unwrap().1).collect();
    paths.sort_unstable();
    paths.dedup();
    for path in paths {
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
            let concrete = path.replace("{kind}", "channel").replace("{id}", "5").replace("{user}", "me");
            let answer = world.anonymous(method, &concrete, "").await;
            let is_routed = !matches!(answer.status.as_u16(), 404 | 405);
            assert_eq!(is_routed, routes.contains(&format!("{method} {path}")), "{method} {path}: {}", answer.status);
        }
    }
}

#[tokio::test]
async fn the_document_is_served() {
    let answer = World::new().await.anonymous("GET", "/openapi.json", "").await;
    assert_eq!(answer.is(200), &talaria_api::openapi());
    assert!(answer.json["openapi"].as_str().unwrap().starts_with("3.1"));
}

#[test]
fn every_operation_names_its_refusals_with_examples() {
    for (route, operation) in operations() {
        assert!(operation.get("x-refusals").is_none(), "{route} was not spelled out");
        let responses = operation["responses"].as_object().unwrap();
        assert!(responses.keys().any(|status| status.starts_with('2')), "{route}");
        assert!(responses.contains_key("500"), "{route}");
        let is_open = operation["security"].is_array();
        assert!(is_open || responses.contains_key("401"), "{route}");
        for (status, response) in responses.iter().filter(|(status, _)| !status.starts_with('2')) {
            let examples = response["content"]["application/problem+json"]["examples"].as_object().unwrap();
            assert!(!examples.is_empty(), "{route} {status}");
            assert!(
                examples.values().all(|example| example["value"]["status"].as_u64() == status.parse().ok()),
                "{route} {status}"
            );
        }
    }
}

#[test]
fn every_reference_of_the_document_leads_somewhere() {
    let document = talaria_api::openapi();
    let text = document.to_string();
    let mut count = 0;
    for rest in text.split(r##""$ref":"#"##).skip(1) {
        let pointer = rest.split('"').next().unwrap();
        assert!(document.pointer(pointer).is_some(), "{pointer}");
        count += 1;
    }
    assert!(count > 20, "{count}");
}
