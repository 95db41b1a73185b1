//! The launchers' dialect: methods by name under `/api/method/`, called with GET and everything in the query, or with
//! POST and a body of JSON or a form.

use std::collections::{BTreeMap, BTreeSet};

use axum::response::{IntoResponse, Response};
use kit::identity::Caller;
use kit::web::{Arguments, Dialect, Json, Operation, Page, Problem, Query, Routes, Schema};
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use super::{changing, files, of_file, of_version, uploading};
use crate::calls::find_users;
use crate::dependency::Dependency;
use crate::error::Error;
use crate::file::{Announced, NewFile, PackFile, Side};
use crate::pack::{NewPack, Pack, PackChange, Sharing, Visibility, role_of_level};
use crate::store::packs::{self, Search};
use crate::store::{self, versions};
use crate::upload::{self, DownloadAddress, UploadPlan, default_quota};
use crate::version::{Channel, Choice, Loader, NewVersion, PackVersion, numbers, of_numbers};
use crate::viewer::Viewer;

/// Both spellings of a method: GET is what old clients call.
macro_rules! methods {
    ($routes:expr; $($name:literal $handler:ident $describe:expr;)*) => {
        $routes$(
            .get(concat!("/api/method/", $name), $handler, $describe)
            .post(concat!("/api/method/", $name), $handler, $describe)
        )*
    };
}

