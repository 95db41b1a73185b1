//! The host's own connection to a database, as its owner, to migrate it: with TLS as a component has it, and nothing
//! else that guests are held to.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;
use tokio_postgres::Client;

use super::address::{Address, full};
use super::tls;
use crate::TRUSTED_ROOTS;

/// To reach a server and log in. Nobody waits for an answer here but somebody who starts a host.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// The connection, and what drives it: it ends when the connection does.
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
        .and_then(|connected| connected.map_err(|error| full(&error)))
        .map_err(|cause| format!("cannot connect to {address}: {cause}"))
}
