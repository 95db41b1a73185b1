//! One connection to a server and the statements prepared on it. The pool decides which guest uses it.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::FutureExt as _;
use lru::LruCache;
use tokio::sync::{Notify, Semaphore};
use tokio::time::timeout;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Config, Row, RowStream, Statement};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::address::Address;
use super::errors::{self, with_causes};
use super::is_kept;
use super::pool;
use super::settings::Settings;
use super::values::{self, Parameter};
use crate::bindings::spin::postgres4_2_0::postgres::{
    Column, DbValue, Error, ParameterValue, QueryError,
};
use crate::budget::Budget;
use crate::context::Cause;
use crate::egress::Egress;

/// Limit for connecting and logging in, and for sending a cancellation. Waiting guests must get an error within two seconds.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(1_800);
/// Limit for a liveness probe: a server that works accepts and answers a new connection in less.
const PROBE_TIMEOUT: Duration = Duration::from_millis(1_200);
/// `TCP_USER_TIMEOUT`: data that stays unacknowledged this long closes the connection, even if no packet says so.
const UNACKNOWLEDGED_TIMEOUT: Duration = Duration::from_secs(10);
/// Statements kept prepared per connection. A component has tens; each costs the server about ten kB.
const MAX_PREPARED: NonZeroUsize = NonZeroUsize::MIN.saturating_add(255);
/// How long an abandoned statement may still run before it is cancelled.
const SETTLE_TIMEOUT: Duration = Duration::from_millis(100);

/// What the setting `wharf.request_id` is while no request is named.
const UNNAMED: &str = "?";
/// The SQLSTATE of a statement that found no request and asks for it.
const ASKS: &str = "WR001";

/// Opens connections to one address.
pub struct Dialer {
    address: Address,
    egress: Arc<Egress>,
    tls: MakeRustlsConnect,
    config: Config,
    /// Of the component, over all its addresses.
    connections: Arc<Semaphore>,
    /// The component has none of these left, and its pools close those that they do not use.
    pub shortage: Arc<Notify>,
}

impl Dialer {
    pub fn new(
        address: Address,
        egress: Arc<Egress>,
        tls: MakeRustlsConnect,
        component: &str,
        settings: &Settings,
        connections: Arc<Semaphore>,
        shortage: Arc<Notify>,
    ) -> Dialer {
        let config = session_config(&address.config, component, settings);
        Dialer {
            address,
            egress,
            tls,
            config,
            connections,
            shortage,
        }
    }

    pub fn budget(&self) -> &Budget {
        self.egress.budget()
    }

    pub fn address(&self) -> &Address {
        &self.address
    }

    /// Probes the server with a new connection. A refused connection is an answer too.
    pub async fn is_unresponsive(&self) -> bool {
        let probe = timeout(PROBE_TIMEOUT, async {
            // Without a permit: a component at its limit must still notice that a server is gone.
            if let Ok((link, drive)) = self.connect().await {
                drop(link);
                drive.await;
            }
        });
        probe.await.is_err()
    }

    /// Connects. Returns the connection and the future that drives it, which ends with the connection.
    pub async fn dial(&self) -> Result<(Link, impl Future<Output = ()> + Send + use<>), String> {
        let refused = |why: String| {
            self.shortage.notify_waiters();
            format!("cannot connect to {}: {why}", self.address)
        };
        let of_postgres = self.connections.clone().try_acquire_owned();
        let of_postgres = of_postgres
            .map_err(|_| refused("the component has too many database connections".to_owned()))?;
        let of_component = self.egress.budget().try_connect();
        let of_component = of_component.map_err(|why| refused(why.to_string()))?;
        let (link, drive) = self.connect().await?;
        let drive = async move {
            let _permits = (of_postgres, of_component);
            drive.await;
        };
        Ok((link, drive))
    }

    async fn connect(&self) -> Result<(Link, impl Future<Output = ()> + Send + use<>), String> {
        let connected = timeout(CONNECT_TIMEOUT, async {
            let config = self.resolve().await?;
            let connected = config.connect(self.tls.clone()).await;
            connected.map_err(|error| {
                if error.code() == Some(&SqlState::TOO_MANY_CONNECTIONS) {
                    pool::SHORTAGE.notify_waiters();
                }
                with_causes(&error)
            })
        });
        let connected = connected
            .await
            .unwrap_or_else(|_| Err(format!("no answer within {CONNECT_TIMEOUT:?}")));
        let (client, connection) =
            connected.map_err(|cause| format!("cannot connect to {}: {cause}", self.address))?;
        let link = Link {
            client,
            tls: self.tls.clone(),
            prepared: Mutex::new(LruCache::new(MAX_PREPARED)),
            named: Mutex::default(),
        };
        let drive = async move {
            if let Err(error) = connection.await {
                tracing::debug!(error = with_causes(&error), "a database connection ended");
            }
        };
        Ok((link, drive))
    }

