//! The HTTP face of modpacks.

mod exports;
mod files;
mod imports;
mod methods;
mod packs;
mod pictures;
mod versions;

use kit::web::{Dialect, Operation, Problem, Routes};

use crate::error::Error;
use crate::export::Manifest;

pub fn routes() -> Routes {
    Routes::of([resources(), methods::routes()])
}

fn resources() -> Routes {
    Routes::new("Modpacks", Dialect::Plain)
        .get("/modpacks", packs::search_packs, |it| {
            it.summary("Search modpacks")
                .note("Public modpacks, and modpacks of the caller's team or shared with the caller. The most recently changed first.")
        })
        .post("/modpacks", packs::create_pack, |it| {
            it.summary("Create a modpack")
                .note("A name is unique among public modpacks, and among those of one owner.")
                .refuses([Error::INVALID_PACK, Error::PACK_NAME_TAKEN])
        })
        .post("/modpacks/updates", versions::find_updates, |it| {
            it.summary("Check versions for updates")
                .note("Versions that the caller does not see are left out.")
                .refuses([Error::INVALID_LOOKUP])
        })
        .get("/modpacks/{pack_id}", packs::show_pack, |it| {
            it.summary("Show a modpack").refuses([Error::UNKNOWN_PACK])
        })
        .patch("/modpacks/{pack_id}", packs::change_pack, |it| {
            it.summary("Change a modpack")
                .note("For its team. Only the owner decides who sees it. Moderators and admins may do what owners may.")
                .refuses(changing())
                .refuses([Error::INVALID_PACK, Error::PACK_NAME_TAKEN])
        })
        .delete("/modpacks/{pack_id}", packs::delete_pack, |it| {
            it.summary("Delete a modpack")
                .note("Deletes all its versions and files. Bytes that other modpacks also have stay.")
                .refuses(changing())
        })
        .get("/modpacks/{pack_id}/shares", packs::list_shares, |it| {
            it.summary("List who sees a private modpack").refuses([Error::UNKNOWN_PACK])
        })
        .put("/modpacks/{pack_id}/shares", packs::share_pack, |it| {
            it.summary("Share a private modpack")
                .note("Replaces the users and roles that see it; counts from the next request on.")
                .refuses(changing())
                .refuses([Error::INVALID_PACK, Error::UNKNOWN_USER])
        })
        .get("/modpacks/{pack_id}/maintainers", packs::list_maintainers, |it| {
            it.summary("List the maintainers of a modpack").refuses([Error::UNKNOWN_PACK])
        })
        .put("/modpacks/{pack_id}/maintainers", packs::set_maintainers, |it| {
            it.summary("Set the maintainers of a modpack")
                .note("Maintainers change the modpack and make versions. They neither delete it nor decide who sees it.")
                .refuses(changing())
                .refuses([Error::INVALID_PACK, Error::UNKNOWN_USER])
        })
        .get("/modpacks/{pack_id}/files", files::list_pack_files, |it| {
            it.summary("List the files of a modpack itself")
                .note("For pictures, and archives to import. Files of a version are listed below the version.")
                .refuses([Error::UNKNOWN_PACK])
        })
        .post("/modpacks/{pack_id}/files", files::create_pack_file, |it| {
            it.summary("Upload a file of a modpack itself").refuses(uploading())
        })
        .put("/modpacks/{pack_id}/icon", pictures::set_icon, |it| {
            it.summary("Set the icon of a modpack")
                .note("`file_id` is a verified file of the modpack itself, a JPEG, PNG or WebP image of at most 10 MiB. Without `file_id` the icon is removed. Viewers of the modpack see its pictures.")
                .refuses(picturing())
        })
        .put("/modpacks/{pack_id}/gallery", pictures::set_gallery, |it| {
            it.summary("Set the gallery of a modpack")
                .note("Replaces up to 20 pictures, which are shown in this order.")
                .refuses(picturing())
                .refuses([Error::INVALID_PACK])
        })
        .get("/modpacks/{pack_id}/pictures/{file_id}", pictures::show_picture, |it| {
            picture(it).summary("Show a picture of a modpack")
        })
        .get("/modpacks/{pack_id}/links", exports::list_links, |it| {
            it.summary("List the links for friends").refuses([Error::UNKNOWN_PACK])
        })
        .post("/modpacks/{pack_id}/links", exports::create_link, |it| {
            it.summary("Create a link for friends")
                .note("Everyone with the link sees the modpack without an account, until it is revoked or expires. The secret is shown only now.")
                .refuses(changing())
                .refuses([Error::INVALID_PACK, Error::TOO_MANY_LINKS])
        })
        .delete("/modpacks/{pack_id}/links/{link_id}", exports::revoke_link, |it| {
            it.summary("Revoke a link for friends")
                .note("Takes effect with the next request.")
                .refuses(changing())
                .refuses([Error::UNKNOWN_LINK])
        })
        .post("/modpacks/{pack_id}/imports", imports::create_import, |it| {
            it.summary("Import a modpack")
                .note("Makes a draft of a verified file of the modpack itself: `.mrpack`, or a zip of CurseForge or packwiz. It is taken apart in the background and deleted then. Files in it become files of the draft; files that it downloads from servers that are allowed stay there, as links with their digests; `refused` says which ones were left out. An archive with unsafe paths, symlinks or a bomb fails as a whole.")
                .refuses(changing())
                .refuses([Error::INVALID_VERSION, Error::UNKNOWN_FILE, Error::FILE_NOT_READY])
        })
        .get("/modpacks/{pack_id}/imports/{import_id}", imports::show_import, |it| {
            it.summary("Show an import").refuses([Error::UNKNOWN_IMPORT])
        })
        .about("Versions of modpacks")
        .get("/modpacks/{pack_id}/versions", versions::list_versions, |it| {
            it.summary("List versions")
                .note("The newest first. Drafts are shown to the team.")
                .refuses([Error::UNKNOWN_PACK])
        })
        .post("/modpacks/{pack_id}/versions", versions::create_version, |it| {
            it.summary("Create a draft")
                .note("Files are added to it, and then it is published. With `based_on` it begins with the files of that version.")
                .refuses(changing())
                .refuses([
                    Error::INVALID_VERSION,
                    Error::UNKNOWN_DEPENDENCY,
                    Error::INVALID_DEPENDENCY,
                    Error::VERSION_NAME_TAKEN,
                    Error::UNKNOWN_VERSION,
                    Error::TOO_MANY_DRAFTS,
                    Error::QUOTA_EXCEEDED,
                ])
        })
        .get("/modpacks/{pack_id}/latest", versions::show_latest, |it| {
            it.summary("Show the latest version")
                .note("The newest published version, or the version that the modpack was set to.")
                .refuses([Error::UNKNOWN_PACK, Error::UNKNOWN_VERSION])
        })
        .put("/modpacks/{pack_id}/latest", versions::set_latest, |it| {
            it.summary("Set the latest version")
                .note("Use it to go back from a bad version. Without `version_id` the newest version is the latest again.")
                .refuses(changing())
                .refuses([Error::UNKNOWN_VERSION])
        })
        .get("/modpacks/{pack_id}/diff", versions::diff_versions, |it| {
            it.summary("Compare two versions")
                .note("The files to download and to delete, by path, to get from one version to the other.")
                .refuses([Error::UNKNOWN_PACK, Error::UNKNOWN_VERSION])
        })
        .get("/modpacks/{pack_id}/versions/{version_id}", versions::show_version, |it| {
            it.summary("Show a version").refuses([Error::UNKNOWN_PACK, Error::UNKNOWN_VERSION])
        })
        .patch("/modpacks/{pack_id}/versions/{version_id}", versions::change_version, |it| {
            it.summary("Change a draft")
                .refuses(of_version())
                .refuses([
                    Error::INVALID_VERSION,
                    Error::UNKNOWN_DEPENDENCY,
                    Error::INVALID_DEPENDENCY,
                    Error::VERSION_NAME_TAKEN,
                    Error::VERSION_PUBLISHED,
                ])
        })
        .delete("/modpacks/{pack_id}/versions/{version_id}", versions::delete_version, |it| {
            it.summary("Delete a version").refuses(of_version())
        })
        .post("/modpacks/{pack_id}/versions/{version_id}/publish", versions::publish_version, |it| {
            it.summary("Publish a version")
                .note("A published version does not change any more. Publishing a yanked version offers it again.")
                .refuses(of_version())
                .refuses([Error::FILES_PENDING, Error::FILE_AND_FOLDER])
        })
        .post("/modpacks/{pack_id}/versions/{version_id}/yank", versions::yank_version, |it| {
            it.summary("Yank a version")
                .note("A yanked version is never the latest, and can still be downloaded by its id.")
                .refuses(of_version())
                .refuses([Error::NOT_PUBLISHED])
        })
        .get("/modpacks/{pack_id}/versions/{version_id}/files", files::list_version_files, |it| {
            it.summary("List the files of a version")
                .refuses([Error::UNKNOWN_PACK, Error::UNKNOWN_VERSION])
        })
        .post("/modpacks/{pack_id}/versions/{version_id}/files", files::create_version_file, |it| {
            it.summary("Upload a file of a draft")
                .note("Repeated with the same path and size, it continues the upload.")
                .refuses(uploading())
                .refuses([Error::UNKNOWN_VERSION, Error::VERSION_PUBLISHED])
        })
        .put("/modpacks/{pack_id}/versions/{version_id}/files", files::reuse_file, |it| {
            it.summary("Add a file that is here already")
                .note("Puts a verified file that the caller sees into the draft, without sending its bytes again.")
                .refuses(of_version())
                .refuses([
                    Error::INVALID_FILE,
                    Error::UNKNOWN_FILE,
                    Error::PATH_TAKEN,
                    Error::VERSION_PUBLISHED,
                    Error::QUOTA_EXCEEDED,
                ])
        })
        .about("Modpacks for launchers")
        .get("/modpacks/{pack_id}/latest.mrpack", exports::latest_mrpack, |it| {
            mrpack(it).summary("Get the latest version as .mrpack")
        })
        .get("/modpacks/{pack_id}/latest/manifest.json", exports::latest_manifest, |it| {
            manifest(it).summary("Get the manifest of the latest version")
        })
        .get("/modpacks/{pack_id}/latest/packwiz/{*path}", exports::latest_packwiz, |it| {
            packwiz(it).summary("Get the latest version as packwiz")
        })
        .get("/modpacks/{pack_id}/versions/{version_id}/pack.mrpack", exports::version_mrpack, |it| {
            mrpack(it).summary("Get a version as .mrpack")
        })
        .get("/modpacks/{pack_id}/versions/{version_id}/manifest.json", exports::version_manifest, |it| {
            manifest(it).summary("Get the manifest of a version")
        })
        .get("/modpacks/{pack_id}/versions/{version_id}/packwiz/{*path}", exports::version_packwiz, |it| {
            packwiz(it).summary("Get a version as packwiz")
        })
        .about("Modpacks for friends")
        .get("/modpacks/links/{secret}", exports::friend_pack, |it| {
            it.summary("Show the modpack of a link").refuses([Error::UNKNOWN_PACK])
        })
        .get("/modpacks/links/{secret}/versions", exports::friend_versions, |it| {
            it.summary("List the versions of a link's modpack").refuses([Error::UNKNOWN_PACK])
        })
        .get("/modpacks/links/{secret}/latest.mrpack", exports::friend_mrpack, |it| {
            mrpack(it).summary("Get the latest version as .mrpack by a link")
        })
        .get("/modpacks/links/{secret}/latest/manifest.json", exports::friend_manifest, |it| {
            manifest(it).summary("Get the manifest of the latest version by a link")
        })
        .get("/modpacks/links/{secret}/latest/packwiz/{*path}", exports::friend_packwiz, |it| {
            packwiz(it).summary("Get the latest version as packwiz by a link")
        })
        .get("/modpacks/links/{secret}/versions/{version_id}/pack.mrpack", exports::friend_version_mrpack, |it| {
            mrpack(it).summary("Get a version as .mrpack by a link")
        })
        .get("/modpacks/links/{secret}/versions/{version_id}/manifest.json", exports::friend_version_manifest, |it| {
            manifest(it).summary("Get the manifest of a version by a link")
        })
        .get("/modpacks/links/{secret}/pictures/{file_id}", exports::friend_picture, |it| {
            picture(it).summary("Show a picture by a link").refuses([Error::UNKNOWN_PACK])
        })
        .get("/modpacks/links/{secret}/files/{file_id}/download", exports::friend_download, |it| {
            it.summary("Download a file by a link")
                .returns_nothing(302)
                .returns_header(302, "Location", "Where the bytes are, for 60 seconds")
                .refuses([Error::UNKNOWN_PACK, Error::UNKNOWN_FILE, Error::FILE_NOT_READY])
        })
        .about("Files of modpacks")
        .post("/files/lookup", files::look_up, |it| {
            it.summary("Find files by their hashes")
                .note("Up to 1000 at once: sha1, sha256, sha512, or CurseForge's fingerprints. Each finds the newest published file among the modpacks that lists show to the caller.")
                .refuses([Error::INVALID_LOOKUP])
        })
        .get("/files/usage", files::show_usage, |it| {
            it.summary("Show the storage that the caller's modpacks use")
        })
        .put("/files/usage/{user_id}", files::set_quota, |it| {
            it.summary("Set a user's quota").refuses([Error::INVALID_FILE])
        })
        .post("/files/repair", files::repair_files, |it| {
            it.summary("Compare the objects in S3 with the database")
                .note("For admins, 1000 objects at a time. Objects without a row are counted, and deleted with `delete`; verified bytes that S3 has lost are listed. Pass `next` as `after` to go on.")
        })
        .get("/files/{file_id}", files::show_file, |it| {
            it.summary("Show a file").refuses([Error::UNKNOWN_FILE])
        })
        .delete("/files/{file_id}", files::delete_file, |it| {
            it.summary("Delete a file of a draft")
                .note("Also deletes a file of the modpack itself, or an upload.")
                .refuses(of_file())
                .refuses([Error::VERSION_PUBLISHED])
        })
        .get("/files/{file_id}/upload", files::show_upload, |it| {
            it.summary("Go on with an upload")
                .note("The parts that have not arrived, with fresh addresses.")
                .refuses(of_file())
                .refuses([Error::NOT_UPLOADING])
        })
        .post("/files/{file_id}/complete", files::complete_file, |it| {
            it.summary("Complete an upload")
                .note("The bytes are read and compared in the background; the file is then `ready` or `failed`. Sent again, it has no effect.")
                .refuses(of_file())
                .refuses([
                    Error::INVALID_FILE,
                    Error::OTHER_DIGEST,
                    Error::UPLOAD_INCOMPLETE,
                    Error::NOT_UPLOADING,
                ])
        })
        .get("/files/{file_id}/access", files::list_access, |it| {
            it.summary("List who sees a restricted file").refuses([Error::UNKNOWN_FILE])
        })
        .put("/files/{file_id}/access", files::share_file, |it| {
            it.summary("Restrict a file")
                .note("Replaces the users and roles that see the file. They see it even if they do not see its modpack.")
                .refuses(of_file())
                .refuses([Error::INVALID_PACK, Error::UNKNOWN_USER])
        })
        .get("/files/{file_id}/address", files::show_address, |it| {
            it.summary("Get an address to download a file")
                .note("The address at S3 is valid for 60 seconds and supports `Range`. A download that has begun goes on.")
                .refuses([Error::UNKNOWN_FILE, Error::FILE_NOT_READY])
        })
        .get("/files/{file_id}/download", files::download_file, |it| {
            it.summary("Download a file")
                .note("This address is stable; it redirects to a fresh one at S3.")
                .returns_nothing(302)
                .returns_header(302, "Location", "Where the bytes are, for 60 seconds")
                .refuses([Error::UNKNOWN_FILE, Error::FILE_NOT_READY])
        })
        .no_store()
}

