//! The values of the application's variables: from what the user gives and what the host supplies. Also decides
//! which stores are needed for them.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use wharf_imports::postgres::Address;
use wharf_manifest::manifest::{HostValue, Manifest, S3Part};
use wharf_manifest::runtime_config::RuntimeConfig;
use wharf_manifest::variables::{Environment, Sources, Variables};
use wharf_stores::{Addresses, Error, Options, S3Address, SharedSecret, Values, Wanted};

use crate::cli::{StoreArgs, ValueArgs};
use crate::failure::{Failure, Result};

/// Reads the runtime configuration and every source of variables.
pub fn read_sources(manifest: &Manifest, args: &ValueArgs) -> Result<(RuntimeConfig, Sources)> {
    let runtime_config = match &args.runtime_config_file {
        Some(file) => RuntimeConfig::load(file)?,
        None => RuntimeConfig::default(),
    };
    let environment = Environment::of_process(&manifest.dir).map_err(Failure::Usage)?;
    let sources = Sources::read(
        &args.variable,
        &runtime_config.variables_providers,
        environment,
    )
    .map_err(|faults| Failure::Usage(faults.join("\n")))?;
    Ok((runtime_config, sources))
}

/// The variables that the user gave no value for and the host supplies.
fn unset<'a>(
    manifest: &'a Manifest,
    sources: &'a Sources,
) -> impl Iterator<Item = (&'a String, &'a HostValue)> {
    let values = manifest.wharf.variables.iter();
    values.filter(|(name, _)| sources.get(name).is_none())
}

/// The value that the user gave for a variable with this source.
fn given<'a>(manifest: &Manifest, sources: &'a Sources, source: &HostValue) -> Option<&'a str> {
    let values = manifest.wharf.variables.iter();
    let mut of_source = values.filter(|(_, of)| *of == source);
    of_source.find_map(|(name, _)| sources.get(name))
}

/// The stores that the application needs: external where an address is given, else embedded.
pub fn store_options(manifest: &Manifest, sources: &Sources, args: &StoreArgs) -> Options {
    // What is given for all functions is also what each login has that was given no address of its own.
    let redis_url = given(manifest, sources, &HostValue::Redis)
        .map(str::to_owned)
        .or_else(|| args.redis_url.clone());
    let mut options = Options {
        data_dir: args.data_dir.clone(),
        postgres: external(args.postgres_url.as_ref()),
        redis: external(redis_url.as_ref()),
        redis_logins: manifest.wharf.redis_logins.clone(),
        s3: external(s3_address(args).as_ref()),
        s3_keys: manifest.wharf.s3_keys.clone(),
        durable: !args.volatile,
    };
    // An S3 whose endpoint was given as a variable is not started: the rest of it that was not given has its defaults.
    let is_s3_given = given(manifest, sources, &HostValue::S3(S3Part::Endpoint)).is_some();
    let uses_default_redis = manifest
        .redis
        .iter()
        .any(|trigger| trigger.address.is_none());
    let triggers = uses_default_redis.then_some(&HostValue::Redis);
    for source in unset(manifest, sources)
        .map(|(_, source)| source)
        .chain(triggers)
    {
        match source {
            HostValue::Postgres { .. } | HostValue::PostgresHost => embed(&mut options.postgres),
            HostValue::Redis
            | HostValue::RedisLogin { .. }
            | HostValue::RedisHost
            | HostValue::RedisOrigin => embed(&mut options.redis),
            HostValue::S3(_) | HostValue::S3Key { .. } if is_s3_given => {}
            HostValue::S3(_) | HostValue::S3Key { .. } => embed(&mut options.s3),
            HostValue::Ed25519Private
            | HostValue::Ed25519Jwks
            | HostValue::Random { .. }
            | HostValue::Listen
            | HostValue::OnLoopback { .. } => {}
        }
    }
    options
}

/// The key that the user gave for all functions, for one that was given none of its own.
fn given_s3_key<'a>(
    manifest: &Manifest,
    sources: &'a Sources,
    source: &HostValue,
) -> Option<&'a str> {
    match source {
        HostValue::S3Key { part, .. } => given(manifest, sources, &HostValue::S3(*part)),
        _ => None,
    }
}

/// The two halves of a key of S3 belong together: with the half of another key S3 would refuse every request.
fn require_whole_s3_keys(manifest: &Manifest, sources: &Sources) -> Result<()> {
    let is_given = |source: &HostValue| given(manifest, sources, source).is_some();
    let missing: Vec<&str> = unset(manifest, sources)
        .filter(|(_, source)| {
            let other = other_half_of_s3_key(source);
            !is_given(source) && other.is_some_and(|other| is_given(&other))
        })
        .map(|(name, _)| name.as_str())
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(Failure::Usage(format!(
        "no value for {}: a key of S3 has two halves, and only the other one was given",
        missing.join(", ")
    )))
}

