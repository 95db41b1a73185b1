//! The command line: commands, flags and their help. `commands` carries them out.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

#[derive(Parser)]
#[command(
    name = "wharf",
    version,
    about = "Runs the application of a spin.toml together with the stores it needs.",
    after_help = "\
First steps:
  wharf up --build            build the components, start the stores, serve the application
  curl localhost:3000/…       the address is printed once the application serves
  wharf routes                list routes and components without starting anything
  wharf doctor                find out why the application does not start

Exit codes: 0 success, 1 any other error, 2 wrong usage or an error in a file you wrote,
3 a store cannot be started or reached, 4 a component could not be built."
)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Subcommand)]
pub enum Command {
    /// Start the stores, migrate the database, serve the application until Ctrl-C
    #[command(after_help = "\
Examples:
  wharf up --build
  wharf up --listen 0.0.0.0:80 --data-dir /var/lib/app
  wharf up --postgres-url postgres://owner:secret@db/app --redis-url redis://cache
  wharf up --variable admin_login=root --variable jwt_private_key=@key.pem --variable @local.toml
  wharf up --listen 127.0.0.1:0 --format json -q      for scripts: prints one JSON line

A store without a given address is started embedded and keeps its data in --data-dir.
The value of a variable comes from the first of: --variable, the runtime configuration,
SPIN_VARIABLE_<NAME> and .env, [application.tool.wharf.variables], the default in the manifest.
With an external PostgreSQL, secrets must be given: see `wharf keys --help`.")]
    Up(Up),
    /// Run the build commands of the components, and compile what they made for this machine
    Build(Build),
    /// Compile the built components for this machine ahead of the first start, as for an image of a container
    Compile(Compile),
    /// Apply pending migrations to the database
    #[command(after_help = "\
Examples:
  wharf migrate
  wharf migrate --postgres-url postgres://owner:secret@db/app --variable @variables.toml

Missing roles are created with the passwords in the addresses of their variables.")]
    Migrate(Migrate),
    /// Run only the stores, and write an .env that points `spin up` to them
    Services(Services),
    /// List routes and channels with their components
    Routes(Routes),
    /// Check this machine, the manifest and the built components
    Doctor(Doctor),
    /// Show or rotate the signing keys; generate the secrets of a deployment
    #[command(after_help = "\
Examples:
  wharf keys --secrets
  wharf keys --variables variables.toml --postgres-url postgres://owner:secret@db/app

Give the file to every host that uses the same PostgreSQL: --variable @variables.toml. Existing
entries are kept, so after an update the same command adds only new ones.")]
    Keys(Keys),
}

#[derive(Args, Clone)]
pub struct Up {
    #[command(flatten)]
    pub manifest: ManifestArgs,
    #[command(flatten)]
    pub stores: StoreArgs,
    #[command(flatten)]
    pub values: ValueArgs,
    /// Address to listen on; port 0 picks a free port
    #[arg(
        long,
        value_name = "ADDRESS",
        default_value = "127.0.0.1:3000",
        env = "SPIN_HTTP_LISTEN_ADDR"
    )]
    pub listen: SocketAddr,
    /// Build the components first
    #[arg(long)]
    pub build: bool,
    /// Add an environment variable to every component
    #[arg(long, short, value_name = "NAME=VALUE")]
    pub env: Vec<String>,
    /// Statements to run in the SQLite database "default"; @file.sql runs a file, @file.sql:label in another database
    #[arg(long, value_name = "STATEMENT")]
    pub sqlite: Vec<String>,
    /// Call components as Spin 4.1 does: without `wharf:http`, and a plain query that finds no row fails, which
    /// never ends there
    #[arg(long)]
    pub as_spin: bool,
    /// Accept connections for this long after a stop signal, while the health check fails: until load balancers have
    /// noticed
    #[arg(
        long,
        value_name = "MILLISECONDS",
        default_value_t = 0,
        env = "WHARF_STOP_DELAY_MS"
    )]
    pub stop_delay_ms: u64,
    /// Format in which the served routes are printed
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
    /// Print only warnings and errors; component output goes only to <data-dir>/logs
    #[arg(long, short)]
    pub quiet: bool,
}

#[derive(Args)]
pub struct Build {
    #[command(flatten)]
    pub compile: Compile,
    /// Build only this component; may be repeated
    #[arg(long, short, value_name = "ID")]
    pub component_id: Vec<String>,
}

#[derive(Args)]
pub struct Compile {
    #[command(flatten)]
    pub manifest: ManifestArgs,
    /// Folder for compiled components
    #[arg(
        long,
        value_name = "FOLDER",
        default_value = ".wharf",
        env = "WHARF_DATA_DIR"
    )]
    pub data_dir: PathBuf,
}

