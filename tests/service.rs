//! The example service from outside: scores as the library's, proper status codes for what is wrong, slow or too much, reloads without a lost request,
//! and states that survive a restart.
#![allow(clippy::unwrap_used, dead_code, reason = "a test panics when it fails; the example's parts are included")]
#![cfg(feature = "csv")]

#[path = "../examples/service/app.rs"]
mod app;
#[path = "../examples/service/book.rs"]
mod book;
#[path = "../examples/service/live.rs"]
mod live;
#[path = "../examples/service/model.rs"]
mod model;
#[path = "../examples/service/serve.rs"]
mod serve;
#[cfg(unix)]
#[path = "../examples/service/stop.rs"]
mod stop;

use std::fs;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use clv::{CustomerState, Date, MergePeriod, ModelFile, Observation};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::{Semaphore, oneshot};
use tokio::task::JoinHandle;
use tokio::time::timeout;

const MODEL: &str = include_str!("data/model_format_1.json");

/// Longer than any request takes, also on a machine that is busy with something else.
const LONGEST: Duration = Duration::from_secs(60);

/// The patience with those that are to be cut off. It is waited for in full, and a machine that stands still for as long cuts off others too.
const SHORT: Duration = Duration::from_secs(2);

fn end() -> Date {
    "1997-09-30".parse().unwrap()
}

struct Running {
    address: SocketAddr,
    service: Arc<app::Service>,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<clv::Result<()>>,
}

impl Running {
    async fn start(place: &TempDir, places: usize, longest: Duration) -> Self {
        Running::until(place, places, longest, std::future::pending()).await
    }

    /// Serves until it is told to here, or `asked` ends.
    async fn until(place: &TempDir, places: usize, longest: Duration, asked: impl Future<Output = ()> + Send + 'static) -> Self {
        let (model, states) = (place.path().join("model.json"), place.path().join("states.clv"));
        let (live, book) = (live::Live::load(model, Some(end())).unwrap(), book::Book::load(&states).unwrap());
        let service = Arc::new(app::Service { live, book, places: Semaphore::new(places), longest });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, (stop, stopped)) = (listener.local_addr().unwrap(), oneshot::channel::<()>());
        let serves = Arc::clone(&service);
        let serving = tokio::spawn(async move {
            let stopped = async {
                tokio::select! { _ = stopped => {}, () = asked => {} }
            };
            serve::serve(listener, serves, &states, stopped).await
        });
        Running { address, service, stop, serving }
    }

    async fn stop(self) {
        self.stop.send(()).unwrap();
        self.serving.await.unwrap().unwrap();
    }

    /// The status and the body of an answer.
    async fn ask(&self, method: &str, path: &str, body: &str) -> (u16, String) {
        let head = format!("host: clv\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {}", body.len());
        self.send(&format!("{method} {path} HTTP/1.1\r\n{head}\r\n\r\n{body}")).await
    }

    async fn send(&self, request: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        // A service that has refused need not read on.
        let _ = stream.write_all(request.as_bytes()).await;
        let mut answer = Vec::new();
        let _ = timeout(LONGEST, stream.read_to_end(&mut answer)).await.expect("an answer, or the end of the connection");
        let answer = String::from_utf8(answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
        (head.split(' ').nth(1).map_or(0, |status| status.parse().unwrap()), body.to_owned())
    }
}

fn place() -> TempDir {
    let place = TempDir::new().unwrap();
    fs::write(place.path().join("model.json"), MODEL).unwrap();
    place
}

/// Longer than any test takes on such a machine: one that waits for what does not come ends, and fails.
const TO_THE_END: Duration = Duration::from_secs(240);

fn run<F: Future>(test: F) -> F::Output {
    let runtime = Runtime::new().unwrap();
    let ended = runtime.block_on(async { timeout(TO_THE_END, test).await });
    // Threads that wait, too, are not waited for.
    runtime.shutdown_background();
    ended.expect("the test comes to its end")
}

const EVENTS: &str = r#"[{"customer":"a","date":"1997-01-05","amount":20},{"customer":"a","date":"1997-03-02T10:00","amount":30.5},{"customer":"b","date":"1997-05-05","amount":9}]"#;

