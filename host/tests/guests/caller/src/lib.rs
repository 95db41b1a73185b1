//! Calls every version of every interface that `wharf-imports` implements, and returns the results as text. It exports a
//! plain function instead of an HTTP handler, so that the crate is tested without a server.

mod bindings {
    use super::Caller;
    use spin_sdk::wit_bindgen;
    wit_bindgen::generate!({
        inline: "
            package guests:caller;
            world caller {
                import fermyon:spin/key-value@2.0.0;
                import fermyon:spin/postgres@2.0.0;
                import fermyon:spin/redis@2.0.0;
                import fermyon:spin/variables@2.0.0;
                import spin:key-value/key-value@3.0.0;
                import spin:postgres/postgres@3.0.0;
                import spin:postgres/postgres@4.2.0;
                import spin:redis/redis@3.0.0;
                import spin:variables/variables@3.0.0;
                import wasi:config/store@0.2.0-draft-2024-09-27;
                export call: async func(what: string, argument: string) -> result<string, string>;
            }
        ",
        path: [
            "../../../../wit/deps/fermyon-spin@2.0.0",
            "../../../../wit/deps/spin-key-value@3.0.0",
            "../../../../wit/deps/spin-postgres@3.0.0",
            "../../../../wit/deps/spin-postgres@4.2.0",
            "../../../../wit/deps/spin-redis@3.0.0",
            "../../../../wit/deps/spin-variables@3.0.0",
            "../../../../wit/deps/wasi-runtime-config-2024-09-27",
        ],
        runtime_path: "spin_sdk::wit_bindgen::rt",
        generate_all,
    });
    export!(Caller);
}

use std::fmt::Debug;
use std::net::ToSocketAddrs;

use bindings::fermyon::spin::{key_value as key_value2, postgres as postgres2, rdbms_types};
use bindings::fermyon::spin::{redis as redis2, variables as variables2};
use bindings::spin::key_value::key_value;
use bindings::spin::postgres3_0_0::postgres as postgres3;
use bindings::spin::postgres4_2_0::postgres;
use bindings::spin::redis::redis;
use bindings::spin::variables::variables;
use bindings::wasi::config::store as config;
use spin_sdk::wasip3::sockets::ip_name_lookup;

type Outcome = Result<String, String>;

struct Caller;

impl bindings::Guest for Caller {
    async fn call(what: String, argument: String) -> Outcome {
        match what.as_str() {
            "variable" => variables::get(argument).await.map_err(debug),
            "variable 2" => variables2::get(&argument).map_err(debug),
            "config" => Ok(debug((config::get(&argument), config::get_all()))),
            "postgres" => postgres(argument).await.map_err(debug),
            "postgres blocking" => postgres_blocking(&argument).map_err(debug),
            "postgres 3" => postgres_3(&argument).map_err(debug),
            "postgres 2" => postgres_2(&argument).map_err(debug),
            "postgres builder" => postgres_builder(&argument).await.map_err(debug),
            "postgres large" => postgres_large(argument).await.map_err(debug),
            "postgres first row" => postgres_first_row(argument).await.map_err(debug),
            "postgres broken row" => postgres_broken_row(argument).await.map_err(debug),
            "postgres trap" => postgres_trap(argument).await,
            "redis" => redis(argument).await.map_err(debug),
            "redis 2" => redis_2(&argument).map_err(debug),
            "key-value" => key_value(argument).await.map_err(debug),
            "key-value 2" => key_value_2(&argument).map_err(debug),
            "look-up" => look_up(argument).await.map_err(debug),
            "look-up 2" => look_up_2(&argument).map_err(debug),
            _ => Err(format!("cannot call {what}")),
        }
    }
}

fn debug(value: impl Debug) -> String {
    format!("{value:?}")
}

async fn postgres(address: String) -> Result<String, postgres::Error> {
    let connection = postgres::Connection::open_async(address).await?;
    let touched = connection
        .execute_async("SELECT generate_series(1, 3)".to_owned(), vec![])
        .await?;
    let parameters = vec![
        postgres::ParameterValue::Str("a".to_owned()),
        postgres::ParameterValue::Int32(2),
    ];
    let (columns, rows, end) = connection
        .query_async("SELECT $1::text AS t, $2 + 40 AS n".to_owned(), parameters)
        .await?;
    let rows = rows.collect().await;
    end.await?;
    Ok(debug((touched, columns[0].name.clone(), rows)))
}

fn postgres_blocking(address: &str) -> Result<String, postgres::Error> {
    let connection = postgres::Connection::open(address)?;
    let touched = connection.execute("SELECT 1", &[])?;
    let set = connection.query("SELECT $1::int8", &[postgres::ParameterValue::Int64(7)])?;
    Ok(debug((touched, set.rows)))
}

fn postgres_3(address: &str) -> Result<String, postgres3::Error> {
    let connection = postgres3::Connection::open(address)?;
    let day = postgres3::ParameterValue::Date((2026, 11, 21));
    let set = connection.query("SELECT $1::date, '{}'::jsonb", &[day])?;
    connection.execute("SELECT 1", &[])?;
    Ok(debug(set.rows))
}

