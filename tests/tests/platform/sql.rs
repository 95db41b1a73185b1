//! Every statement of every component, prepared in a freshly migrated database by the role that will
//! run it: a wrong name, type or missing right fails here and not in a request.

mod events;
mod growth;
mod rights;
mod upgrade;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::OnceLock;

use postgres::types::{Kind, Type};
use postgres::{Client, NoTls};
use wharf_stores::{Migrations, Options, Stores, Wanted};
use wharf_tests::{Folder, repository};

/// The password of a role, in a database that is thrown away.
const PASSWORD: &str = "prepared";

/// What crosses Spin's interface to PostgreSQL, in both directions.
const CROSS: [Type; 20] = [
    Type::BOOL,
    Type::INT2,
    Type::INT4,
    Type::INT8,
    Type::FLOAT4,
    Type::FLOAT8,
    Type::TEXT,
    Type::VARCHAR,
    Type::BPCHAR,
    Type::BYTEA,
    Type::UUID,
    Type::NUMERIC,
    Type::DATE,
    Type::TIME,
    Type::TIMESTAMP,
    Type::INTERVAL,
    Type::JSONB,
    Type::TEXT_ARRAY,
    Type::INT4_ARRAY,
    Type::INT8_ARRAY,
];

struct Database {
    url: String,
    _store: Store,
}

/// PostgreSQL in a folder that is thrown away.
type Store = (Stores, Folder);

async fn start_store() -> (Store, String) {
    let folder = Folder::new("sql");
    let options = Options {
        data_dir: folder.path().to_owned(),
        postgres: Wanted::Embedded,
        redis: Wanted::No,
        redis_logins: BTreeMap::new(),
        s3: Wanted::No,
        s3_keys: BTreeMap::new(),
        durable: false,
    };
    let stores = Stores::start(options, |_| {}).await.unwrap();
    let url = stores.addresses().postgres_url.clone().unwrap();
    ((stores, folder), url)
}

/// Applies the migrations of a folder; what was pending.
async fn migrate(url: &str, folder: &Path) -> Vec<String> {
    let migrations = Migrations::read(folder).unwrap();
    let (mut client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls)
        .await
        .unwrap();
    tokio::spawn(connection);
    let password = |_: &str| Ok(PASSWORD.to_owned());
    wharf_stores::migrate(&mut client, &migrations, password, |_| {})
        .await
        .unwrap()
}

impl Database {
    /// One for all tests here: they prepare and change nothing.
    fn migrated() -> &'static Self {
        static DATABASE: OnceLock<Database> = OnceLock::new();
        DATABASE.get_or_init(Self::own)
    }

    /// For a test that counts pages, in which others would leave rows.
    fn own() -> Self {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let database = runtime.block_on(Self::make());
        // The stores outlive this function, and so must what they run on.
        std::mem::forget(runtime);
        database
    }

    async fn make() -> Self {
        let (store, url) = start_store().await;
        let migrations = repository().join("migrations");
        let first = migrate(&url, &migrations).await;
        let second = migrate(&url, &migrations).await;
        assert!(
            !first.is_empty() && second.is_empty(),
            "{first:?}, then {second:?}"
        );
        Self { url, _store: store }
    }

    fn owner(&self) -> Client {
        Client::connect(&self.url, NoTls).unwrap()
    }

    /// As the component of this schema.
    fn role(&self, schema: &str) -> Client {
        let mut config: postgres::Config = self.url.parse().unwrap();
        config.user(&format!("wharf_{schema}")).password(PASSWORD);
        config
            .connect(NoTls)
            .unwrap_or_else(|error| panic!("wharf_{schema}: {error}"))
    }
}

/// Name and text of the statements in `components/<component>/src/sql`.
fn statements(component: &Path) -> Vec<(String, String)> {
    let Ok(entries) = fs::read_dir(component.join("src/sql")) else {
        return Vec::new();
    };
    let mut found: Vec<_> = entries
        .flatten()
        .map(|it| {
            let path = it.path();
            let name = path
                .strip_prefix(repository())
                .unwrap()
                .display()
                .to_string();
            (name, fs::read_to_string(path).unwrap())
        })
        .collect();
    found.sort();
    found
}

/// The schema whose address the component asks for: `Db::open("<schema>_database_url")`.
fn schema(component: &Path) -> String {
    let source = fs::read_dir(component.join("src")).unwrap().flatten();
    let source = source
        .filter_map(|it| fs::read_to_string(it.path()).ok())
        .collect::<String>();
    let (before, _) = source
        .split_once("_database_url\"")
        .expect("a component with SQL opens a database");
    before.rsplit('"').next().unwrap().to_owned()
}

fn components() -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(repository().join("components"))
        .unwrap()
        .flatten();
    let mut found: Vec<_> = entries
        .map(|it| it.path())
        .filter(|it| it.is_dir())
        .collect();
    found.sort();
    found
}

