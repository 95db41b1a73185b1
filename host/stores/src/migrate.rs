//! Applying migrations: forward only, each file in one transaction, safe when many start at once.
//!
//! Every schema gets a login role `wharf_<schema>` that may read and write what the schema holds
//! and owns nothing. Schemas, roles and their default privileges are there before the first file
//! runs, so a file may grant to roles of other schemas and take privileges away. What has been
//! applied is kept in `wharf.migration`.

use std::collections::BTreeMap;

use tokio_postgres::Client;
use tokio_postgres::error::{DbError, ErrorPosition, SqlState};

use crate::migrations::Migration;
use crate::{Error, Migrations, Result};

/// "wharf" in ASCII: an advisory lock of this database that nobody takes by accident.
const LOCK: i64 = 0x77_68_61_72_66;

/// Brings the database to where `migrations` says it should be, and returns the files applied now
/// (`payments/0001_ledger.sql`).
///
/// `client` is connected as the owner of the database. `password_of` is asked for the password of
/// the login role of a schema when that role does not exist yet; `|schema|
/// values.role_password(schema)` makes one and keeps it. `applying` is told each file before it
/// runs.
pub async fn migrate(
    client: &mut Client,
    migrations: &Migrations,
    password_of: impl Fn(&str) -> Result<String>,
    mut applying: impl FnMut(&str),
) -> Result<Vec<String>> {
    // Most starts find nothing to do, and need no lock to see it.
    let found = Found::look(client, migrations).await?;
    if found.pending(migrations)?.is_empty() && found.is_prepared(migrations) {
        return Ok(Vec::new());
    }
    lock(client).await?;
    let applied = apply(client, migrations, &password_of, &mut applying).await;
    // When this fails the session is gone, and the lock with it.
    let _ = client
        .execute("SELECT pg_advisory_unlock($1)", &[&LOCK])
        .await;
    applied
}

async fn apply(
    client: &mut Client,
    migrations: &Migrations,
    password_of: &impl Fn(&str) -> Result<String>,
    applying: &mut impl FnMut(&str),
) -> Result<Vec<String>> {
    // Somebody else may have done it while we waited for the lock.
    let found = Found::look(client, migrations).await?;
    found.pending(migrations)?;
    if !found.is_prepared(migrations) {
        prepare(client, migrations, &found, password_of).await?;
    }
    let mut applied = Vec::new();
    for file in found.pending(migrations)? {
        let path = file.path();
        applying(&path);
        apply_file(client, file).await?;
        applied.push(path);
    }
    Ok(applied)
}

/// Waits for the lock without holding a transaction open, which would keep the holder's `CREATE
/// INDEX` waiting for us.
async fn lock(client: &Client) -> Result<()> {
    let locked = client
        .execute("SELECT pg_advisory_lock($1)", &[&LOCK])
        .await;
    locked
        .map(drop)
        .map_err(Error::database("cannot take the lock for migrations"))
}

/// What is in the database already.
struct Found {
    /// Names and hashes of applied files, by schema.
    applied: BTreeMap<String, BTreeMap<String, String>>,
    /// Schemas whose role exists and may use them.
    schemas: Vec<String>,
    roles: Vec<String>,
    /// May anybody who can connect create things?
    open_to_public: bool,
}

impl Found {
    async fn look(client: &Client, migrations: &Migrations) -> Result<Self> {
        let doing = || Error::database("cannot look at the database");
        let schemas: Vec<_> = migrations.schemas().collect();
        let row = client.query_one(LOOK, &[&schemas]).await.map_err(doing())?;
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
        let open_to_public = row.get("open_to_public");
        Ok(Self {
            applied,
            schemas: row.get("schemas"),
            roles: row.get("roles"),
            open_to_public,
        })
    }

    fn is_prepared(&self, migrations: &Migrations) -> bool {
        !self.open_to_public && migrations.schemas().all(|schema| self.is_ready(schema))
    }

    fn is_ready(&self, schema: &str) -> bool {
        self.schemas.iter().any(|ready| ready == schema)
    }

