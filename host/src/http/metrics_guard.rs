//! Who may read the metrics: every client, or only those that the manifest admits by network or token.

use anyhow::{Result, anyhow};
use http::{HeaderMap, header};
use sha2::{Digest, Sha256};
use wharf_manifest::manifest::MetricsAccess;
use wharf_manifest::networks::Networks;
use wharf_manifest::template::Template;

use crate::http::client::Client;

pub struct MetricsGuard {
    networks: Networks,
    /// The digest of the token. Comparing digests takes the same time wherever two tokens differ.
    token: Option<[u8; 32]>,
}

impl MetricsGuard {
    pub fn new(
        access: &MetricsAccess,
        resolve: impl Fn(&Template) -> Result<String>,
    ) -> Result<Self> {
        let mut networks = Networks::default();
        for list in &access.networks {
            let list = Networks::parse(&resolve(list)?);
            networks.add(list.map_err(|why| anyhow!("metrics_access: {why}"))?);
        }
        let token = access.token.as_ref().map(resolve).transpose()?;
        Ok(Self {
            networks,
            token: token.filter(|token| !token.is_empty()).map(digest),
        })
    }

    pub fn admits(&self, client: &Client, headers: &HeaderMap) -> bool {
        self.networks.contain(client.address.ip())
            || self
                .token
                .is_some_and(|token| bearer(headers).is_some_and(|sent| digest(sent) == token))
    }
}

fn digest(text: impl AsRef<[u8]>) -> [u8; 32] {
    Sha256::digest(text).into()
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers
        .get(header::AUTHORIZATION)?
        .to_str()
        .ok()?
        .split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then_some(token.trim())
}