/// Prepares it; what is wrong with it is added to `faults`.
fn prepare(client: &mut Client, name: &str, sql: &str, faults: &mut Vec<String>) {
    let statement = match client.prepare(sql) {
        Ok(statement) => statement,
        Err(error) => {
            let why = error
                .as_db_error()
                .map_or_else(|| error.to_string(), |it| it.message().to_owned());
            return faults.push(format!("{name}: {why}"));
        }
    };
    let columns = statement
        .columns()
        .iter()
        .map(|it| (it.name().to_owned(), it.type_()));
    let params = statement
        .params()
        .iter()
        .zip(1..)
        .map(|(it, number)| (format!("${number}"), it));
    for (what, kind) in params.chain(columns) {
        // A function that returns void still has a column, which is not read.
        if !CROSS.contains(base(kind)) && *kind != Type::VOID {
            faults.push(format!(
                "{name}: {what} is {kind}, which does not cross to a component"
            ));
        }
    }
}

/// A domain crosses as what it is made of.
fn base(kind: &Type) -> &Type {
    match kind.kind() {
        Kind::Domain(inner) => base(inner),
        _ => kind,
    }
}

#[test]
fn every_statement_can_be_prepared_by_the_role_that_runs_it() {
    let database = Database::migrated();
    let mut faults = Vec::new();
    for component in components() {
        let statements = statements(&component);
        if statements.is_empty() || component.ends_with("kit") {
            continue;
        }
        let mut client = database.role(&schema(&component));
        for (name, sql) in statements {
            prepare(&mut client, &name, &sql, &mut faults);
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

/// The statements of the kit run in the schema of the component that uses them.
#[test]
fn statements_of_the_kit_can_be_prepared_wherever_they_are_used() {
    let database = Database::migrated();
    let kit = repository().join("components/kit");
    let with_keys = "SELECT schemaname::text FROM pg_tables WHERE tablename = 'idempotency_key'";
    let keyed = database.owner().query(with_keys, &[]).unwrap();
    let keyed: BTreeSet<String> = keyed.iter().map(|it| it.get(0)).collect();
    let mut faults = Vec::new();
    for (name, sql) in statements(&kit) {
        let schemas: BTreeSet<String> = if name.contains("idempotency") {
            keyed.clone()
        } else {
            // Every other statement is the relay's: it runs as each role that may claim deliveries.
            let may = "SELECT substr(rolname, 7)::text FROM pg_roles WHERE rolname LIKE 'wharf\\_%' \
                       AND has_function_privilege(oid, 'events.claim_deliveries(int, int, int)', 'EXECUTE')";
            database
                .owner()
                .query(may, &[])
                .unwrap()
                .iter()
                .map(|it| it.get(0))
                .collect()
        };
        assert!(!schemas.is_empty(), "no role can run {name}");
        for schema in schemas {
            prepare(
                &mut database.role(&schema),
                &format!("{name} in {schema}"),
                &sql,
                &mut faults,
            );
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn a_components_role_owns_nothing_and_sees_no_other_schema() {
    let database = Database::migrated();
    let mut owner = database.owner();
    let owned = "SELECT count(*) FROM pg_class JOIN pg_roles ON pg_roles.oid = relowner WHERE rolname LIKE 'wharf\\_%'";
    assert_eq!(owner.query_one(owned, &[]).unwrap().get::<_, i64>(0), 0);
    let reads = "SELECT rolname::text, nspname::text, relname::text
        FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace, pg_roles
        WHERE rolname LIKE 'wharf\\_%' AND relkind IN ('r', 'v', 'm', 'p')
            AND nspname NOT IN ('pg_catalog', 'information_schema', 'events')
            AND nspname <> substr(rolname, 7)
            AND has_table_privilege(pg_roles.oid, pg_class.oid, 'SELECT, INSERT, UPDATE, DELETE')
            AND has_schema_privilege(pg_roles.oid, pg_namespace.oid, 'USAGE')";
    let trespasses: Vec<String> = owner
        .query(reads, &[])
        .unwrap()
        .iter()
        .map(|it| {
            format!(
                "{} may use {}.{}",
                it.get::<_, &str>(0),
                it.get::<_, &str>(1),
                it.get::<_, &str>(2)
            )
        })
        .collect();
    assert!(trespasses.is_empty(), "{trespasses:#?}");
}

#[test]
fn every_constraint_and_index_has_a_chosen_name() {
    // PostgreSQL calls unnamed rules `charge_check`, `charge_check1`. No error for a user can be made from such a name.
    let nameless = "SELECT conrelid::regclass::text || ': ' || conname FROM pg_constraint
        JOIN pg_namespace ON pg_namespace.oid = connamespace
        WHERE contype = 'c' AND conname ~ '_check[0-9]*$' AND nspname NOT IN ('pg_catalog', 'information_schema')";
    let found: Vec<String> = Database::migrated()
        .owner()
        .query(nameless, &[])
        .unwrap()
        .iter()
        .map(|it| it.get(0))
        .collect();
    assert!(found.is_empty(), "{found:#?}");
}
