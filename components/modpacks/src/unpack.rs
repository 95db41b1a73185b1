//! Takes an archive in S3 apart: its files become uploads of a draft, which are verified as all uploads are.
//!
//! The archive is read in ranges and never whole; at most one part of an upload is in memory. Files that the draft already
//! has are not made again, so a worker that takes over goes on where another one stopped.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::body::Bytes;
use axum::http::{Request, StatusCode, header};
use jiff::Timestamp;
use kit::setting;
use kit::store::s3::S3;
use kit::store::{Db, event};
use kit::web::outbound;
use uuid::Uuid;

use crate::archive::{
    Entry, LOCAL_HEADER, MAX_END, Rejected, Unpacking, entries, find_directory, local_header,
};
use crate::error::Error;
use crate::file::{self, Announced, NewFile, Status};
use crate::import::packwiz::{self, MAX_METAFILE};
use crate::import::{
    self, Claimed, Format, Link, MAX_INDEX, Plan, Refused, Unpacked, curseforge, mrpack, recognize,
};
use crate::store::imports::{self, end_import, fail_import, prolong_import};
use crate::store::{files, uploads, versions};
use crate::upload::{begin, default_quota, has_arrived, key};
use crate::verify::Turn;
use crate::viewer::Viewer;

/// Consecutive attempts at one archive without progress.
const MAX_ATTEMPTS: i32 = 50;
/// The time for the server of a linked file to answer its size.
const PATIENCE: Duration = Duration::from_secs(5);

/// The reason why an import stops.
enum Stop {
    /// It ends with this reason.
    Rejected(String),
    /// Another turn may get further.
    Passing(Error),
}

impl From<Rejected> for Stop {
    fn from(rejected: Rejected) -> Self {
        Self::Rejected(rejected.0)
    }
}

impl<E: Into<Error>> From<E> for Stop {
    fn from(error: E) -> Self {
        match error.into() {
            passing @ (Error::Db(_)
            | Error::S3(_)
            | Error::Setting(_)
            | Error::Misconfigured(_)
            | Error::SigninAway) => Self::Passing(passing),
            refused => Self::Rejected(refused.to_string()),
        }
    }
}

/// Carries a claimed import out until it has ended or `is_over`.
pub async fn unpack(
    db: &Db,
    claimed: &Claimed,
    is_over: impl Fn(Timestamp) -> bool,
) -> Result<Turn, Error> {
    if claimed.attempts > MAX_ATTEMPTS {
        fail_import(db, claimed, "the archive could not be read").await?;
        return Ok(Turn::Over);
    }
    match go_on(db, claimed, is_over).await {
        Ok(turn) => Ok(turn),
        Err(Stop::Rejected(reason)) => {
            fail_import(db, claimed, &reason).await?;
            Ok(Turn::Over)
        }
        Err(Stop::Passing(error)) => Err(error),
    }
}

