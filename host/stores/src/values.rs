//! Values nobody gave: made once, kept in the data folder, the same at every start. And the way
//! from a `HostValue` to its value. How sources are written is the manifest's.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use url::Url;

use wharf_manifest::manifest::{HostValue, S3Part};

use crate::{Addresses, Error, Result, S3Address, kept, signing_key};

/// A password nobody types: 32 of 62 letters are 190 bits.
const PASSWORD_LENGTH: usize = 32;

/// What is kept in `<data folder>/values.json` (mode 0600): passwords, keys, random texts, each
/// under the name it has there. The file belongs to the stores beside it: without it an embedded
/// PostgreSQL cannot be entered any more.
#[derive(Debug)]
pub struct Values {
    file: PathBuf,
}

impl Values {
    /// Makes the data folder if it is not there yet.
    pub fn open(data_dir: &Path) -> Result<Self> {
        std::fs::create_dir_all(data_dir)
            .map_err(Error::io(format!("cannot make {}", data_dir.display())))?;
        Ok(Self {
            file: data_dir.join("values.json"),
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
                self.kept(&format!("random:{variable}"), || random_text(length))
            }
            HostValue::Listen => Ok(base_url.to_owned()),
        }
    }

    /// The password of login role `wharf_<schema>`, made when it is asked for the first time.
    pub fn role_password(&self, schema: &str) -> Result<String> {
        self.password(&role_password_name(schema))
    }

    /// Whether the random text of this variable was made already; if not, the next `resolve` makes
    /// it.
    pub fn has_random(&self, variable: &str) -> Result<bool> {
        Ok(self.known(&format!("random:{variable}"))?.is_some())
    }

    /// The JWKS document that `ed25519:jwks` stands for.
    pub fn jwks(&self) -> Result<String> {
        let current = self.signing_key()?;
        let previous = self.known(PREVIOUS_SIGNING_KEY)?;
        signing_key::jwks([current.as_str()].into_iter().chain(previous.as_deref()))
    }

    /// Sign with a new key from the next start on. The key replaced stays published until the next
    /// rotation, so that tokens it signed are good until they expire.
    pub fn rotate_signing_key(&self) -> Result<()> {
        let new = signing_key::generate()?;
        self.change(|values| {
            if let Some(current) = values.insert(SIGNING_KEY.to_owned(), new) {
                values.insert(PREVIOUS_SIGNING_KEY.to_owned(), current);
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
        let doing = || Error::io(format!("cannot write {}", self.file.display()));
        // The file itself is replaced by every write, so the lock needs a file of its own.
        let lock_file = self.file.with_extension("lock");
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
        kept::write(&self.file, &text).map_err(doing())?;
        Ok(result)
    }

    fn read(&self) -> Result<BTreeMap<String, String>> {
        let doing = || Error::io(format!("cannot read {}", self.file.display()));
        match kept::read(&self.file).map_err(doing())? {
            Some(text) => serde_json::from_str(&text).map_err(|error| doing()(error.into())),
            None => Ok(BTreeMap::new()),
        }
    }
}

/// As long as Amazon's; some clients insist.
const S3_ACCESS_KEY_LENGTH: usize = 20;
const S3_SECRET_KEY_LENGTH: usize = 40;
/// Before the access key, in the names of added secrets.
const S3_KEY: &str = "s3:key:";

const SIGNING_KEY: &str = "ed25519";
const PREVIOUS_SIGNING_KEY: &str = "ed25519:previous";

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