    /// The files to apply, or why they cannot be: an applied one was changed, or a new one comes
    /// too late.
    fn pending<'a>(&self, migrations: &'a Migrations) -> Result<Vec<&'a Migration>> {
        let mut pending = Vec::new();
        let mut faults = Vec::new();
        for file in migrations.files() {
            let applied = self.applied.get(&file.schema);
            match applied.and_then(|applied| applied.get(&file.name)) {
                Some(sha256) if *sha256 == file.sha256 => {}
                Some(_) => faults.push(format!(
                    "{} was changed after it had been applied: bring it back as it was, and write the change as a new file",
                    file.path()
                )),
                None => match applied.and_then(|applied| applied.keys().next_back()) {
                    // Names start with four digits, so they sort as their numbers do.
                    Some(last) if last.get(..4) >= file.name.get(..4) => faults.push(format!(
                        "{} comes too late: {last} has been applied already. Give it a number after that",
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
}

const LOOK: &str = "
    SELECT to_regclass('wharf.migration') IS NOT NULL AS has_list,
           ARRAY(SELECT nspname::text
                   FROM pg_namespace JOIN pg_roles ON rolname = 'wharf_' || nspname
                  WHERE nspname = ANY($1::text[])
                    AND has_schema_privilege(pg_roles.oid, pg_namespace.oid, 'USAGE')) AS schemas,
           ARRAY(SELECT rolname::text FROM pg_roles WHERE rolname LIKE 'wharf\\_%') AS roles,
           has_database_privilege('public', current_database(), 'TEMPORARY')
           OR EXISTS (SELECT FROM pg_namespace
                       WHERE nspname = 'public' AND has_schema_privilege('public', oid, 'CREATE')) AS open_to_public";

/// Makes schemas and roles that are not there yet, and closes what stands open by default.
async fn prepare(
    client: &Client,
    migrations: &Migrations,
    found: &Found,
    password_of: &impl Fn(&str) -> Result<String>,
) -> Result<()> {
    let doing = || Error::database("cannot prepare the database for migrations");
    client
        .batch_execute(PREPARE_DATABASE)
        .await
        .map_err(doing())?;
    for schema in migrations
        .schemas()
        .filter(|schema| !found.is_ready(schema))
    {
        let role = format!("wharf_{schema}");
        if !found.roles.contains(&role) {
            create_role(client, schema, &role, &password_of(schema)?).await?;
        }
        // Names of schemas need no quoting; `Migrations` has checked them.
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

/// Temporary tables would outlive a request in the session that the next request gets.
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

/// Roles belong to the whole server, so somebody who migrates another database of it may be making
/// the same one.
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
        Err(error) if made_meanwhile(&error) => Ok(()),
        result => result.map_err(doing()),
    }
}

fn made_meanwhile(error: &tokio_postgres::Error) -> bool {
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
            "{path} ends the transaction it runs in (COMMIT or ROLLBACK): a file is applied whole or not at all"
        )));
    }
    let insert = "INSERT INTO wharf.migration (schema, name, sha256) VALUES ($1, $2, $3)";
    transaction
        .execute(insert, &[&file.schema, &file.name, &file.sha256])
        .await
        .map_err(doing())?;
    transaction.commit().await.map_err(doing())
}

const TRANSACTION_NUMBER: &str = "SELECT pg_current_xact_id()::text::bigint";

/// What PostgreSQL dislikes, with its place in the file.
fn failure(file: &Migration, error: tokio_postgres::Error) -> Error {
    let path = file.path();
    match error.as_db_error() {
        Some(said) => {
            let line =
                line_of(said, &file.sql).map_or_else(String::new, |line| format!(", line {line}"));
            let more = [said.detail(), said.hint()].into_iter().flatten();
            let more: String = more.map(|more| format!("\n  {more}")).collect();
            Error::Migration(format!("{path}{line}: {}{more}", said.message()))
        }
        None => Error::Database {
            doing: path,
            source: error,
        },
    }
}

fn line_of(said: &DbError, sql: &str) -> Option<usize> {
    match said.position()? {
        // Counted in characters from 1.
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
