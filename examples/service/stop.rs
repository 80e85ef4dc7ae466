//! When the service is to stop.

/// Ends with ctrl-c or, where there is one, SIGTERM, by which supervisors and containers stop a program.
pub(crate) fn asked() -> std::io::Result<impl Future<Output = ()>> {
    let interrupted = tokio::signal::ctrl_c();
    #[cfg(unix)]
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    #[cfg(unix)]
    let terminated = async move { _ = terminate.recv().await };
    #[cfg(not(unix))]
    let terminated = std::future::pending::<()>();
    Ok(async move {
        tokio::select! { _ = interrupted => {}, () = terminated => {} }
    })
}
