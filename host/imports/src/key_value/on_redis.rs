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