fn other_half_of_s3_key(source: &HostValue) -> Option<HostValue> {
    let other = |part: &S3Part| match part {
        S3Part::AccessKey => Some(S3Part::SecretKey),
        S3Part::SecretKey => Some(S3Part::AccessKey),
        S3Part::Endpoint | S3Part::Bucket | S3Part::Region => None,
    };
    match source {
        HostValue::S3(part) => other(part).map(HostValue::S3),
        HostValue::S3Key { key, part } => Some(HostValue::S3Key {
            key: key.clone(),
            part: other(part)?,
        }),
        _ => None,
    }
}

fn external<Address: Clone>(address: Option<&Address>) -> Wanted<Address> {
    address.cloned().map_or(Wanted::No, Wanted::External)
}

fn embed<Address>(wanted: &mut Wanted<Address>) {
    if let Wanted::No = wanted {
        *wanted = Wanted::Embedded;
    }
}

fn s3_address(args: &StoreArgs) -> Option<S3Address> {
    Some(S3Address {
        endpoint: args.s3_endpoint.clone()?,
        access_key: args.s3_access_key.clone()?,
        secret_key: args.s3_secret_key.clone()?,
        bucket: args.s3_bucket.clone()?,
        region: args.s3_region.clone(),
    })
}

/// Opens the values that this host generates and stores. With a PostgreSQL that other hosts may share none are
/// generated, because other hosts would refuse the tokens of this one; the user must give all of them.
pub fn open_host_values(
    manifest: &Manifest,
    sources: &Sources,
    options: &Options,
) -> Result<Values> {
    let is_shared = match options.postgres {
        Wanted::Embedded => false,
        Wanted::External(_) => true,
        // The user gave every address in it.
        Wanted::No => manifest.wharf.variables.values().any(is_in_postgres),
    };
    if !is_shared {
        return Ok(Values::open(&options.data_dir)?);
    }
    let missing = unset(manifest, sources).filter(|(_, source)| is_deployment_wide(source));
    require_none(missing)?;
    Ok(deployment_values(manifest, sources))
}

fn is_in_postgres(source: &HostValue) -> bool {
    matches!(source, HostValue::Postgres { .. } | HostValue::PostgresHost)
}

/// Whether all hosts that share a database must have the same value.
fn is_deployment_wide(source: &HostValue) -> bool {
    match source {
        HostValue::Postgres { .. }
        | HostValue::Ed25519Private
        | HostValue::Ed25519Jwks
        | HostValue::Random { .. } => true,
        HostValue::PostgresHost
        | HostValue::Redis
        | HostValue::RedisLogin { .. }
        | HostValue::RedisHost
        | HostValue::RedisOrigin
        | HostValue::S3(_)
        | HostValue::S3Key { .. }
        | HostValue::Listen
        | HostValue::OnLoopback { .. } => false,
    }
}

