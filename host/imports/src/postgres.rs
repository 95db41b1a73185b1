//! `spin:postgres`, of every version: SQL over a pool of the component's own.
//!
//! A guest's connection is virtual: it costs nothing to open, its plain statements run wherever there is room, and only
//! what needs a session (a transaction, a setting, …) gives it a server connection of its own, until it is dropped. What
//! it then left behind is rolled back and reset, whether it ended well, trapped or was abandoned.
//!
//! Reading order: this file (connections and statements), `session` (what needs a session), `pool`, `link`, then `values`.
//! `older` holds the previous versions of the interface.

mod address;
mod errors;
mod link;
mod numeric;
mod older;
mod owner;
mod pool;
mod session;
#[cfg(test)]
mod tests;
mod tls;
mod values;

pub use address::Address;
pub use owner::connect;

use std::num::NonZeroUsize;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures::Stream;
use lru::LruCache;
use rustls::RootCertStore;
use tokio::sync::{OnceCell, oneshot};
use tokio_postgres::RowStream;
use wasmtime::StoreContextMut;
use wasmtime::component::{
    Accessor, Destination, FutureReader, Linker, Resource, StreamProducer, StreamReader,
    StreamResult, VecBuffer,
};

use self::address::Tls;
use self::link::{Dialer, Prepared};
use self::pool::{Lease, Pool};
use crate::bindings::fermyon::spin::postgres as v2;
use crate::bindings::spin::postgres3_0_0::postgres as v3;
use crate::bindings::spin::postgres4_2_0::postgres as v4;
use crate::egress::{ADDRESS_BYTES, Egress};
use crate::{HasImports, ImportsCtxView, ImportsView, no_trap};
use v4::{Column, DbValue, Error, ParameterValue, QueryError};

/// How much of a database one component may take, per address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Connections open at once.
    pub connections: usize,
    /// How long a statement or a transaction may wait for one of them.
    pub wait: Duration,
    pub statement_timeout: Duration,
    /// How long an open transaction may do nothing. It holds locks others wait for.
    pub idle_in_transaction_timeout: Duration,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            connections: 16,
            wait: Duration::from_secs(2),
            statement_timeout: Duration::from_secs(10),
            idle_in_transaction_timeout: Duration::from_secs(10),
        }
    }
}

/// Addresses one component keeps pools for; the one unused longest goes first. Few components know two.
const ADDRESSES: NonZeroUsize = NonZeroUsize::MIN.saturating_add(15);
/// A result up to this size is read at once, which frees its connection; a larger one is read as the guest takes it.
const READ_AT_ONCE: usize = 256 * 1024;
/// The largest result the host holds for a guest, as Spin has it.
const HELD: usize = 128 * 1024 * 1024;
/// What is handed to a guest in one piece of a larger result.
const PIECE: usize = 64 * 1024;

/// The largest certificate authority a guest may give: a chain of them, not all of the world's. A builder keeps it.
const CERTIFICATE_BYTES: usize = 64 * 1024;

/// The pools of one component.
pub(crate) struct Pools {
    component: String,
    egress: Arc<Egress>,
    settings: Settings,
    roots: Arc<RootCertStore>,
    /// By address, and by certificate authority where the guest gave one.
    pools: Mutex<LruCache<Box<str>, Arc<Pool>>>,
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
            settings,
            roots,
            pools: Mutex::new(LruCache::new(ADDRESSES)),
        }
    }

    /// A connection of the guest, once the server is known to be there.
    pub(crate) async fn open(
        &self,
        address: &str,
        ca_root: Option<&str>,
    ) -> Result<Connection, Error> {
        let pool = self
            .pool(address, ca_root)
            .map_err(Error::ConnectionFailed)?;
        pool.reach().await.map_err(Error::ConnectionFailed)?;
        let own = OnceCell::new();
        Ok(Connection(Arc::new(Session { pool, own })))
    }

    fn pool(&self, address: &str, ca_root: Option<&str>) -> Result<Arc<Pool>, String> {
        fits(address)?;
        let with_authority = ca_root.map(|pem| format!("{address}\n{pem}"));
        let key = with_authority.as_deref().unwrap_or(address);
        let mut pools = self.pools.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pool) = pools.get(key) {
            return Ok(Arc::clone(pool));
        }
        let address = Address::parse(address)?;
        address.check(&self.egress)?;
        let connector = self.connector(address.tls, ca_root)?;
        let egress = Arc::clone(&self.egress);
        let dialer = Dialer::new(address, egress, connector, &self.component, &self.settings);
        let pool = Pool::new(dialer, self.settings);
        pools.put(key.into(), Arc::clone(&pool));
        Ok(pool)
    }

    fn connector(
        &self,
        tls: Tls,
        ca_root: Option<&str>,
    ) -> Result<tokio_postgres_rustls::MakeRustlsConnect, String> {
        let Some(pem) = ca_root else {
            return tls::connector(tls, Arc::clone(&self.roots));
        };
        // Who names an authority wants the server verified; Spin does, whatever else the address says.
        let tls = match tls {
            Tls::Prefer | Tls::Require => Tls::VerifyFull,
            strict => strict,
        };
        tls::connector(tls, Arc::new(tls::authorities(pem)?))
    }
}

