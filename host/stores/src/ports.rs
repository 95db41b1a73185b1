//! Chooses free ports on the loopback address, and the same ones again at later starts.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, TcpListener};
use std::ops::Range;
use std::path::PathBuf;

use crate::error::{Error, Result};
use crate::options::Store;
use crate::private_file;

/// Below the ephemeral ports of Linux: an outgoing connection could hold one of those at our next
/// start.
const PORT_RANGE: Range<u16> = 15_000..32_000;
/// Random ports to try. So many taken ones in a row have another cause.
const MAX_TRIES: usize = 100;

#[derive(Debug)]
pub(crate) struct Ports {
    file: PathBuf,
    by_store: BTreeMap<String, u16>,
}

impl Ports {
    pub(crate) fn open(file: PathBuf) -> Result<Self> {
        let doing = || Error::io(format!("cannot read {}", file.display()));
        let by_store = match private_file::read(&file).map_err(doing())? {
            Some(text) => serde_json::from_str(&text).map_err(|error| doing()(error.into()))?,
            None => BTreeMap::new(),
        };
        Ok(Self { file, by_store })
    }

    /// The port that the store used last, or another one if it is taken. Another process may take
    /// the port before the store listens on it: then choose again.
    pub(crate) fn choose(&mut self, store: Store) -> Result<u16> {
        let name = store.to_string();
        if let Some(port) = self.by_store.get(&name)
            && is_free(*port)
        {
            return Ok(*port);
        }
        let port = self.find_free_port().ok_or_else(|| Error::NotStarted {
            store,
            detail: "there is no free port".to_owned(),
        })?;
        self.by_store.insert(name, port);
        let doing = || Error::io(format!("cannot write {}", self.file.display()));
        let text =
            serde_json::to_string_pretty(&self.by_store).map_err(|error| doing()(error.into()))?;
        private_file::write(&self.file, &text).map_err(doing())?;
        Ok(port)
    }

    /// Random, so that hosts that start at the same time rarely try the same port.
    fn find_free_port(&self) -> Option<u16> {
        let width = u32::from(PORT_RANGE.end - PORT_RANGE.start);
        (0..MAX_TRIES)
            .filter_map(|_| getrandom::u32().ok())
            .filter_map(|random| u16::try_from(random % width).ok())
            .map(|offset| PORT_RANGE.start + offset)
            .find(|port| is_free(*port) && !self.by_store.values().any(|used| used == port))
    }
}

pub(crate) fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_keeps_its_port_while_the_port_is_free() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ports.json");
        let first = Ports::open(file.clone())
            .unwrap()
            .choose(Store::Redis)
            .unwrap();
        let mut ports = Ports::open(file).unwrap();
        assert_eq!(ports.choose(Store::Redis).unwrap(), first);

        let _taken = TcpListener::bind((Ipv4Addr::LOCALHOST, first)).unwrap();
        assert_ne!(ports.choose(Store::Redis).unwrap(), first);
    }
}
