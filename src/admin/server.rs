//! The socket of the endpoints. A busy port is told once and tried again; shipping goes on meanwhile.

use super::health::Health;
use super::metrics;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::TcpListener;

const AGAIN: Duration = Duration::from_secs(5);
const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Serves until the task is dropped.
pub async fn serve(address: SocketAddr, health: Arc<Health>) {
    loop {
        match TcpListener::bind(address).await {
            Ok(listener) => {
                let at = listener.local_addr().unwrap_or(address);
                tracing::info!(address = %at, "admin endpoints are open");
                if let Err(error) = axum::serve(listener, router(health.clone())).await {
                    tracing::warn!(%error, "admin endpoints closed; tried again");
                }
            }
            Err(error) => {
                let again = AGAIN.as_secs();
                tracing::warn!(code = "LV0601", %address, %error, again, "cannot open the admin endpoints; shipping goes on");
            }
        }
        tokio::time::sleep(AGAIN).await;
    }
}

fn router(health: Arc<Health>) -> Router {
    Router::new()
        .route("/livez", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(measured))
        .with_state(health)
}

async fn ready(State(health): State<Arc<Health>>) -> Response {
    let (ready, text) = health.report(Instant::now());
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, text).into_response()
}

async fn measured(State(health): State<Arc<Health>>) -> Response {
    match metrics::render(&health) {
        Ok(text) => ([(CONTENT_TYPE, OPENMETRICS)], text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
