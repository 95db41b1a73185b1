//! One connection to a server, and the statements prepared on it. Who may use it when is the pool's.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use lru::LruCache;
use tokio::time::timeout;
use tokio_postgres::{Client, Config, Row, RowStream, Statement};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::Settings;
use super::address::{Address, full};
use super::errors;
use super::values::{self, Parameter};
use crate::bindings::spin::postgres4_2_0::postgres::{Column, DbValue, Error, ParameterValue};
use crate::egress::Egress;

/// To reach a server, log in and be ready. Whoever waits for it is to be told within two seconds.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(1_800);
/// What a server that answers may take to greet somebody it does not know yet.
const GREETING: Duration = Duration::from_millis(1_200);
/// A statement of its client is unacknowledged this long: the server is gone, even if no packet says so.
const UNACKNOWLEDGED: Duration = Duration::from_secs(10);
/// Statements kept prepared per connection. A component has tens; the server pays some ten kB for each.
const PREPARED: NonZeroUsize = NonZeroUsize::MIN.saturating_add(255);
/// What a statement nobody waits for any more may still take before it is cancelled.
const SETTLE: Duration = Duration::from_millis(100);

/// How to open connections to one address.
pub struct Dialer {
    address: Address,
    egress: Arc<Egress>,
    tls: MakeRustlsConnect,
    config: Config,
}

impl Dialer {
    pub fn new(
        address: Address,
        egress: Arc<Egress>,
        tls: MakeRustlsConnect,
        component: &str,
        settings: &Settings,
    ) -> Dialer {
        let config = session_config(&address.config, component, settings);
        Dialer {
            address,
            egress,
            tls,
            config,
        }
    }

    pub fn address(&self) -> &Address {
        &self.address
    }

    /// Does the server still answer newcomers? An answer that refuses one is an answer.
    pub async fn is_silent(&self) -> bool {
        let greeted = timeout(GREETING, async {
            if let Ok((link, drive)) = self.dial().await {
                drop(link);
                drive.await;
            }
        });
        greeted.await.is_err()
    }

    /// The connection, and what drives it: it ends when the connection does.
    pub async fn dial(&self) -> Result<(Link, impl Future<Output = ()> + Send + use<>), String> {
        let connected = timeout(CONNECT_TIMEOUT, async {
            let config = self.resolved().await?;
            let connected = config.connect(self.tls.clone()).await;
            connected.map_err(|error| full(&error))
        });
        let connected = connected
            .await
            .unwrap_or_else(|_| Err(format!("no answer within {CONNECT_TIMEOUT:?}")));
        let (client, connection) =
            connected.map_err(|cause| format!("cannot connect to {}: {cause}", self.address))?;
        let link = Link {
            client,
            tls: self.tls.clone(),
            prepared: Mutex::new(LruCache::new(PREPARED)),
        };
        let drive = async move {
            if let Err(error) = connection.await {
                tracing::debug!(error = full(&error), "a database connection ended");
            }
        };
        Ok((link, drive))
    }

    /// The driver is given addresses, so it connects to none that was not checked.
    async fn resolved(&self) -> Result<Config, String> {
        let mut config = self.config.clone();
        let mut failed = "the host has no address".to_owned();
        for server in &self.address.servers {
            match self.egress.resolve(&server.host, server.port).await {
                Ok(found) => {
                    for address in found {
                        config.host(&server.host);
                        config.hostaddr(address.ip());
                        config.port(server.port);
                    }
                }
                Err(error) => failed = error.to_string(),
            }
        }
        if config.get_hosts().is_empty() {
            return Err(failed);
        }
        Ok(config)
    }
}

/// What every session of the component starts with. Hosts are left out: they are resolved anew each time.
fn session_config(asked: &Config, component: &str, settings: &Settings) -> Config {
    let mut config = Config::new();
    if let Some(user) = asked.get_user() {
        config.user(user);
    }
    if let Some(password) = asked.get_password() {
        config.password(password);
    }
    if let Some(database) = asked.get_dbname() {
        config.dbname(database);
    }
    // Ours come last and win.
    config.options(format!(
        "{} -c statement_timeout={} -c idle_in_transaction_session_timeout={}",
        asked.get_options().unwrap_or_default(),
        settings.statement_timeout.as_millis(),
        settings.idle_in_transaction_timeout.as_millis(),
    ));
    config
        .application_name(asked.get_application_name().unwrap_or(component))
        .ssl_mode(asked.get_ssl_mode())
        .ssl_negotiation(asked.get_ssl_negotiation())
        .channel_binding(asked.get_channel_binding())
        .target_session_attrs(asked.get_target_session_attrs())
        .load_balance_hosts(asked.get_load_balance_hosts())
        .keepalives_idle(Duration::from_secs(30))
        .tcp_user_timeout(UNACKNOWLEDGED);
    config
}