async fn go_on(
    db: &Db,
    claimed: &Claimed,
    is_over: impl Fn(Timestamp) -> bool,
) -> Result<Turn, Stop> {
    // The requester was allowed to change the pack at the time of the request. The draft is made in the owner's
    // name.
    let viewer = Viewer::of(claimed.owner);
    let pack = claimed.pack_id;
    let file = files::find_file(db, claimed.file_id, &viewer).await?;
    let object = file.object.ok_or(Error::UnknownFile)?;
    let archive = Archive {
        s3: S3::open().await.map_err(Error::from)?,
        key: key(object),
        size: file.size.unsigned_abs(),
    };
    let plan = archive.plan().await?;
    let quota = default_quota().await?;
    let new = plan.version(claimed)?;
    let version = versions::create_version(db, claimed.request, pack, &viewer, &new, quota).await?;
    let version = version.id;
    if !prolong_import(db, claimed, version, false).await? {
        return Ok(Turn::Over);
    }
    let made = files::list_files(db, pack, Some(version), &viewer).await?;
    let made: BTreeMap<_, _> = made.into_iter().map(|it| (it.path, it.status)).collect();
    let mut refused = plan.refused.clone();
    let mut linked = 0;
    for link in &plan.links {
        if made.contains_key(&link.path) {
            linked += 1;
            continue;
        }
        match size_of(link).await {
            Some(size) => {
                imports::link_file(db, pack, version, &viewer, link, size).await?;
                linked += 1;
            }
            None => refused.push(Refused {
                path: link.path.clone(),
                reason: "its server does not say how large it is".to_owned(),
            }),
        }
        if is_over(kit::now()) {
            return Ok(Turn::Unfinished);
        }
    }
    for it in &plan.unpacked {
        if made
            .get(&it.path)
            .is_some_and(|it| *it != Status::Uploading)
        {
            continue;
        }
        let is_ours = archive
            .upload(db, claimed, version, &viewer, quota, it)
            .await?;
        if !is_ours {
            return Ok(Turn::Over);
        }
        event::announce(crate::upkeep::VERIFY, String::new());
        if is_over(kit::now()) {
            return Ok(Turn::Unfinished);
        }
    }
    let count = |it: usize| i32::try_from(it).unwrap_or(i32::MAX);
    let counts = (count(linked), count(plan.unpacked.len()));
    end_import(db, claimed, import::Status::Done, None, counts, &refused).await?;
    // The archive is a file of the pack itself: all viewers of the pack see it, and it counts for the quota.
    match files::delete_file(db, claimed.file_id, &viewer).await {
        Ok(()) | Err(Error::UnknownFile) => Ok(Turn::Over),
        Err(error) => Err(error.into()),
    }
}

/// The size in the format's index, or else the one that the file's server answers.
async fn size_of(link: &Link) -> Option<i64> {
    if link.size.is_some() {
        return link.size;
    }
    let request = Request::head(&link.address).body(Bytes::new()).ok()?;
    let answer = outbound::send_for_status(request, PATIENCE).await.ok()?;
    if answer.status != StatusCode::OK {
        return None;
    }
    let length = answer.headers.get(header::CONTENT_LENGTH)?.to_str().ok()?;
    length.parse().ok().filter(|it| *it > 0)
}

/// An archive in S3.
struct Archive {
    s3: S3,
    key: String,
    size: u64,
}

impl Archive {
    async fn plan(&self) -> Result<Plan, Stop> {
        let origins = setting("modpacks_import_origins").await?;
        let origins: Vec<_> = origins.split_whitespace().collect();
        let end = self.size.min(MAX_END);
        let end = self.read(self.size - end, end).await?;
        let directory = find_directory(&end, self.size)?;
        let bytes = self.read(directory.at, directory.length).await?;
        let entries = entries(&bytes, &directory)?;
        let (format, index, folder) = recognize(&entries)?;
        let text = self.text(index, MAX_INDEX).await?;
        Ok(match format {
            Format::Mrpack => mrpack(&text, &entries, folder, &origins)?,
            Format::CurseForge => curseforge(&text, &entries, folder)?,
            Format::Packwiz => {
                let (plan, index, wanted) = packwiz::pack(&text, &entries, folder)?;
                let text = self.text(index, MAX_INDEX).await?;
                let index = packwiz::index(plan, &text, wanted, &entries, folder)?;
                let mut texts = Vec::new();
                for it in &index.metafiles {
                    texts.push(self.text(&it.entry, MAX_METAFILE).await?);
                }
                index.finish(&texts, &origins)?
            }
        })
    }

    async fn read(&self, start: u64, length: u64) -> Result<Vec<u8>, Stop> {
        let mut bytes = Vec::new();
        if length == 0 {
            return Ok(bytes);
        }
        let mut reading = self.s3.read(&self.key, start, length).await?;
        while let Some(piece) = reading.next().await? {
            bytes.extend_from_slice(&piece);
        }
        Ok(bytes)
    }

