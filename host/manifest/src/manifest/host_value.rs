//! The values the host itself has or makes: the right-hand sides of `[application.tool.wharf.variables]`. Only how they
//! are written; the host knows how to make or find them.

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HostValue {
    /// `postgres:<schema>`: the URL at which that schema's login role finds it.
    Postgres { schema: String },
    /// `postgres-host`: `host:port`, for `allowed_outbound_hosts`.
    PostgresHost,
    /// `redis`: the URL of Redis.
    Redis,
    /// `redis-host`: `host:port`, for `allowed_outbound_hosts`.
    RedisHost,
    /// `redis-origin`: `scheme://host:port`, for a Redis that may be one with TLS.
    RedisOrigin,
    /// `s3:endpoint` and so on: a part of the address of the S3 server.
    S3(S3Part),
    /// `ed25519:private`: the private signing key, PKCS#8 in PEM.
    Ed25519Private,
    /// `ed25519:jwks`: the public keys as a JWKS.
    Ed25519Jwks,
    /// `random:<length>`: made once for this variable and kept.
    Random { length: usize },
    /// `listen`: `http://host:port` as the host listens.
    Listen,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum S3Part {
    Endpoint,
    AccessKey,
    SecretKey,
    Bucket,
    Region,
}

/// Shorter can be guessed; longer is a typing error.
const RANDOM_LENGTHS: RangeInclusive<usize> = 8..=256;

/// Leaves room for `wharf_` in the 63 bytes PostgreSQL allows the name of a role.
const LONGEST_SCHEMA: usize = 40;

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadHostValue {
    #[error("this host has no value `{0}`")]
    Unknown(String),
    #[error(
        "`{0}` is no name of a schema: a-z, 0-9 and _, a letter first, {LONGEST_SCHEMA} at most"
    )]
    Schema(String),
    #[error("the length of a random text is from {} to {}: `random:24`", RANDOM_LENGTHS.start(), RANDOM_LENGTHS.end())]
    Length,
}

impl HostValue {
    /// How they are written, for who wrote something else.
    pub const FORMS: [&'static str; 14] = [
        "postgres:<schema>",
        "postgres-host",
        "redis",
        "redis-host",
        "redis-origin",
        "s3:endpoint",
        "s3:access_key",
        "s3:secret_key",
        "s3:bucket",
        "s3:region",
        "ed25519:private",
        "ed25519:jwks",
        "random:<length>",
        "listen",
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
            Some(("s3", "endpoint")) => HostValue::S3(S3Part::Endpoint),
            Some(("s3", "access_key")) => HostValue::S3(S3Part::AccessKey),
            Some(("s3", "secret_key")) => HostValue::S3(S3Part::SecretKey),
            Some(("s3", "bucket")) => HostValue::S3(S3Part::Bucket),
            Some(("s3", "region")) => HostValue::S3(S3Part::Region),
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
            HostValue::RedisHost => f.write_str("redis-host"),
            HostValue::RedisOrigin => f.write_str("redis-origin"),
            HostValue::S3(S3Part::Endpoint) => f.write_str("s3:endpoint"),
            HostValue::S3(S3Part::AccessKey) => f.write_str("s3:access_key"),
            HostValue::S3(S3Part::SecretKey) => f.write_str("s3:secret_key"),
            HostValue::S3(S3Part::Bucket) => f.write_str("s3:bucket"),
            HostValue::S3(S3Part::Region) => f.write_str("s3:region"),
            HostValue::Ed25519Private => f.write_str("ed25519:private"),
            HostValue::Ed25519Jwks => f.write_str("ed25519:jwks"),
            HostValue::Random { length } => write!(f, "random:{length}"),
            HostValue::Listen => f.write_str("listen"),
        }
    }
}

/// A schema is a folder, a PostgreSQL schema and the end of a role's name, and needs quoting nowhere.
pub fn is_schema_name(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    name.len() <= LONGEST_SCHEMA
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_reads_back_as_it_is_written() {
        for form in HostValue::FORMS {
            let text = form
                .replace("<schema>", "payments")
                .replace("<length>", "24");
            assert_eq!(text.parse::<HostValue>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn anything_else_is_told_apart() {
        for (text, expected) in [
            ("postgres", BadHostValue::Unknown("postgres".to_owned())),
            ("s3:bukket", BadHostValue::Unknown("s3:bukket".to_owned())),
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