pub fn routes() -> Routes {
    let routes = Routes::new("Modpacks", Dialect::Rpc);
    methods! { routes;
        "modpacks.list" list_packs |it: Operation| it
            .summary("List modpacks to a launcher")
            .query::<String>("q", false, "Words of the name or the description")
            .query::<String>("mc_version", false, "")
            .instead("GET /modpacks");
        "modpacks.get" show_pack |it: Operation| with_pack(it)
            .summary("Show a modpack to a launcher")
            .query::<String>("fields", false, "Members to answer, with commas between them")
            .returns::<LauncherPack>(200)
            .instead("GET /modpacks/{pack_id}")
            .refuses([Error::UNKNOWN_PACK]);
        "modpacks.create" create_pack |it: Operation| it
            .summary("Create a modpack from a launcher")
            .query::<String>("name", true, "")
            .query::<String>("description", false, "")
            .query::<String>("authors", false, "Names, with commas between them")
            .query::<Visibility>("visibility", false, "")
            .instead("POST /modpacks")
            .refuses([Error::INVALID_PACK, Error::PACK_NAME_TAKEN]);
        "modpacks.update" change_pack |it: Operation| with_pack(it)
            .summary("Change a modpack from a launcher")
            .query::<String>("name", false, "")
            .query::<String>("description", false, "")
            .query::<String>("authors", false, "Names, with commas between them")
            .query::<Visibility>("visibility", false, "")
            .instead("PATCH /modpacks/{pack_id}")
            .refuses(changing())
            .refuses([Error::INVALID_PACK, Error::PACK_NAME_TAKEN]);
        "modpacks.delete" delete_pack |it: Operation| with_pack(it)
            .summary("Delete a modpack from a launcher")
            .instead("DELETE /modpacks/{pack_id}")
            .refuses(changing());
        "modpacks.setAccess" share_pack |it: Operation| with_pack(it)
            .summary("Share a modpack from a launcher")
            .query::<Visibility>("visibility", false, "")
            .query::<String>("users", false, "Logins or serial numbers, with commas between them")
            .query::<String>("roles", false, "Names, or 10 for everyone who is signed in")
            .instead("PUT /modpacks/{pack_id}/shares")
            .refuses(changing())
            .refuses([Error::INVALID_PACK, Error::UNKNOWN_USER, Error::PACK_NAME_TAKEN]);
        "modpacks.getMods" list_mods |it: Operation| with_version(it)
            .summary("List the mods of a version to a launcher")
            .query::<String>("fields", false, "Members to answer, with commas between them")
            .returns::<LauncherMods>(200)
            .instead("GET /modpacks/{pack_id}/versions/{version_id}/files")
            .refuses([Error::UNKNOWN_PACK, Error::UNKNOWN_VERSION]);
        "modpacks.getLatest" show_latest |it: Operation| with_pack(it)
            .summary("Show the latest version to a launcher")
            .query::<Channel>("channel", false, "")
            .query::<String>("mc_version", false, "")
            .query::<Loader>("loader", false, "")
            .instead("GET /modpacks/{pack_id}/latest")
            .refuses([Error::UNKNOWN_PACK, Error::UNKNOWN_VERSION]);
        "modpacks.createVersion" create_version |it: Operation| with_pack(it)
            .summary("Create a draft from a launcher")
            .query::<String>("name", true, "")
            .query::<String>("mc_version", true, "`1.20.1`, or `1,20,1`")
            .query::<Channel>("channel", false, "")
            .query::<Loader>("loader", false, "")
            .query::<String>("loader_version", false, "")
            .query::<String>("changelog", false, "")
            .query::<i64>("based_on", false, "")
            .query::<String>(
                "dependencies", false, "A list of JSON, as in the body of `POST /modpacks/{pack_id}/versions`",
            )
            .instead("POST /modpacks/{pack_id}/versions")
            .refuses(changing())
            .refuses([
                Error::INVALID_VERSION, Error::UNKNOWN_DEPENDENCY, Error::INVALID_DEPENDENCY,
                Error::VERSION_NAME_TAKEN, Error::UNKNOWN_VERSION, Error::TOO_MANY_DRAFTS, Error::QUOTA_EXCEEDED,
            ]);
        "modpacks.publishVersion" publish_version |it: Operation| with_version(it)
            .summary("Publish a version from a launcher")
            .instead("POST /modpacks/{pack_id}/versions/{version_id}/publish")
            .refuses(of_version())
            .refuses([Error::FILES_PENDING, Error::FILE_AND_FOLDER]);
        "modpacks.deleteVersion" delete_version |it: Operation| with_version(it)
            .summary("Delete a version from a launcher")
            .instead("DELETE /modpacks/{pack_id}/versions/{version_id}")
            .refuses(of_version());
        "files.getUploadUrl" create_file |it: Operation| with_version(it)
            .summary("Upload a file from a launcher")
            .query::<String>("path", true, "")
            .query::<i64>("size", true, "")
            .query::<String>("original_name", false, "")
            .query::<String>("sha256", false, "")
            .query::<Side>("side", false, "")
            .query::<bool>("optional", false, "")
            .query::<bool>("keep", false, "")
            .instead("POST /modpacks/{pack_id}/versions/{version_id}/files")
            .refuses(uploading())
            .refuses([Error::UNKNOWN_VERSION, Error::VERSION_PUBLISHED, Error::NOT_UPLOADING]);
        "files.complete" complete_file |it: Operation| with_file(it)
            .summary("Complete an upload from a launcher")
            .query::<String>("sha256", false, "")
            .instead("POST /files/{file_id}/complete")
            .refuses(of_file())
            .refuses([
                Error::INVALID_FILE, Error::OTHER_DIGEST, Error::UPLOAD_INCOMPLETE, Error::NOT_UPLOADING,
            ]);
        "files.get" show_file |it: Operation| with_file(it)
            .summary("Show a file to a launcher")
            .instead("GET /files/{file_id}")
            .refuses([Error::UNKNOWN_FILE]);
        "files.getDownloadUrl" show_address |it: Operation| with_file(it)
            .summary("Get an address to download a file")
            .instead("GET /files/{file_id}/address")
            .refuses([Error::UNKNOWN_FILE, Error::FILE_NOT_READY]);
        "files.download" download_file |it: Operation| with_file(it)
            .summary("Download a file with a launcher")
            .note("The address in `link` of `modpacks.getMods`. Add the token as to every call.")
            .returns_nothing(302)
            .returns_header(302, "Location", "Where the bytes are, for 60 seconds")
            .instead("GET /files/{file_id}/download")
            .refuses([Error::UNKNOWN_FILE, Error::FILE_NOT_READY]);
        "files.setAccess" share_file |it: Operation| with_file(it)
            .summary("Restrict a file from a launcher")
            .note("Restricts the file to these users and roles. Without any, every viewer of the modpack sees it.")
            .query::<String>("users", false, "Logins or serial numbers, with commas between them")
            .query::<String>("roles", false, "Names, or 10 for everyone who is signed in")
            .instead("PUT /files/{file_id}/access")
            .refuses(of_file())
            .refuses([Error::INVALID_PACK, Error::UNKNOWN_USER]);
        "files.delete" delete_file |it: Operation| with_file(it)
            .summary("Delete a file from a launcher")
            .instead("DELETE /files/{file_id}")
            .refuses(of_file())
            .refuses([Error::VERSION_PUBLISHED]);
    }
    .no_store()
}

fn with_pack(it: Operation) -> Operation {
    it.query::<i64>("modpack_id", true, "")
}

