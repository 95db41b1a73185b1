//! SQL over a connection pool per component and database address.
//!
//! A guest's connection is virtual and free to open. Its plain statements run on any pooled connection: those that only read
//! are pipelined, one that may wait for a lock has the connection alone while it runs. The first statement
//! that needs a session (a transaction, a setting, …) gets the guest a dedicated connection, until the guest drops its own.
//! Then an open transaction is rolled back and the session is reset, also after a trap or a cancelled request.
//!
//! Reading order: this file (pools and statements), `session` (which statements need a session), `pool`, `link` (one server
//! connection), `rows`, `values`, `wit`.

mod address;
mod connect;
mod errors;
mod link;
mod pool;
mod rows;
mod session;
mod settings;
#[cfg(test)]
mod tests;
mod tls;
mod values;
pub(crate) mod wit;

pub use address::Address;
pub use connect::connect;
pub use settings::Settings;

use std::collections::HashMap;
use std::future::poll_fn;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use lru::LruCache;
use rustls::RootCertStore;
use tokio::sync::{Notify, OnceCell, Semaphore};
use tokio_postgres_rustls::MakeRustlsConnect;

use self::address::Tls;
use self::link::{Dialer, asks_for_request};
use self::pool::{Known, Lease, Pool};
use self::rows::{Row, Rows};
use self::session::Need;
use crate::bindings::spin::postgres4_2_0::postgres::{
    Column, Error, ParameterValue, QueryError, RowSet,
};
use crate::context::Cause;
use crate::door::Door;
use crate::egress::Egress;

/// Pools that are kept per component, the least recently used evicted first. Few components use more than one address.
const MAX_POOLS: NonZeroUsize = NonZeroUsize::MIN.saturating_add(15);
/// How many pools of a component may be full of connections at the same time. A component that opens more and
/// more addresses gets no more connections.
const MAX_FULL_POOLS: usize = 2;
/// Longest statement whose text is kept, in [`Known`] or prepared. A person writes shorter ones, and a thousand longer ones would
/// take the memory of the host.
const MAX_KEPT_BYTES: usize = 16 * 1024;
/// Larger results are streamed. Smaller ones are read at once, which frees their connection.
const MAX_WHOLE_BYTES: usize = 256 * 1024;
/// Largest result that the host buffers for a guest, as in Spin.
const MAX_RESULT_BYTES: usize = 128 * 1024 * 1024;

/// The pools of one component.
pub(crate) struct Pools {
    component: String,
    egress: Arc<Egress>,
    settings: Settings,
    roots: Arc<RootCertStore>,
    /// Keyed by address, and by certificate authority if the guest gave one.
    pools: Mutex<LruCache<Box<str>, Arc<Pool>>>,
    /// The pools by what their connections have in common, so that other spellings of an address lead to the same pool.
    by_identity: Mutex<HashMap<String, Weak<Pool>>>,
    /// One permit per connection, over all pools.
    connections: Arc<Semaphore>,
    shortage: Arc<Notify>,
    door: Arc<Door>,
}

impl Pools {
    pub(crate) fn new(
        component: String,
        egress: Arc<Egress>,
        settings: Settings,
        roots: Arc<RootCertStore>,
    ) -> Pools {
        Pools {
            component,
            egress,
            roots,
            pools: Mutex::new(LruCache::new(MAX_POOLS)),
            by_identity: Mutex::default(),
            connections: Arc::new(Semaphore::new(settings.connections * MAX_FULL_POOLS)),
            shortage: Arc::default(),
            door: Arc::default(),
            settings,
        }
    }

    pub(crate) fn door(&self) -> &Arc<Door> {
        &self.door
    }

    /// Opens a connection for a guest. Fails if the server cannot be reached.
    pub(crate) async fn open(
        &self,
        address: &str,
        ca_root: Option<&str>,
    ) -> Result<Connection, Error> {
        let pool = self.find_or_add(address, ca_root);
        let pool = pool.map_err(Error::ConnectionFailed)?;
        let reached = pool.ensure_reachable().await;
        reached.map_err(Error::ConnectionFailed)?;
        Ok(Connection {
            inner: Arc::new(Inner {
                pool,
                dedicated: OnceCell::new(),
                named: Mutex::default(),
            }),
            cause: None,
        })
    }

