//! The routes, and the limits on what a request may ask for.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{DefaultBodyLimit, Path, Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::book::{Book, Event};
use crate::live::Live;

/// What one service has.
pub(crate) struct Service {
    pub(crate) live: Live,
    pub(crate) book: Book,
    /// Requests at work; more are turned away at once.
    pub(crate) places: Semaphore,
    pub(crate) longest: Duration,
}

pub(crate) const LARGEST_BODY: usize = 256 * 1024;

type Shared = State<Arc<Service>>;

pub(crate) fn router(service: Arc<Service>) -> Router {
    Router::new()
        .route("/health", get(health))
        .route("/events", post(events))
        .route("/score/{customer}", get(score))
        .route("/scores", post(scores))
        .route("/reload", post(reload))
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
        .layer(middleware::from_fn_with_state(Arc::clone(&service), limits))
        .with_state(service)
}

/// 503 when all places are taken, 408 when a request takes too long, its body included.
async fn limits(State(service): Shared, request: Request, next: Next) -> Response {
    let Ok(_place) = service.places.try_acquire() else { return StatusCode::SERVICE_UNAVAILABLE.into_response() };
    timeout(service.longest, next.run(request)).await.unwrap_or_else(|_| StatusCode::REQUEST_TIMEOUT.into_response())
}

async fn health(State(service): Shared) -> Json<serde_json::Value> {
    let (model, customers) = (service.live.get(), service.book.read(|states| states.len()));
    let hash = model.file.definition_in_force().hash();
    Json(serde_json::json!({"status": "ok", "model": model.file.purchases().model(), "definition": hash, "customers": customers}))
}

async fn events(State(service): Shared, Json(events): Json<Vec<Event>>) -> Result<Json<usize>, (StatusCode, String)> {
    service.book.take(events).map(Json).map_err(|error| (StatusCode::UNPROCESSABLE_ENTITY, error))
}

async fn score(State(service): Shared, Path(customer): Path<String>) -> Response {
    let model = service.live.get();
    let text = service.book.read(|states| serde_json::to_string(&model.score(&customer, states.get(&customer)?)?).ok());
    match text {
        Some(text) => ([(header::CONTENT_TYPE, "application/json")], text).into_response(),
        None => (StatusCode::NOT_FOUND, "no purchase of this customer is known").into_response(),
    }
}

/// Scores of many customers, in their order; null for those who are not known.
async fn scores(State(service): Shared, Json(customers): Json<Vec<String>>) -> Response {
    let model = service.live.get();
    service.book.read(|states| {
        let answers: Vec<_> = customers.iter().map(|customer| model.score(customer, states.get(customer)?)).collect();
        Json(answers).into_response()
    })
}

async fn reload(State(service): Shared) -> Result<&'static str, (StatusCode, String)> {
    service.live.reload().map(|()| "reloaded").map_err(|error| (StatusCode::INTERNAL_SERVER_ERROR, error))
}