    /// Resolves here and not in the driver, so that it connects only to addresses that were checked.
    async fn resolve(&self) -> Result<Config, String> {
        let mut config = self.config.clone();
        let mut cause = "the host has no address".to_owned();
        for server in &self.address.servers {
            match self.egress.resolve(&server.host, server.port).await {
                Ok(addresses) => {
                    for address in addresses {
                        config.host(&server.host);
                        config.hostaddr(address.ip());
                        config.port(server.port);
                    }
                }
                Err(error) => cause = error.to_string(),
            }
        }
        if config.get_hosts().is_empty() {
            return Err(cause);
        }
        Ok(config)
    }
}

/// The settings of every session of the component. Hosts are left out: they are resolved for each connection.
fn session_config(requested: &Config, component: &str, settings: &Settings) -> Config {
    let mut config = Config::new();
    if let Some(user) = requested.get_user() {
        config.user(user);
    }
    if let Some(password) = requested.get_password() {
        config.password(password);
    }
    if let Some(database) = requested.get_dbname() {
        config.dbname(database);
    }
    // The host's settings come last, so they override those of the address.
    let mut options = format!(
        "{} -c statement_timeout={} -c lock_timeout={} -c idle_in_transaction_session_timeout={}",
        requested.get_options().unwrap_or_default(),
        settings.statement_timeout.as_millis(),
        // A statement that waits gives its connection back earlier than one that works.
        settings.statement_timeout.as_millis() / 2,
        settings.idle_in_transaction_timeout.as_millis(),
    );
    if settings.names_requests {
        options += &format!(" -c wharf.request_id={UNNAMED}");
    }
    config.options(options);
    config
        .application_name(requested.get_application_name().unwrap_or(component))
        .ssl_mode(requested.get_ssl_mode())
        .ssl_negotiation(requested.get_ssl_negotiation())
        .channel_binding(requested.get_channel_binding())
        .target_session_attrs(requested.get_target_session_attrs())
        .load_balance_hosts(requested.get_load_balance_hosts())
        .keepalives_idle(Duration::from_secs(30))
        .tcp_user_timeout(UNACKNOWLEDGED_TIMEOUT);
    config
}

/// A server connection.
pub struct Link {
    client: Client,
    tls: MakeRustlsConnect,
    prepared: Mutex<LruCache<Box<str>, Arc<Prepared>>>,
    named: Mutex<Named>,
}

/// The request that the session's settings name.
struct Named {
    request_id: String,
    traceparent: String,
}

impl Default for Named {
    /// As a session begins.
    fn default() -> Named {
        Named {
            request_id: UNNAMED.to_owned(),
            traceparent: String::new(),
        }
    }
}

/// Whether a statement asks for its request. Nothing of it was executed then.
pub fn asks_for_request(error: &Error) -> bool {
    matches!(error, Error::QueryFailed(QueryError::DbError(reported)) if reported.code == ASKS)
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
            .map_err(|error| errors::from_driver(&error))
    }
}

impl Link {
    /// Starts a statement: one round trip if it is prepared, as it is from its second run on.
    pub async fn start(
        &self,
        statement: &str,
        parameters: &[ParameterValue],
    ) -> Result<(Arc<Prepared>, RowStream), Error> {
        if let Some(prepared) = self.find_prepared(statement) {
            match self.bind(&prepared, parameters).await {
                Err(BindError::Stale) => self.drop_prepared(statement),
                Err(BindError::Failed(error)) => return Err(error),
                Ok(rows) => return Ok((prepared, rows)),
            }
        }
        let prepared = self.prepare(statement).await?;
        match self.bind(&prepared, parameters).await {
            Ok(rows) => Ok((prepared, rows)),
            Err(BindError::Failed(error)) => Err(error),
            Err(BindError::Stale) => Err(Error::Other(
                "a table of the statement changed while the statement was being prepared"
                    .to_owned(),
            )),
        }
    }

    async fn bind(
        &self,
        prepared: &Prepared,
        parameters: &[ParameterValue],
    ) -> Result<RowStream, BindError> {
        let expected = prepared.statement.params().len();
        if expected != parameters.len() {
            return Err(BindError::Failed(Error::BadParameter(format!(
                "the statement takes {expected} parameters, not {}",
                parameters.len()
            ))));
        }
        let parameters = parameters.iter().map(Parameter);
        let rows = self.client.query_raw(&prepared.statement, parameters).await;
        rows.map_err(|error| {
            if errors::is_stale_plan(&error) {
                BindError::Stale
            } else {
                BindError::Failed(errors::from_driver(&error))
            }
        })
    }