    fn find_or_add(&self, address: &str, ca_root: Option<&str>) -> Result<Arc<Pool>, String> {
        address::check_length(address)?;
        let with_authority = ca_root.map(|pem| format!("{address}\n{pem}"));
        let key = with_authority.as_deref().unwrap_or(address);
        let mut pools = self.pools.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pool) = pools.get(key) {
            return Ok(Arc::clone(pool));
        }
        let address = Address::parse(address)?;
        address.check(&self.egress)?;
        let identity = address.identity(ca_root);
        let by_identity = self.by_identity.lock();
        let mut by_identity = by_identity.unwrap_or_else(PoisonError::into_inner);
        let pool = match by_identity.get(&identity).and_then(Weak::upgrade) {
            Some(pool) => pool,
            None => {
                let pool = self.new_pool(address, ca_root)?;
                by_identity.retain(|_, pool| pool.strong_count() > 0);
                by_identity.insert(identity, Arc::downgrade(&pool));
                pool
            }
        };
        pools.put(key.into(), Arc::clone(&pool));
        Ok(pool)
    }

    fn new_pool(&self, address: Address, ca_root: Option<&str>) -> Result<Arc<Pool>, String> {
        let connector = self.connector(address.tls, ca_root)?;
        let dialer = Dialer::new(
            address,
            Arc::clone(&self.egress),
            connector,
            &self.component,
            &self.settings,
            Arc::clone(&self.connections),
            Arc::clone(&self.shortage),
        );
        Ok(Pool::new(dialer, self.settings, Arc::clone(&self.door)))
    }

    fn connector(&self, tls: Tls, ca_root: Option<&str>) -> Result<MakeRustlsConnect, String> {
        let Some(pem) = ca_root else {
            return tls::connector(tls, Arc::clone(&self.roots));
        };
        // As in Spin: a guest that gives an authority wants the server verified, even if `sslmode` asks for less.
        let tls = match tls {
            Tls::Prefer | Tls::Require => Tls::VerifyFull,
            strict => strict,
        };
        tls::connector(tls, Arc::new(tls::parse_authorities(pem)?))
    }
}

/// A guest's connection. Clones are the same connection.
#[derive(Clone)]
pub struct Connection {
    inner: Arc<Inner>,
    cause: Option<Arc<Cause>>,
}

struct Inner {
    pool: Arc<Pool>,
    /// Leased by the first statement that needs a session. All later statements use it too.
    dedicated: OnceCell<Arc<Lease>>,
    /// The request that the guest named, in place of the one that its instance serves.
    named: Mutex<Option<Arc<Cause>>>,
}

impl Connection {
    /// The same for the statements of one request.
    pub(crate) fn caused_by(self, cause: Option<Arc<Cause>>) -> Connection {
        Connection { cause, ..self }
    }

    async fn start(
        &self,
        Known { need, asks }: Known,
        statement: &str,
        parameters: &[ParameterValue],
    ) -> Result<Rows, Error> {
        let lease = self.lease(need, statement).await;
        let lease = lease.map_err(Error::ConnectionFailed)?;
        // Dropped before the end of the result, the statement stays unfinished, and the lease settles or cancels it.
        lease.begin_statement(need);
        let link = lease.link();
        if self.finds_request(need) {
            if asks {
                link.name_request(self.cause().as_deref());
            } else {
                link.unname_request();
            }
        }
        match link.start(statement, parameters).await {
            Ok((prepared, stream)) => Ok(Rows {
                held: lease.hold(),
                lease,
                prepared,
                stream: Box::pin(stream),
            }),
            Err(error) => {
                lease.finish_statement();
                Err(error)
            }
        }
    }

    /// Whether the host sets, ahead of a statement, either its request or that the statement may ask for it. It does so for
    /// what may write, which has its connection for itself. A session is named when it begins, and then the guest owns its
    /// settings.
    fn finds_request(&self, need: Need) -> bool {
        self.inner.pool.settings().names_requests
            && matches!(need, Need::Calls | Need::Alone)
            && self.inner.dedicated.get().is_none()
    }

    /// Runs a statement. When it fails to ask for its request, PostgreSQL has undone it, so it is run again with the request
    /// named. Most statements never ask. Naming the request ahead of every statement would cost a transfer a tenth of its rate.
    async fn run<T>(
        &self,
        statement: &str,
        parameters: &[ParameterValue],
        read: impl AsyncFn(Rows) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let known = self.inner.pool.know(statement);
        match read(self.start(known, statement, parameters).await?).await {
            Err(error) if self.finds_request(known.need) && asks_for_request(&error) => {
                let known = self.inner.pool.set_asking(statement);
                read(self.start(known, statement, parameters).await?).await
            }
            answer => answer,
        }
    }

    fn cause(&self) -> Option<Arc<Cause>> {
        let named = self.inner.named.lock();
        let named = named.unwrap_or_else(PoisonError::into_inner).clone();
        named.or_else(|| self.cause.clone())
    }

    /// Whether the statement only names the request that the next ones of this connection follow from. It is not sent.
    fn takes_cause(&self, statement: &str) -> bool {
        let is_told = self.inner.pool.settings().names_requests;
        if !is_told || !statement.starts_with("SET wharf.") || self.inner.dedicated.get().is_some()
        {
            return false;
        }
        let named = self.inner.named.lock();
        let mut named = named.unwrap_or_else(PoisonError::into_inner);
        let Some(changed) = Cause::set_by(statement, named.as_deref()) else {
            return false;
        };
        *named = Some(Arc::new(changed));
        true
    }

