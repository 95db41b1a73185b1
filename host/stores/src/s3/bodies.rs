//! Contents: taken in, verified and written to files of their own, and read back piece by piece.
//!
//! A file is complete and on disk before the index learns of it, is never changed, and is named at
//! random: keys of objects never become paths. A file that the index does not know (after a crash
//! between the two) is removed at the next start.

use std::collections::HashSet;
use std::fs;
use std::io::SeekFrom;
use std::ops::Range;
use std::path::{Path, PathBuf};

use bytes::{Bytes, BytesMut};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use s3s::dto::StreamingBlob;
use s3s::{S3Error, S3ErrorCode};
use tokio::fs::File;
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _, AsyncWriteExt as _, BufWriter};
use tokio_util::io::ReaderStream;

use super::digests::{Claims, Digests, Hasher};
use super::failure::{Failure, Result};
use super::records::{Body, Piece};
use crate::kept;

/// A body up to this is kept in the index: a file of its own would cost two more syncs.
pub(crate) const SMALL: usize = 32 << 10;
/// What S3 allows for one request.
const LARGEST: u64 = 5 << 30;
/// Disks like large writes.
const WRITE_BUFFER: usize = 1 << 20;
const READ_BUFFER: usize = 256 << 10;

#[derive(Debug)]
pub(crate) struct Bodies {
    folder: PathBuf,
    durable: bool,
}

/// A body that arrived as it was claimed to be.
pub(crate) struct Received {
    pub(crate) content: Content,
    pub(crate) size: u64,
    pub(crate) md5: [u8; 16],
    pub(crate) digests: Digests,
}

pub(crate) enum Content {
    Small(Bytes),
    File(NewFile),
}

/// A file that the index does not know yet. Dropped without having been kept, it is removed: a
/// client that goes away, a change that is refused, a disk that is full leave nothing behind.
pub(crate) struct NewFile {
    path: PathBuf,
    name: String,
    is_kept: bool,
}

impl NewFile {
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// To be called when the index knows the file.
    pub(crate) fn keep(mut self) {
        self.is_kept = true;
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if !self.is_kept {
            // Else it is found at the next start.
            let _ = fs::remove_file(&self.path);
        }
    }
}

impl Content {
    pub(crate) fn body(&self) -> Body {
        match self {
            Self::Small(_) => Body::Small,
            Self::File(file) => Body::File(file.name.clone()),
        }
    }

    pub(crate) fn small(&self) -> Option<Bytes> {
        match self {
            Self::Small(bytes) => Some(bytes.clone()),
            Self::File(_) => None,
        }
    }

    pub(crate) fn keep(self) {
        if let Self::File(file) = self {
            file.keep();
        }
    }
}

impl Bodies {
    pub(crate) fn open(folder: &Path, durable: bool) -> Result<Self> {
        kept::make_private_folder(folder)?;
        Ok(Self {
            folder: folder.to_owned(),
            durable,
        })
    }

    /// Takes a body in. Of up to `small` bytes no file is made.
    pub(crate) async fn receive(
        &self,
        body: Option<StreamingBlob>,
        small: usize,
        claims: Claims,
    ) -> Result<Received> {
        let mut hasher = Hasher::new(&claims);
        let mut size = 0;
        let mut memory = BytesMut::new();
        let mut file = None;
        let mut body = body.map_or_else(|| stream::empty().boxed(), |body| body.boxed());
        while let Some(chunk) = body.next().await {
            let chunk =
                chunk.map_err(|cause| S3Error::with_source(S3ErrorCode::IncompleteBody, cause))?;
            hasher.update(&chunk);
            size += chunk.len() as u64;
            if size > LARGEST {
                return Err(S3ErrorCode::EntityTooLarge.into());
            }
            match &mut file {
                None if memory.len() + chunk.len() <= small => memory.extend_from_slice(&chunk),
                None => {
                    let (new, mut writer) = self.create().await?;
                    writer.write_all(&memory).await?;
                    writer.write_all(&chunk).await?;
                    memory = BytesMut::new();
                    file = Some((new, writer));
                }
                Some((_, writer)) => writer.write_all(&chunk).await?,
            }
        }
        let content = match file {
            None => Content::Small(memory.freeze()),
            Some((new, writer)) => {
                self.finish(writer).await?;
                Content::File(new)
            }
        };
        let (md5, digests) = hasher.finish(claims)?;
        Ok(Received {
            content,
            size,
            md5,
            digests,
        })
    }

