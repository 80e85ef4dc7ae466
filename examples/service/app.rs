//! The routes, and the limits on what a request may ask for.

use std::sync::Arc;

use axum::extract::{DefaultBodyLimit, Json, Path, Request, State};
use axum::http::StatusCode;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{Router, get, post};
use tokio::sync::Semaphore;

use crate::book::{Book, Event};
use crate::live::Live;

pub(crate) struct Service {
    pub(crate) live: Live,
    pub(crate) book: Book,
    pub(crate) places: Semaphore, // of requests at work; more are turned away at once
    pub(crate) longest: std::time::Duration,
}

pub(crate) const LARGEST_BODY: usize = 256 * 1024; // bytes
const AT_ONCE: usize = 128; // customers scored without a break: a tenth of a millisecond or so
type Shared = State<Arc<Service>>;

pub(crate) fn router(service: Arc<Service>) -> Router {
    Router::new()
        .route("/events", post(events))
        .route("/score/{customer}", get(score))
        .route("/scores", post(scores))
        .route("/reload", post(reload))
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
        .layer(middleware::from_fn_with_state(Arc::clone(&service), limits))
        .route("/health", get(health)) // answers also while all places are taken
        .with_state(service)
}

/// 503 when all places are taken, 408 when a request takes too long, its body included.
async fn limits(State(service): Shared, request: Request, next: Next) -> Response {
    let Ok(_place) = service.places.try_acquire() else { return StatusCode::SERVICE_UNAVAILABLE.into_response() };
    tokio::time::timeout(service.longest, next.run(request)).await.unwrap_or_else(|_| StatusCode::REQUEST_TIMEOUT.into_response())
}

async fn health(State(service): Shared) -> Json<serde_json::Value> {
    Json(service.live.get().health(service.book.read(|states| states.len())))
}

async fn events(State(service): Shared, Json(events): Json<Vec<Event>>) -> Result<Json<usize>, (StatusCode, String)> {
    service.book.take(events).map(Json).map_err(|error| (StatusCode::UNPROCESSABLE_ENTITY, error))
}

async fn score(State(service): Shared, Path(customer): Path<String>) -> Response {
    let model = service.live.get();
    match service.book.read(|states| model.score(&customer, states.get(&customer))) {
        Ok(Some(answer)) => Json(answer).into_response(),
        Ok(None) => (StatusCode::NOT_FOUND, "no purchase of this customer is known up to today, in UTC").into_response(),
        Err(error) => (StatusCode::UNPROCESSABLE_ENTITY, error.to_string()).into_response(),
    }
}

/// Scores of many customers, in their order; null for those who are not known. Others are served between one part of them and the next.
async fn scores(State(service): Shared, Json(customers): Json<Vec<String>>) -> Response {
    let (model, mut answers) = (service.live.get(), Vec::with_capacity(customers.len()));
    for part in customers.chunks(AT_ONCE) {
        service.book.read(|states| answers.extend(part.iter().map(|customer| model.one_of_many(customer, states.get(customer)))));
        tokio::task::yield_now().await;
    }
    Json(answers).into_response()
}

/// Reads a file: work for a thread that may block, while those of the handlers go on.
async fn reload(State(service): Shared) -> Result<&'static str, (StatusCode, String)> {
    match tokio::task::spawn_blocking(move || service.live.reload()).await {
        Ok(Some(Ok(()))) => Ok("reloaded"),
        Ok(Some(Err(error))) => Err((StatusCode::INTERNAL_SERVER_ERROR, error)),
        Ok(None) => Err((StatusCode::CONFLICT, "a reload is under way".to_owned())),
        Err(error) => Err((StatusCode::INTERNAL_SERVER_ERROR, error.to_string())),
    }
}