    /// Where an entry's data begin.
    async fn start(&self, entry: &Entry) -> Result<u64, Stop> {
        let header = self.read(entry.at, LOCAL_HEADER).await?;
        let start = entry.at + local_header(&header)?;
        if start + entry.packed > self.size {
            return Err(Stop::Rejected(
                "it is damaged: an entry is not where it should be".to_owned(),
            ));
        }
        Ok(start)
    }

    /// A small entry, unpacked.
    async fn text(&self, entry: &Entry, at_most: u64) -> Result<Vec<u8>, Stop> {
        if entry.size > at_most {
            return Err(Stop::Rejected(format!("{:?} is too large", entry.name)));
        }
        let packed = self.read(self.start(entry).await?, entry.packed).await?;
        let (mut unpacking, mut text) = (Unpacking::new(entry), Vec::new());
        let mut packed = packed.as_slice();
        while unpacking.take(&mut packed, &mut text)? {}
        unpacking.finish()?;
        Ok(text)
    }

    /// Makes a file of the draft of an entry. False: another worker has taken over.
    async fn upload(
        &self,
        db: &Db,
        claimed: &Claimed,
        version: i64,
        viewer: &Viewer,
        quota: i64,
        unpacked: &Unpacked,
    ) -> Result<bool, Stop> {
        let entry = &unpacked.entry;
        let new = NewFile {
            path: unpacked.path.clone(),
            original_name: None,
            size: entry.size.cast_signed(),
            side: unpacked.side,
            optional: false,
            keep: unpacked.keep,
            digests: Announced {
                sha256: unpacked.sha256.clone(),
                ..Announced::default()
            },
        }
        .checked()?;
        let made =
            files::create_file(db, claimed.pack_id, Some(version), viewer, &new, quota).await?;
        let Some(upload) = made
            .upload
            .0
            .filter(|_| made.file.status == Status::Uploading)
        else {
            return Ok(true);
        };
        let s3_id = match upload.s3_id {
            Some(s3_id) => s3_id,
            None => begin(db, &self.s3, upload.id).await?,
        };
        let mut sending = Sending {
            s3: &self.s3,
            id: upload.id,
            arrived: self.s3.list_parts(&key(upload.id), &s3_id).await?,
            s3_id,
        };
        let mut parts = file::parts(entry.size, upload.part_size.unsigned_abs());
        let mut part = parts.next();
        let (mut unpacking, mut ready) = (Unpacking::new(entry), Vec::new());
        let start = self.start(entry).await?;
        let mut reading = self.s3.read(&self.key, start, entry.packed).await?;
        while let Some(piece) = reading.next().await? {
            let mut piece: &[u8] = &piece;
            let mut goes_on = true;
            while goes_on {
                goes_on = unpacking.take(&mut piece, &mut ready)?;
                let Some((number, size)) = part else { continue };
                let size = usize::try_from(size).unwrap_or(usize::MAX);
                if ready.len() >= size {
                    let rest = ready.split_off(size);
                    sending
                        .put(number, std::mem::replace(&mut ready, rest))
                        .await?;
                    part = parts.next();
                    if !prolong_import(db, claimed, version, true).await? {
                        return Ok(false);
                    }
                }
            }
        }
        unpacking.finish()?;
        uploads::complete_file(db, viewer, made.file.id, &Announced::default()).await?;
        Ok(true)
    }
}

/// The parts of an upload on their way to S3.
struct Sending<'a> {
    s3: &'a S3,
    id: Uuid,
    s3_id: String,
    arrived: Vec<kit::store::s3::Part>,
}

impl Sending<'_> {
    async fn put(&mut self, number: u16, bytes: Vec<u8>) -> Result<(), Stop> {
        let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        if !has_arrived(&self.arrived, (number, size)) {
            let bytes = Bytes::from(bytes);
            self.s3
                .put_part(&key(self.id), &self.s3_id, number, bytes)
                .await?;
        }
        Ok(())
    }
}