#[derive(Args)]
pub struct Migrate {
    #[command(flatten)]
    pub manifest: ManifestArgs,
    /// Folder for embedded stores and generated values
    #[arg(
        long,
        value_name = "FOLDER",
        default_value = ".wharf",
        env = "WHARF_DATA_DIR"
    )]
    pub data_dir: PathBuf,
    /// URL of the database, as its owner; without it the embedded PostgreSQL is migrated
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
    /// Address that `spin up` will listen on
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
    /// Output format
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

#[derive(Args)]
pub struct Doctor {
    #[command(flatten)]
    pub manifest: ManifestArgs,
    /// Data folder to check
    #[arg(
        long,
        value_name = "FOLDER",
        default_value = ".wharf",
        env = "WHARF_DATA_DIR"
    )]
    pub data_dir: PathBuf,
    /// Address to check
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
    /// Folder with the generated values
    #[arg(
        long,
        value_name = "FOLDER",
        default_value = ".wharf",
        env = "WHARF_DATA_DIR"
    )]
    pub data_dir: PathBuf,
    /// Sign with a new key from the next start on; older keys stay valid as long as their tokens
    #[arg(long)]
    pub rotate: bool,
    /// Also show the generated passwords
    #[arg(long)]
    pub secrets: bool,
    /// Add to this file the values that all hosts of a deployment share: secrets, and one database
    /// address per role
    #[arg(long, value_name = "FILE.toml", conflicts_with_all = ["rotate", "secrets"])]
    pub variables: Option<PathBuf>,
    /// URL of that deployment's database, as its owner; no connection is made
    #[arg(long, value_name = "URL", env = "WHARF_POSTGRES_URL")]
    pub postgres_url: Option<String>,
}

#[derive(Args, Clone)]
pub struct ManifestArgs {
    /// Manifest file, or the folder that contains it
    #[arg(
        long = "from",
        short = 'f',
        value_name = "FILE",
        default_value = "spin.toml"
    )]
    pub path: PathBuf,
    /// Profile to use in components that define it
    #[arg(long, value_name = "NAME")]
    pub profile: Option<String>,
}

#[derive(Args, Clone)]
pub struct StoreArgs {
    /// Folder for embedded stores, logs, compiled components and generated values
    #[arg(
        long,
        value_name = "FOLDER",
        default_value = ".wharf",
        env = "WHARF_DATA_DIR"
    )]
    pub data_dir: PathBuf,
    /// External PostgreSQL, as the owner of the database; without it an embedded one is started
    #[arg(long, value_name = "URL", env = "WHARF_POSTGRES_URL")]
    pub postgres_url: Option<String>,
    /// External Redis; without it an embedded one is started
    #[arg(long, value_name = "URL", env = "WHARF_REDIS_URL")]
    pub redis_url: Option<String>,
    /// External S3; without it an embedded one is started
    #[arg(long, value_name = "URL", env = "WHARF_S3_ENDPOINT", requires_all = ["s3_access_key", "s3_secret_key", "s3_bucket"])]
    pub s3_endpoint: Option<String>,
    #[arg(
        long,
        value_name = "KEY",
        env = "WHARF_S3_ACCESS_KEY",
        requires = "s3_endpoint",
        help = "Access key of the external S3"
    )]
    pub s3_access_key: Option<String>,
    #[arg(
        long,
        value_name = "KEY",
        env = "WHARF_S3_SECRET_KEY",
        requires = "s3_endpoint",
        help = "Secret key of the external S3"
    )]
    pub s3_secret_key: Option<String>,
    #[arg(
        long,
        value_name = "NAME",
        env = "WHARF_S3_BUCKET",
        requires = "s3_endpoint",
        help = "Bucket of the external S3"
    )]
    pub s3_bucket: Option<String>,
    #[arg(
        long,
        value_name = "NAME",
        env = "WHARF_S3_REGION",
        default_value = "us-east-1",
        help = "Region of the external S3"
    )]
    pub s3_region: String,
    /// Embedded stores do not flush to disk: for tests
    #[arg(long)]
    pub volatile: bool,
}

#[derive(Args, Clone)]
pub struct ValueArgs {
    /// Value of a variable: NAME=VALUE or NAME=@file; @file.toml or @file.json give many
    #[arg(long, value_name = "NAME=VALUE")]
    pub variable: Vec<String>,
    /// The operator's configuration: variable providers, key-value stores, blocked networks
    #[arg(long, value_name = "FILE", env = "RUNTIME_CONFIG_FILE")]
    pub runtime_config_file: Option<PathBuf>,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    #[default]
    Plain,
    Json,
}
