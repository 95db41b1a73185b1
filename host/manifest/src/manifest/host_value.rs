//! Sources of values that the host provides: the right-hand sides of `[application.tool.wharf.variables]`.
//!
//! This module parses the sources. Their values come from `wharf-stores`.

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HostValue {
    /// `postgres:<schema>`: the database URL for the login role of that schema.
    Postgres { schema: String },
    /// `postgres-host`: `host:port`, for `allowed_outbound_hosts`.
    PostgresHost,
    /// `redis`: the URL of Redis.
    Redis,
    /// `redis:<login>`: the URL of Redis for one of `redis_logins`.
    RedisLogin { login: String },
    /// `redis-host`: `host:port`, for `allowed_outbound_hosts`.
    RedisHost,
    /// `redis-origin`: `scheme://host:port`, for a Redis that may use TLS.
    RedisOrigin,
    /// `s3:endpoint` and the like: one setting of the S3 server.
    S3(S3Part),
    /// `s3:access_key:<key>` or `s3:secret_key:<key>`: one half of one of `s3_keys`.
    S3Key { key: String, part: S3Part },
    /// `ed25519:private`: the private signing key as PKCS#8 PEM.
    Ed25519Private,
    /// `ed25519:jwks`: the public keys as a JWKS.
    Ed25519Jwks,
    /// `random:<length>`: a random text, generated once per variable and stored.
    Random { length: usize },
    /// `listen`: `http://host:port`, the address of the host.
    Listen,
    /// `on-loopback:<value>`: this value where only this machine reaches the host; no value elsewhere.
    OnLoopback { value: String },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum S3Part {
    Endpoint,
    AccessKey,
    SecretKey,
    Bucket,
    Region,
}

/// A shorter text can be guessed; a longer one is a typing error.
const RANDOM_LENGTHS: RangeInclusive<usize> = 8..=256;

/// PostgreSQL allows 63 bytes for the name of the role, `wharf_<schema>`.
const MAX_SCHEMA_NAME: usize = 40;

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadHostValue {
    #[error("there is no host value `{0}`")]
    Unknown(String),
    #[error(
        "invalid schema name `{0}`: use a-z, 0-9 and _, start with a letter, {MAX_SCHEMA_NAME} characters at most"
    )]
    Schema(String),
    #[error("the length of a random text must be from {} to {}, as in `random:24`", RANDOM_LENGTHS.start(), RANDOM_LENGTHS.end())]
    Length,
}

impl HostValue {
    /// The accepted forms, for the suggestion in an error message.
    pub const FORMS: [&'static str; 18] = [
        "postgres:<schema>",
        "postgres-host",
        "redis",
        "redis:<login>",
        "redis-host",
        "redis-origin",
        "s3:endpoint",
        "s3:access_key",
        "s3:secret_key",
        "s3:access_key:<key>",
        "s3:secret_key:<key>",
        "s3:bucket",
        "s3:region",
        "ed25519:private",
        "ed25519:jwks",
        "random:<length>",
        "listen",
        "on-loopback:<value>",
    ];
}

impl FromStr for HostValue {
    type Err = BadHostValue;