fn fits(address: &str) -> Result<(), String> {
    if address.len() > ADDRESS_BYTES {
        return Err(format!("an address of more than {ADDRESS_BYTES} bytes"));
    }
    Ok(())
}

/// A guest's connection. Clones are the same connection.
#[derive(Clone)]
pub struct Connection(Arc<Session>);

struct Session {
    pool: Arc<Pool>,
    /// Made by the first statement that needs it.
    own: OnceCell<Arc<Lease>>,
}

impl Connection {
    async fn start(&self, statement: &str, parameters: &[ParameterValue]) -> Result<Rows, Error> {
        let need = session::need_of(statement);
        let lease = self.lease(need).await.map_err(Error::ConnectionFailed)?;
        // From here to the end of the result, being dropped leaves the statement unfinished, which the lease notices.
        lease.begin(need);
        match lease.link().start(statement, parameters).await {
            Ok((prepared, stream)) => Ok(Rows {
                lease,
                prepared,
                stream: Box::pin(stream),
            }),
            Err(error) => {
                lease.finish();
                Err(error)
            }
        }
    }

    async fn lease(&self, need: session::Need) -> Result<Arc<Lease>, String> {
        let Session { pool, own } = &*self.0;
        if let Some(own) = own.get() {
            return Ok(Arc::clone(own));
        }
        if need == session::Need::Nothing {
            return pool.share().await.map(Arc::new);
        }
        let own = own.get_or_try_init(async || pool.take().await.map(Arc::new));
        own.await.map(Arc::clone)
    }

    /// Runs a statement for its effect: how many rows it touched.
    pub(crate) async fn execute(
        &self,
        statement: &str,
        parameters: &[ParameterValue],
    ) -> Result<u64, Error> {
        let mut rows = self.start(statement, parameters).await?;
        std::future::poll_fn(|cx| rows.poll_skip(cx)).await
    }

    /// Runs a statement for its rows, all of them.
    pub(crate) async fn query(
        &self,
        statement: &str,
        parameters: &[ParameterValue],
    ) -> Result<v4::RowSet, Error> {
        let mut rows = self.start(statement, parameters).await?;
        let mut read = Vec::new();
        if !rows.read(&mut read, HELD).await? {
            return Err(too_large());
        }
        Ok(v4::RowSet {
            columns: rows.prepared.columns.clone(),
            rows: read,
        })
    }

    /// Runs a statement for its rows, as they come if they are many.
    pub(crate) async fn stream(
        &self,
        statement: &str,
        parameters: &[ParameterValue],
    ) -> Result<(Vec<Column>, Answer), Error> {
        let mut rows = self.start(statement, parameters).await?;
        let columns = rows.prepared.columns.clone();
        let mut read = Vec::new();
        if rows.read(&mut read, READ_AT_ONCE).await? {
            return Ok((columns, Answer::Whole(read)));
        }
        if rows.lease.keep_to_itself() {
            return Ok((columns, Answer::Begun(read, rows)));
        }
        // Other guests' statements are queued behind this one and must not wait for this guest to read.
        if rows.read(&mut read, HELD).await? {
            return Ok((columns, Answer::Whole(read)));
        }
        Err(too_large())
    }
}

fn too_large() -> Error {
    Error::QueryFailed(QueryError::Text(format!(
        "query result exceeds limit of {HELD} bytes"
    )))
}

type Row = Vec<DbValue>;

/// What a statement answered.
pub(crate) enum Answer {
    Whole(Vec<Row>),
    /// The rows read so far, and those to come.
    Begun(Vec<Row>, Rows),
}

/// The result of a statement while it comes in.
pub(crate) struct Rows {
    lease: Arc<Lease>,
    prepared: Arc<Prepared>,
    stream: Pin<Box<RowStream>>,
}

impl Rows {
    /// The next row and the bytes it came in. After `None` or an error there is nothing more to ask.
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<(Row, usize), Error>>> {
        let next = match ready!(self.stream.as_mut().poll_next(cx)) {
            Some(Ok(row)) => match self.prepared.decode(&row) {
                Ok(values) => return Poll::Ready(Some(Ok((values, row.raw_size_bytes())))),
                // The rest of the rows is still to come: the statement is not finished.
                Err(error) => return Poll::Ready(Some(Err(error))),
            },
            Some(Err(error)) => Some(Err(errors::of_statement(&error))),
            None => None,
        };
        self.lease.finish();
        Poll::Ready(next)
    }

