//! A store on a Redis server that the operator configured.

use std::collections::BTreeSet;
use std::sync::Arc;

use redis::{FromRedisValue, cmd};
use wasmtime::error::Context as _;

use super::error::{Error, to_error};
use crate::egress::Egress;
use crate::redis::Server;

/// Keys that one `SCAN` visits. Redis serves no other command meanwhile.
const SCAN_COUNT: u32 = 500;

/// Compares and swaps in one step. Without a second argument there must be no value, which Lua sees as `false`.
const SWAP: &str = "\
    if redis.call('GET', KEYS[1]) ~= (ARGV[2] or false) then return 0 end \
    redis.call('SET', KEYS[1], ARGV[1]) return 1";

pub struct OnRedis {
    server: Arc<Server>,
}

impl OnRedis {
    pub fn new(url: &str) -> wasmtime::Result<OnRedis> {
        let egress = Arc::new(Egress::for_operator());
        let server = Server::new(url, egress, &crate::tls::TRUSTED_ROOTS);
        let server =
            server.context("not a Redis address; expected redis:// or rediss:// with a host")?;
        let server = Arc::new(server);
        Ok(OnRedis { server })
    }

    async fn run<T: FromRedisValue>(&self, command: &redis::Cmd) -> Result<T, Error> {
        let value = self.server.run(command).await.map_err(to_error)?;
        let value = value.extract_error().map_err(to_error)?;
        T::from_redis_value(value).map_err(to_error)
    }

    pub async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Error> {
        self.run(cmd("GET").arg(key)).await
    }

    pub async fn set(&self, key: &str, value: &[u8]) -> Result<(), Error> {
        self.run(cmd("SET").arg(key).arg(value)).await
    }

    pub async fn delete(&self, key: &str) -> Result<(), Error> {
        self.run(cmd("DEL").arg(key)).await
    }

    pub async fn exists(&self, key: &str) -> Result<bool, Error> {
        self.run(cmd("EXISTS").arg(key)).await
    }

    pub async fn get_many(&self, keys: &[String]) -> Result<Vec<Option<Vec<u8>>>, Error> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        self.run(cmd("MGET").arg(keys)).await
    }

    pub async fn set_many(&self, entries: &[(String, Vec<u8>)]) -> Result<(), Error> {
        if entries.is_empty() {
            return Ok(());
        }
        let mut command = cmd("MSET");
        for (key, value) in entries {
            command.arg(key).arg(&**value);
        }
        self.run(&command).await
    }

    pub async fn delete_many(&self, keys: &[String]) -> Result<(), Error> {
        if keys.is_empty() {
            return Ok(());
        }
        self.run(cmd("DEL").arg(keys)).await
    }

    pub async fn increment(&self, key: &str, delta: i64) -> Result<i64, Error> {
        self.run(cmd("INCRBY").arg(key).arg(delta)).await
    }

    pub async fn swap(
        &self,
        key: &str,
        expected: Option<&[u8]>,
        value: &[u8],
    ) -> Result<bool, Error> {
        let mut command = cmd("EVAL");
        command.arg(SWAP).arg(1).arg(key).arg(value);
        if let Some(expected) = expected {
            command.arg(expected);
        }
        self.run(&command).await
    }

    pub async fn keys(&self) -> Result<Vec<String>, Error> {
        // SCAN may return a key twice.
        let mut keys = BTreeSet::new();
        let mut cursor = 0_u64;
        loop {
            let mut scan = cmd("SCAN");
            scan.arg(cursor).arg("COUNT").arg(SCAN_COUNT);
            let (next, found): (u64, Vec<String>) = self.run(&scan).await?;
            keys.extend(found);
            if next == 0 {
                return Ok(keys.into_iter().collect());
            }
            cursor = next;
        }
    }
}
