//! Values nobody gave: made once, kept in the data folder, the same at every start. And the way
//! from a `HostValue` to its value. How sources are written is the manifest's.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use url::Url;

use wharf_manifest::manifest::{HostValue, S3Part};

use crate::{Addresses, Error, Result, S3Address, kept, signing_key};

/// A password nobody types: 32 of 62 letters are 190 bits.
const PASSWORD_LENGTH: usize = 32;

/// Passwords, keys, random texts, each under a name.
#[derive(Debug)]
pub struct Values {
    kept: Kept,
}

enum Kept {
    /// `<data folder>/values.json` (mode 0600). It belongs to the stores beside it: without it an
    /// embedded PostgreSQL cannot be entered any more.
    InFile(PathBuf),
    /// No longer than this lives.
    InMemory(Mutex<BTreeMap<String, String>>),
}

/// What `Values::of_deployment` may be given.
pub enum Given {
    RolePassword { schema: String, password: String },
    SigningKey { pem: String },
}

impl Values {
    /// What many copies of a host share is not for one of them to keep: here is what was given to
    /// all, and what is made here has to be given to all.
    pub fn of_deployment(given: impl IntoIterator<Item = Given>) -> Self {
        let known = given.into_iter().map(|given| match given {
            Given::RolePassword { schema, password } => (role_password_name(&schema), password),
            Given::SigningKey { pem } => (SIGNING_KEY.to_owned(), pem),
        });
        Self {
            kept: Kept::InMemory(Mutex::new(known.collect())),
        }
    }

    /// Makes the data folder if it is not there yet.
    pub fn open(data_dir: &Path) -> Result<Self> {
        std::fs::create_dir_all(data_dir)
            .map_err(Error::io(format!("cannot make {}", data_dir.display())))?;
        Ok(Self {
            kept: Kept::InFile(data_dir.join("values.json")),
        })
    }

    /// The value of `variable`, whose source is `source`. Asking twice gives the same answer.
    ///
    /// `base_url` is where the host listens, for the source `listen`.
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
                let password = self.known(&role_password_name(schema))?.ok_or_else(|| {
                    Error::NoValue(format!(
                        "the password of role wharf_{schema} is not known here: give variable {variable} \
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
            HostValue::S3(part) => {
                let s3 = addresses
                    .s3
                    .as_ref()
                    .ok_or_else(|| not_running(variable, source))?;
                Ok(s3_part(s3, *part).to_owned())
            }
            HostValue::Ed25519Private => self.signing_key(),
            HostValue::Ed25519Jwks => self.jwks(),
            HostValue::Random { length } => {
                let length = *length;
                self.kept(&random_name(variable), || random_text(length))
            }
            HostValue::Listen => Ok(base_url.to_owned()),
        }
    }

    /// The password of login role `wharf_<schema>`, made when it is asked for the first time.
    pub fn role_password(&self, schema: &str) -> Result<String> {
        self.password(&role_password_name(schema))
    }

    /// The random text of this variable, if it was made already; if not, the next `resolve` makes it.
    pub fn random(&self, variable: &str) -> Result<Option<String>> {
        self.known(&random_name(variable))
    }

    /// The JWKS document that `ed25519:jwks` stands for.
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

    /// Sign with a new key from the next start on. The key replaced stays published for as long as
    /// a token that it signed may be around, however often keys are replaced meanwhile.
    pub fn rotate_signing_key(&self) -> Result<()> {
        let new = signing_key::generate()?;
        let now = unix_nanoseconds();
        self.change(|values| {
            values.retain(|name, _| {
                retired_at(name).is_none_or(|since| now.saturating_sub(since) < PUBLISHED_NS)
            });
            if let Some(current) = values.insert(SIGNING_KEY.to_owned(), new) {
                values.insert(format!("{RETIRED_SIGNING_KEY}{now}"), current);
            }
        })
    }

    /// Makes one more pair of access key and secret key for the embedded S3 server, which knows it
    /// from the next start on.
    pub fn add_s3_key(&self) -> Result<(String, String)> {
        let (access_key, secret_key) = (
            random_text(S3_ACCESS_KEY_LENGTH)?,
            random_text(S3_SECRET_KEY_LENGTH)?,
        );
        let name = format!("{S3_KEY}{access_key}");
        self.change(|values| values.insert(name, secret_key.clone()))?;
        Ok((access_key, secret_key))
    }

    /// All pairs that the embedded S3 server knows; the first is the application's.
    pub(crate) fn s3_keys(&self) -> Result<Vec<(String, String)>> {
        let access_key = self.kept("s3:access_key", || random_text(S3_ACCESS_KEY_LENGTH))?;
        let secret_key = self.kept("s3:secret_key", || random_text(S3_SECRET_KEY_LENGTH))?;
        let others = self.read()?.into_iter();
        let others = others
            .filter_map(|(name, secret)| Some((name.strip_prefix(S3_KEY)?.to_owned(), secret)));
        Ok([(access_key, secret_key)]
            .into_iter()
            .chain(others)
            .collect())
    }

    fn signing_key(&self) -> Result<String> {
        self.kept(SIGNING_KEY, signing_key::generate)
    }

    /// A password under this name, made when it is asked for the first time.
    pub(crate) fn password(&self, name: &str) -> Result<String> {
        self.kept(name, || random_text(PASSWORD_LENGTH))
    }

    fn kept(&self, name: &str, make: impl FnOnce() -> Result<String>) -> Result<String> {
        if let Some(value) = self.known(name)? {
            return Ok(value);
        }
        let made = make()?;
        // Somebody else may have made it since the look above: the first one counts.
        self.change(|values| values.entry(name.to_owned()).or_insert(made).clone())
    }

    /// The value kept under this name, if there is one.
    pub(crate) fn known(&self, name: &str) -> Result<Option<String>> {
        Ok(self.read()?.remove(name))
    }

    fn change<R>(&self, change: impl FnOnce(&mut BTreeMap<String, String>) -> R) -> Result<R> {
        let file = match &self.kept {
            Kept::InFile(file) => file,
            Kept::InMemory(values) => {
                let mut values = values.lock().unwrap_or_else(PoisonError::into_inner);
                return Ok(change(&mut values));
            }
        };
        let doing = || Error::io(format!("cannot write {}", file.display()));
        // The file itself is replaced by every write, so the lock needs a file of its own.
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
        kept::write(file, &text).map_err(doing())?;
        Ok(result)
    }

    fn read(&self) -> Result<BTreeMap<String, String>> {
        let file = match &self.kept {
            Kept::InFile(file) => file,
            Kept::InMemory(values) => {
                let values = values.lock().unwrap_or_else(PoisonError::into_inner);
                return Ok(values.clone());
            }
        };
        let doing = || Error::io(format!("cannot read {}", file.display()));
        match kept::read(file).map_err(doing())? {
            Some(text) => serde_json::from_str(&text).map_err(|error| doing()(error.into())),
            None => Ok(BTreeMap::new()),
        }
    }
}

/// Secrets are not shown.
impl fmt::Debug for Kept {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InFile(file) => write!(out, "InFile({})", file.display()),
            Self::InMemory(_) => out.write_str("InMemory"),
        }
    }
}