    fn poll_skip(&mut self, cx: &mut Context<'_>) -> Poll<Result<u64, Error>> {
        loop {
            let result = match ready!(self.stream.as_mut().poll_next(cx)) {
                Some(Ok(_)) => continue,
                Some(Err(error)) => Err(errors::of_statement(&error)),
                None => Ok(self.stream.rows_affected().unwrap_or(0)),
            };
            self.lease.finish();
            return Poll::Ready(result);
        }
    }

    /// Reads on until the end (`true`) or until about `limit` bytes were read.
    async fn read(&mut self, rows: &mut Vec<Row>, limit: usize) -> Result<bool, Error> {
        let mut size = 0;
        while size <= limit {
            match std::future::poll_fn(|cx| self.poll_next(cx)).await {
                Some(row) => {
                    let (row, bytes) = row?;
                    size += bytes;
                    rows.push(row);
                }
                None => return Ok(true),
            }
        }
        Ok(false)
    }
}

/// A large result on its way to a guest.
struct RowProducer {
    read: Vec<Row>,
    rows: Rows,
    end: Option<oneshot::Sender<Result<(), Error>>>,
}

impl<D> StreamProducer<D> for RowProducer {
    type Item = Row;
    type Buffer = VecBuffer<Row>;

    fn poll_produce<'a>(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut store: StoreContextMut<'a, D>,
        mut destination: Destination<'a, Row, VecBuffer<Row>>,
        finish: bool,
    ) -> Poll<wasmtime::Result<StreamResult>> {
        if destination.remaining(&mut store) == Some(0) {
            return Poll::Ready(Ok(StreamResult::Completed));
        }
        let this = &mut *self;
        let mut piece = std::mem::take(&mut this.read);
        let mut size = if piece.is_empty() { 0 } else { PIECE };
        let end = loop {
            if size >= PIECE {
                break StreamResult::Completed;
            }
            match this.rows.poll_next(cx) {
                Poll::Ready(Some(Ok((row, bytes)))) => {
                    size += bytes;
                    piece.push(row);
                }
                Poll::Ready(end) => {
                    let end = end.map_or(Ok(()), |error| error.map(|_| ()));
                    if let Some(tell) = this.end.take() {
                        // A guest that dropped the future does not want to know.
                        drop(tell.send(end));
                    }
                    break StreamResult::Dropped;
                }
                Poll::Pending if !piece.is_empty() => break StreamResult::Completed,
                Poll::Pending if finish => return Poll::Ready(Ok(StreamResult::Cancelled)),
                Poll::Pending => return Poll::Pending,
            }
        };
        destination.set_buffer(piece.into());
        Poll::Ready(Ok(end))
    }
}

/// What `connection-builder` has gathered.
#[derive(Clone)]
pub struct ConnectionBuilder {
    /// Or why it is none.
    address: Result<String, String>,
    ca_root: Option<String>,
}

pub(crate) fn add_to_linker<T: ImportsView + 'static>(
    linker: &mut Linker<T>,
) -> wasmtime::Result<()> {
    v4::add_to_linker::<_, HasImports>(linker, T::imports)?;
    v3::add_to_linker::<_, HasImports>(linker, T::imports)?;
    v2::add_to_linker::<_, HasImports>(linker, T::imports)?;
    Ok(())
}

impl ImportsCtxView<'_> {
    fn connection(&self, connection: &Resource<Connection>) -> Result<Connection, Error> {
        let connection = self.table.get(connection).cloned();
        connection.map_err(|error| Error::Other(error.to_string()))
    }

    fn builder(&self, builder: &Resource<ConnectionBuilder>) -> Result<ConnectionBuilder, Error> {
        let builder = self.table.get(builder).cloned();
        builder.map_err(|error| Error::Other(error.to_string()))
    }

    fn keep(&mut self, connection: Connection) -> Result<Resource<Connection>, Error> {
        let kept = self.table.push(connection);
        kept.map_err(|error| Error::ConnectionFailed(error.to_string()))
    }
}

impl v4::Host for ImportsCtxView<'_> {}