    fn from_str(text: &str) -> Result<HostValue, BadHostValue> {
        let value = match text.split_once(':') {
            None => match text {
                "postgres-host" => HostValue::PostgresHost,
                "redis" => HostValue::Redis,
                "redis-host" => HostValue::RedisHost,
                "redis-origin" => HostValue::RedisOrigin,
                "listen" => HostValue::Listen,
                _ => return Err(BadHostValue::Unknown(text.to_owned())),
            },
            Some(("postgres", schema)) if is_schema_name(schema) => HostValue::Postgres {
                schema: schema.to_owned(),
            },
            Some(("postgres", schema)) => return Err(BadHostValue::Schema(schema.to_owned())),
            Some(("redis", login)) => HostValue::RedisLogin {
                login: login.to_owned(),
            },
            Some(("s3", "endpoint")) => HostValue::S3(S3Part::Endpoint),
            Some(("s3", "access_key")) => HostValue::S3(S3Part::AccessKey),
            Some(("s3", "secret_key")) => HostValue::S3(S3Part::SecretKey),
            Some(("s3", "bucket")) => HostValue::S3(S3Part::Bucket),
            Some(("s3", "region")) => HostValue::S3(S3Part::Region),
            Some(("s3", half)) => {
                let (part, key) = match half.split_once(':') {
                    Some(("access_key", key)) => (S3Part::AccessKey, key),
                    Some(("secret_key", key)) => (S3Part::SecretKey, key),
                    _ => return Err(BadHostValue::Unknown(text.to_owned())),
                };
                HostValue::S3Key {
                    key: key.to_owned(),
                    part,
                }
            }
            Some(("ed25519", "private")) => HostValue::Ed25519Private,
            Some(("ed25519", "jwks")) => HostValue::Ed25519Jwks,
            Some(("random", length)) => {
                let length = length
                    .parse()
                    .ok()
                    .filter(|length| RANDOM_LENGTHS.contains(length));
                HostValue::Random {
                    length: length.ok_or(BadHostValue::Length)?,
                }
            }
            Some(("on-loopback", value)) => HostValue::OnLoopback {
                value: value.to_owned(),
            },
            Some(_) => return Err(BadHostValue::Unknown(text.to_owned())),
        };
        Ok(value)
    }
}

impl fmt::Display for HostValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            HostValue::Postgres { schema } => write!(f, "postgres:{schema}"),
            HostValue::PostgresHost => f.write_str("postgres-host"),
            HostValue::Redis => f.write_str("redis"),
            HostValue::RedisLogin { login } => write!(f, "redis:{login}"),
            HostValue::RedisHost => f.write_str("redis-host"),
            HostValue::RedisOrigin => f.write_str("redis-origin"),
            HostValue::S3(part) => write!(f, "s3:{part}"),
            HostValue::S3Key { key, part } => write!(f, "s3:{part}:{key}"),
            HostValue::Ed25519Private => f.write_str("ed25519:private"),
            HostValue::Ed25519Jwks => f.write_str("ed25519:jwks"),
            HostValue::Random { length } => write!(f, "random:{length}"),
            HostValue::Listen => f.write_str("listen"),
            HostValue::OnLoopback { value } => write!(f, "on-loopback:{value}"),
        }
    }
}

impl fmt::Display for S3Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            S3Part::Endpoint => "endpoint",
            S3Part::AccessKey => "access_key",
            S3Part::SecretKey => "secret_key",
            S3Part::Bucket => "bucket",
            S3Part::Region => "region",
        })
    }
}

/// The folder of migrations that are applied in every schema. It is no schema itself.
pub const EVERY_SCHEMA: &str = "every";

/// Whether `name` needs no quoting as a folder, as a PostgreSQL schema and as the end of a role name or of a Redis login,
/// or as the name of a key of S3.
pub fn is_schema_name(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    name.len() <= MAX_SCHEMA_NAME
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_displayed_as_it_was_written() {
        for form in HostValue::FORMS {
            let text = form
                .replace("<schema>", "payments")
                .replace("<login>", "payments")
                .replace("<key>", "payments")
                .replace("<length>", "24");
            assert_eq!(text.parse::<HostValue>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn an_invalid_source_is_refused_with_its_reason() {
        for (text, expected) in [
            ("postgres", BadHostValue::Unknown("postgres".to_owned())),
            ("s3:bukket", BadHostValue::Unknown("s3:bukket".to_owned())),
            (
                "s3:bucket:cart",
                BadHostValue::Unknown("s3:bucket:cart".to_owned()),
            ),
            (
                "postgres:Pay-ments",
                BadHostValue::Schema("Pay-ments".to_owned()),
            ),
            ("postgres:", BadHostValue::Schema(String::new())),
            ("random:7", BadHostValue::Length),
            ("random:many", BadHostValue::Length),
        ] {
            assert_eq!(text.parse::<HostValue>(), Err(expected));
        }
    }
}
