//! The service at work, as it was on the day the CDNOW sample is cut at: a model is fitted, a purchase comes in, and a score changes.

use std::error::Error;
use std::fs;
use std::net::SocketAddr;

use clv::{
    BandRule, BgNbd, ClvDefinition, CustomerStates, DataRecord, Date, Fit, FitRecord, GammaGamma, LogFiles, ModelFile, Observation,
    ReadOptions, ValueBands,
};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

pub(crate) async fn show() -> Result<(), Box<dyn Error>> {
    let (folder, end) = (tempfile::tempdir()?, "1997-09-30".parse()?);
    let (model, states) = (folder.path().join("model.json"), folder.path().join("states.clv"));
    let mut known = CustomerStates::new();
    known.take_files(&LogFiles::find(["examples/data/cdnow_sample.csv"])?, &ReadOptions::default(), &|_| {})?;
    known.save(&states)?;
    fs::write(&model, fitted(&known, end)?.to_json())?;

    let (listener, service) = (TcpListener::bind("127.0.0.1:0").await?, crate::service(&model, &states, Some(end))?);
    let (address, (stop, stopped)) = (listener.local_addr()?, oneshot::channel::<()>());
    let serving = tokio::spawn(async move { crate::serve::serve(listener, service, &states, async { drop(stopped.await) }).await });
    println!("serving {} on http://{address}", ask(address, "GET", "/health", "").await?);
    let (customer, event) = ("/score/00004", r#"[{"customer": "00004", "date": "1997-09-29", "amount": 42.50}]"#);
    let before: Value = serde_json::from_str(&ask(address, "GET", customer, "").await?)?;
    ask(address, "POST", "/events", event).await?;
    let after: Value = serde_json::from_str(&ask(address, "GET", customer, "").await?)?;
    let number = |value: &Value| value.as_f64().unwrap_or(f64::NAN);
    println!("\ncustomer 00004, before and after a purchase of 42.50:");
    for name in ["p_alive", "expected_purchases", "clv"] {
        println!("  {name:<20} {:>8.2} {:>8.2}", number(&before[name]), number(&after[name]));
    }
    println!("  {:<20} {:>8} {:>8}", "band", before["band"].as_str().unwrap_or("-"), after["band"].as_str().unwrap_or("-"));
    println!("\nthe model is {} while the service goes on", ask(address, "POST", "/reload", "").await?);
    let _ = stop.send(());
    serving.await??;
    println!("stopped: the states of {} customers are saved", CustomerStates::load(folder.path().join("states.clv"))?.states().len());
    Ok(())
}

/// What `clv fit` does.
fn fitted(known: &CustomerStates, end: Date) -> clv::Result<ModelFile> {
    let customers = known.summarize(&Observation::until(end).in_weeks())?;
    let (purchases, spend) = (FitRecord::of(&BgNbd::fit(&customers)?), FitRecord::of(&GammaGamma::fit(&customers)?));
    let (rows, spend_basis, cleaning) = (known.log().rows_read(), customers.spend_basis(), customers.report().cloned());
    let data = DataRecord { rows, customers: customers.len() as u64, fingerprint: String::new(), spend_basis, cleaning };
    let file = ModelFile::new(customers.unit(), Some(end), purchases, Some(spend), ClvDefinition::default(), data)?;
    let scores = file.scorer(Some(end))?.score_all(&customers)?;
    Ok(file.with_bands(ValueBands::of(BandRule::default(), &customers, &scores)))
}

/// What a client hears.
async fn ask(address: SocketAddr, method: &str, path: &str, body: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    let head = format!("host: clv\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {}", body.len());
    stream.write_all(format!("{method} {path} HTTP/1.1\r\n{head}\r\n\r\n{body}").as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer.split_once("\r\n\r\n").map_or(answer.as_str(), |(_, body)| body).to_owned())
}