impl v4::HostConnectionBuilder for ImportsCtxView<'_> {
    fn new(&mut self, address: String) -> wasmtime::Result<Resource<ConnectionBuilder>> {
        let address = fits(&address).map(|()| address);
        let ca_root = None;
        Ok(self.table.push(ConnectionBuilder { address, ca_root })?)
    }

    fn set_ca_root(
        &mut self,
        builder: Resource<ConnectionBuilder>,
        certificate: String,
    ) -> Result<(), Error> {
        if certificate.len() > CERTIFICATE_BYTES {
            return Err(Error::Other(format!(
                "a certificate of more than {CERTIFICATE_BYTES} bytes"
            )));
        }
        tls::authorities(&certificate).map_err(Error::Other)?;
        let builder = self.table.get_mut(&builder);
        builder
            .map_err(|error| Error::Other(error.to_string()))?
            .ca_root = Some(certificate);
        Ok(())
    }

    async fn build(
        &mut self,
        builder: Resource<ConnectionBuilder>,
    ) -> Result<Resource<Connection>, Error> {
        let ConnectionBuilder { address, ca_root } = self.builder(&builder)?;
        let address = address.map_err(Error::ConnectionFailed)?;
        let pools = &self.ctx.imports.postgres;
        let connection = pools.open(&address, ca_root.as_deref()).await?;
        self.keep(connection)
    }

    fn drop(&mut self, builder: Resource<ConnectionBuilder>) -> wasmtime::Result<()> {
        self.table.delete(builder)?;
        Ok(())
    }
}

impl<T> v4::HostConnectionBuilderWithStore<T> for HasImports {
    async fn build_async(
        accessor: &Accessor<T, Self>,
        builder: Resource<ConnectionBuilder>,
    ) -> Result<Resource<Connection>, Error> {
        let (builder, imports) = accessor.with(|mut access| {
            let view = access.get();
            (view.builder(&builder), Arc::clone(&view.ctx.imports))
        });
        let ConnectionBuilder { address, ca_root } = builder?;
        let address = address.map_err(Error::ConnectionFailed)?;
        let connection = imports.postgres.open(&address, ca_root.as_deref()).await?;
        accessor.with(|mut access| access.get().keep(connection))
    }
}

impl v4::HostConnection for ImportsCtxView<'_> {
    async fn open(&mut self, address: String) -> Result<Resource<Connection>, Error> {
        let connection = self.ctx.imports.postgres.open(&address, None).await?;
        self.keep(connection)
    }

    async fn query(
        &mut self,
        connection: Resource<Connection>,
        statement: String,
        parameters: Vec<ParameterValue>,
    ) -> Result<v4::RowSet, Error> {
        let connection = self.connection(&connection)?;
        connection.query(&statement, &parameters).await
    }

    async fn execute(
        &mut self,
        connection: Resource<Connection>,
        statement: String,
        parameters: Vec<ParameterValue>,
    ) -> Result<u64, Error> {
        let connection = self.connection(&connection)?;
        connection.execute(&statement, &parameters).await
    }

    fn drop(&mut self, connection: Resource<Connection>) -> wasmtime::Result<()> {
        self.table.delete(connection)?;
        Ok(())
    }
}

impl<T> v4::HostConnectionWithStore<T> for HasImports {
    async fn open_async(
        accessor: &Accessor<T, Self>,
        address: String,
    ) -> Result<Resource<Connection>, Error> {
        let imports = accessor.with(|mut access| Arc::clone(&access.get().ctx.imports));
        let connection = imports.postgres.open(&address, None).await?;
        accessor.with(|mut access| access.get().keep(connection))
    }

    async fn query_async(
        accessor: &Accessor<T, Self>,
        connection: Resource<Connection>,
        statement: String,
        parameters: Vec<ParameterValue>,
    ) -> Result<
        (
            Vec<Column>,
            StreamReader<Row>,
            FutureReader<Result<(), Error>>,
        ),
        Error,
    > {
        let connection = accessor.with(|mut access| access.get().connection(&connection))?;
        let (columns, answer) = connection.stream(&statement, &parameters).await?;
        let readers = accessor.with(|mut access| {
            wasmtime::Result::Ok(match answer {
                Answer::Whole(rows) => (
                    StreamReader::new(&mut access, rows)?,
                    FutureReader::new(&mut access, std::future::ready(no_trap(Ok(()))))?,
                ),
                Answer::Begun(read, rows) => {
                    let (tell, told) = oneshot::channel();
                    let end = Some(tell);
                    let producer = RowProducer { read, rows, end };
                    // A guest that dropped the stream before its end has no error to learn of.
                    let told = async { no_trap(told.await.unwrap_or(Ok(()))) };
                    (
                        StreamReader::new(&mut access, producer)?,
                        FutureReader::new(&mut access, told)?,
                    )
                }
            })
        });
        let (rows, end) =
            readers.map_err(|error: wasmtime::Error| Error::Other(error.to_string()))?;
        Ok((columns, rows, end))
    }

    async fn execute_async(
        accessor: &Accessor<T, Self>,
        connection: Resource<Connection>,
        statement: String,
        parameters: Vec<ParameterValue>,
    ) -> Result<u64, Error> {
        let connection = accessor.with(|mut access| access.get().connection(&connection))?;
        connection.execute(&statement, &parameters).await
    }
}
