//! The command line: what can be said, and the help that teaches it. What it does is in `commands`.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

#[derive(Parser)]
#[command(
    name = "wharf",
    version,
    about = "Runs the application of a spin.toml, with everything it needs on this machine.",
    after_help = "\
First steps:
  wharf up --build            build the components, start what they need, serve them
  curl localhost:3000/…       the address is printed once everything serves
  wharf routes                what is served where, without starting anything
  wharf doctor                why does it not start?

Exit codes: 0 done, 1 something else failed, 2 wrong usage or a fault in a file you wrote,
3 a store cannot start or cannot be reached, 4 a component could not be built."
)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Subcommand)]
pub enum Command {
    /// Start what the application needs, migrate its database, serve it until Ctrl-C
    #[command(after_help = "\
Examples:
  wharf up --build
  wharf up --listen 0.0.0.0:80 --data-dir /var/lib/app
  wharf up --postgres-url postgres://owner:secret@db/app --redis-url redis://cache
  wharf up --variable admin_login=root --variable jwt_private_key=@key.pem --variable @local.toml
  wharf up --listen 127.0.0.1:0 --format json -q      for programs: one JSON line, then nothing

A store whose address is not given is started here and keeps its data in the data folder.
Values of variables: --variable first, then the runtime configuration, then SPIN_VARIABLE_<NAME>
and .env, then [application.tool.wharf.variables], then the default in the manifest. Beside a
PostgreSQL that is not started here, secrets have to be given: see `wharf keys --help`.")]
    Up(Up),
    /// Run the build commands of the components
    Build(Build),
    /// Bring the database to where the migrations say it should be
    #[command(after_help = "\
Examples:
  wharf migrate
  wharf migrate --postgres-url postgres://owner:secret@db/app --variable @variables.toml

Roles that are not there yet are made with the passwords in the addresses of their variables.")]
    Migrate(Migrate),
    /// Run the stores alone, and write the .env with which `spin up` finds them
    Services(Services),
    /// List what is served where
    Routes(Routes),
    /// Check this machine, the manifest and what was built
    Doctor(Doctor),
    /// Show the public signing keys or replace the signing key; make the secrets of a deployment
    #[command(after_help = "\
Examples:
  wharf keys --secrets
  wharf keys --variables variables.toml --postgres-url postgres://owner:secret@db/app

The file is for all copies of a host that use one PostgreSQL, as --variable @variables.toml. What
it says already stays, so that after an update the same command adds what is new.")]
    Keys(Keys),
}

#[derive(Args)]
pub struct Up {
    #[command(flatten)]
    pub manifest: ManifestArgs,
    #[command(flatten)]
    pub stores: StoreArgs,
    #[command(flatten)]
    pub values: ValueArgs,
    /// Where to listen; port 0 takes a free one
    #[arg(
        long,
        value_name = "ADDRESS",
        default_value = "127.0.0.1:3000",
        env = "SPIN_HTTP_LISTEN_ADDR"
    )]
    pub listen: SocketAddr,
    /// Build first
    #[arg(long)]
    pub build: bool,
    /// Add to the environment of every component
    #[arg(long, short, value_name = "NAME=VALUE")]
    pub env: Vec<String>,
    /// How to say what is served
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
    /// Say nothing but warnings and errors; the components' output goes to <data-dir>/logs alone
    #[arg(long, short)]
    pub quiet: bool,
}

#[derive(Args)]
pub struct Build {
    #[command(flatten)]
    pub manifest: ManifestArgs,
    /// Only these components
    #[arg(long, short, value_name = "ID")]
    pub component_id: Vec<String>,
}

#[derive(Args)]
pub struct Migrate {
    #[command(flatten)]
    pub manifest: ManifestArgs,
    /// Where embedded stores and generated values are kept
    #[arg(
        long,
        value_name = "FOLDER",
        default_value = ".wharf",
        env = "WHARF_DATA_DIR"
    )]
    pub data_dir: PathBuf,
    /// The database, as its owner; without it the embedded one
    #[arg(long, value_name = "URL", env = "WHARF_POSTGRES_URL")]
    pub postgres_url: Option<String>,
    #[command(flatten)]
    pub values: ValueArgs,
}

#[derive(Args)]
pub struct Services {
    #[command(flatten)]
    pub manifest: ManifestArgs,
    #[command(flatten)]
    pub stores: StoreArgs,
    #[command(flatten)]
    pub values: ValueArgs,
    /// Where `spin up` will listen
    #[arg(
        long,
        value_name = "ADDRESS",
        default_value = "127.0.0.1:3000",
        env = "SPIN_HTTP_LISTEN_ADDR"
    )]
    pub listen: SocketAddr,
}

