//! The example service under load from this machine: scores per second and the 99th percentile of the time to an answer, by single requests, pipelined ones and
//! batches, with the model reloaded all the while. `cargo bench --bench service --features csv`; with `-- --test` a moment of each.
#![allow(clippy::unwrap_used, clippy::print_stdout, dead_code, reason = "a bench panics when it fails; the example's parts are included")]

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

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clv::{CustomerStates, LogFiles, ReadOptions};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, oneshot};

/// How a load is made.
#[derive(Debug, Clone, Copy)]
struct Load {
    name: &'static str,
    connections: usize,
    /// Requests that are sent together.
    pipelined: usize,
    /// Customers of a request; 0 is a GET of one.
    batch: usize,
}

const LOADS: [Load; 3] = [
    Load { name: "GET /score, one at a time", connections: 32, pipelined: 1, batch: 0 },
    Load { name: "GET /score, 16 pipelined", connections: 8, pipelined: 16, batch: 0 },
    Load { name: "POST /scores, 100 customers", connections: 8, pipelined: 1, batch: 100 },
];

fn main() {
    let short = std::env::args().any(|argument| argument == "--test");
    let time = if short { Duration::from_millis(100) } else { Duration::from_secs(8) };
    let folder = tempfile::tempdir().unwrap();
    let (model, states) = (folder.path().join("model.json"), folder.path().join("states.clv"));
    std::fs::write(&model, include_str!("../tests/data/model_format_1.json")).unwrap();
    let mut known = CustomerStates::new();
    known.take_files(&LogFiles::find(["examples/data/cdnow_sample.csv"]).unwrap(), &ReadOptions::default(), &|_| {}).unwrap();
    known.save(&states).unwrap();
    let ids: Arc<Vec<String>> = Arc::new(known.states().into_iter().map(|(id, _)| id).collect());
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let live = live::Live::load(model, Some("1997-09-30".parse().unwrap())).unwrap();
        let book = book::Book::load(&states).unwrap();
        let service = Arc::new(app::Service { live, book, places: Semaphore::new(512), longest: Duration::from_secs(5) });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, (stop, stopped)) = (listener.local_addr().unwrap(), oneshot::channel::<()>());
        let serving = tokio::spawn(async move { serve::serve(listener, service, &states, async { drop(stopped.await) }).await });
        println!("{:<30} {:>12} {:>10} {:>10} {:>8}", "", "scores/s", "median", "99 %", "reloads");
        for load in LOADS {
            measure(load, address, &ids, time).await;
        }
        stop.send(()).unwrap();
        serving.await.unwrap().unwrap();
    });
}

async fn measure(load: Load, address: SocketAddr, ids: &Arc<Vec<String>>, time: Duration) {
    let until = Instant::now() + time;
    let reloading = tokio::spawn(async move {
        let (mut reloads, mut connection) = (0, Connection::new(address).await);
        while Instant::now() < until {
            connection.ask(b"POST /reload HTTP/1.1\r\nhost: clv\r\ncontent-length: 0\r\n\r\n", 1).await;
            reloads += 1;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        reloads
    });
    let clients: Vec<_> = (0..load.connections)
        .map(|client| {
            let requests = requests(load, ids, client);
            tokio::spawn(async move {
                let (mut times, mut connection) = (Vec::new(), Connection::new(address).await);
                for request in requests.iter().cycle() {
                    let begun = Instant::now();
                    connection.ask(request, load.pipelined).await;
                    times.push(begun.elapsed());
                    if begun > until {
                        break;
                    }
                }
                times
            })
        })
        .collect();
    let begun = Instant::now();
    let mut times = Vec::new();
    for client in clients {
        times.extend(client.await.unwrap());
    }
    let seconds = begun.elapsed().as_secs_f64();
    times.sort_unstable();
    let scores = (times.len() * load.pipelined * load.batch.max(1)) as f64;
    let at = |share: f64| format!("{:.2} ms", 1e3 * times[(share * (times.len() - 1) as f64) as usize].as_secs_f64());
    println!("{:<30} {:>12.0} {:>10} {:>10} {:>8}", load.name, scores / seconds, at(0.5), at(0.99), reloading.await.unwrap());
}

/// What a client sends, round and round.
fn requests(load: Load, ids: &[String], client: usize) -> Vec<Vec<u8>> {
    let mut ids = ids.iter().cycle().skip(client * 97);
    let mut one = || match load.batch {
        0 => format!("GET /score/{} HTTP/1.1\r\nhost: clv\r\n\r\n", ids.next().unwrap()),
        batch => {
            let body = serde_json::to_string(&ids.by_ref().take(batch).collect::<Vec<_>>()).unwrap();
            let length = body.len();
            format!("POST /scores HTTP/1.1\r\nhost: clv\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}")
        }
    };
    (0..64).map(|_| (0..load.pipelined).map(|_| one()).collect::<String>().into_bytes()).collect()
}

/// A connection that is kept.
struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    async fn new(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Connection { stream, buffer: Vec::new() }
    }

    /// Sends requests and waits for all their answers, each of which must be 200.
    async fn ask(&mut self, requests: &[u8], answers: usize) {
        self.stream.write_all(requests).await.unwrap();
        self.buffer.clear();
        let (mut at, mut left) = (0, answers);
        while left > 0 {
            while left > 0
                && let Some(length) = answer(&self.buffer[at..])
            {
                (at, left) = (at + length, left - 1);
            }
            if left > 0 {
                assert!(self.stream.read_buf(&mut self.buffer).await.unwrap() > 0, "the service has gone away");
            }
        }
    }
}

/// The length of the first answer, when it is whole.
fn answer(buffer: &[u8]) -> Option<usize> {
    const LENGTH: &[u8] = b"content-length: ";
    let head = buffer.windows(4).position(|bytes| bytes == b"\r\n\r\n")? + 4;
    assert!(buffer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&buffer[..head]));
    let length = buffer[..head].windows(LENGTH.len()).position(|bytes| bytes == LENGTH).unwrap() + LENGTH.len();
    let digits = buffer[length..].iter().take_while(|byte| byte.is_ascii_digit());
    let body = digits.fold(0, |length, &digit| 10 * length + usize::from(digit - b'0'));
    (buffer.len() >= head + body).then_some(head + body)
}