fn with_version(it: Operation) -> Operation {
    with_pack(it).query::<i64>("version_id", true, "")
}

fn with_file(it: Operation) -> Operation {
    it.query::<i64>("file_id", true, "")
}

/// The answer to launchers when an act was done.
#[derive(Serialize, Schema)]
pub struct MethodDone {
    status: bool,
}

const DONE: Json<MethodDone> = Json(MethodDone { status: true });

/// `fields` chooses among the members.
#[derive(Serialize, Schema)]
#[schemars(extend("required" = Vec::<&str>::new()))]
pub struct LauncherPack {
    name: String,
    description: String,
    authors: Vec<String>,
    /// The name of the latest version.
    version: Option<String>,
    /// Versions by their names.
    archive: BTreeMap<String, ArchivedVersion>,
    created: jiff::Timestamp,
    updated: jiff::Timestamp,
}

#[derive(Serialize, Schema)]
pub struct ArchivedVersion {
    id: i64,
    updated: jiff::Timestamp,
}

/// `fields` chooses among the members.
#[derive(Serialize, Schema)]
#[schemars(extend("required" = Vec::<&str>::new()))]
pub struct LauncherMods {
    /// Files by their names: those below `mods` without it, unless another file has that path.
    mods: BTreeMap<String, LauncherMod>,
    count: usize,
    size: i64,
    mc_version: Vec<u32>,
    dependencies: Vec<Dependency>,
    created: jiff::Timestamp,
    updated: jiff::Timestamp,
}

#[derive(Serialize, Schema)]
pub struct LauncherMod {
    sha256: Option<String>,
    link: String,
    size: i64,
}

#[derive(Serialize, Schema)]
pub struct LauncherPacks {
    modpacks: Vec<Pack>,
}

/// The addresses of an upload: `url` is that of the first part, which is the only one of most files.
#[derive(Serialize, Schema)]
pub struct LauncherUpload {
    file_id: i64,
    url: Option<String>,
    #[serde(flatten)]
    plan: UploadPlan,
}

/// Only the members that `fields` names.
fn selected(arguments: &Arguments, whole: &impl Serialize) -> Result<Response, Problem> {
    let mut value = serde_json::to_value(whole).map_err(|it| Problem::internal(&it))?;
    if let (Some(fields), Value::Object(members)) = (arguments.list("fields"), &mut value) {
        members.retain(|name, _| fields.contains(name));
    }
    Ok(Json(value).into_response())
}

async fn list_packs(
    caller: Option<Caller>,
    Query(page): Query<Page>,
    arguments: Arguments,
) -> Result<Json<LauncherPacks>, Problem> {
    let db = store::open().await?;
    let search = Search {
        text: arguments.optional("q")?,
        mc_version: arguments.optional("mc_version")?,
        ..Search::default()
    };
    let modpacks = packs::search_packs(&db, search, &caller.into(), page).await?;
    Ok(Json(LauncherPacks { modpacks }))
}

/// Versions of a pack that launchers are shown.
const ARCHIVE: (i64, i64) = (1_000, 0);

async fn show_pack(caller: Option<Caller>, arguments: Arguments) -> Result<Response, Problem> {
    let id = arguments.number("modpack_id")?;
    let viewer = caller.into();
    let db = store::open().await?;
    let pack = packs::find_pack(&db, id, &viewer).await?;
    let versions = versions::list_versions(&db, id, &viewer, Choice::default(), ARCHIVE).await?;
    let archive = versions.into_iter().map(|it| {
        let archived = ArchivedVersion {
            id: it.id,
            updated: it.updated_at,
        };
        (it.name, archived)
    });
    let shown = LauncherPack {
        name: pack.name,
        description: pack.description,
        authors: pack.authors,
        version: pack.latest_name,
        archive: archive.collect(),
        created: pack.created_at,
        updated: pack.updated_at,
    };
    selected(&arguments, &shown)
}

async fn create_pack(caller: Caller, arguments: Arguments) -> Result<Json<Pack>, Problem> {
    let new = NewPack {
        name: arguments.text("name")?.to_owned(),
        description: arguments
            .optional("description")?
            .unwrap_or_default()
            .to_owned(),
        authors: arguments.list("authors").unwrap_or_default(),
        visibility: arguments
            .word("visibility", Visibility::parse)?
            .unwrap_or_default(),
    };
    let new = new.checked()?;
    let db = store::open().await?;
    let made = packs::create_pack(&db, Uuid::new_v4(), caller.id, &new).await?;
    Ok(Json(made))
}