pub struct Link {
    client: Client,
    tls: MakeRustlsConnect,
    prepared: Mutex<LruCache<Box<str>, Arc<Prepared>>>,
}

pub struct Prepared {
    statement: Statement,
    pub columns: Vec<Column>,
}

impl Prepared {
    pub fn decode(&self, row: &Row) -> Result<Vec<DbValue>, Error> {
        (0..self.columns.len())
            .map(|at| row.try_get::<_, values::Cell>(at).map(|cell| cell.0))
            .collect::<Result<_, _>>()
            .map_err(|error| errors::of_statement(&error))
    }
}

impl Link {
    /// Starts a statement: one round trip when it is prepared already, which it is from its second time on.
    pub async fn start(
        &self,
        statement: &str,
        parameters: &[ParameterValue],
    ) -> Result<(Arc<Prepared>, RowStream), Error> {
        if let Some(prepared) = self.known(statement) {
            match self.bind(&prepared, parameters).await {
                Err(Unbound::Stale) => self.forget(statement),
                Err(Unbound::Failed(error)) => return Err(error),
                Ok(rows) => return Ok((prepared, rows)),
            }
        }
        let prepared = self.prepare(statement).await?;
        match self.bind(&prepared, parameters).await {
            Ok(rows) => Ok((prepared, rows)),
            Err(Unbound::Failed(error)) => Err(error),
            Err(Unbound::Stale) => Err(Error::Other(
                "the statement changed while it was being prepared".to_owned(),
            )),
        }
    }

    async fn bind(
        &self,
        prepared: &Prepared,
        parameters: &[ParameterValue],
    ) -> Result<RowStream, Unbound> {
        let wanted = prepared.statement.params().len();
        if wanted != parameters.len() {
            return Err(Unbound::Failed(Error::BadParameter(format!(
                "the statement takes {wanted} parameters, not {}",
                parameters.len()
            ))));
        }
        let parameters = parameters.iter().map(Parameter);
        let rows = self.client.query_raw(&prepared.statement, parameters).await;
        rows.map_err(|error| {
            if errors::is_stale_plan(&error) {
                Unbound::Stale
            } else {
                Unbound::Failed(errors::of_statement(&error))
            }
        })
    }

    async fn prepare(&self, text: &str) -> Result<Arc<Prepared>, Error> {
        let statement = self.client.prepare(text).await;
        let statement = statement.map_err(|error| errors::of_statement(&error))?;
        let columns = statement.columns().iter().map(values::column).collect();
        let prepared = Arc::new(Prepared { statement, columns });
        self.prepared().put(text.into(), Arc::clone(&prepared));
        Ok(prepared)
    }

    fn known(&self, statement: &str) -> Option<Arc<Prepared>> {
        self.prepared().get(statement).cloned()
    }

    fn forget(&self, statement: &str) {
        self.prepared().pop(statement);
    }

    fn prepared(&self) -> std::sync::MutexGuard<'_, LruCache<Box<str>, Arc<Prepared>>> {
        self.prepared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    /// Waits until the server has answered everything sent so far.
    pub async fn settled(&self) -> bool {
        self.client.check_connection().await.is_ok()
    }

    /// After a statement nobody waits for any more: lets it end by itself, or cancels it. Whether the connection can be
    /// used again: after a cancellation it cannot, since the signal may arrive late and hit the next statement.
    pub async fn settle_or_cancel(&self) -> bool {
        if let Ok(settled) = timeout(SETTLE, self.settled()).await {
            return settled;
        }
        let token = self.client.cancel_token();
        let cancelled = token.cancel_query(self.tls.clone());
        if !matches!(timeout(CONNECT_TIMEOUT, cancelled).await, Ok(Ok(()))) {
            tracing::debug!("a statement nobody waits for could not be cancelled");
        }
        false
    }

    /// Ends what a guest left open. With `session` everything it may have set, too.
    pub async fn clean(&self, session: bool) -> bool {
        let end = if session { RESET } else { "ROLLBACK" };
        self.client.batch_execute(end).await.is_ok()
    }
}

/// `DISCARD ALL` would also deallocate the statements that we and the driver prepared; a guest's have `from_sql`.
const RESET: &str = "
    ROLLBACK;
    CLOSE ALL;
    SET SESSION AUTHORIZATION DEFAULT;
    RESET ALL;
    UNLISTEN *;
    SELECT pg_advisory_unlock_all();
    DISCARD TEMP;
    DISCARD SEQUENCES;
    DO $$
        DECLARE prepared name;
        BEGIN
            FOR prepared IN SELECT name FROM pg_catalog.pg_prepared_statements WHERE from_sql LOOP
                EXECUTE pg_catalog.format('DEALLOCATE %I', prepared);
            END LOOP;
        END
    $$";

enum Unbound {
    Stale,
    Failed(Error),
}
