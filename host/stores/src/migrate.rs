//! Applies migrations: forward only, each file in one transaction, safe if many processes start at
//! the same time.
//!
//! A numbered file is applied once. A repeatable file is applied again when it changed, and after a new
//! numbered file of its schema, which may have dropped what the repeatable file makes. So an old database
//! ends up like a fresh one.
//!
//! Every schema gets a login role `wharf_<schema>` that may read and write the tables of the schema
//! and owns nothing. Schemas, roles and default privileges are created before the first file runs,
//! so a file may grant privileges to roles of other schemas, and revoke privileges. The table
//! `wharf.migration` lists the applied files, and of a repeatable file what was applied last.

use std::collections::BTreeMap;

use tokio_postgres::Client;
use tokio_postgres::error::{DbError, ErrorPosition, SqlState};

use crate::error::{Error, Result};
use crate::migrations::{Migration, Migrations};

/// The advisory lock of `migrate`, "wharf" in ASCII: an unlikely number for an application's lock.
const LOCK_ID: i64 = 0x77_68_61_72_66;

/// Applies the pending files and returns their paths (`payments/0001_ledger.sql`).
///
/// `client` is connected as the owner of the database. `password_of` returns the password for a new
/// login role of a schema, usually `|schema| values.role_password(schema)`. `on_file` is called with
/// each path before the file runs.
pub async fn migrate(
    client: &mut Client,
    migrations: &Migrations,
    password_of: impl Fn(&str) -> Result<String>,
    mut on_file: impl FnMut(&str),
) -> Result<Vec<String>> {
    // Most starts have nothing to apply, and checking that needs no lock.
    let state = State::read(client, migrations).await?;
    if state.is_prepared(migrations)
        && state.pending(migrations)?.is_empty()
        && state.changed(migrations).is_empty()
    {
        return Ok(Vec::new());
    }
    lock(client).await?;
    let applied = apply(client, migrations, &password_of, &mut on_file).await;
    // If this fails, the session has ended and with it the lock.
    let _ = client
        .execute("SELECT pg_advisory_unlock($1)", &[&LOCK_ID])
        .await;
    applied
}

async fn apply(
    client: &mut Client,
    migrations: &Migrations,
    password_of: &impl Fn(&str) -> Result<String>,
    on_file: &mut impl FnMut(&str),
) -> Result<Vec<String>> {
    // Another process may have applied them while this one waited for the lock.
    let state = State::read(client, migrations).await?;
    let pending = state.pending(migrations)?;
    if !state.is_prepared(migrations) {
        prepare(client, migrations, &state, password_of).await?;
    }
    let mut applied = apply_files(client, pending, on_file).await?;
    let state = State::read(client, migrations).await?;
    applied.extend(apply_files(client, state.changed(migrations), on_file).await?);
    Ok(applied)
}

async fn apply_files(
    client: &mut Client,
    files: Vec<&Migration>,
    on_file: &mut impl FnMut(&str),
) -> Result<Vec<String>> {
    let mut applied = Vec::new();
    for file in files {
        let path = file.path();
        on_file(&path);
        apply_file(client, file).await?;
        applied.push(path);
    }
    Ok(applied)
}

/// Takes a session-level lock, which covers the transactions of all files.
async fn lock(client: &Client) -> Result<()> {
    let locked = client
        .execute("SELECT pg_advisory_lock($1)", &[&LOCK_ID])
        .await;
    locked
        .map(drop)
        .map_err(Error::database("cannot take the lock for migrations"))
}

/// The state of the database.
struct State {
    /// Names and hashes of applied files, by schema.
    applied: BTreeMap<String, BTreeMap<String, String>>,
    /// Schemas whose role exists and may use them.
    schemas: Vec<String>,
    roles: Vec<String>,
    /// Whether every role may create tables, temporary or in the schema `public`.
    is_open_to_public: bool,
}

impl State {
    async fn read(client: &Client, migrations: &Migrations) -> Result<Self> {
        let doing = || Error::database("cannot read the state of the database");
        let schemas: Vec<_> = migrations.schemas().collect();
        let row = client
            .query_one(READ_STATE, &[&schemas])
            .await
            .map_err(doing())?;
        let mut applied = BTreeMap::<_, BTreeMap<_, _>>::new();
        if row.get("has_list") {
            let rows = client
                .query("SELECT schema, name, sha256 FROM wharf.migration", &[])
                .await;
            for row in rows.map_err(doing())? {
                applied
                    .entry(row.get("schema"))
                    .or_default()
                    .insert(row.get("name"), row.get("sha256"));
            }
        }
        let is_open_to_public = row.get("is_open_to_public");
        Ok(Self {
            applied,
            schemas: row.get("schemas"),
            roles: row.get("roles"),
            is_open_to_public,
        })
    }