fn reading(it: Operation) -> Operation {
    it.refuses([Error::UNKNOWN_PACK, Error::UNKNOWN_VERSION])
}

fn mrpack(it: Operation) -> Operation {
    reading(it).returns_media(200, exports::MRPACK).note(
        "Modrinth's format. Its files are downloaded from addresses of the platform, which are stable. With `side=server` it is a server pack: files that only players need are left out.",
    )
}

fn manifest(it: Operation) -> Operation {
    reading(it)
        .returns::<Manifest>(200)
        .note("With `side=server` or `side=client`, only the files that the side needs. `wharf-sync` makes a folder of it.")
}

fn packwiz(it: Operation) -> Operation {
    reading(it)
        .returns_media(200, exports::TOML)
        .returns_nothing(302)
        .note("`pack.toml`, `index.toml`, the metafiles, and files by their paths.")
        .refuses([Error::UNKNOWN_FILE])
}

fn picture(it: Operation) -> Operation {
    it.note("This address is stable; it redirects to a fresh one at S3.")
        .returns_nothing(302)
        .returns_header(302, "Location", "Where the bytes are, for 60 seconds")
        .refuses([Error::UNKNOWN_FILE])
}

fn picturing() -> [Problem; 5] {
    [
        Error::UNKNOWN_PACK,
        Error::FORBIDDEN,
        Error::UNKNOWN_FILE,
        Error::FILE_NOT_READY,
        Error::NO_PICTURE,
    ]
}

/// The refusals of operations that change a pack.
fn changing() -> [Problem; 2] {
    [Error::UNKNOWN_PACK, Error::FORBIDDEN]
}

fn of_version() -> [Problem; 3] {
    [
        Error::UNKNOWN_PACK,
        Error::UNKNOWN_VERSION,
        Error::FORBIDDEN,
    ]
}

fn of_file() -> [Problem; 2] {
    [Error::UNKNOWN_FILE, Error::FORBIDDEN]
}

fn uploading() -> [Problem; 6] {
    [
        Error::UNKNOWN_PACK,
        Error::FORBIDDEN,
        Error::INVALID_FILE,
        Error::PATH_TAKEN,
        Error::TOO_MANY_FILES,
        Error::QUOTA_EXCEEDED,
    ]
}
