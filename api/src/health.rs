//! Whether the process lives and whether it takes traffic.

use axum::extract::State;
use serde::Serialize;
use talaria_core::Code;
use utoipa::ToSchema;

use crate::Shared;
use crate::problem::Problem;

/// A good answer.
#[derive(Serialize, ToSchema)]
pub(crate) struct Health {
    /// Always `ok`.
    #[schema(example = "ok")]
    status: &'static str,
}

const OK: axum::Json<Health> = axum::Json(Health { status: "ok" });

/// The process lives.
#[utoipa::path(
    get, path = "/healthz", operation_id = "alive", tag = "health", security(()),
    responses((status = 200, description = "It does", body = Health)),
    extensions(("x-refusals" = json!([])))
)]
pub(crate) async fn alive() -> axum::Json<Health> {
    OK
}

/// The server takes traffic; not while it starts or drains.
#[utoipa::path(
    get, path = "/readyz", operation_id = "ready", tag = "health", security(()),
    responses((status = 200, description = "It does", body = Health)),
    extensions(("x-refusals" = json!(["unavailable"])))
)]
pub(crate) async fn ready(State(deps): State<Shared>) -> Result<axum::Json<Health>, Problem> {
    if (deps.ready)() { Ok(OK) } else { Err(Problem::new(Code::Unavailable, "starting or draining")) }
}