    /// The same for what always gets a file, were it empty.
    pub(crate) async fn receive_file(
        &self,
        body: Option<StreamingBlob>,
        claims: Claims,
    ) -> Result<(Received, NewFile)> {
        let mut received = self.receive(body, 0, claims).await?;
        let file = match std::mem::replace(&mut received.content, Content::Small(Bytes::new())) {
            Content::File(file) => file,
            Content::Small(_) => {
                let (new, writer) = self.create().await?;
                self.finish(writer).await?;
                new
            }
        };
        Ok((received, file))
    }

    async fn create(&self) -> Result<(NewFile, BufWriter<File>)> {
        let name = uuid::Uuid::new_v4().simple().to_string();
        let path = self.folder.join(&name);
        let file = File::create_new(&path).await?;
        Ok((
            NewFile {
                path,
                name,
                is_kept: false,
            },
            BufWriter::with_capacity(WRITE_BUFFER, file),
        ))
    }

    /// Content first, then the name of the file.
    async fn finish(&self, mut writer: BufWriter<File>) -> Result<()> {
        writer.flush().await?;
        if self.durable {
            writer.get_ref().sync_data().await?;
            File::open(&self.folder).await?.sync_all().await?;
        }
        Ok(())
    }

    /// Reads this range of the pieces put together. They are all opened before this returns, so
    /// that what is read stays readable when the object is replaced meanwhile.
    pub(crate) async fn read(
        &self,
        pieces: Vec<Piece>,
        range: Range<u64>,
    ) -> Result<StreamingBlob> {
        let mut files = Vec::new();
        let mut begin = 0;
        for piece in pieces {
            let end = begin + piece.size;
            let (from, to) = (range.start.max(begin), range.end.min(end));
            if from < to {
                let mut file = File::open(self.folder.join(&piece.file)).await?;
                file.seek(SeekFrom::Start(from - begin)).await?;
                files.push(file.take(to - from));
            }
            begin = end;
        }
        let streams = files
            .into_iter()
            .map(|file| Ok::<_, std::io::Error>(ReaderStream::with_capacity(file, READ_BUFFER)));
        Ok(StreamingBlob::wrap(stream::iter(streams).try_flatten()))
    }

    /// Removes files that the index does not know any more. What cannot be removed is found at the
    /// next start.
    pub(crate) async fn remove(&self, pieces: Vec<Piece>) {
        for piece in pieces {
            let _ = tokio::fs::remove_file(self.folder.join(piece.file)).await;
        }
    }

    /// All files there are now.
    pub(crate) fn files(&self) -> Result<HashSet<String>> {
        let mut files = HashSet::new();
        for entry in fs::read_dir(&self.folder)? {
            files.insert(entry?.file_name().to_string_lossy().into_owned());
        }
        Ok(files)
    }

    /// Removes these files, found when nobody was writing, and unknown to the index.
    pub(crate) fn sweep<'a>(&self, files: impl Iterator<Item = &'a String>) {
        for file in files {
            let _ = fs::remove_file(self.folder.join(file));
        }
    }
}

/// A small body, or a range of it.
pub(crate) fn small(bytes: &Bytes, range: Range<u64>) -> Result<StreamingBlob> {
    let bounds = usize::try_from(range.start)
        .ok()
        .zip(usize::try_from(range.end).ok());
    let slice = bounds.filter(|(start, end)| start <= end && *end <= bytes.len());
    let slice = slice.map(|(start, end)| bytes.slice(start..end));
    let slice = slice.ok_or_else(|| {
        Failure::from(std::io::Error::other(
            "a small body is shorter than its record says",
        ))
    })?;
    Ok(StreamingBlob::wrap(stream::once(async move {
        Ok::<_, std::io::Error>(slice)
    })))
}