#[derive(Args)]
pub struct Routes {
    #[command(flatten)]
    pub manifest: ManifestArgs,
    /// How to list them
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

#[derive(Args)]
pub struct Doctor {
    #[command(flatten)]
    pub manifest: ManifestArgs,
    /// The data folder that will be used
    #[arg(
        long,
        value_name = "FOLDER",
        default_value = ".wharf",
        env = "WHARF_DATA_DIR"
    )]
    pub data_dir: PathBuf,
    /// The address that will be listened on
    #[arg(
        long,
        value_name = "ADDRESS",
        default_value = "127.0.0.1:3000",
        env = "SPIN_HTTP_LISTEN_ADDR"
    )]
    pub listen: SocketAddr,
}

#[derive(Args)]
pub struct Keys {
    #[command(flatten)]
    pub manifest: ManifestArgs,
    /// Where generated values are kept
    #[arg(
        long,
        value_name = "FOLDER",
        default_value = ".wharf",
        env = "WHARF_DATA_DIR"
    )]
    pub data_dir: PathBuf,
    /// Sign with a new key from the next start on; older ones stay valid for as long as their tokens
    #[arg(long)]
    pub rotate: bool,
    /// Show the generated passwords too
    #[arg(long)]
    pub secrets: bool,
    /// Add to this file what all copies of a deployment must be given alike: secrets, addresses of
    /// the database for each role
    #[arg(long, value_name = "FILE.toml", conflicts_with_all = ["rotate", "secrets"])]
    pub variables: Option<PathBuf>,
    /// The database of that deployment, as its owner; not connected to
    #[arg(long, value_name = "URL", env = "WHARF_POSTGRES_URL")]
    pub postgres_url: Option<String>,
}

#[derive(Args)]
pub struct ManifestArgs {
    /// The manifest, or the folder it is in
    #[arg(
        long = "from",
        short = 'f',
        value_name = "FILE",
        default_value = "spin.toml"
    )]
    pub path: PathBuf,
    /// A profile of the components that have it
    #[arg(long, value_name = "NAME")]
    pub profile: Option<String>,
}

#[derive(Args)]
pub struct StoreArgs {
    /// Where embedded stores, logs, compiled components and generated values are kept
    #[arg(
        long,
        value_name = "FOLDER",
        default_value = ".wharf",
        env = "WHARF_DATA_DIR"
    )]
    pub data_dir: PathBuf,
    /// PostgreSQL to use, as the owner of the database, instead of starting one
    #[arg(long, value_name = "URL", env = "WHARF_POSTGRES_URL")]
    pub postgres_url: Option<String>,
    /// Redis to use instead of starting one
    #[arg(long, value_name = "URL", env = "WHARF_REDIS_URL")]
    pub redis_url: Option<String>,
    /// S3 to use instead of serving it here
    #[arg(long, value_name = "URL", env = "WHARF_S3_ENDPOINT", requires_all = ["s3_access_key", "s3_secret_key", "s3_bucket"])]
    pub s3_endpoint: Option<String>,
    #[arg(
        long,
        value_name = "KEY",
        env = "WHARF_S3_ACCESS_KEY",
        requires = "s3_endpoint",
        help = "Its access key"
    )]
    pub s3_access_key: Option<String>,
    #[arg(
        long,
        value_name = "KEY",
        env = "WHARF_S3_SECRET_KEY",
        requires = "s3_endpoint",
        help = "Its secret key"
    )]
    pub s3_secret_key: Option<String>,
    #[arg(
        long,
        value_name = "NAME",
        env = "WHARF_S3_BUCKET",
        requires = "s3_endpoint",
        help = "The bucket"
    )]
    pub s3_bucket: Option<String>,
    #[arg(
        long,
        value_name = "NAME",
        env = "WHARF_S3_REGION",
        default_value = "us-east-1",
        help = "Its region"
    )]
    pub s3_region: String,
    /// Embedded stores force nothing to disk: for tests
    #[arg(long)]
    pub volatile: bool,
}

#[derive(Args)]
pub struct ValueArgs {
    /// The value of a variable: NAME=VALUE, NAME=@file, or @file.toml or @file.json with many
    #[arg(long, value_name = "NAME=VALUE")]
    pub variable: Vec<String>,
    /// What the operator decides: providers of values, key-value stores, forbidden networks
    #[arg(long, value_name = "FILE", env = "RUNTIME_CONFIG_FILE")]
    pub runtime_config_file: Option<PathBuf>,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    #[default]
    Plain,
    Json,
}