    async fn prepare(&self, text: &str) -> Result<Arc<Prepared>, Error> {
        let statement = self.client.prepare(text).await;
        let statement = statement.map_err(|error| errors::from_driver(&error))?;
        let columns = statement
            .columns()
            .iter()
            .map(values::convert_column)
            .collect();
        let prepared = Arc::new(Prepared { statement, columns });
        if is_kept(text) {
            self.lock_prepared().put(text.into(), Arc::clone(&prepared));
        }
        Ok(prepared)
    }

    /// Names the request that the next statements of this connection belong to.
    pub fn name_request(&self, cause: Option<&Cause>) {
        let (request_id, traceparent) =
            cause.map_or(("", ""), |it| (it.request_id(), it.traceparent()));
        self.set_names(request_id, traceparent);
    }

    /// The next statements of this connection find no request and may ask for it.
    pub fn unname_request(&self) {
        self.set_names(UNNAMED, "");
    }

    /// Sends the settings that differ from the last ones, and does not wait for the answer. PostgreSQL answers in order, so the
    /// answer of the next statement, which is waited for, comes after it.
    fn set_names(&self, request_id: &str, traceparent: &str) {
        let mut set = String::new();
        {
            let mut named = self.named.lock().unwrap_or_else(PoisonError::into_inner);
            let named = &mut *named;
            for (name, value, before) in [
                ("request_id", request_id, &mut named.request_id),
                ("traceparent", traceparent, &mut named.traceparent),
            ] {
                if value != before.as_str() {
                    set += &format!("SET wharf.{name} = '{value}';");
                    value.clone_into(before);
                }
            }
        }
        if set.is_empty() {
            return;
        }
        if let Some(Err(error)) = self.client.batch_execute(&set).now_or_never() {
            tracing::debug!(error = with_causes(&error), "a request was not named");
        }
    }

    fn find_prepared(&self, statement: &str) -> Option<Arc<Prepared>> {
        self.lock_prepared().get(statement).cloned()
    }

    fn drop_prepared(&self, statement: &str) {
        self.lock_prepared().pop(statement);
    }

    fn lock_prepared(&self) -> std::sync::MutexGuard<'_, LruCache<Box<str>, Arc<Prepared>>> {
        self.prepared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether none of these functions can wait for a lock. PostgreSQL lets only volatile functions write or lock rows. A name
    /// that is no function is a keyword, an alias or a type. `None` if the server cannot tell.
    pub async fn only_read(&self, functions: &[String]) -> Option<bool> {
        let parameters: [(&(dyn ToSql + Sync), Type); 1] = [(&functions, Type::TEXT_ARRAY)];
        let volatile = self.client.query_typed(VOLATILE, &parameters);
        Some(volatile.await.ok()?.is_empty())
    }

    pub fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    /// Waits until the server has answered everything sent so far. `false` if the connection failed.
    pub async fn settle(&self) -> bool {
        self.client.check_connection().await.is_ok()
    }

    /// Lets an abandoned statement finish, or cancels it if it runs on. Returns whether the connection can be reused: not
    /// after a cancellation, because its signal may arrive late and hit the next statement.
    pub async fn settle_or_cancel(&self) -> bool {
        if let Ok(settled) = timeout(SETTLE_TIMEOUT, self.settle()).await {
            return settled;
        }
        let token = self.client.cancel_token();
        let cancelled = token.cancel_query(self.tls.clone());
        if !matches!(timeout(CONNECT_TIMEOUT, cancelled).await, Ok(Ok(()))) {
            tracing::debug!("an abandoned statement could not be cancelled");
        }
        false
    }

    /// Rolls back an open transaction and, if `reset_session`, resets the session. Returns whether it succeeded.
    pub async fn clean(&self, reset_session: bool) -> bool {
        let statements = if reset_session { RESET } else { "ROLLBACK" };
        if reset_session {
            *self.named.lock().unwrap_or_else(PoisonError::into_inner) = Named::default();
        }
        self.client.batch_execute(statements).await.is_ok()
    }
}

/// Finds volatile functions among these names. Functions of the server that only tell the time or make up a value are left out:
/// they are volatile, and wait for nothing.
const VOLATILE: &str = "
    SELECT FROM pg_catalog.pg_proc
    WHERE proname = ANY ($1)
      AND provolatile = 'v'
      AND NOT (pronamespace = 'pg_catalog'::pg_catalog.regnamespace
          AND proname IN ('clock_timestamp', 'gen_random_uuid', 'random', 'timeofday', 'uuidv7'))
    LIMIT 1";

/// `DISCARD ALL` would also deallocate the statements that the host and the driver prepared. Statements that a guest
/// prepared have `from_sql`.
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

enum BindError {
    /// The prepared statement is no longer valid; nothing was executed.
    Stale,
    Failed(Error),
}