async fn change_pack(caller: Caller, arguments: Arguments) -> Result<Json<Pack>, Problem> {
    let change = PackChange {
        name: arguments.optional("name")?.map(str::to_owned),
        description: arguments.optional("description")?.map(str::to_owned),
        authors: arguments.list("authors"),
        visibility: arguments.word("visibility", Visibility::parse)?,
    };
    let change = change.checked()?;
    let db = store::open().await?;
    let id = arguments.number("modpack_id")?;
    let changed = packs::change_pack(&db, id, &Viewer::from(&caller), &change).await?;
    Ok(Json(changed))
}

async fn delete_pack(caller: Caller, arguments: Arguments) -> Result<Json<MethodDone>, Problem> {
    let db = store::open().await?;
    let id = arguments.number("modpack_id")?;
    packs::delete_pack(&db, id, &Viewer::from(&caller)).await?;
    Ok(DONE)
}

fn sharing(arguments: &Arguments) -> Result<Sharing, Error> {
    let roles = arguments.list("roles").unwrap_or_default();
    Sharing {
        users: arguments.list("users").unwrap_or_default(),
        roles: roles.iter().map(|it| role_of_level(it)).collect(),
    }
    .checked()
}

async fn share_pack(caller: Caller, arguments: Arguments) -> Result<Json<MethodDone>, Problem> {
    let sharing = sharing(&arguments)?;
    let id = arguments.number("modpack_id")?;
    let viewer = Viewer::from(&caller);
    let change = PackChange {
        visibility: arguments.word("visibility", Visibility::parse)?,
        ..PackChange::default()
    };
    let db = store::open().await?;
    // Checked first, so that a stranger does not learn which logins exist.
    packs::find_pack(&db, id, &viewer).await?;
    let users = find_users(sharing.users).await?;
    // Shares are changed before the visibility, so that no user sees the pack without a right in between.
    packs::share_pack(&db, id, &viewer, users, sharing.roles).await?;
    if change.visibility.is_some() {
        packs::change_pack(&db, id, &viewer, &change).await?;
    }
    Ok(DONE)
}

async fn list_mods(caller: Option<Caller>, arguments: Arguments) -> Result<Response, Problem> {
    let (pack, id) = (
        arguments.number("modpack_id")?,
        arguments.number("version_id")?,
    );
    let viewer = caller.into();
    let db = store::open().await?;
    let version = versions::find_version(&db, pack, id, &viewer).await?;
    let files = store::files::list_files(&db, pack, Some(id), &viewer).await?;
    let public_url = kit::setting("public_url").await?.trim_end_matches('/');
    let link = |file: &PackFile| {
        format!(
            "{public_url}/api/method/files.download?v=1.0&file_id={}",
            file.id
        )
    };
    let paths: BTreeSet<_> = files.iter().map(|it| it.path.clone()).collect();
    let name = |path: String| match path.strip_prefix("mods/") {
        Some(short) if !paths.contains(short) => short.to_owned(),
        _ => path,
    };
    let shown = LauncherMods {
        count: files.len(),
        size: files.iter().map(|it| it.size).sum(),
        mc_version: numbers(&version.mc_version),
        dependencies: version.dependencies,
        created: version.created_at,
        updated: version.updated_at,
        mods: files
            .into_iter()
            .map(|it| {
                let link = link(&it);
                let shown = LauncherMod {
                    sha256: it.sha256,
                    link,
                    size: it.size,
                };
                (name(it.path), shown)
            })
            .collect(),
    };
    selected(&arguments, &shown)
}

async fn show_latest(
    caller: Option<Caller>,
    arguments: Arguments,
) -> Result<Json<PackVersion>, Problem> {
    let choice = Choice {
        channel: arguments.word("channel", Channel::parse)?,
        mc_version: arguments.optional("mc_version")?,
        loader: arguments.word("loader", Loader::parse)?,
    };
    let db = store::open().await?;
    let pack = arguments.number("modpack_id")?;
    let latest = versions::find_latest(&db, pack, &caller.into(), choice).await?;
    Ok(Json(latest))
}

