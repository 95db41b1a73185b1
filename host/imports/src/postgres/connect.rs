//! The host's own connection to a database, to migrate it: TLS as for a component, and none of the limits for guests.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;
use tokio_postgres::Client;

use super::address::Address;
use super::errors::with_causes;
use super::tls;
use crate::tls::TRUSTED_ROOTS;

/// Limit for connecting and logging in. Longer than a guest's limit, because only the start of a host waits for it.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Connects. Returns the client and the future that drives the connection, which must be spawned.
pub async fn connect(
    address: &str,
) -> Result<
    (
        Client,
        impl Future<Output = Result<(), tokio_postgres::Error>> + Send + use<>,
    ),
    String,
> {
    let address = Address::parse(address)?;
    let tls = tls::connector(address.tls, Arc::clone(&TRUSTED_ROOTS))?;
    let connected = timeout(CONNECT_TIMEOUT, address.config.connect(tls)).await;
    connected
        .map_err(|_| format!("no answer within {} s", CONNECT_TIMEOUT.as_secs()))
        .and_then(|connected| connected.map_err(|error| with_causes(&error)))
        .map_err(|cause| format!("cannot connect to {address}: {cause}"))
}
