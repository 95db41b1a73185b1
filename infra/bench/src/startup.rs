//! From the command to the first answer of the component.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::Command;

use crate::load::median;
use crate::server::{Folder, Wharf, wharf_up};
use crate::token::Keys;

pub struct Starts {
    /// Nothing there: stores are made, the component is compiled.
    pub cold: Duration,
    /// Everything there, stopped.
    pub warm: Duration,
    /// Everything there, the stores running elsewhere.
    pub warm_with_stores: Duration,
}

/// The median of so many.
const TIMES: usize = 5;

pub async fn measure(running: &Wharf, keys: &Keys) -> Result<Starts> {
    let (mut cold, mut warm, mut with_stores) = (Vec::new(), Vec::new(), Vec::new());
    for number in 0..TIMES {
        let folder = Folder::new(&format!("start-{number}"))?;
        let at = free_address().await?;
        cold.push(time(wharf_up(&folder, keys, at), at).await?);
        warm.push(time(wharf_up(&folder, keys, at), at).await?);
        let mut beside = wharf_up(&folder, keys, at);
        let stores = &running.stores;
        beside.args([
            "--postgres-url",
            &stores.postgres_url,
            "--redis-url",
            &stores.redis_url,
        ]);
        // The password of the component's role is kept elsewhere.
        beside.args([
            "--variable",
            &format!("bench_database_url={}", stores.postgres_url),
        ]);
        with_stores.push(time(beside, at).await?);
    }
    Ok(Starts {
        cold: median(cold.into_iter())?,
        warm: median(warm.into_iter())?,
        warm_with_stores: median(with_stores.into_iter())?,
    })
}

/// Until `/hello` is answered; then it is ended in order, so that the next start finds all in order.
async fn time(mut command: Command, at: SocketAddr) -> Result<Duration> {
    let began = Instant::now();
    let mut process = command.spawn()?;
    let answered = async {
        while !answers(at).await {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::select! {
        () = answered => {}
        ended = process.wait() => anyhow::bail!("wharf ended: {}", ended?),
        () = tokio::time::sleep(Duration::from_secs(120)) => anyhow::bail!("wharf does not answer"),
    }
    let took = began.elapsed();
    let pid = process
        .id()
        .and_then(|it| rustix::process::Pid::from_raw(it.cast_signed()));
    rustix::process::kill_process(pid.context("it runs")?, rustix::process::Signal::TERM)?;
    process.wait().await?;
    Ok(took)
}

async fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .await?
        .local_addr()?)
}

async fn answers(at: SocketAddr) -> bool {
    let ask = async {
        let mut line = TcpStream::connect(at).await?;
        line.write_all(b"GET /hello HTTP/1.1\r\nhost: bench.test\r\nconnection: close\r\n\r\n")
            .await?;
        let mut answer = Vec::new();
        line.read_to_end(&mut answer).await?;
        std::io::Result::Ok(answer)
    };
    ask.await.is_ok_and(|it| it.starts_with(b"HTTP/1.1 200"))
}
