//! Seed data of modpacks: packs, versions, and files whose bytes are nowhere.

use anyhow::Result;
use sha2::{Digest as _, Sha256};

/// As the statements have them.
pub const PACKS: u64 = 64;
const BLOBS: u64 = 10_000;
/// Hashes of one look-up.
const WANTED: u64 = 1_000;

#[derive(Clone)]
pub struct Modpacks {
    pub files: Vec<i64>,
}

pub async fn seed(url: &str) -> Result<Modpacks> {
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await?;
    let connection = tokio::spawn(connection);
    client.batch_execute(include_str!("modpacks.sql")).await?;
    let rows = client.query("SELECT id FROM modpacks.file", &[]).await?;
    let files = rows.iter().map(|row| row.try_get(0));
    let files = files.collect::<Result<_, _>>()?;
    drop(client);
    connection.await??;
    Ok(Modpacks { files })
}

/// The hashes that the look-up with this number asks for.
pub fn hashes(number: u64) -> Vec<String> {
    let first = number * WANTED;
    (first..first + WANTED)
        .map(|it| {
            let content = format!("blob {}", it % BLOBS + 1);
            let digest = Sha256::digest(content);
            digest.iter().map(|byte| format!("{byte:02x}")).collect()
        })
        .collect()
}
