//! The work of a tick: verify uploads, delete bytes, hear events. It may run on any host, at any time, several times at
//! once.

use std::pin::pin;
use std::time::Duration;

use futures::future::{Either, select};
use jiff::Timestamp;
use kit::store::relay::{self, Event, Outcome};
use kit::store::s3::S3;
use kit::store::{Db, erasure, event, purge_keys};
use spin_sdk::time::sleep;

use crate::error::Error;
use crate::store::{self, imports, uploads};
use crate::unpack::unpack;
use crate::upload::key;
use crate::verify::{Turn, verify};

/// The channel on which complete uploads and imports are announced. A lost message delays them by a second.
pub const VERIFY: &str = "modpacks:verify";

/// No slice is begun later in a turn, because a host that stops waits for it. The next turn goes on.
const MAX_TURN: Duration = Duration::from_secs(20);
/// How often a claim is renewed. It ends by itself after 15 s, so that another host takes over from a killed one.
const RENEW_EVERY: Duration = Duration::from_secs(4);
/// Uploads and objects that one sweep drops: each is a request to S3 or two.
const DROP_BATCH: i32 = 20;
const PURGE_BATCH: i64 = 1_000;
/// Packs that one statement of an erasure removes.
const ERASE_BATCH: i32 = 10;

pub async fn sweep() -> Result<(), Error> {
    let db = store::open().await?;
    // A part that fails does not keep the next one from running.
    [
        unpack_all(&db).await,
        verify_all(&db).await,
        drop_uploads(&db).await,
        drop_unused(&db).await,
        purge_keys(&db, PURGE_BATCH).await.map_err(Error::from),
        relay::drain(&db, hear).await.map(drop).map_err(Error::from),
    ]
    .into_iter()
    .collect()
}

async fn unpack_all(db: &Db) -> Result<(), Error> {
    let begun = kit::now();
    let is_over = |now: Timestamp| now.duration_since(begun).unsigned_abs() >= MAX_TURN;
    while !is_over(kit::now()) {
        let Some(claimed) = imports::claim_import(db).await? else {
            return Ok(());
        };
        let renew = async || imports::renew_import(db, &claimed).await;
        match holding(renew, unpack(db, &claimed, is_over)).await {
            Ok(Turn::Over) => {}
            Ok(Turn::Unfinished) => {
                imports::release_import(db, &claimed).await?;
                event::announce(VERIFY, String::new());
            }
            Err(error) => {
                eprintln!("import {} is left to a later turn: {error}", claimed.id);
                imports::postpone_import(db, &claimed).await?;
            }
        }
    }
    Ok(())
}

/// Does the work of a claim and renews the claim meanwhile. The work ends when another worker has taken it over.
async fn holding(
    renew: impl AsyncFn() -> Result<bool, Error>,
    work: impl Future<Output = Result<Turn, Error>>,
) -> Result<Turn, Error> {
    let mut work = pin!(work);
    loop {
        match select(work.as_mut(), pin!(sleep(RENEW_EVERY))).await {
            Either::Left((turn, _)) => return turn,
            Either::Right(_) => {
                // Without an answer the work goes on, because its fence is checked when it is settled.
                if let Ok(false) = renew().await {
                    return Ok(Turn::Over);
                }
            }
        }
    }
}

async fn verify_all(db: &Db) -> Result<(), Error> {
    let begun = kit::now();
    let is_over = |now: Timestamp| now.duration_since(begun).unsigned_abs() >= MAX_TURN;
    while !is_over(kit::now()) {
        let Some(upload) = uploads::claim_upload(db).await? else {
            return Ok(());
        };
        let (id, fence) = (upload.id, upload.fence);
        let renew = async || uploads::renew_upload(db, id, fence).await;
        match holding(renew, verify(db, upload, is_over)).await {
            Ok(Turn::Over) => {}
            Ok(Turn::Unfinished) => {
                uploads::release_upload(db, id, fence).await?;
                event::announce(VERIFY, String::new());
            }
            Err(error) => {
                eprintln!("upload {id} is left to a later turn: {error}");
                uploads::postpone_upload(db, id, fence).await?;
            }
        }
    }
    Ok(())
}

/// Uploads that failed, were given up or are not needed: S3 drops what it keeps of them.
async fn drop_uploads(db: &Db) -> Result<(), Error> {
    for upload in uploads::claim_dropped(db, DROP_BATCH).await? {
        let s3 = S3::open().await?;
        if let Some(s3_id) = &upload.s3_id {
            s3.abort_upload(&key(upload.id), s3_id).await?;
        }
        s3.delete(&key(upload.id)).await?;
        uploads::forget_upload(db, upload.id).await?;
    }
    Ok(())
}

/// Blobs that no file needs any more.
async fn drop_unused(db: &Db) -> Result<(), Error> {
    for blob in uploads::claim_unused(db, DROP_BATCH).await? {
        S3::open().await?.delete(&key(blob)).await?;
        uploads::forget_blob(db, blob).await?;
    }
    Ok(())
}

/// Deletes an erased person's packs with everything in them, and removes the person from shares.
async fn hear(db: &Db, event: &Event) -> Outcome {
    let erase = async |user| {
        store::packs::erase(db, user, ERASE_BATCH)
            .await
            .map(|it| it > 0)
    };
    erasure::carry_out(erasure::ERASED, event, erase).await
}
