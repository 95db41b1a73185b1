//! `spin:key-value` and the older `fermyon:spin/key-value`: stores the manifest grants by label.

use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where the values of one label are kept. Clones are the same store, so give one to every component granted the label.
#[derive(Clone)]
pub struct Store {
    #[expect(dead_code, reason = "read as soon as the capability is linked")]
    place: Arc<Place>,
}

enum Place {
    #[expect(dead_code, reason = "read as soon as the capability is linked")]
    Redis(String),
    #[expect(dead_code, reason = "read as soon as the capability is linked")]
    File(PathBuf),
}

impl Store {
    /// On a Redis server, in the layout Spin uses: keys as they are, in the database the URL names.
    pub fn redis(url: &str) -> wasmtime::Result<Store> {
        let place = Arc::new(Place::Redis(url.to_owned()));
        Ok(Store { place })
    }

    /// In a file of this host alone. It is made when it is missing, its folder is not.
    pub fn file(path: &Path) -> wasmtime::Result<Store> {
        let place = Arc::new(Place::File(path.to_owned()));
        Ok(Store { place })
    }
}
