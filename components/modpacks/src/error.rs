//! Every refusal of this component.

use kit::Refusals;
use kit::Unset;
use kit::store::DbError;
use kit::store::s3::S3Error;

#[derive(Debug, Refusals)]
#[refusals(done("done", "late"))]
pub enum Error {
    #[refusal(
        404,
        "unknown-pack",
        "No such modpack",
        detail = "there is no such modpack",
        outcome = "unknown_pack",
        number = 100
    )]
    UnknownPack,
    #[refusal(
        409,
        "pack-name-taken",
        "The name is taken",
        detail = "a modpack of that name exists already",
        constraint = "pack_name_public",
        constraint = "pack_name_own",
        number = 101
    )]
    PackNameTaken,
    #[refusal(
        404,
        "unknown-version",
        "No such version",
        detail = "there is no such version",
        outcome = "unknown_version",
        number = 102
    )]
    UnknownVersion,
    #[refusal(
        404,
        "unknown-file",
        "No such file",
        detail = "there is no such file",
        outcome = "unknown_file",
        number = 103
    )]
    UnknownFile,
    #[refusal(
        404,
        "unknown-link",
        "No such link",
        detail = "there is no such link",
        outcome = "unknown_link"
    )]
    UnknownLink,
    #[refusal(
        404,
        "unknown-import",
        "No such import",
        detail = "there is no such import"
    )]
    UnknownImport,
    #[refusal(
        403,
        "forbidden",
        "Not allowed for this user",
        detail = "not allowed for this user",
        outcome = "forbidden",
        number = 20
    )]
    Forbidden,
    #[refusal(
        409,
        "version-name-taken",
        "The name is taken",
        detail = "the modpack has a version of that name already",
        constraint = "version_name_once"
    )]
    VersionNameTaken,
    #[refusal(
        409,
        "version-published",
        "The version is published",
        detail = "a published version does not change; it can be yanked or deleted",
        outcome = "version_published",
        constraint = "version_is_published"
    )]
    VersionPublished,
    #[refusal(
        409,
        "not-published",
        "The version is not published",
        detail = "the version is a draft",
        outcome = "not_published"
    )]
    NotPublished,
    #[refusal(
        409,
        "files-pending",
        "Not every file is ready",
        detail = "a version is published when each of its files is verified; one is not, or has failed",
        outcome = "files_pending",
        retry_after_s = 1
    )]
    FilesPending,
    #[refusal(
        409,
        "file-and-folder",
        "A path is a file and a folder",
        detail = "a file of the version has the path of a folder of other files; delete one of them",
        outcome = "file_and_folder"
    )]
    FileAndFolder,
    #[refusal(
        409,
        "path-taken",
        "The path is taken",
        detail = "there is a file at that path already, or at one that differs in case only",
        outcome = "path_taken",
        constraint = "file_path_once"
    )]
    PathTaken,
    #[refusal(
        409,
        "too-many-drafts",
        "Too many drafts",
        detail = "a modpack has at most 100 drafts",
        outcome = "too_many_drafts"
    )]
    TooManyDrafts,
    #[refusal(
        409,
        "too-many-files",
        "Too many files",
        detail = "a version has at most 10000 files",
        outcome = "too_many_files"
    )]
    TooManyFiles,
    #[refusal(
        409,
        "too-many-links",
        "Too many links",
        detail = "a modpack has at most 100 links; revoke one first",
        outcome = "too_many_links"
    )]
    TooManyLinks,
    #[refusal(
        409,
        "quota-exceeded",
        "The quota is exceeded",
        detail = "the owner of the modpack has not that much room left",
        constraint = "usage_within_quota"
    )]
    QuotaExceeded,
    #[refusal(
        409,
        "other-digest",
        "Another digest was announced",
        detail = "the upload was begun with another digest",
        outcome = "other_digest"
    )]
    OtherDigest,
    #[refusal(
        409,
        "upload-incomplete",
        "Bytes are missing",
        detail = "{0} of {1} parts have not arrived"
    )]
    UploadIncomplete(usize, usize),
    #[refusal(
        409,
        "not-uploading",
        "The file takes no bytes",
        detail = "the file is {0}; only one that is uploading takes bytes"
    )]
    NotUploading(&'static str),
    #[refusal(
        409,
        "file-not-ready",
        "The file is not ready",
        detail = "the file is {0}; only a verified file is served"
    )]
    FileNotReady(&'static str),
    #[refusal(
        422,
        "unknown-user",
        "No such user",
        detail = "there is no user {0}",
        number = 31
    )]
    UnknownUser(String),
    #[refusal(
        422,
        "invalid-pack",
        "The modpack does not fit",
        detail = "{0}",
        number = 33
    )]
    InvalidPack(&'static str),
    #[refusal(
        422,
        "invalid-version",
        "The version does not fit",
        detail = "{0}",
        number = 33
    )]
    InvalidVersion(&'static str),
    #[refusal(
        422,
        "invalid-file",
        "The file does not fit",
        detail = "{0}",
        number = 33
    )]
    InvalidFile(&'static str),
    #[refusal(
        422,
        "no-picture",
        "The file is no picture",
        detail = "a picture is a JPEG, PNG or WebP file of at most 10 MiB",
        number = 31
    )]
    NoPicture,
    #[refusal(
        422,
        "unknown-dependency",
        "No such dependency",
        detail = "there is no modpack, or no version of it, that `dependencies` names",
        outcome = "unknown_dependency",
        number = 31
    )]
    UnknownDependency,
    #[refusal(
        422,
        "invalid-dependency",
        "The dependencies do not fit",
        detail = "a version depends on other modpacks and on projects, on each once, and no min_version_id is later than its max_version_id",
        outcome = "invalid_dependency",
        constraint = "dependency_once",
        number = 33
    )]
    InvalidDependency,
    #[refusal(
        422,
        "invalid-lookup",
        "The look-up does not fit",
        detail = "{0}",
        number = 33
    )]
    InvalidLookup(&'static str),
    #[refusal(unavailable, detail = "signin does not answer")]
    SigninAway,
    #[refusal(internal, detail = "the setting {0} does not fit")]
    Misconfigured(&'static str),
    #[refusal(transparent)]
    Db(DbError),
    #[refusal(transparent)]
    S3(S3Error),
    #[refusal(transparent)]
    Setting(Unset),
}
