//! Free ports on the loopback address, the same at every start as long as nobody else took them.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, TcpListener};
use std::ops::Range;
use std::path::PathBuf;

use crate::{Error, Result, Store, kept};

/// Below the ports that Linux gives to outgoing connections: one of those could sit on ours when we
/// come back.
const RANGE: Range<u16> = 15_000..32_000;
/// So many taken ports in a row mean something else is wrong.
const TRIES: usize = 100;

#[derive(Debug)]
pub(crate) struct Ports {
    file: PathBuf,
    kept: BTreeMap<String, u16>,
}

impl Ports {
    pub(crate) fn open(file: PathBuf) -> Result<Self> {
        let doing = || Error::io(format!("cannot read {}", file.display()));
        let kept = match kept::read(&file).map_err(doing())? {
            Some(text) => serde_json::from_str(&text).map_err(|error| doing()(error.into()))?,
            None => BTreeMap::new(),
        };
        Ok(Self { file, kept })
    }

    /// The port this store had, if it is still free, else another one. What listens on it at last
    /// has to live with somebody having been quicker: then ask again.
    pub(crate) fn choose(&mut self, store: Store) -> Result<u16> {
        let name = store.to_string();
        if let Some(port) = self.kept.get(&name)
            && is_free(*port)
        {
            return Ok(*port);
        }
        let port = self.another().ok_or_else(|| Error::NotStarted {
            store,
            detail: "no free port found".to_owned(),
        })?;
        self.kept.insert(name, port);
        let doing = || Error::io(format!("cannot write {}", self.file.display()));
        let text =
            serde_json::to_string_pretty(&self.kept).map_err(|error| doing()(error.into()))?;
        kept::write(&self.file, &text).map_err(doing())?;
        Ok(port)
    }

    /// At random, so that hosts that start at the same time do not all want the same one.
    fn another(&self) -> Option<u16> {
        let width = u32::from(RANGE.end - RANGE.start);
        (0..TRIES)
            .filter_map(|_| getrandom::u32().ok())
            .filter_map(|random| u16::try_from(random % width).ok())
            .map(|offset| RANGE.start + offset)
            .find(|port| is_free(*port) && !self.kept.values().any(|kept| kept == port))
    }
}

pub(crate) fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_kept_as_long_as_it_is_free() {
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
