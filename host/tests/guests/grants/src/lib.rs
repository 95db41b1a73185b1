//! A component that uses what the manifest grants: databases, brokers, stores, sockets. The last path segment selects
//! the grant and its interface, the query is the address or label.

mod interfaces {
    spin_sdk::wit_bindgen::generate!({
        inline: "
            package guest:grants;
            world grants {
                import fermyon:spin/mqtt@2.0.0;
                import fermyon:spin/sqlite@2.0.0;
                import wasi:config/store@0.2.0-draft-2024-09-27;
                import wasi:keyvalue/atomics@0.2.0-draft2;
                import wasi:keyvalue/batch@0.2.0-draft2;
                import wasi:keyvalue/store@0.2.0-draft2;
            }
        ",
        path: [
            "../../../../wit/deps/fermyon-spin@2.0.0",
            "../../../../wit/deps/wasi-keyvalue-2024-10-17",
            "../../../../wit/deps/wasi-runtime-config-2024-09-27",
        ],
        runtime_path: "spin_sdk::wit_bindgen::rt",
        generate_all,
    });
}

use std::fmt::Debug;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream, ToSocketAddrs, UdpSocket};

use interfaces::fermyon::spin::{mqtt as mqtt_v2, sqlite as sqlite_v2};
use interfaces::wasi::config::store as config;
use interfaces::wasi::keyvalue::{atomics, batch, store};
use spin_sdk::http::{FullBody, Request, Response, StatusCode};
use spin_sdk::http_service;
use spin_sdk::{mqtt, sqlite};

type Answer = Result<String, String>;

#[http_service]
async fn act(request: Request) -> Response<FullBody<bytes::Bytes>> {
    let query = request.uri().query().unwrap_or_default();
    let answer = match request.uri().path().rsplit('/').next().unwrap_or_default() {
        "sqlite" => use_sqlite(query).await,
        "sqlite-v2" => use_sqlite_v2(query),
        "sqlite-table" => read_table(query).await,
        "mqtt" => publish(query).await,
        "mqtt-v2" => publish_v2(query),
        "tcp" => echo_over_tcp(query),
        "udp" => echo_over_udp(query),
        "listen" => TcpListener::bind("127.0.0.1:0")
            .map(|_| String::new())
            .map_err(show),
        "look-up" => look_up(query),
        "key-value" => use_key_value(query),
        "config" => read_config(query),
        other => Err(format!("there is no {other}")),
    };
    let (status, text) = match answer {
        Ok(text) => (StatusCode::OK, text),
        Err(text) => (StatusCode::BAD_GATEWAY, text),
    };
    let mut response = Response::new(FullBody::new(text.into()));
    *response.status_mut() = status;
    response
}

fn show(error: impl Debug) -> String {
    format!("{error:?}")
}

async fn use_sqlite(label: &str) -> Answer {
    let connection = sqlite::Connection::open(label).await.map_err(show)?;
    let run = async |statement: &str, parameters: Vec<sqlite::Value>| {
        let result = connection.execute(statement, parameters).await;
        result.map_err(show)?.collect().await.map_err(show)
    };
    run("DROP TABLE IF EXISTS note", vec![]).await?;
    run(
        "CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT, bytes BLOB)",
        vec![],
    )
    .await?;
    let row = vec![
        sqlite::Value::Text("hello".to_owned()),
        sqlite::Value::Blob(vec![1, 2]),
    ];
    run("INSERT INTO note (text, bytes) VALUES (?, ?)", row).await?;
    let rows = run("SELECT id, text, bytes, NULL, 0.5 FROM note", vec![]).await?;
    let values: Vec<_> = rows.iter().map(|row| &row.values).collect();
    Ok(format!("{values:?}"))
}

async fn read_table(label: &str) -> Answer {
    let connection = sqlite::Connection::open(label).await.map_err(show)?;
    let result = connection
        .execute("SELECT name FROM seed ORDER BY name", [])
        .await;
    let rows = result.map_err(show)?.collect().await.map_err(show)?;
    let values: Vec<_> = rows.iter().map(|row| &row.values).collect();
    Ok(format!("{values:?}"))
}

fn use_sqlite_v2(label: &str) -> Answer {
    let connection = sqlite_v2::Connection::open(label).map_err(show)?;
    let number = [sqlite_v2::Value::Integer(41)];
    let result = connection
        .execute("SELECT ? + 1 AS sum", &number)
        .map_err(show)?;
    Ok(format!("{:?} {:?}", result.columns, result.rows))
}

async fn publish(address: &str) -> Answer {
    let connection = mqtt::Connection::open(address, "", "", 30)
        .await
        .map_err(show)?;
    let published = connection.publish("news", b"hello".to_vec(), mqtt::Qos::AtLeastOnce);
    published.await.map_err(show)?;
    Ok("published".to_owned())
}

fn publish_v2(address: &str) -> Answer {
    let connection = mqtt_v2::Connection::open(address, "", "", 30).map_err(show)?;
    connection
        .publish("news", b"hello", mqtt_v2::Qos::AtMostOnce)
        .map_err(show)?;
    Ok("published".to_owned())
}

fn echo_over_tcp(address: &str) -> Answer {
    let mut stream = TcpStream::connect(address).map_err(show)?;
    stream.write_all(b"hello").map_err(show)?;
    let mut echoed = [0; 5];
    stream.read_exact(&mut echoed).map_err(show)?;
    Ok(String::from_utf8_lossy(&echoed).into_owned())
}

fn echo_over_udp(address: &str) -> Answer {
    let socket = UdpSocket::bind("0.0.0.0:0").map_err(show)?;
    socket.send_to(b"hello", address).map_err(show)?;
    let mut echoed = [0; 16];
    let (length, _) = socket.recv_from(&mut echoed).map_err(show)?;
    Ok(String::from_utf8_lossy(&echoed[..length]).into_owned())
}

fn look_up(name: &str) -> Answer {
    let found = (name, 80).to_socket_addrs().map_err(show)?;
    Ok(format!("{}", found.count() > 0))
}

fn use_key_value(label: &str) -> Answer {
    let bucket = store::open(label).map_err(show)?;
    bucket.set("a", b"1").map_err(show)?;
    let sum = atomics::increment(&bucket, "a", 41).map_err(show)?;
    batch::set_many(&bucket, &[("b".to_owned(), b"2".to_vec())]).map_err(show)?;
    let keys = ["b".to_owned(), "c".to_owned()];
    let many = batch::get_many(&bucket, &keys).map_err(show)?;

    let stale = atomics::Cas::new(&bucket, "a").map_err(show)?;
    let seen = stale.current().map_err(show)?;
    bucket.set("a", b"43").map_err(show)?;
    let Err(atomics::CasError::CasFailed(fresh)) = atomics::swap(stale, b"lost") else {
        return Err("a stale swap did not fail".to_owned());
    };
    atomics::swap(fresh, b"44").map_err(show)?;
    let swapped = bucket.get("a").map_err(show)?;

    let mut listed = bucket.list_keys(None).map_err(show)?.keys;
    listed.sort();
    batch::delete_many(&bucket, &keys).map_err(show)?;
    let exists = bucket.exists("b").map_err(show)?;
    Ok(format!(
        "{sum} {many:?} {seen:?} {swapped:?} {listed:?} {exists}"
    ))
}

fn read_config(name: &str) -> Answer {
    let value = config::get(name).map_err(show)?;
    let all = config::get_all().map_err(show)?;
    Ok(format!("{value:?} {all:?}"))
}
