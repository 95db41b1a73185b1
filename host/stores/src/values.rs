//! Generated values: passwords, keys and random texts, generated once and stored in the data folder.
//! `Values::resolve` finds the value of a `HostValue`.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use url::Url;

use wharf_manifest::manifest::{HostValue, S3Part};

use crate::error::{Error, Result};
use crate::options::{Addresses, S3Address};
use crate::random::random_text;
use crate::{private_file, signing_key};

/// Passwords are for programs, so they may be long: 32 of 62 characters are 190 bits.
const PASSWORD_LENGTH: usize = 32;

/// Generated values, each under a name.
#[derive(Debug)]
pub struct Values {
    storage: Storage,
}

enum Storage {
    /// `<data folder>/values.json` (mode 0600). Contains the passwords of the embedded stores.
    InFile(PathBuf),
    /// Lost when this is dropped.
    InMemory(Mutex<BTreeMap<String, String>>),
}

/// A secret that all copies of a deployment share.
pub enum SharedSecret {
    RolePassword { schema: String, password: String },
    SigningKey { pem: String },
}

impl Values {
    /// The values of one copy of a deployment: the given secrets. Values that are generated here are
    /// not stored: the caller must give them to all copies.
    pub fn of_deployment(secrets: impl IntoIterator<Item = SharedSecret>) -> Self {
        let known = secrets.into_iter().map(|secret| match secret {
            SharedSecret::RolePassword { schema, password } => {
                (role_password_name(&schema), password)
            }
            SharedSecret::SigningKey { pem } => (SIGNING_KEY.to_owned(), pem),
        });
        Self {
            storage: Storage::InMemory(Mutex::new(known.collect())),
        }
    }

    /// Opens the values of a data folder, which is created if it is missing.
    pub fn open(data_dir: &Path) -> Result<Self> {
        std::fs::create_dir_all(data_dir)
            .map_err(Error::io(format!("cannot create {}", data_dir.display())))?;
        Ok(Self {
            storage: Storage::InFile(data_dir.join("values.json")),
        })
    }

    /// The value of `variable` from its source; the same at every call. `base_url` is the address of
    /// the host, for the source `listen`.
    pub fn resolve(
        &self,
        variable: &str,
        source: &HostValue,
        addresses: &Addresses,
        base_url: &str,
    ) -> Result<String> {
        match source {
            HostValue::Postgres { schema } => {
                let address = addresses
                    .postgres_url
                    .as_deref()
                    .ok_or_else(|| not_running(variable, source))?;
                let password = self.get(&role_password_name(schema))?.ok_or_else(|| {
                    Error::NoValue(format!(
                        "the password of role wharf_{schema} is unknown: set variable {variable} \
                         (--variable {variable}=postgres://wharf_{schema}:PASSWORD@HOST/DATABASE)"
                    ))
                })?;
                role_url(address, schema, &password)
            }
            HostValue::PostgresHost => {
                host_and_port(addresses.postgres_url.as_deref(), 5432, variable, source)
            }
            HostValue::RedisHost => {
                host_and_port(addresses.redis_url.as_deref(), 6379, variable, source)
            }
            HostValue::RedisOrigin => {
                let address = addresses.redis_url.as_deref();
                let (scheme, _) = address
                    .and_then(|address| address.split_once("://"))
                    .ok_or_else(|| not_running(variable, source))?;
                let at = host_and_port(address, 6379, variable, source)?;
                Ok(format!("{scheme}://{at}"))
            }
            HostValue::Redis => addresses
                .redis_url
                .clone()
                .ok_or_else(|| not_running(variable, source)),
            // Of an external Redis only the address is known that was given for all.
            HostValue::RedisLogin { login } => addresses
                .redis_logins
                .get(login)
                .or(addresses.redis_url.as_ref())
                .cloned()
                .ok_or_else(|| not_running(variable, source)),
            HostValue::S3(part) => {
                let s3 = addresses
                    .s3
                    .as_ref()
                    .ok_or_else(|| not_running(variable, source))?;
                Ok(s3_part(s3, *part).to_owned())
            }
            // Of an external S3 only the key is known that was given for all.
            HostValue::S3Key { key, part } => {
                let s3 = addresses
                    .s3_keys
                    .get(key)
                    .or(addresses.s3.as_ref())
                    .ok_or_else(|| not_running(variable, source))?;
                Ok(s3_part(s3, *part).to_owned())
            }
            HostValue::Ed25519Private => self.signing_key(),
            HostValue::Ed25519Jwks => self.jwks(),
            HostValue::Random { length } => {
                let length = *length;
                self.get_or_make(&random_name(variable), || random_text(length))
            }
            HostValue::Listen => Ok(base_url.to_owned()),
            HostValue::OnLoopback { value } => Ok(value.clone()),
        }
    }

