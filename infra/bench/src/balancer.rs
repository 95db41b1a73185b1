//! A balancer of connections, and the throughput of one host and of two behind it.

use std::net::SocketAddr;
use std::thread;

use anyhow::Result;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Builder;

use crate::compare::{Settings, median};
use crate::load::{Target, measure};
use crate::scenario::Scenario;

/// Gives each new connection to the next of the hosts, in turns, as long as this process lives.
fn balance(hosts: Vec<SocketAddr>) -> Result<SocketAddr> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    let runtime = Builder::new_current_thread().enable_all().build()?;
    thread::spawn(move || {
        runtime.block_on(async move {
            let listener = TcpListener::from_std(listener)?;
            for host in hosts.into_iter().cycle() {
                let (client, _) = listener.accept().await?;
                tokio::spawn(forward(client, host));
            }
            Ok::<_, std::io::Error>(())
        })
    });
    Ok(address)
}

/// Until both sides have ended. An error ends the connection, which the client sees.
async fn forward(mut client: TcpStream, host: SocketAddr) -> std::io::Result<()> {
    let mut server = TcpStream::connect(host).await?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    copy_bidirectional(&mut client, &mut server).await?;
    Ok(())
}

/// Requests per second of the first host alone and of both, each behind the balancer, in turns.
pub async fn measure_two(
    scenario: &Scenario,
    hosts: [Target; 2],
    settings: &Settings,
) -> Result<(f64, f64)> {
    eprintln!("{}, two hosts", scenario.name);
    let [first, _] = hosts;
    let one = balance(vec![first.at])?;
    let two = balance(hosts.map(|it| it.at).to_vec())?;
    let mut rounds = Vec::new();
    for _ in 0..settings.rounds {
        let mut per_second = Vec::new();
        for at in [one, two] {
            let target = Target { at, ..first };
            let measured = measure(target, scenario, settings.connections, settings.seconds);
            per_second.push(measured.await?.per_second);
        }
        rounds.push(per_second);
    }
    let of = |number: usize| median(&rounds, |it| it.get(number).copied().unwrap_or(f64::NAN));
    Ok((of(0), of(1)))
}
