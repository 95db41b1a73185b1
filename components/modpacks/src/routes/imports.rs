//! Packs of other platforms that become drafts.

use kit::identity::Caller;
use kit::store::event;
use kit::web::{Created, Json, Path, Problem};

use crate::error::Error;
use crate::file::Status;
use crate::import::{Import, NewImport};
use crate::pack::label;
use crate::store::{self, files, imports};
use crate::upkeep::VERIFY;
use crate::viewer::Viewer;

pub async fn create_import(
    caller: Caller,
    Path(pack): Path<i64>,
    Json(new): Json<NewImport>,
) -> Result<Created<Import>, Problem> {
    let named = new.version_name.as_deref().map(|it| {
        label(it).ok_or(Error::InvalidVersion(
            "version_name has 1 to 100 characters",
        ))
    });
    let new = NewImport {
        version_name: named.transpose()?,
        ..new
    };
    let (db, viewer) = (store::open().await?, Viewer::from(&caller));
    let file = files::find_file(&db, new.file_id, &viewer).await?;
    if file.status != Status::Ready {
        return Err(Error::FileNotReady(file.status.name()).into());
    }
    let made = imports::create_import(&db, pack, &viewer, &new).await?;
    event::announce(VERIFY, String::new());
    let location = format!("/modpacks/{pack}/imports/{}", made.id);
    Ok(Created::at(location, made))
}

pub async fn show_import(
    caller: Caller,
    Path((pack, id)): Path<(i64, i64)>,
) -> Result<Json<Import>, Problem> {
    let (db, viewer) = (store::open().await?, Viewer::from(&caller));
    Ok(Json(imports::find_import(&db, pack, id, &viewer).await?))
}
