//! Connections: taken until the service is told to stop, and then finished.

use std::future::Future;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio::time::{interval, sleep, timeout};

use crate::app::{Service, router};

const CONNECTIONS: usize = 1024;
const EVERY: Duration = Duration::from_secs(30);
const TO_FINISH: Duration = Duration::from_secs(10);

/// Serves until `stop` comes, and saves the states to a file from time to time and at the end.
pub(crate) async fn serve(listener: TcpListener, service: Arc<Service>, states: &Path, stop: impl Future<Output = ()>) -> clv::Result<()> {
    let (connections, graceful) = (Arc::new(Semaphore::new(CONNECTIONS)), GracefulShutdown::new());
    let app = TowerToHyperService::new(router(Arc::clone(&service)));
    let mut http = hyper::server::conn::http1::Builder::new();
    // Who does not finish the head of a request is cut off.
    http.timer(TokioTimer::new()).header_read_timeout(service.longest);
    let (mut save, mut saving) = (interval(EVERY), None);
    tokio::pin!(stop);
    loop {
        // More connections wait in the queue of the system.
        let next = async {
            let place = Arc::clone(&connections).acquire_owned().await.expect("it is never closed");
            (place, listener.accept().await)
        };
        let (place, stream) = tokio::select! {
            (place, accepted) = next => match accepted {
                Ok((stream, _)) => (place, stream),
                // Most likely there are no more files; some will be closed.
                Err(_) => {
                    sleep(Duration::from_millis(50)).await;
                    continue;
                }
            },
            _ = save.tick() => {
                // Beside the service, which takes no connection later for it. While the disk is slow there is one save, and no queue of threads that wait for it.
                if saving.as_ref().is_none_or(JoinHandle::is_finished) {
                    let save = saved(&service, states);
                    saving = Some(tokio::spawn(async move {
                        if let Err(error) = save.await {
                            eprintln!("not saved: {error}");
                        }
                    }));
                }
                continue;
            }
            () = &mut stop => break,
        };
        // Without it a small answer may wait for the acknowledgement of the one before.
        let _ = stream.set_nodelay(true);
        let connection = graceful.watch(http.serve_connection(TokioIo::new(stream), app.clone()));
        tokio::spawn(async move {
            // A client that breaks off is no fault of the service.
            let _ = connection.await;
            drop(place);
        });
    }
    drop(listener);
    let _ = timeout(TO_FINISH, graceful.shutdown()).await;
    saved(&service, states).await
}

fn saved(service: &Arc<Service>, states: &Path) -> impl Future<Output = clv::Result<()>> + use<> {
    let (service, states) = (Arc::clone(service), states.to_owned());
    async move { tokio::task::spawn_blocking(move || service.book.save(&states)).await.expect("saving does not panic") }
}