    fn is_prepared(&self, migrations: &Migrations) -> bool {
        !self.is_open_to_public && migrations.schemas().all(|schema| self.is_ready(schema))
    }

    fn is_ready(&self, schema: &str) -> bool {
        self.schemas.iter().any(|ready| ready == schema)
    }

    /// The numbered files to apply. Fails if an applied file was changed, or a new file has a number before
    /// an applied one.
    fn pending<'a>(&self, migrations: &'a Migrations) -> Result<Vec<&'a Migration>> {
        let mut pending = Vec::new();
        let mut faults = Vec::new();
        for file in migrations.numbered() {
            match self.applied_sha256(file) {
                Some(sha256) if sha256 == file.sha256 => {}
                Some(_) => faults.push(format!(
                    "{} was changed after it was applied: restore it, and put the change into a new file",
                    file.path()
                )),
                None => match self.last_numbered(&file.schema) {
                    Some(last) if last.get(..4) >= file.name.get(..4) => faults.push(format!(
                        "{} comes too late: {last} is already applied. Give it a higher number",
                        file.path()
                    )),
                    _ => pending.push(file),
                },
            }
        }
        match faults.is_empty() {
            true => Ok(pending),
            false => Err(Error::Migration(faults.join("\n"))),
        }
    }

    /// The repeatable files to apply: none if a newer host has migrated the database, because its functions
    /// and views may be what the other hosts already need.
    fn changed<'a>(&self, migrations: &'a Migrations) -> Vec<&'a Migration> {
        if self.is_newer_than(migrations) {
            return Vec::new();
        }
        migrations
            .repeatable()
            .filter(|file| self.applied_sha256(file) != Some(file.sha256.as_str()))
            .collect()
    }

    /// Whether a numbered file was applied that comes after all files of its schema.
    fn is_newer_than(&self, migrations: &Migrations) -> bool {
        migrations.schemas().any(|schema| {
            let files = migrations.numbered().filter(|file| file.schema == schema);
            let last_known = files.last().and_then(|file| file.name.get(..4));
            let last_applied = self.last_numbered(schema).and_then(|name| name.get(..4));
            last_applied > last_known
        })
    }

    fn applied_sha256(&self, file: &Migration) -> Option<&str> {
        let applied = self.applied.get(&file.schema)?;
        applied.get(&file.name).map(String::as_str)
    }

    /// The last numbered file that was applied in the schema. The order of such names is that of their
    /// numbers, which have four digits.
    fn last_numbered(&self, schema: &str) -> Option<&str> {
        let mut names = self.applied.get(schema)?.keys().map(String::as_str);
        names.rfind(|name| name.starts_with(|first: char| first.is_ascii_digit()))
    }
}

const READ_STATE: &str = "
    SELECT to_regclass('wharf.migration') IS NOT NULL AS has_list,
           ARRAY(SELECT nspname::text
                   FROM pg_namespace JOIN pg_roles ON rolname = 'wharf_' || nspname
                  WHERE nspname = ANY($1::text[])
                    AND has_schema_privilege(pg_roles.oid, pg_namespace.oid, 'USAGE')) AS schemas,
           ARRAY(SELECT rolname::text FROM pg_roles WHERE rolname LIKE 'wharf\\_%') AS roles,
           has_database_privilege('public', current_database(), 'TEMPORARY')
           OR EXISTS (SELECT FROM pg_namespace
                       WHERE nspname = 'public' AND has_schema_privilege('public', oid, 'CREATE')) AS is_open_to_public";

/// Creates missing schemas and roles, and revokes the default privileges of PUBLIC.
async fn prepare(
    client: &Client,
    migrations: &Migrations,
    state: &State,
    password_of: &impl Fn(&str) -> Result<String>,
) -> Result<()> {
    let doing = || Error::database("cannot prepare the database for migrations");
    client
        .batch_execute(PREPARE_DATABASE)
        .await
        .map_err(doing())?;
    for schema in migrations
        .schemas()
        .filter(|schema| !state.is_ready(schema))
    {
        let role = format!("wharf_{schema}");
        if !state.roles.contains(&role) {
            create_role(client, schema, &role, &password_of(schema)?).await?;
        }
        // `Migrations` has checked that the names need no quoting.
        let statements = format!(
            "CREATE SCHEMA IF NOT EXISTS {schema};
             GRANT USAGE ON SCHEMA {schema} TO {role};
             ALTER DEFAULT PRIVILEGES IN SCHEMA {schema} GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {role};
             ALTER DEFAULT PRIVILEGES IN SCHEMA {schema} GRANT USAGE ON SEQUENCES TO {role};
             ALTER DEFAULT PRIVILEGES IN SCHEMA {schema} GRANT EXECUTE ON FUNCTIONS TO {role};"
        );
        client.batch_execute(&statements).await.map_err(doing())?;
    }
    Ok(())
}