fn require_none<'a>(
    missing: impl Iterator<Item = (&'a String, &'a HostValue)>,
) -> Result<(), Error> {
    let missing: Vec<&str> = missing.map(|(name, _)| name.as_str()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(Error::NoValue(format!(
        "no value for {}.\n\
         All hosts that use the same PostgreSQL need the same values, so this host does not generate them. Generate them \
         once, with\n  wharf keys --variables variables.toml --postgres-url …\n\
         and give them to every host with --variable @variables.toml",
        missing.join(", ")
    )))
}

/// The given values that all hosts of the deployment share.
fn deployment_values(manifest: &Manifest, sources: &Sources) -> Values {
    let values = manifest.wharf.variables.iter();
    Values::of_deployment(values.filter_map(|(name, source)| {
        let value = sources.get(name)?;
        match source {
            HostValue::Postgres { schema } => Some(SharedSecret::RolePassword {
                schema: schema.clone(),
                password: password_of_role(value, schema)?,
            }),
            HostValue::Ed25519Private => Some(SharedSecret::SigningKey {
                pem: value.to_owned(),
            }),
            _ => None,
        }
    }))
}

fn password_of_role(address: &str, schema: &str) -> Option<String> {
    let config = Address::parse(address).ok()?.config;
    let is_role_address = config.get_user() == Some(&format!("wharf_{schema}"));
    let password = is_role_address.then(|| config.get_password())??;
    String::from_utf8(password.to_vec()).ok()
}

/// The password for a new role in a database that other hosts share.
pub fn role_password(
    manifest: &Manifest,
    sources: &Sources,
    schema: &str,
) -> Result<String, Error> {
    let is_of =
        |source: &HostValue| matches!(source, HostValue::Postgres { schema: of } if of == schema);
    if unset(manifest, sources).any(|(_, source)| is_of(source)) {
        let databases = unset(manifest, sources)
            .filter(|(_, source)| matches!(source, HostValue::Postgres { .. }));
        require_none(databases)?;
    }
    // A role without a variable gets a random password that is not stored.
    deployment_values(manifest, sources).role_password(schema)
}

/// Generates the values that all hosts of a deployment share and `sources` lacks. The caller stores them.
pub fn generate_missing(
    manifest: &Manifest,
    sources: &Sources,
    postgres_url: Option<&str>,
) -> Result<BTreeMap<String, String>> {
    let values = deployment_values(manifest, sources);
    let addresses = Addresses {
        postgres_url: postgres_url.map(str::to_owned),
        ..Addresses::default()
    };
    // With `postgres-host` in the file as well, no host needs the address of the owner.
    let missing = unset(manifest, sources)
        .filter(|(_, source)| is_deployment_wide(source) || is_in_postgres(source));
    let mut generated = BTreeMap::new();
    for (name, source) in missing {
        if is_in_postgres(source) && postgres_url.is_none() {
            return Err(Failure::Usage(format!(
                "variable {name} is the address of a PostgreSQL: give --postgres-url, as the owner of the database"
            )));
        }
        if let HostValue::Postgres { schema } = source {
            values.role_password(schema)?;
        }
        generated.insert(name.clone(), values.resolve(name, source, &addresses, "")?);
    }
    Ok(generated)
}

/// Whether `http://host:port` is an address that only this machine reaches.
fn is_on_loopback(base_url: &str) -> bool {
    let address = base_url.strip_prefix("http://").unwrap_or(base_url);
    address
        .parse::<SocketAddr>()
        .is_ok_and(|it| it.ip().is_loopback())
}

/// A value for every variable, and the passwords that this start generated.
pub struct Resolved {
    pub variables: Variables,
    pub fresh_passwords: BTreeMap<String, String>,
}

pub fn resolve(
    manifest: &Manifest,
    sources: &Sources,
    values: &Values,
    addresses: &Addresses,
    base_url: &str,
) -> Result<Resolved> {
    require_whole_s3_keys(manifest, sources)?;
    let mut host_values = BTreeMap::new();
    let mut fresh_passwords = BTreeMap::new();
    let given = deployment_values(manifest, sources);
    let is_key_given = manifest.wharf.variables.iter().any(|(name, source)| {
        matches!(source, HostValue::Ed25519Private) && sources.get(name).is_some()
    });
    for (name, source) in unset(manifest, sources) {
        if matches!(source, HostValue::OnLoopback { .. }) && !is_on_loopback(base_url) {
            continue;
        }
        if let Some(shared) = given_s3_key(manifest, sources, source) {
            host_values.insert(name.clone(), shared.to_owned());
            continue;
        }
        // Without a value for all either, it has its default, or is missing.
        let is_of_s3 = matches!(source, HostValue::S3(_) | HostValue::S3Key { .. });
        if is_of_s3 && addresses.s3.is_none() {
            continue;
        }
        let is_fresh = matches!(source, HostValue::Random { .. }) && values.random(name)?.is_none();
        let values = match source {
            // The public half of the given key, not of the generated one.
            HostValue::Ed25519Jwks if is_key_given => &given,
            _ => values,
        };
        let value = values.resolve(name, source, addresses, base_url)?;
        if is_fresh {
            fresh_passwords.insert(name.clone(), value.clone());
        }
        host_values.insert(name.clone(), value);
    }
    let variables = Variables::resolve(&manifest.variables, sources, |name| {
        host_values.get(name).cloned()
    })
    .map_err(|faults| Failure::Usage(faults.to_string()))?;
    Ok(Resolved {
        variables,
        fresh_passwords,
    })
}

#[cfg(test)]
mod tests {
    use super::is_on_loopback;

    #[test]
    fn an_address_that_others_reach_is_not_on_loopback() {
        for inside in [
            "http://127.0.0.1:3000",
            "http://127.9.9.9:1",
            "http://[::1]:3000",
        ] {
            assert!(is_on_loopback(inside), "{inside}");
        }
        for outside in [
            "http://0.0.0.0:3000",
            "http://[::]:80",
            "http://10.0.0.7:80",
            "http://x:1",
        ] {
            assert!(!is_on_loopback(outside), "{outside}");
        }
    }
}
