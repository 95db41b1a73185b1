//! Receives, verifies and stores contents in files, and reads them.
//!
//! A file is synced before it is added to the index, and never changes afterwards. File names are
//! random: keys of objects never become paths. A crash may leave a file that is not in the index; it
//! is removed at the next start.

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
use crate::private_file;

/// A body up to this size is stored in the index: a file would cost two more syncs.
pub(crate) const MAX_SMALL_BYTES: usize = 32 << 10;
/// The largest body of one request in S3.
const MAX_BODY_BYTES: u64 = 5 << 30;
/// Large writes are faster.
const WRITE_BUFFER: usize = 1 << 20;
const READ_BUFFER: usize = 256 << 10;

#[derive(Debug)]
pub(crate) struct Bodies {
    folder: PathBuf,
    durable: bool,
}

/// A received body that matches the client's claims.
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

/// A file that is not in the index yet. Dropping it deletes the file unless `keep` was called, so a
/// disconnected client, a refused change or a full disk leaves no file.
pub(crate) struct NewFile {
    path: PathBuf,
    name: String,
    is_kept: bool,
}

impl NewFile {
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Keeps the file. To be called when the index has it.
    pub(crate) fn keep(mut self) {
        self.is_kept = true;
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if !self.is_kept {
            // If this fails, the file is removed at the next start.
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
        private_file::create_folder(folder)?;
        Ok(Self {
            folder: folder.to_owned(),
            durable,
        })
    }

    /// Receives a body, into memory up to `max_small` bytes, else into a file.
    pub(crate) async fn receive(
        &self,
        body: Option<StreamingBlob>,
        max_small: usize,
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
            if size > MAX_BODY_BYTES {
                return Err(S3ErrorCode::EntityTooLarge.into());
            }
            match &mut file {
                None if memory.len() + chunk.len() <= max_small => memory.extend_from_slice(&chunk),
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

    /// Receives a body into a file, even if it is empty.
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

    /// Syncs the content, then the folder with the name of the file.
    async fn finish(&self, mut writer: BufWriter<File>) -> Result<()> {
        writer.flush().await?;
        if self.durable {
            writer.get_ref().sync_data().await?;
            File::open(&self.folder).await?.sync_all().await?;
        }
        Ok(())
    }

    /// Reads a range of the concatenated pieces. Opens all files before it returns, so that they stay
    /// readable if the object is replaced meanwhile.
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

    /// Removes files that are no longer in the index. If that fails, they are removed at the next start.
    pub(crate) async fn remove(&self, pieces: Vec<Piece>) {
        for piece in pieces {
            let _ = tokio::fs::remove_file(self.folder.join(piece.file)).await;
        }
    }

    pub(crate) fn list_files(&self) -> Result<HashSet<String>> {
        let mut files = HashSet::new();
        for entry in fs::read_dir(&self.folder)? {
            files.insert(entry?.file_name().to_string_lossy().into_owned());
        }
        Ok(files)
    }

    /// Removes files at the start of the server, before there are writers.
    pub(crate) fn remove_files<'a>(&self, files: impl Iterator<Item = &'a String>) {
        for file in files {
            let _ = fs::remove_file(self.folder.join(file));
        }
    }
}

/// Reads a range of a small body.
pub(crate) fn read_small(bytes: &Bytes, range: Range<u64>) -> Result<StreamingBlob> {
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