/// As long as Amazon's; some clients insist.
const S3_ACCESS_KEY_LENGTH: usize = 20;
const S3_SECRET_KEY_LENGTH: usize = 40;
/// Before the access key, in the names of added secrets.
const S3_KEY: &str = "s3:key:";

const SIGNING_KEY: &str = "ed25519";
/// Before the moment since which it signs no more, in nanoseconds since 1970.
const RETIRED_SIGNING_KEY: &str = "ed25519:retired:";
/// 90 days. No token should live longer.
const PUBLISHED_NS: u128 = 90 * 86_400 * 1_000_000_000;

fn retired_at(name: &str) -> Option<u128> {
    name.strip_prefix(RETIRED_SIGNING_KEY)?.parse().ok()
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

/// `address` of the database as seen by login role `wharf_<schema>`.
fn role_url(address: &str, schema: &str, password: &str) -> Result<String> {
    let no_url = || {
        Error::NoValue(
            "the address of PostgreSQL has to be a URL: postgres://user:password@host/database"
                .into(),
        )
    };
    let mut url = Url::parse(address).map_err(|_| no_url())?;
    url.set_username(&format!("wharf_{schema}"))
        .map_err(|()| no_url())?;
    url.set_password(Some(password)).map_err(|()| no_url())?;
    Ok(url.into())
}

/// `host:port` of an address, with the port that the scheme implies when it names none.
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
        "variable {variable} is to come from \"{source}\", but that store was not asked for"
    ))
}

/// Letters and digits only: safe in a URL, a shell and a configuration file without quoting.
pub(crate) fn random_text(length: usize) -> Result<String> {
    const LETTERS: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let mut text = String::with_capacity(length);
    let mut bytes = [0; 64];
    while text.len() < length {
        getrandom::fill(&mut bytes)
            .map_err(|error| Error::NoValue(format!("no randomness: {error}")))?;
        // 248 = 4 × 62: the bytes above would make some letters likelier than others.
        let letters = bytes
            .iter()
            .filter(|byte| **byte < 248)
            .filter_map(|byte| LETTERS.get(usize::from(byte % 62)));
        text.extend(
            letters
                .map(|letter| char::from(*letter))
                .take(length - text.len()),
        );
    }
    Ok(text)
}
