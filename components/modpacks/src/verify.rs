//! Reads all uploaded bytes and compares them with the announced size and digests.
//!
//! A large file is read in slices; after each the state of the digests is stored, so that a worker that dies costs one
//! slice. The fence of the claim keeps two workers from settling the same upload.

use jiff::Timestamp;
use kit::store::Db;
use kit::store::s3::S3;

use crate::digest::{Known, Reader};
use crate::error::Error;
use crate::file;
use crate::store::uploads;
use crate::upload::{Upload, has_arrived, key};

/// Bytes between two stored states. More than what a reader remembers, so that a small file is one slice.
const SLICE: u64 = 32 << 20;
/// Attempts until a file fails: S3 was away for hours, or reading the file kills its workers.
const MAX_ATTEMPTS: i32 = 500;

/// The result of a turn.
#[derive(Debug, PartialEq, Eq)]
pub enum Turn {
    /// The upload is settled, or another worker has taken it over.
    Over,
    /// Time is up; another turn goes on from here.
    Unfinished,
}

/// Verifies a claimed upload until it is settled or `is_over`.
pub async fn verify(
    db: &Db,
    upload: Upload,
    is_over: impl Fn(Timestamp) -> bool,
) -> Result<Turn, Error> {
    if upload.attempts > MAX_ATTEMPTS {
        return fail(db, &upload, "the bytes could not be read").await;
    }
    let s3 = S3::open().await?;
    let size = upload.size.unsigned_abs();
    match assemble(&s3, &upload).await? {
        Some(found) if found == size => {}
        Some(_) => return fail(db, &upload, "the size is another one").await,
        None => return fail(db, &upload, "bytes are missing").await,
    }
    let taken_up = upload.digests.as_deref().and_then(Reader::take_up);
    let (mut reader, mut read_to) = match taken_up {
        Some(reader) => (reader, upload.read_to.unsigned_abs()),
        None => (Reader::new(size), 0),
    };
    // Two readings, one after the other; a small file needs one.
    let mut end = if read_to > size { 2 * size } else { size };
    loop {
        if read_to == size && end == size {
            if !reader.begin_again() {
                break;
            }
            end = 2 * size;
        }
        if read_to == end {
            break;
        }
        let start = read_to % size;
        let length = SLICE.min(size - start);
        let mut reading = s3.read(&key(upload.id), start, length).await?;
        let mut read = 0;
        while let Some(bytes) = reading.next().await? {
            read += u64::try_from(bytes.len()).unwrap_or(u64::MAX);
            if end == size {
                reader.read(&bytes);
            } else {
                reader.read_again(&bytes);
            }
        }
        if read != length {
            return fail(db, &upload, "bytes are missing").await;
        }
        read_to += length;
        if let Some(state) = reader.put_down() {
            let is_ours = uploads::save_progress(db, &upload, read_to, state).await?;
            if !is_ours {
                return Ok(Turn::Over);
            }
            if is_over(kit::now()) && read_to < end {
                return Ok(Turn::Unfinished);
            }
        }
    }
    let known = reader.finish();
    if let Some(reason) = mismatch(&upload, &known) {
        return fail(db, &upload, reason).await;
    }
    uploads::finish_upload(db, &upload, &known).await?;
    Ok(Turn::Over)
}

/// Makes the object of the parts, unless it was made before; answers its size. None when parts are missing.
async fn assemble(s3: &S3, upload: &Upload) -> Result<Option<u64>, Error> {
    let key = key(upload.id);
    if let Some(object) = s3.head(&key).await? {
        return Ok(Some(object.size));
    }
    let Some(s3_id) = &upload.s3_id else {
        return Ok(None);
    };
    let arrived = match s3.list_parts(&key, s3_id).await {
        Err(error) if error.is_absent() => return Ok(None),
        arrived => arrived?,
    };
    let (size, part_size) = (upload.size.unsigned_abs(), upload.part_size.unsigned_abs());
    let expected: Vec<_> = file::parts(size, part_size).collect();
    let is_whole = expected.iter().all(|it| has_arrived(&arrived, *it));
    if !is_whole || arrived.len() != expected.len() {
        return Ok(None);
    }
    s3.complete_upload(&key, s3_id, &arrived).await?;
    Ok(s3.head(&key).await?.map(|it| it.size))
}

async fn fail(db: &Db, upload: &Upload, reason: &'static str) -> Result<Turn, Error> {
    uploads::fail_upload(db, upload, reason).await?;
    Ok(Turn::Over)
}

/// The announced digest that the bytes do not match.
fn mismatch(upload: &Upload, known: &Known) -> Option<&'static str> {
    [
        (&upload.sha1, &known.sha1, "the sha1 is another one"),
        (&upload.sha256, &known.sha256, "the sha256 is another one"),
        (&upload.sha512, &known.sha512, "the sha512 is another one"),
    ]
    .into_iter()
    .find(|(announced, known, _)| announced.as_ref().is_some_and(|it| it != *known))
    .map(|it| it.2)
}