async fn create_version(
    caller: Caller,
    arguments: Arguments,
) -> Result<Json<PackVersion>, Problem> {
    let mc_version = arguments.list("mc_version").unwrap_or_default();
    if mc_version.is_empty() {
        arguments.text("mc_version")?;
    }
    let text = |name| Ok::<_, Problem>(arguments.optional(name)?.map(str::to_owned));
    let new = NewVersion {
        name: arguments.text("name")?.to_owned(),
        channel: arguments
            .word("channel", Channel::parse)?
            .unwrap_or_default(),
        mc_version: of_numbers(&mc_version),
        loader: arguments.word("loader", Loader::parse)?,
        loader_version: text("loader_version")?,
        changelog: text("changelog")?.unwrap_or_default(),
        dependencies: arguments.objects("dependencies")?,
        based_on: arguments.optional_number("based_on")?,
    };
    let new = new.checked()?;
    let pack = arguments.number("modpack_id")?;
    let db = store::open().await?;
    let quota = default_quota().await?;
    let viewer = Viewer::from(&caller);
    let made = versions::create_version(&db, Uuid::new_v4(), pack, &viewer, &new, quota).await?;
    Ok(Json(made))
}

async fn publish_version(
    caller: Caller,
    arguments: Arguments,
) -> Result<Json<MethodDone>, Problem> {
    let (pack, id) = (
        arguments.number("modpack_id")?,
        arguments.number("version_id")?,
    );
    let db = store::open().await?;
    versions::publish_version(&db, pack, id, &Viewer::from(&caller)).await?;
    Ok(DONE)
}

async fn delete_version(caller: Caller, arguments: Arguments) -> Result<Json<MethodDone>, Problem> {
    let (pack, id) = (
        arguments.number("modpack_id")?,
        arguments.number("version_id")?,
    );
    let db = store::open().await?;
    versions::delete_version(&db, pack, id, &Viewer::from(&caller)).await?;
    Ok(DONE)
}

async fn create_file(
    caller: Caller,
    arguments: Arguments,
) -> Result<Json<LauncherUpload>, Problem> {
    let (pack, version) = (
        arguments.number("modpack_id")?,
        arguments.number("version_id")?,
    );
    let new = NewFile {
        path: arguments.text("path")?.to_owned(),
        original_name: arguments.optional("original_name")?.map(str::to_owned),
        size: arguments.number("size")?,
        side: arguments.word("side", Side::parse)?.unwrap_or_default(),
        optional: arguments.flag("optional")?.unwrap_or_default(),
        keep: arguments.flag("keep")?.unwrap_or_default(),
        digests: announced(&arguments)?,
    };
    let plan = files::create_file(&Viewer::from(&caller), pack, Some(version), new).await?;
    Ok(Json(LauncherUpload {
        file_id: plan.file.id,
        url: plan.parts.first().map(|it| it.url.clone()),
        plan,
    }))
}

fn announced(arguments: &Arguments) -> Result<Announced, Problem> {
    Ok(Announced {
        sha256: arguments.optional("sha256")?.map(str::to_owned),
        ..Announced::default()
    })
}

async fn complete_file(caller: Caller, arguments: Arguments) -> Result<Json<PackFile>, Problem> {
    let announced = announced(&arguments)?.checked()?;
    let db = store::open().await?;
    let id = arguments.number("file_id")?;
    let completed = upload::complete(&db, &Viewer::from(&caller), id, &announced).await?;
    Ok(Json(completed))
}

async fn show_file(
    caller: Option<Caller>,
    arguments: Arguments,
) -> Result<Json<PackFile>, Problem> {
    let db = store::open().await?;
    let id = arguments.number("file_id")?;
    Ok(Json(
        store::files::find_file(&db, id, &caller.into()).await?,
    ))
}

async fn show_address(
    caller: Option<Caller>,
    arguments: Arguments,
) -> Result<Json<DownloadAddress>, Problem> {
    let id = arguments.number("file_id")?;
    Ok(Json(files::find_address(&caller.into(), id).await?))
}

async fn download_file(caller: Option<Caller>, arguments: Arguments) -> Result<Response, Problem> {
    let id = arguments.number("file_id")?;
    Ok(files::redirect(
        files::find_address(&caller.into(), id).await?,
    ))
}

async fn share_file(caller: Caller, arguments: Arguments) -> Result<Json<MethodDone>, Problem> {
    let sharing = sharing(&arguments)?;
    let restricted = !(sharing.users.is_empty() && sharing.roles.is_empty());
    let id = arguments.number("file_id")?;
    files::set_access(&Viewer::from(&caller), id, restricted, sharing).await?;
    Ok(DONE)
}

async fn delete_file(caller: Caller, arguments: Arguments) -> Result<Json<MethodDone>, Problem> {
    let db = store::open().await?;
    let id = arguments.number("file_id")?;
    store::files::delete_file(&db, id, &Viewer::from(&caller)).await?;
    Ok(DONE)
}