    /// The password of login role `wharf_<schema>`, generated at the first call.
    pub fn role_password(&self, schema: &str) -> Result<String> {
        self.password(&role_password_name(schema))
    }

    /// The random text of this variable, if `resolve` has generated it.
    pub fn random(&self, variable: &str) -> Result<Option<String>> {
        self.get(&random_name(variable))
    }

    /// The JWKS document of the source `ed25519:jwks`: the current key and the retired ones.
    pub fn jwks(&self) -> Result<String> {
        let current = self.signing_key()?;
        let now = unix_nanoseconds();
        let values = self.read()?;
        let mut retired: Vec<(u128, &String)> = values
            .iter()
            .filter_map(|(name, pem)| Some((retired_at(name)?, pem)))
            .filter(|(since, _)| now.saturating_sub(*since) < PUBLISHED_NS)
            .collect();
        retired.sort_by_key(|(since, _)| std::cmp::Reverse(*since));
        let retired = retired.iter().map(|(_, pem)| pem.as_str());
        signing_key::jwks([current.as_str()].into_iter().chain(retired))
    }

    /// Replaces the signing key from the next start on. The old key stays in the JWKS while tokens that
    /// it signed may be valid, also after further rotations.
    pub fn rotate_signing_key(&self) -> Result<()> {
        let new = signing_key::generate()?;
        let now = unix_nanoseconds();
        self.change(|values| {
            values.retain(|name, _| {
                retired_at(name).is_none_or(|since| now.saturating_sub(since) < PUBLISHED_NS)
            });
            if let Some(current) = values.insert(SIGNING_KEY.to_owned(), new) {
                values.insert(format!("{RETIRED_KEY_PREFIX}{now}"), current);
            }
        })
    }

    /// Adds a pair of access key and secret key to the embedded S3 server, which accepts it from its
    /// next start on.
    pub fn add_s3_key(&self) -> Result<(String, String)> {
        let (access_key, secret_key) = (
            random_text(S3_ACCESS_KEY_LENGTH)?,
            random_text(S3_SECRET_KEY_LENGTH)?,
        );
        let name = format!("{S3_KEY_PREFIX}{access_key}");
        self.change(|values| values.insert(name, secret_key.clone()))?;
        Ok((access_key, secret_key))
    }

    /// The key pair of the embedded S3 server under this name, generated at the first call.
    pub(crate) fn s3_key(&self, name: &str) -> Result<(String, String)> {
        let half = |part: S3Part, length| {
            self.get_or_make(&format!("s3:{part}:{name}"), || random_text(length))
        };
        Ok((
            half(S3Part::AccessKey, S3_ACCESS_KEY_LENGTH)?,
            half(S3Part::SecretKey, S3_SECRET_KEY_LENGTH)?,
        ))
    }

    /// The key pairs of the embedded S3 server that may do everything; the first is its owner's.
    pub(crate) fn s3_keys(&self) -> Result<Vec<(String, String)>> {
        let access_key = self.get_or_make("s3:access_key", || random_text(S3_ACCESS_KEY_LENGTH))?;
        let secret_key = self.get_or_make("s3:secret_key", || random_text(S3_SECRET_KEY_LENGTH))?;
        let others = self.read()?.into_iter();
        let others = others.filter_map(|(name, secret)| {
            Some((name.strip_prefix(S3_KEY_PREFIX)?.to_owned(), secret))
        });
        Ok([(access_key, secret_key)]
            .into_iter()
            .chain(others)
            .collect())
    }

    fn signing_key(&self) -> Result<String> {
        self.get_or_make(SIGNING_KEY, signing_key::generate)
    }

    /// The password under this name, generated at the first call.
    pub(crate) fn password(&self, name: &str) -> Result<String> {
        self.get_or_make(name, || random_text(PASSWORD_LENGTH))
    }

    fn get_or_make(&self, name: &str, make: impl FnOnce() -> Result<String>) -> Result<String> {
        if let Some(value) = self.get(name)? {
            return Ok(value);
        }
        let made = make()?;
        // Another process may have stored a value since the read above: then that one wins.
        self.change(|values| values.entry(name.to_owned()).or_insert(made).clone())
    }

    /// The value stored under this name.
    pub(crate) fn get(&self, name: &str) -> Result<Option<String>> {
        Ok(self.read()?.remove(name))
    }