    async fn lease(&self, need: Need, statement: &str) -> Result<Arc<Lease>, String> {
        let Inner {
            pool, dedicated, ..
        } = &*self.inner;
        if let Some(lease) = dedicated.get() {
            return Ok(Arc::clone(lease));
        }
        match need {
            Need::Nothing => return pool.lease_shared().await.map(Arc::new),
            Need::Calls => return lease_for_calls(pool, statement).await.map(Arc::new),
            Need::Alone => return pool.lease_dedicated().await.map(Arc::new),
            Need::Transaction | Need::Session | Need::Connection => {}
        }
        let lease = dedicated.get_or_try_init(async || {
            let lease = pool.lease_dedicated().await?;
            // Before the guest's first statement: its settings still name the request that used it last.
            if pool.settings().names_requests {
                lease.link().name_request(self.cause().as_deref());
            }
            Ok::<_, String>(Arc::new(lease))
        });
        lease.await.map(Arc::clone)
    }

    /// Runs a statement and returns how many rows it affected.
    pub(crate) async fn execute(
        &self,
        statement: &str,
        parameters: &[ParameterValue],
    ) -> Result<u64, Error> {
        if self.takes_cause(statement) {
            return Ok(0);
        }
        self.run(statement, parameters, count_affected).await
    }

    /// Runs a statement and returns all its rows.
    pub(crate) async fn query(
        &self,
        statement: &str,
        parameters: &[ParameterValue],
    ) -> Result<RowSet, Error> {
        let set = self.run(statement, parameters, read_all).await?;
        if set.rows.is_empty() && self.inner.pool.settings().refuses_empty_results {
            return Err(Error::QueryFailed(QueryError::Text(format!(
                "under Spin 4.1 this query would never end, because it finds no row; use the streaming call: {statement}"
            ))));
        }
        Ok(set)
    }

    /// Runs a statement and returns its rows, or streams them if they are many.
    pub(crate) async fn stream(
        &self,
        statement: &str,
        parameters: &[ParameterValue],
    ) -> Result<(Vec<Column>, Answer), Error> {
        let answered = self.run(statement, parameters, read_or_stream).await?;
        if matches!(answered.1, Answer::Streamed { .. }) {
            // The guest gets these rows now. If the statement asks after them, it cannot be run again, so it fails this once.
            self.inner.pool.set_asking(statement);
        }
        Ok(answered)
    }
}

/// A statement that calls functions may share its connection if none of them can wait for a lock. The server is asked once.
async fn lease_for_calls(pool: &Arc<Pool>, statement: &str) -> Result<Lease, String> {
    let lease = pool.lease_dedicated().await?;
    // A quoted name is as it is written, another is in lower case.
    let names: Vec<String> = session::called_names(statement)
        .flat_map(|name| [name.to_owned(), name.to_lowercase()])
        .collect();
    match lease.link().only_read(&names).await {
        Some(true) => pool.set_need(statement, Need::Nothing),
        Some(false) => pool.set_need(statement, Need::Alone),
        None => {}
    }
    Ok(lease)
}

async fn count_affected(mut rows: Rows) -> Result<u64, Error> {
    poll_fn(|cx| rows.poll_skip(cx)).await
}

async fn read_all(mut rows: Rows) -> Result<RowSet, Error> {
    let mut read = Vec::new();
    if !rows.read(&mut read, MAX_RESULT_BYTES).await? {
        return Err(too_large());
    }
    Ok(RowSet {
        columns: rows.prepared.columns.clone(),
        rows: read,
    })
}

async fn read_or_stream(mut rows: Rows) -> Result<(Vec<Column>, Answer), Error> {
    let columns = rows.prepared.columns.clone();
    let mut read = Vec::new();
    if rows.read(&mut read, MAX_WHOLE_BYTES).await? {
        return Ok((columns, Answer::Whole(read)));
    }
    if rows.lease.stop_sharing() {
        return Ok((columns, Answer::Streamed { read, rows }));
    }
    // Statements of other guests are queued behind this one and must not wait until this guest has read its rows.
    if rows.read(&mut read, MAX_RESULT_BYTES).await? {
        return Ok((columns, Answer::Whole(read)));
    }
    Err(too_large())
}

fn is_kept(statement: &str) -> bool {
    statement.len() <= MAX_KEPT_BYTES
}

fn too_large() -> Error {
    Error::QueryFailed(QueryError::Text(format!(
        "query result exceeds limit of {MAX_RESULT_BYTES} bytes"
    )))
}

/// The rows of a statement.
pub(crate) enum Answer {
    Whole(Vec<Row>),
    /// The rows read so far, and the rest.
    Streamed {
        read: Vec<Row>,
        rows: Rows,
    },
}