fn postgres_2(address: &str) -> Result<String, rdbms_types::Error> {
    let connection = postgres2::Connection::open(address)?;
    let text = rdbms_types::ParameterValue::Str("a".to_owned());
    let set = connection.query("SELECT $1::text, '2026-11-21'::date", &[text])?;
    connection.execute("SELECT 1", &[])?;
    let unsigned = connection.execute("SELECT $1::int4", &[rdbms_types::ParameterValue::Uint32(1)]);
    Ok(debug((set.rows, unsigned)))
}

async fn postgres_builder(address: &str) -> Result<String, postgres::Error> {
    let builder = postgres::ConnectionBuilder::new(address);
    let refused = builder.set_ca_root("not a certificate").is_err();
    let blocking = builder.build()?.execute("SELECT 1", &[])?;
    let waiting = builder.build_async().await?;
    let waiting = waiting.execute_async("SELECT 1".to_owned(), vec![]).await?;
    Ok(debug((refused, blocking, waiting)))
}

const LARGE: &str = "SELECT i, repeat('x', 1000) FROM generate_series(1, 20000) AS i";

async fn postgres_large(address: String) -> Result<String, postgres::Error> {
    let connection = postgres::Connection::open_async(address).await?;
    let (_, mut rows, end) = connection.query_async(LARGE.to_owned(), vec![]).await?;
    let (mut count, mut sum) = (0, 0);
    while let Some(row) = rows.next().await {
        let postgres::DbValue::Int32(number) = &row[0] else {
            return Err(postgres::Error::Other(debug(&row[0])));
        };
        count += 1;
        sum += i64::from(*number);
    }
    end.await?;
    Ok(debug((count, sum)))
}

async fn postgres_first_row(address: String) -> Result<String, postgres::Error> {
    let connection = postgres::Connection::open_async(address).await?;
    let (_, mut rows, _) = connection.query_async(LARGE.to_owned(), vec![]).await?;
    let first = rows.next().await.map(|row| debug(&row[0]));
    drop(rows);
    let after = connection
        .execute_async("SELECT 1".to_owned(), vec![])
        .await?;
    Ok(debug((first, after)))
}

async fn postgres_broken_row(address: String) -> Result<String, postgres::Error> {
    let connection = postgres::Connection::open_async(address).await?;
    let broken = "SELECT repeat('x', 1000), 1 / (5000 - i) FROM generate_series(1, 10000) AS i";
    let (_, rows, end) = connection.query_async(broken.to_owned(), vec![]).await?;
    let some = !rows.collect().await.is_empty();
    let code = match end.await {
        Err(postgres::Error::QueryFailed(postgres::QueryError::DbError(error))) => error.code,
        other => debug(other),
    };
    Ok(debug((some, code)))
}

/// Traps with an open transaction.
async fn postgres_trap(address: String) -> Outcome {
    let connection = postgres::Connection::open_async(address)
        .await
        .map_err(debug)?;
    for statement in ["BEGIN", "INSERT INTO trapped VALUES (1)"] {
        let done = connection.execute_async(statement.to_owned(), vec![]).await;
        done.map_err(debug)?;
    }
    panic!("asked to trap in a transaction")
}

async fn redis(address: String) -> Result<String, redis::Error> {
    let connection = redis::Connection::open(address).await?;
    let key = || "guest:3".to_owned();
    connection.set(key(), b"41".to_vec()).await?;
    let number = connection.incr(key()).await?;
    let value = connection.get(key()).await?;
    let members = vec!["a".to_owned()];
    connection
        .sadd("guest:set".to_owned(), members.clone())
        .await?;
    let kept = connection.smembers("guest:set".to_owned()).await?;
    let removed = connection.srem("guest:set".to_owned(), members).await?;
    connection.publish("guest".to_owned(), vec![]).await?;
    let echo = vec![redis::RedisParameter::Binary(b"hi".to_vec())];
    let echo = connection.execute("ECHO".to_owned(), echo).await?;
    let deleted = connection.del(vec![key()]).await?;
    Ok(debug((number, value, kept, removed, echo, deleted)))
}

fn redis_2(address: &str) -> Result<String, redis2::Error> {
    let connection = redis2::Connection::open(address)?;
    connection.set("guest:2", b"41")?;
    let number = connection.incr("guest:2")?;
    let echo = connection.execute("ECHO", &[redis2::RedisParameter::Int64(7)])?;
    let deleted = connection.del(&["guest:2".to_owned()])?;
    Ok(debug((number, echo, deleted)))
}

async fn key_value(label: String) -> Result<String, key_value::Error> {
    let store = key_value::Store::open(label).await?;
    store.set("a".to_owned(), vec![1]).await?;
    let (keys, end) = store.get_keys().await;
    let keys = keys.collect().await;
    end.await?;
    let value = store.get("a".to_owned()).await?;
    store.delete("a".to_owned()).await?;
    let gone = !store.exists("a".to_owned()).await?;
    Ok(debug((keys, value, gone)))
}

fn key_value_2(label: &str) -> Result<String, key_value2::Error> {
    let store = key_value2::Store::open(label)?;
    store.set("b", &[2])?;
    let keys = store.get_keys()?;
    let value = store.get("b")?;
    store.delete("b")?;
    Ok(debug((keys, value, store.exists("b")?)))
}

async fn look_up(name: String) -> Result<String, ip_name_lookup::ErrorCode> {
    let found = ip_name_lookup::resolve_addresses(name).await?;
    Ok(debug(!found.is_empty()))
}

fn look_up_2(name: &str) -> std::io::Result<String> {
    Ok(debug((name, 0).to_socket_addrs()?.count() > 0))
}
