//! Where a variable takes its value from when nobody gave one: the right-hand sides of
//! `[application.tool.wharf.variables]`. Only the grammar; `values` knows how to make or find the
//! value.

use std::fmt;
use std::str::FromStr;

/// One source, parsed. `"postgres:payments".parse::<Source>()`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// `postgres:<schema>`: the address of the database as login role `wharf_<schema>`.
    Postgres { schema: String },
    /// `postgres-host`: its `host:port`, as `allowed_outbound_hosts` wants it.
    PostgresHost,
    /// `redis`: the address of Redis.
    Redis,
    /// `redis-host`: its `host:port`, as `allowed_outbound_hosts` wants it.
    RedisHost,
    /// `s3:endpoint` and so on: one part of the address of the S3 server.
    S3(S3Part),
    /// `ed25519:private`: the private signing key, PKCS#8 PEM.
    Ed25519Private,
    /// `ed25519:jwks`: the public key or keys as a JWKS document.
    Ed25519Jwks,
    /// `random:<length>`: random text, made once for this variable.
    Random { length: usize },
    /// `listen`: `http://host:port` the host listens on.
    Listen,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum S3Part {
    Endpoint,
    AccessKey,
    SecretKey,
    Bucket,
    Region,
}

/// Shorter than this can be guessed.
const RANDOM_AT_LEAST: usize = 8;
/// Longer than this is no secret but a mistake.
const RANDOM_AT_MOST: usize = 256;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnknownSource {
    #[error(
        "\"{0}\" is no source of a value: write postgres:<schema>, postgres-host, redis, redis-host, s3:endpoint|access_key|secret_key|bucket|region, \
         ed25519:private, ed25519:jwks, random:<length> or listen"
    )]
    Form(String),
    #[error(
        "\"{0}\" is no schema name: it starts with a letter and holds a-z, 0-9 and _, 40 at most"
    )]
    Schema(String),
    #[error("random:{0}: the length is a number from {RANDOM_AT_LEAST} to {RANDOM_AT_MOST}")]
    Length(String),
}

impl FromStr for Source {
    type Err = UnknownSource;

    fn from_str(text: &str) -> Result<Self, UnknownSource> {
        let (kind, rest) = match text.split_once(':') {
            Some((kind, rest)) => (kind, Some(rest)),
            None => (text, None),
        };
        match (kind, rest) {
            ("postgres", Some(schema)) if is_schema_name(schema) => Ok(Self::Postgres {
                schema: schema.to_owned(),
            }),
            ("postgres", Some(schema)) => Err(UnknownSource::Schema(schema.to_owned())),
            ("postgres-host", None) => Ok(Self::PostgresHost),
            ("redis", None) => Ok(Self::Redis),
            ("redis-host", None) => Ok(Self::RedisHost),
            ("s3", Some("endpoint")) => Ok(Self::S3(S3Part::Endpoint)),
            ("s3", Some("access_key")) => Ok(Self::S3(S3Part::AccessKey)),
            ("s3", Some("secret_key")) => Ok(Self::S3(S3Part::SecretKey)),
            ("s3", Some("bucket")) => Ok(Self::S3(S3Part::Bucket)),
            ("s3", Some("region")) => Ok(Self::S3(S3Part::Region)),
            ("ed25519", Some("private")) => Ok(Self::Ed25519Private),
            ("ed25519", Some("jwks")) => Ok(Self::Ed25519Jwks),
            ("random", Some(length)) => match length.parse() {
                Ok(length) if (RANDOM_AT_LEAST..=RANDOM_AT_MOST).contains(&length) => {
                    Ok(Self::Random { length })
                }
                _ => Err(UnknownSource::Length(length.to_owned())),
            },
            ("listen", None) => Ok(Self::Listen),
            _ => Err(UnknownSource::Form(text.to_owned())),
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Postgres { schema } => write!(out, "postgres:{schema}"),
            Self::PostgresHost => out.write_str("postgres-host"),
            Self::Redis => out.write_str("redis"),
            Self::RedisHost => out.write_str("redis-host"),
            Self::S3(S3Part::Endpoint) => out.write_str("s3:endpoint"),
            Self::S3(S3Part::AccessKey) => out.write_str("s3:access_key"),
            Self::S3(S3Part::SecretKey) => out.write_str("s3:secret_key"),
            Self::S3(S3Part::Bucket) => out.write_str("s3:bucket"),
            Self::S3(S3Part::Region) => out.write_str("s3:region"),
            Self::Ed25519Private => out.write_str("ed25519:private"),
            Self::Ed25519Jwks => out.write_str("ed25519:jwks"),
            Self::Random { length } => write!(out, "random:{length}"),
            Self::Listen => out.write_str("listen"),
        }
    }
}

/// A schema is a folder of the migrations, a PostgreSQL schema and the tail of a role's name, so
/// its name needs no quoting anywhere. 40 leaves room for `wharf_` within PostgreSQL's 63 bytes.
pub(crate) fn is_schema_name(name: &str) -> bool {
    let plain =
        |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_';
    name.len() <= 40
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.chars().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_source_reads_back_as_it_is_written() {
        for text in [
            "postgres:payments",
            "postgres-host",
            "redis",
            "redis-host",
            "s3:endpoint",
            "s3:access_key",
            "s3:secret_key",
            "s3:bucket",
            "s3:region",
            "ed25519:private",
            "ed25519:jwks",
            "random:24",
            "listen",
        ] {
            assert_eq!(text.parse::<Source>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_no_source_is_told_apart() {
        assert!(matches!(
            "postgres".parse::<Source>(),
            Err(UnknownSource::Form(_))
        ));
        assert!(matches!(
            "s3:bukket".parse::<Source>(),
            Err(UnknownSource::Form(_))
        ));
        assert!(matches!(
            "postgres:Pay-ments".parse::<Source>(),
            Err(UnknownSource::Schema(_))
        ));
        assert!(matches!(
            "postgres:".parse::<Source>(),
            Err(UnknownSource::Schema(_))
        ));
        assert!(matches!(
            "random:7".parse::<Source>(),
            Err(UnknownSource::Length(_))
        ));
        assert!(matches!(
            "random:many".parse::<Source>(),
            Err(UnknownSource::Length(_))
        ));
    }
}
