//! For tests: a database that is migrated once, and copied for whoever needs one of his own. A copy
//! takes some 20 ms.
//!
//! Only for servers that are reached without TLS, which is what tests have.

use std::time::{Duration, Instant};

use tokio_postgres::{Client, NoTls};
use url::Url;

use crate::{Error, Migrations, Result, migrate};

/// A migrated database that nobody works in.
#[derive(Debug, Clone)]
pub struct Template {
    owner_url: String,
    name: String,
}

/// An advisory lock, so that of many test processes that start at once only one makes the template.
const LOCK: i64 = 0x74_65_6d_70_6c_61_74_65;

/// How long a session may take to be gone after it was closed.
const PATIENCE: Duration = Duration::from_secs(10);

impl Template {
    /// Finds the template for exactly these migrations, or makes it. `owner_url` and `password_of`
    /// are as for `migrate`.
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
        let doing = || Error::database("cannot make the template database");
        client
            .execute("SELECT pg_advisory_lock($1)", &[&LOCK])
            .await
            .map_err(doing())?;
        // The lock goes with the session, at the end of this function.
        let query = "SELECT datistemplate FROM pg_database WHERE datname = $1";
        let found = client
            .query_opt(query, &[&template.name])
            .await
            .map_err(doing())?;
        match found.map(|row| row.get(0)) {
            Some(true) => return Ok(template),
            // Left by somebody who was interrupted.
            Some(false) => template.remove(&template.name).await?,
            None => {}
        }
        let name = quoted(&template.name);
        client
            .batch_execute(&format!("CREATE DATABASE {name}"))
            .await
            .map_err(doing())?;
        let mut inside = connect(&template.url_of(&template.name)?).await?;
        migrate(&mut inside, migrations, password_of, |_| {}).await?;
        drop(inside);
        let close = format!("ALTER DATABASE {name} WITH ALLOW_CONNECTIONS false");
        client.batch_execute(&close).await.map_err(doing())?;
        template.wait_until_deserted(&client).await?;
        let finish = format!("ALTER DATABASE {name} WITH IS_TEMPLATE true");
        client.batch_execute(&finish).await.map_err(doing())?;
        Ok(template)
    }

    /// Makes a copy named `database`, and returns its address as the owner.
    pub async fn copy(&self, database: &str) -> Result<String> {
        let client = connect(&self.owner_url).await?;
        // What the public may do with a database is not copied.
        let (copy, template) = (quoted(database), quoted(&self.name));
        let create = format!("CREATE DATABASE {copy} TEMPLATE {template}");
        let close = format!("REVOKE TEMPORARY ON DATABASE {copy} FROM PUBLIC");
        for statement in [create, close] {
            let done = client.batch_execute(&statement).await;
            done.map_err(Error::database(format!("cannot make database {database}")))?;
        }
        self.url_of(database)
    }

    /// Deletes a copy, whoever is still connected to it.
    pub async fn remove(&self, database: &str) -> Result<()> {
        let client = connect(&self.owner_url).await?;
        let statement = format!("DROP DATABASE {} WITH (FORCE)", quoted(database));
        client
            .batch_execute(&statement)
            .await
            .map_err(Error::database(format!(
                "cannot delete database {database}"
            )))
    }

    fn url_of(&self, database: &str) -> Result<String> {
        let no_url = |_| Error::NoValue("the address of PostgreSQL has to be a URL".to_owned());
        let mut url = Url::parse(&self.owner_url).map_err(no_url)?;
        url.set_path(database);
        Ok(url.into())
    }

    async fn wait_until_deserted(&self, client: &Client) -> Result<()> {
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
            if began.elapsed() > PATIENCE {
                return Err(Error::Migration(format!(
                    "somebody stays connected to {}",
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
    // Ends with the client; an error reaches the client too.
    tokio::spawn(connection);
    Ok(client)
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
