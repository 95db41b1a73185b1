//! The SQL of holders: users as events describe them.

use jiff::Timestamp;
use kit::store::{Db, Only};
use kit::{params, sql};
use uuid::Uuid;

use crate::error::Error;
use crate::ledger::WALLET;

/// Records a user, unless an event after `seq` said something else.
pub async fn note_holder(
    db: &Db,
    user: Uuid,
    email: Option<String>,
    seq: i64,
) -> Result<(), Error> {
    let params = params![user, email, seq, WALLET];
    let _: Only<Uuid> = db.one(sql!("note_holder"), params).await?;
    Ok(())
}

/// Records a user whom an outside program named, unless the user is known.
pub async fn note_stranger(db: &Db, user: Uuid, email: Option<String>) -> Result<(), Error> {
    // Every event of signin has a greater seq.
    note_holder(db, user, email, 0).await
}

/// Records when a user lost the role of an admin. Their earlier proposals no longer count.
pub async fn note_demotion(db: &Db, user: Uuid, at: Timestamp) -> Result<(), Error> {
    db.run(sql!("note_demotion"), params![user, at]).await?;
    Ok(())
}

/// Erases a user's personal data, unless an event after `seq` announced them again.
pub async fn erase_holder(db: &Db, user: Uuid, seq: i64) -> Result<(), Error> {
    let _: Only<bool> = db.one(sql!("erase_holder"), params![user, seq]).await?;
    Ok(())
}