    /// Reads, changes and writes the values under a lock.
    fn change<R>(&self, change: impl FnOnce(&mut BTreeMap<String, String>) -> R) -> Result<R> {
        let file = match &self.storage {
            Storage::InFile(file) => file,
            Storage::InMemory(values) => {
                let mut values = values.lock().unwrap_or_else(PoisonError::into_inner);
                return Ok(change(&mut values));
            }
        };
        let doing = || Error::io(format!("cannot write {}", file.display()));
        // A separate file for the lock, because every write replaces the file of values.
        let lock_file = file.with_extension("lock");
        let lock = OpenOptions::new()
            .create(true)
            .write(true)
            .truncate(false)
            .mode(0o600)
            .open(lock_file);
        let lock = lock.map_err(doing())?;
        lock.lock().map_err(doing())?;
        let mut values = self.read()?;
        let result = change(&mut values);
        let text = serde_json::to_string_pretty(&values).map_err(|error| doing()(error.into()))?;
        private_file::write(file, &text).map_err(doing())?;
        Ok(result)
    }

    fn read(&self) -> Result<BTreeMap<String, String>> {
        let file = match &self.storage {
            Storage::InFile(file) => file,
            Storage::InMemory(values) => {
                let values = values.lock().unwrap_or_else(PoisonError::into_inner);
                return Ok(values.clone());
            }
        };
        let doing = || Error::io(format!("cannot read {}", file.display()));
        match private_file::read(file).map_err(doing())? {
            Some(text) => serde_json::from_str(&text).map_err(|error| doing()(error.into())),
            None => Ok(BTreeMap::new()),
        }
    }
}

/// Hides secrets.
impl fmt::Debug for Storage {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InFile(file) => write!(out, "InFile({})", file.display()),
            Self::InMemory(_) => out.write_str("InMemory"),
        }
    }
}

/// The lengths of Amazon's keys, which some clients require.
const S3_ACCESS_KEY_LENGTH: usize = 20;
const S3_SECRET_KEY_LENGTH: usize = 40;
/// The name of an added S3 secret, before its access key.
const S3_KEY_PREFIX: &str = "s3:key:";

const SIGNING_KEY: &str = "ed25519";
/// The name of a retired signing key, before the Unix time of its retirement in nanoseconds.
const RETIRED_KEY_PREFIX: &str = "ed25519:retired:";
/// How long a retired key stays in the JWKS: 90 days, longer than the lifetime of any token.
const PUBLISHED_NS: u128 = 90 * 86_400 * 1_000_000_000;

fn retired_at(name: &str) -> Option<u128> {
    name.strip_prefix(RETIRED_KEY_PREFIX)?.parse().ok()
}

fn unix_nanoseconds() -> u128 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |it| it.as_nanos())
}

fn random_name(variable: &str) -> String {
    format!("random:{variable}")
}

fn role_password_name(schema: &str) -> String {
    format!("postgres:{schema}")
}

/// The address of the database, with login role `wharf_<schema>` as the user.
fn role_url(address: &str, schema: &str, password: &str) -> Result<String> {
    let not_a_url = || {
        Error::NoValue(
            "the address of PostgreSQL must be a URL: postgres://user:password@host/database"
                .into(),
        )
    };
    let mut url = Url::parse(address).map_err(|_| not_a_url())?;
    url.set_username(&format!("wharf_{schema}"))
        .map_err(|()| not_a_url())?;
    url.set_password(Some(password)).map_err(|()| not_a_url())?;
    Ok(url.into())
}

/// `host:port` of an address, which may omit the default port.
fn host_and_port(
    address: Option<&str>,
    default_port: u16,
    variable: &str,
    source: &HostValue,
) -> Result<String> {
    let address = address.ok_or_else(|| not_running(variable, source))?;
    let url = Url::parse(address)
        .map_err(|fault| Error::NoValue(format!("{source} for {variable}: {fault}")))?;
    let host = url.host_str().unwrap_or("localhost");
    Ok(format!("{host}:{}", url.port().unwrap_or(default_port)))
}

fn s3_part(address: &S3Address, part: S3Part) -> &str {
    match part {
        S3Part::Endpoint => &address.endpoint,
        S3Part::AccessKey => &address.access_key,
        S3Part::SecretKey => &address.secret_key,
        S3Part::Bucket => &address.bucket,
        S3Part::Region => &address.region,
    }
}

fn not_running(variable: &str, source: &HostValue) -> Error {
    Error::NoValue(format!(
        "variable {variable} has the source \"{source}\", but that store was not wanted"
    ))
}