#[test]
fn events_become_the_scores_of_the_library() {
    run(async {
        let place = place();
        let running = Running::start(&place, 8, LONGEST).await;
        assert_eq!(running.ask("POST", "/events", EVENTS).await, (200, "3".to_owned()));
        let mut state = CustomerState::new();
        state.take("1997-01-05".parse().unwrap(), 20.0).unwrap();
        state.take("1997-03-02".parse().unwrap(), 30.5).unwrap();
        let (history, spend) = state.history(&Observation::until(end()).in_weeks()).unwrap().unwrap();
        let expected = ModelFile::from_json(MODEL).unwrap().scorer(Some(end())).unwrap().score(&history, &spend);
        let (status, body) = running.ask("GET", "/score/a", "").await;
        let answer: Value = serde_json::from_str(&body).unwrap();
        assert_eq!((status, answer["clv"].as_f64(), answer["p_alive"].as_f64()), (200, expected.clv, Some(expected.p_alive)));
        let (status, body) = running.ask("POST", "/scores", r#"["b","nobody","a"]"#).await;
        let answers: Value = serde_json::from_str(&body).unwrap();
        assert_eq!((status, &answers[1], &answers[2]), (200, &Value::Null, &answer));
        let (status, body) = running.ask("GET", "/health", "").await;
        assert_eq!((status, serde_json::from_str::<Value>(&body).unwrap()["customers"].as_u64()), (200, Some(2)));
        running.stop().await;
    });
}

#[test]
fn what_is_one_purchase_is_as_behind_the_model() {
    run(async {
        let place = place();
        let mut model: Value = serde_json::from_str(MODEL).unwrap();
        model.as_object_mut().unwrap().remove("checksum");
        model["data"]["cleaning"]["merge"] = json!("hour");
        fs::write(place.path().join("model.json"), model.to_string()).unwrap();
        let running = Running::start(&place, 8, LONGEST).await;
        let mut state = CustomerState::new();
        for (date, amount) in [("1997-01-05T08:00", 20.0), ("1997-03-02T10:00", 30.5), ("1997-03-02T17:00", 10.0)] {
            state.take(date.parse().unwrap(), amount).unwrap();
            let event = json!([{"customer": "a", "date": date, "amount": amount}]);
            assert_eq!(running.ask("POST", "/events", &event.to_string()).await.0, 200);
        }
        let (history, spend) = state.history(&Observation::until(end()).in_weeks().merge(MergePeriod::Hour)).unwrap().unwrap();
        assert_eq!(history.frequency(), 2);
        let expected = ModelFile::from_json(&model.to_string()).unwrap().scorer(Some(end())).unwrap().score(&history, &spend);
        let answer: Value = serde_json::from_str(&running.ask("GET", "/score/a", "").await.1).unwrap();
        assert_eq!((answer["clv"].as_f64(), answer["p_alive"].as_f64()), (expected.clv, Some(expected.p_alive)));
        running.stop().await;
    });
}

#[test]
fn what_is_wrong_has_its_status_and_changes_nothing() {
    run(async {
        let place = place();
        let running = Running::start(&place, 8, LONGEST).await;
        for (method, path, body, status) in [
            ("POST", "/events", "[{", 400),
            ("POST", "/events", r#"{"customer":"a"}"#, 422),
            ("POST", "/events", r#"[{"customer":"a","date":"1997-01-05","amount":"x"}]"#, 422),
            ("POST", "/events", r#"[{"customer":"a","date":"1997-01-05","amount":1},{"customer":"a","date":"5.1.1997","amount":1}]"#, 422),
            ("POST", "/events", r#"[{"customer":" ","date":"1997-01-05","amount":1}]"#, 422),
            ("POST", "/events", r#"[{"customer":"a","date":"1997-01-05","amount":1e999}]"#, 400),
            ("POST", "/events", r#"[{"customer":"a","date":"1997-01-05","amount":1e308}]"#, 422),
            ("POST", "/scores", r#"["a", 7]"#, 422),
            ("GET", "/score/a", "", 404),
            ("GET", "/score/%ff", "", 400),
            ("GET", "/elsewhere", "", 404),
            ("GET", "/events", "", 405),
        ] {
            let (answered, said) = running.ask(method, path, body).await;
            assert_eq!(answered, status, "{method} {path} {body}: {said}");
        }
        let (_, said) = running.ask("POST", "/events", r#"[{"customer":"a","date":"5.1.1997","amount":1}]"#).await;
        assert!(said.contains("event 0") && said.contains("5.1.1997"), "{said}");
        let large = format!("[\"{}\"]", "x".repeat(app::LARGEST_BODY));
        assert_eq!(running.ask("POST", "/scores", &large).await.0, 413);
        assert_eq!(running.send("POST /scores HTTP/1.1\r\nhost: clv\r\nconnection: close\r\ncontent-length: 2\r\n\r\n[]").await.0, 415);
        assert_eq!(running.send("no request at all\r\n\r\n").await.0, 400);
        assert_eq!(running.ask("GET", "/score/a", "").await.0, 404);
        running.stop().await;
    });
}

#[test]
fn a_known_customer_whose_refund_the_model_refuses_is_told_why() {
    run(async {
        let place = place();
        let mut model: Value = serde_json::from_str(MODEL).unwrap();
        model.as_object_mut().unwrap().remove("checksum");
        model["data"]["cleaning"]["refunds"] = json!("error");
        fs::write(place.path().join("model.json"), model.to_string()).unwrap();
        let running = Running::start(&place, 8, LONGEST).await;
        let refund = r#"[{"customer":"a","date":"1997-01-05","amount":20},{"customer":"a","date":"1997-01-09","amount":-5}]"#;
        assert_eq!(running.ask("POST", "/events", refund).await.0, 200);
        let (status, said) = running.ask("GET", "/score/a", "").await;
        assert!(status == 422 && said.contains("refund"), "{status} {said}");
        let (status, said) = running.ask("POST", "/scores", r#"["a", "unknown"]"#).await;
        let answers: Value = serde_json::from_str(&said).unwrap();
        assert!(status == 200 && answers[0]["error"].as_str().unwrap().contains("refund") && answers[1].is_null(), "{said}");
        running.stop().await;
    });
}

#[test]
fn slow_clients_are_cut_off_and_too_many_are_turned_away() {
    run(async {
        let place = place();
        let running = Running::start(&place, 1, SHORT).await;
        // A body that never comes takes the only place, until its time is up.
        let head =
            "POST /scores HTTP/1.1\r\nhost: clv\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n[";
        let mut slow = TcpStream::connect(running.address).await.unwrap();
        slow.write_all(head.as_bytes()).await.unwrap();
        let heard = tokio::spawn(async move {
            let mut answer = String::new();
            slow.read_to_string(&mut answer).await.map(|_| answer)
        });
        while running.ask("POST", "/scores", "[]").await.0 != 503 {
            assert!(!heard.is_finished(), "the slow client was answered before anybody was turned away: {heard:?}");
        }
        assert_eq!(running.ask("GET", "/health", "").await.0, 200, "a service without a free place is in health");
        let answer = timeout(LONGEST, heard).await.expect("the slow client is cut off").unwrap().unwrap();
        assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
        assert_eq!(running.ask("GET", "/health", "").await.0, 200);
        // Half a head, and nothing more: the connection ends without an answer, or with one that says so.
        let (status, _) = running.send("GET /health HTTP/1.1\r\nhost: cl").await;
        assert!([0, 408].contains(&status), "{status}");
        running.stop().await;
    });
}

#[test]
fn a_reload_loses_no_request_and_a_broken_model_changes_nothing() {
    run(async {
        let place = place();
        let running = Arc::new(Running::start(&place, 64, LONGEST).await);
        running.ask("POST", "/events", EVENTS).await;
        let asking: Vec<_> = (0..4)
            .map(|_| {
                let running = Arc::clone(&running);
                tokio::spawn(async move {
                    let mut heard = Vec::new();
                    for _ in 0..50 {
                        heard.push(running.ask("GET", "/score/a", "").await);
                    }
                    heard
                })
            })
            .collect();
        for _ in 0..20 {
            assert_eq!(running.ask("POST", "/reload", "").await.0, 200);
        }
        let expected = running.ask("GET", "/score/a", "").await;
        for heard in asking {
            assert!(heard.await.unwrap().iter().all(|answer| *answer == expected));
        }
        fs::write(place.path().join("model.json"), &MODEL[..MODEL.len() / 2]).unwrap();
        let (status, said) = running.ask("POST", "/reload", "").await;
        assert!(status == 500 && said.contains("model.json"), "{status} {said}");
        assert_eq!(running.ask("GET", "/score/a", "").await, expected);
        // Another model is in force from its reload on.
        let mut other: Value = serde_json::from_str(MODEL).unwrap();
        other.as_object_mut().unwrap().remove("checksum");
        other["definition"]["margin"] = json!(0.5);
        fs::write(place.path().join("model.json"), other.to_string()).unwrap();
        assert_eq!(running.ask("POST", "/reload", "").await.0, 200);
        let clv = |answer: &str| serde_json::from_str::<Value>(answer).unwrap()["clv"].as_f64().unwrap();
        assert_eq!(clv(&running.ask("GET", "/score/a", "").await.1), 0.5 * clv(&expected.1));
        Arc::into_inner(running).unwrap().stop().await;
    });
}

#[cfg(unix)]
#[test]
fn of_two_reloads_at_once_one_is_turned_away_and_neither_holds_anybody_up() {
    // One thread for all handlers: whoever blocks it blocks everybody. It is not waited for when the test fails.
    let mut threads = tokio::runtime::Builder::new_multi_thread();
    let serving = std::mem::ManuallyDrop::new(threads.worker_threads(1).enable_all().build().unwrap());
    let place = place();
    let running = serving.block_on(Running::start(&place, 8, LONGEST));
    let running = Arc::new(running);
    // A model file that cannot be read to its end until somebody writes it.
    let model = place.path().join("model.json");
    fs::remove_file(&model).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(&model).status().unwrap().success());
    let both = async {
        running.ask("POST", "/events", EVENTS).await;
        let expected = running.ask("GET", "/score/a", "").await;
        let reload = || {
            let running = Arc::clone(&running);
            tokio::spawn(async move { running.ask("POST", "/reload", "").await })
        };
        let (mut one, mut other) = (reload(), reload());
        // Whichever came first reads the file, and has the only thread that does.
        let (turned_away, reads) = tokio::select! { answer = &mut one => (answer, other), answer = &mut other => (answer, one) };
        assert_eq!(turned_away.unwrap(), (409, "a reload is under way".to_owned()));
        for _ in 0..50 {
            assert_eq!(running.ask("GET", "/score/a", "").await, expected);
            assert_eq!(running.ask("POST", "/events", "[]").await.0, 200);
        }
        assert_eq!(reload().await.unwrap().0, 409);
        assert!(!reads.is_finished(), "a reload was answered before the model could be read");
        let write = |model: std::path::PathBuf| tokio::task::spawn_blocking(move || fs::write(model, MODEL).unwrap());
        write(model.clone()).await.unwrap();
        assert_eq!(reads.await.unwrap(), (200, "reloaded".to_owned()));
        assert_eq!(running.ask("GET", "/score/a", "").await, expected);
        // And then the next may.
        let next = reload();
        write(model).await.unwrap();
        assert_eq!(next.await.unwrap(), (200, "reloaded".to_owned()));
    };
    run(both);
    serving.block_on(Arc::into_inner(running).unwrap().stop());
}

#[cfg(unix)]
#[test]
fn terminated_it_answers_who_has_begun_and_saves_all_that_was_taken() {
    run(async {
        let place = place();
        let asked = stop::asked().unwrap();
        let running = Running::until(&place, 1, LONGEST, asked).await;
        running.ask("POST", "/events", EVENTS).await;
        let (event, rest) = (r#"[{"customer":"c","date":"1997-06-01","#, r#""amount":7}]"#);
        let mut begun = TcpStream::connect(running.address).await.unwrap();
        let head = format!("host: clv\r\ncontent-type: application/json\r\ncontent-length: {}", event.len() + rest.len());
        begun.write_all(format!("POST /events HTTP/1.1\r\n{head}\r\n\r\n{event}").as_bytes()).await.unwrap();
        // It has the only place once others are turned away.
        while running.ask("POST", "/scores", "[]").await.0 != 503 {}
        // The handler of the signal is there, or this would be the end of the test.
        let process = std::process::id().to_string();
        assert!(std::process::Command::new("kill").args(["-TERM", &process]).status().unwrap().success());
        while TcpStream::connect(running.address).await.is_ok() {}
        assert!(!running.serving.is_finished(), "it stopped before it had answered");
        begun.write_all(rest.as_bytes()).await.unwrap();
        let mut answer = String::new();
        timeout(LONGEST, begun.read_to_string(&mut answer)).await.expect("an answer").unwrap();
        assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("\r\n\r\n1"), "{answer}");
        timeout(LONGEST, running.serving).await.expect("it stops").unwrap().unwrap();
        let saved = clv::CustomerStates::load(place.path().join("states.clv")).unwrap().states();
        let rows: Vec<_> = saved.iter().map(|(customer, state)| (customer.as_str(), state.len())).collect();
        assert_eq!(rows, [("a", 2), ("b", 1), ("c", 1)]);
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 2, "nothing is left beside model.json and states.clv");
    });
}

#[test]
fn states_survive_a_restart() {
    run(async {
        let place = place();
        let running = Running::start(&place, 8, LONGEST).await;
        running.ask("POST", "/events", EVENTS).await;
        let before = running.ask("POST", "/scores", r#"["a","b"]"#).await;
        running.stop().await;
        let running = Running::start(&place, 8, LONGEST).await;
        assert_eq!(running.ask("POST", "/scores", r#"["a","b"]"#).await, before);
        // A late event of a customer who was read again.
        running.ask("POST", "/events", r#"[{"customer":"b","date":"1997-04-01","amount":5}]"#).await;
        assert_ne!(running.ask("POST", "/scores", r#"["a","b"]"#).await, before);
        running.stop().await;
        // Whole or not at all: what is cut off is refused, and not taken for an empty book.
        let states = place.path().join("states.clv");
        let whole = fs::read(&states).unwrap();
        fs::write(&states, &whole[..whole.len() - 3]).unwrap();
        assert!(book::Book::load(&states).is_err());
    });
}
