//! A component that takes all it can get: connections, memory of the host, locks, processors. The last path segment
//! selects what it takes, each line of the body is an argument.

use std::fmt::Debug;
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use bytes::Bytes;
use futures::future::join_all;
use spin_sdk::http::body::IncomingBodyExt;
use spin_sdk::http::{FullBody, Request, Response, StatusCode};
use spin_sdk::redis::RedisParameter;
use spin_sdk::wasip3::sockets::types::{
    IpAddressFamily, IpSocketAddress, Ipv4SocketAddress, TcpSocket,
};
use spin_sdk::{http, http_service, pg, redis, time, variables};

type Answer = Result<String, String>;

#[http_service]
async fn act(request: Request) -> Response<FullBody<Bytes>> {
    let path = request.uri().path().to_owned();
    let answer = match request.into_body().bytes().await {
        Ok(body) => {
            let body = String::from_utf8_lossy(&body);
            act_on(&path, &body.lines().collect::<Vec<_>>()).await
        }
        Err(cause) => Err(show(cause)),
    };
    let (status, text) = match answer {
        Ok(text) => (StatusCode::OK, text),
        Err(text) => (StatusCode::BAD_GATEWAY, text),
    };
    let mut response = Response::new(FullBody::new(text.into()));
    *response.status_mut() = status;
    response
}

async fn act_on(path: &str, arguments: &[&str]) -> Answer {
    match (path.rsplit('/').next().unwrap_or_default(), arguments) {
        ("hello", []) => Ok("hello\n".to_owned()),
        ("variable", [name]) => variables::get(name).await.map_err(show),
        ("query", [address, statement]) => query(address, statement).await,
        ("transaction", [address, statement, seconds]) => {
            hold_transaction(address, statement, seconds).await
        }
        ("eval", [address, script]) => eval(address, script).await,
        ("databases", [address, count]) => hold_databases(address, number(count)).await,
        ("redises", [address, count]) => hold_redises(address, number(count)).await,
        ("servers", [url, count]) => hold_servers(url, number(count)).await,
        ("sockets", [address, count]) => hold_sockets(address, number(count)).await,
        ("streams", [address, count]) => hold_streams(address, number(count)).await,
        ("compute", [turns]) => Ok(compute(number(turns)).to_string()),
        ("spin", _) => Ok(compute(u64::MAX).to_string()),
        (other, _) => Err(format!("there is no {other} with such arguments")),
    }
}

fn show(error: impl Debug) -> String {
    format!("{error:?}")
}

fn number(text: &str) -> u64 {
    text.parse().unwrap_or(1)
}

fn compute(turns: u64) -> u64 {
    let mut state = 1_u64;
    for turn in 0..turns {
        state = std::hint::black_box(state.wrapping_mul(6364136223846793005).wrapping_add(turn));
    }
    state
}

async fn query(address: &str, statement: &str) -> Answer {
    let connection = pg::Connection::open(address).await.map_err(show)?;
    let rows = connection.query(statement, []).await.map_err(show)?;
    Ok(format!(
        "{} rows",
        rows.collect().await.map_err(show)?.len()
    ))
}

async fn hold_transaction(address: &str, statement: &str, seconds: &str) -> Answer {
    let connection = pg::Connection::open(address).await.map_err(show)?;
    let sleep = format!("SELECT pg_sleep({seconds})");
    for statement in ["BEGIN", statement, &sleep, "COMMIT"] {
        connection.execute(statement, []).await.map_err(show)?;
    }
    Ok("committed".to_owned())
}

async fn eval(address: &str, script: &str) -> Answer {
    let connection = redis::Connection::open(address).await.map_err(show)?;
    let arguments = [
        RedisParameter::Binary(script.as_bytes().to_vec()),
        RedisParameter::Int64(0),
    ];
    let values = connection.execute("EVAL", arguments).await.map_err(show)?;
    Ok(format!("{} values", values.len()))
}

/// Takes `count` connections at once by `take` and holds them for [`HELD_FOR`]. Answers how many there were, and why there
/// were no more.
async fn hold<T>(
    taken: impl IntoIterator<Item = impl Future<Output = Result<T, String>>>,
) -> Answer {
    let taken = join_all(taken).await;
    let refusal = taken.iter().find_map(|one| one.as_ref().err());
    Ok(format!(
        "{} {}",
        taken.iter().filter(|one| one.is_ok()).count(),
        refusal.map_or("", String::as_str)
    ))
}

/// Long enough for a test to count connections at the other side.
const HELD_FOR: Duration = Duration::from_secs(3);

/// Each address differs from the others in what the host need not tell apart.
async fn hold_databases(address: &str, count: u64) -> Answer {
    hold((0..count).map(async |of| {
        let address = format!("{address}?application_name={of}");
        let connection = pg::Connection::open(address).await.map_err(show)?;
        let sleep = format!("SELECT pg_sleep({})", HELD_FOR.as_secs());
        connection.execute("BEGIN", []).await.map_err(show)?;
        connection.execute(sleep, []).await.map_err(show)
    }))
    .await
}

async fn hold_redises(address: &str, count: u64) -> Answer {
    hold((0..count).map(async |_| {
        let connection = redis::Connection::open(address).await.map_err(show)?;
        connection.execute("MULTI", []).await.map_err(show)?;
        time::sleep(HELD_FOR).await;
        Ok(connection)
    }))
    .await
}

/// The servers of the tests do not answer.
async fn hold_servers(url: &str, count: u64) -> Answer {
    hold((0..count).map(async |_| http::get(url).await.map_err(show))).await
}

async fn hold_sockets(address: &str, count: u64) -> Answer {
    let open = |_| TcpStream::connect(address).map_err(show);
    let sockets: Vec<_> = (0..count).map(open).collect();
    time::sleep(HELD_FOR).await;
    hold(sockets.into_iter().map(async |socket| socket)).await
}

/// Keeps one end of each connection and drops the socket.
async fn hold_streams(address: &str, count: u64) -> Answer {
    let address: SocketAddr = address.parse().map_err(show)?;
    let SocketAddr::V4(address) = address else {
        return Err("not an address of version 4".to_owned());
    };
    let [a, b, c, d] = address.ip().octets();
    let address = IpSocketAddress::Ipv4(Ipv4SocketAddress {
        port: address.port(),
        address: (a, b, c, d),
    });
    hold((0..count).map(async |_| {
        let socket = TcpSocket::create(IpAddressFamily::Ipv4).map_err(show)?;
        socket.connect(address).await.map_err(show)?;
        let (stream, _) = socket.receive();
        drop(socket);
        time::sleep(HELD_FOR).await;
        Ok(stream)
    }))
    .await
}
