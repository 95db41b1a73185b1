//! Pictures of packs: an icon, and a gallery. They are files of the pack itself, uploaded and verified as all files are;
//! their media type is read from their first bytes and not from their names. No I/O in this file.

use kit::Word;
use kit::store::FromRow;
use kit::store::photo::{MAX_SIZE, MediaType};
use kit::web::Schema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::error::Error;
use crate::file::PackFile;
use crate::pack::label;

/// A picture of a pack, as viewers of the pack see it.
#[derive(Debug, Serialize, Deserialize, Schema)]
pub struct Picture {
    pub file_id: i64,
    pub title: String,
    pub media_type: MediaType,
    /// A stable address that redirects to the bytes.
    pub url: String,
}

/// The pictures of a pack.
#[derive(Debug, Default, Serialize, Deserialize, Schema)]
pub struct Pictures {
    pub icon: Option<Picture>,
    pub gallery: Vec<Picture>,
}

impl Pictures {
    /// Replaces the addresses by ones below a friend's link, for readers without an account.
    pub fn behind(&mut self, link: &str) {
        for picture in self.icon.iter_mut().chain(&mut self.gallery) {
            picture.url = format!("{link}/pictures/{}", picture.file_id);
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Word)]
pub enum Place {
    Icon,
    Gallery,
}

#[derive(Debug, Deserialize, Schema)]
pub struct NewIcon {
    /// A verified file of the modpack itself; when absent, the icon is removed.
    pub file_id: Option<i64>,
}

#[derive(Debug, Deserialize, Schema)]
pub struct NewGallery {
    /// The pictures of the gallery, in this order.
    #[schemars(length(max = 20))]
    pub pictures: Vec<NewPicture>,
}

#[derive(Debug, Deserialize, Schema)]
pub struct NewPicture {
    /// A verified file of the modpack itself.
    pub file_id: i64,
    #[serde(default)]
    #[schemars(length(max = 100))]
    pub title: String,
}

/// The data needed to serve a picture.
#[derive(Debug, FromRow)]
pub struct Stored {
    pub object: Uuid,
    pub media_type: MediaType,
}

/// Upper bound for a gallery: every picture is read when the gallery is saved.
const MAX_GALLERY: usize = 20;

impl NewGallery {
    /// Their titles without blanks around them, each file once.
    pub fn checked(self) -> Result<Vec<NewPicture>, Error> {
        let mut ids: Vec<_> = self.pictures.iter().map(|it| it.file_id).collect();
        ids.sort_unstable();
        ids.dedup();
        if ids.len() != self.pictures.len() || ids.len() > MAX_GALLERY {
            return Err(Error::InvalidPack(
                "a gallery has at most 20 pictures, each once",
            ));
        }
        let titled = self.pictures.into_iter().map(|it| {
            let title = match it.title.trim() {
                "" => Some(String::new()),
                title => label(title),
            };
            title.map(|title| NewPicture { title, ..it })
        });
        titled.collect::<Option<_>>().ok_or(Error::InvalidPack(
            "title is one line of at most 100 characters",
        ))
    }
}

/// The object of a file that may be a picture: its first bytes decide.
pub fn candidate(files: &[PackFile], id: i64) -> Result<Uuid, Error> {
    let file = files
        .iter()
        .find(|it| it.id == id)
        .ok_or(Error::UnknownFile)?;
    let object = file.object.ok_or(Error::FileNotReady(file.status.name()))?;
    if file.size > MAX_SIZE {
        return Err(Error::NoPicture);
    }
    Ok(object)
}

/// The download name of a picture.
pub fn file_name(pack: i64, media_type: MediaType) -> String {
    let extension = match media_type {
        MediaType::Jpeg => "jpg",
        MediaType::Png => "png",
        MediaType::Webp => "webp",
    };
    format!("modpack-{pack}.{extension}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gallery_has_each_picture_once_with_a_title_of_one_line() {
        let gallery = |of: &[(i64, &str)]| {
            let pictures = of.iter().map(|(file_id, title)| NewPicture {
                file_id: *file_id,
                title: (*title).to_owned(),
            });
            NewGallery {
                pictures: pictures.collect(),
            }
            .checked()
        };
        let fits = gallery(&[(1, " The castle "), (2, "")]).unwrap();
        assert_eq!(
            (fits[0].title.as_str(), fits[1].title.as_str()),
            ("The castle", "")
        );
        assert!(gallery(&[(1, ""), (1, "")]).is_err());
        assert!(gallery(&[(1, "a\nb")]).is_err());
        let many: Vec<_> = (0..21).map(|it| (it, "")).collect();
        assert!(gallery(&many).is_err());
    }
}