/// Revokes temporary tables, which would stay in the session for the next request.
const PREPARE_DATABASE: &str = "
    CREATE SCHEMA IF NOT EXISTS wharf;
    CREATE TABLE IF NOT EXISTS wharf.migration (
        schema     text        NOT NULL,
        name       text        NOT NULL,
        sha256     text        NOT NULL,
        applied_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (schema, name)
    );
    DO $$
    BEGIN
        EXECUTE format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC', current_database());
        IF to_regnamespace('public') IS NOT NULL THEN
            REVOKE CREATE ON SCHEMA public FROM PUBLIC;
        END IF;
    END
    $$;";

/// Roles belong to the whole server: a process that migrates another database may create the same
/// role at the same time.
async fn create_role(client: &Client, schema: &str, role: &str, password: &str) -> Result<()> {
    let doing = || Error::database(format!("cannot create role {role}"));
    let statements = client
        .query_one(
            "SELECT format('CREATE ROLE %1$I LOGIN PASSWORD %2$L; ALTER ROLE %1$I SET search_path = %3$I',
                           $1::text, $2::text, $3::text)",
            &[&role, &password, &schema],
        )
        .await
        .map_err(doing())?;
    match client.batch_execute(statements.get(0)).await {
        Err(error) if already_exists(&error) => Ok(()),
        result => result.map_err(doing()),
    }
}

fn already_exists(error: &tokio_postgres::Error) -> bool {
    error
        .code()
        .is_some_and(|code| [SqlState::DUPLICATE_OBJECT, SqlState::UNIQUE_VIOLATION].contains(code))
}

async fn apply_file(client: &mut Client, file: &Migration) -> Result<()> {
    let path = file.path();
    let doing = || Error::database(path.clone());
    let transaction = client.transaction().await.map_err(doing())?;
    let set_search_path = format!("SET LOCAL search_path = {}", file.schema);
    transaction
        .batch_execute(&set_search_path)
        .await
        .map_err(doing())?;
    let number: i64 = transaction
        .query_one(TRANSACTION_NUMBER, &[])
        .await
        .map_err(doing())?
        .get(0);
    transaction
        .batch_execute(&file.sql)
        .await
        .map_err(|error| failure(file, error))?;
    let number_after: i64 = transaction
        .query_one(TRANSACTION_NUMBER, &[])
        .await
        .map_err(doing())?
        .get(0);
    if number != number_after {
        return Err(Error::Migration(format!(
            "{path} ends the transaction it runs in (COMMIT or ROLLBACK), but a file must be applied completely or not at all"
        )));
    }
    transaction
        .execute(RECORD, &[&file.schema, &file.name, &file.sha256])
        .await
        .map_err(doing())?;
    if file.is_numbered() {
        // In the same transaction, so that they are applied again also after a crash.
        transaction
            .execute(UNRECORD_REPEATABLE, &[&file.schema])
            .await
            .map_err(doing())?;
    }
    transaction.commit().await.map_err(doing())
}

const RECORD: &str = "
    INSERT INTO wharf.migration (schema, name, sha256) VALUES ($1, $2, $3)
    ON CONFLICT (schema, name) DO UPDATE SET sha256 = excluded.sha256, applied_at = excluded.applied_at";

const UNRECORD_REPEATABLE: &str =
    "DELETE FROM wharf.migration WHERE schema = $1 AND name !~ '^[0-9]'";

const TRANSACTION_NUMBER: &str = "SELECT pg_current_xact_id()::text::bigint";

/// The error of PostgreSQL, with its line in the file.
fn failure(file: &Migration, error: tokio_postgres::Error) -> Error {
    let path = file.path();
    match error.as_db_error() {
        Some(error) => {
            let line =
                line_of(error, &file.sql).map_or_else(String::new, |line| format!(", line {line}"));
            let more = [error.detail(), error.hint()].into_iter().flatten();
            let more: String = more.map(|more| format!("\n  {more}")).collect();
            Error::Migration(format!("{path}{line}: {}{more}", error.message()))
        }
        None => Error::Database {
            doing: path,
            source: error,
        },
    }
}

fn line_of(error: &DbError, sql: &str) -> Option<usize> {
    match error.position()? {
        // In characters, counted from 1.
        ErrorPosition::Original(position) => {
            let before = usize::try_from(*position).ok()?.saturating_sub(1);
            Some(
                sql.chars()
                    .take(before)
                    .filter(|letter| *letter == '\n')
                    .count()
                    + 1,
            )
        }
        ErrorPosition::Internal { .. } => None,
    }
}
