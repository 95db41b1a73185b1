//! For tests: a database that is migrated once and then copied for each test. A copy takes about
//! 20 ms.
//!
//! Connects without TLS, as to the servers of tests.

use std::time::{Duration, Instant};

use tokio_postgres::{Client, NoTls};
use url::Url;

use crate::error::{Error, Result};
use crate::migrate::migrate;
use crate::migrations::Migrations;

/// A migrated database without sessions, to be copied.
#[derive(Debug, Clone)]
pub struct Template {
    owner_url: String,
    name: String,
}

/// The advisory lock of `make`: if many test processes start at the same time, only one creates the
/// template. "template" in ASCII.
const LOCK_ID: i64 = 0x74_65_6d_70_6c_61_74_65;

/// How long a closed session may take to disappear from `pg_stat_activity`.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(10);

impl Template {
    /// Finds the template with exactly these migrations, or creates it. `owner_url` and `password_of`
    /// are as in `migrate`.
    pub async fn make(
        owner_url: &str,
        migrations: &Migrations,
        password_of: impl Fn(&str) -> Result<String>,
    ) -> Result<Self> {
        let fingerprint = migrations.fingerprint();
        let name = format!("template_{}", fingerprint.get(..16).unwrap_or(&fingerprint));
        let template = Self {
            owner_url: owner_url.to_owned(),
            name,
        };
        let client = connect(owner_url).await?;
        let doing = || Error::database("cannot create the template database");
        client
            .execute("SELECT pg_advisory_lock($1)", &[&LOCK_ID])
            .await
            .map_err(doing())?;
        // Released with the session, at the end of this function.
        let query = "SELECT datistemplate FROM pg_database WHERE datname = $1";
        let found = client
            .query_opt(query, &[&template.name])
            .await
            .map_err(doing())?;
        match found.map(|row| row.get(0)) {
            Some(true) => return Ok(template),
            // Left by a process that was interrupted.
            Some(false) => template.remove(&template.name).await?,
            None => {}
        }
        let name = quote(&template.name);
        client
            .batch_execute(&format!("CREATE DATABASE {name}"))
            .await
            .map_err(doing())?;
        let mut inside = connect(&template.url_of(&template.name)?).await?;
        migrate(&mut inside, migrations, password_of, |_| {}).await?;
        drop(inside);
        let close = format!("ALTER DATABASE {name} WITH ALLOW_CONNECTIONS false");
        client.batch_execute(&close).await.map_err(doing())?;
        template.wait_until_unused(&client).await?;
        let finish = format!("ALTER DATABASE {name} WITH IS_TEMPLATE true");
        client.batch_execute(&finish).await.map_err(doing())?;
        Ok(template)
    }

    /// Creates a copy named `database`, and returns its URL for the owner.
    pub async fn copy(&self, database: &str) -> Result<String> {
        let client = connect(&self.owner_url).await?;
        // A copy does not inherit the privileges of the database itself.
        let (copy, template) = (quote(database), quote(&self.name));
        let create = format!("CREATE DATABASE {copy} TEMPLATE {template}");
        let close = format!("REVOKE TEMPORARY ON DATABASE {copy} FROM PUBLIC");
        for statement in [create, close] {
            let done = client.batch_execute(&statement).await;
            done.map_err(Error::database(format!(
                "cannot create database {database}"
            )))?;
        }
        self.url_of(database)
    }

    /// Deletes a copy and ends its sessions.
    pub async fn remove(&self, database: &str) -> Result<()> {
        let client = connect(&self.owner_url).await?;
        let statement = format!("DROP DATABASE {} WITH (FORCE)", quote(database));
        client
            .batch_execute(&statement)
            .await
            .map_err(Error::database(format!(
                "cannot delete database {database}"
            )))
    }

    fn url_of(&self, database: &str) -> Result<String> {
        let no_url = |_| Error::NoValue("the address of PostgreSQL must be a URL".to_owned());
        let mut url = Url::parse(&self.owner_url).map_err(no_url)?;
        url.set_path(database);
        Ok(url.into())
    }

    async fn wait_until_unused(&self, client: &Client) -> Result<()> {
        let began = Instant::now();
        let query = "SELECT count(*) FROM pg_stat_activity WHERE datname = $1";
        loop {
            let sessions = client.query_one(query, &[&self.name]).await;
            let sessions: i64 = sessions
                .map_err(Error::database("cannot count sessions"))?
                .get(0);
            if sessions == 0 {
                return Ok(());
            }
            if began.elapsed() > CLOSE_TIMEOUT {
                return Err(Error::Migration(format!(
                    "{} still has sessions",
                    self.name
                )));
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
}

async fn connect(url: &str) -> Result<Client> {
    let connected = tokio_postgres::connect(url, NoTls).await;
    let (client, connection) =
        connected.map_err(Error::database("cannot connect to PostgreSQL"))?;
    // Ends with the client, which also gets its errors.
    tokio::spawn(connection);
    Ok(client)
}

fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
