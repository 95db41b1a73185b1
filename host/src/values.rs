//! From what people gave and what this host has to the values of the application's variables, and
//! which stores it takes to have them.

use std::collections::BTreeMap;

use wharf_imports::postgres::Address;
use wharf_manifest::manifest::{HostValue, Manifest};
use wharf_manifest::runtime_config::RuntimeConfig;
use wharf_manifest::variables::{Environment, Sources, Variables};
use wharf_stores::{Addresses, Error, Given, Options, S3Address, Values, Wanted};

use crate::cli::{StoreArgs, ValueArgs};
use crate::failure::{Failure, Result};

/// The operator's file, and everything people said about variables.
pub fn given(manifest: &Manifest, args: &ValueArgs) -> Result<(RuntimeConfig, Sources)> {
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

/// The values nobody gave, and which the host is to have.
fn asked<'a>(
    manifest: &'a Manifest,
    sources: &'a Sources,
) -> impl Iterator<Item = (&'a String, &'a HostValue)> {
    let values = manifest.wharf.variables.iter();
    values.filter(|(name, _)| sources.get(name).is_none())
}

/// The stores the application cannot do without.
pub fn stores(manifest: &Manifest, sources: &Sources, args: &StoreArgs) -> Options {
    let mut options = Options {
        data_dir: args.data_dir.clone(),
        postgres: external(args.postgres_url.as_ref()),
        redis: external(args.redis_url.as_ref()),
        s3: external(s3_address(args).as_ref()),
        durable: !args.volatile,
    };
    let has_own_redis = manifest
        .redis
        .iter()
        .any(|trigger| trigger.address.is_none());
    let triggers = has_own_redis.then_some(&HostValue::Redis);
    for source in asked(manifest, sources)
        .map(|(_, source)| source)
        .chain(triggers)
    {
        match source {
            HostValue::Postgres { .. } | HostValue::PostgresHost => embed(&mut options.postgres),
            HostValue::Redis | HostValue::RedisHost | HostValue::RedisOrigin => {
                embed(&mut options.redis);
            }
            HostValue::S3(_) => embed(&mut options.s3),
            HostValue::Ed25519Private
            | HostValue::Ed25519Jwks
            | HostValue::Random { .. }
            | HostValue::Listen => {}
        }
    }
    options
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

/// The values this host makes and keeps when nobody gives them. Beside a PostgreSQL that other copies
/// of it may use too it makes none: the tokens of one would be refused by the next.
pub fn kept(manifest: &Manifest, sources: &Sources, options: &Options) -> Result<Values> {
    let is_shared = match options.postgres {
        Wanted::Embedded => false,
        Wanted::External(_) => true,
        // Every address in it was given.
        Wanted::No => manifest.wharf.variables.values().any(is_in_postgres),
    };
    if !is_shared {
        return Ok(Values::open(&options.data_dir)?);
    }
    let missing = asked(manifest, sources).filter(|(_, source)| is_of_all_copies(source));
    must_be_none(missing)?;
    Ok(of_deployment(manifest, sources))
}

fn is_in_postgres(source: &HostValue) -> bool {
    matches!(source, HostValue::Postgres { .. } | HostValue::PostgresHost)
}

/// Whether it is made by somebody, once, for all copies of the host that share a database.
fn is_of_all_copies(source: &HostValue) -> bool {
    match source {
        HostValue::Postgres { .. }
        | HostValue::Ed25519Private
        | HostValue::Ed25519Jwks
        | HostValue::Random { .. } => true,
        HostValue::PostgresHost
        | HostValue::Redis
        | HostValue::RedisHost
        | HostValue::RedisOrigin
        | HostValue::S3(_)
        | HostValue::Listen => false,
    }
}

fn must_be_none<'a>(
    missing: impl Iterator<Item = (&'a String, &'a HostValue)>,
) -> Result<(), Error> {
    let missing: Vec<&str> = missing.map(|(name, _)| name.as_str()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(Error::NoValue(format!(
        "nobody gave a value for {}.\n\
         Every copy of this host that uses the same PostgreSQL needs the same ones, so none is made up here. Make them once, \
         with\n  wharf keys --variables variables.toml --postgres-url …\n\
         and give them to all with --variable @variables.toml",
        missing.join(", ")
    )))
}

/// What was given of the values that all copies share.
fn of_deployment(manifest: &Manifest, sources: &Sources) -> Values {
    let values = manifest.wharf.variables.iter();
    Values::of_deployment(values.filter_map(|(name, source)| {
        let value = sources.get(name)?;
        match source {
            HostValue::Postgres { schema } => Some(Given::RolePassword {
                schema: schema.clone(),
                password: password_of_role(value, schema)?,
            }),
            HostValue::Ed25519Private => Some(Given::SigningKey {
                pem: value.to_owned(),
            }),
            _ => None,
        }
    }))
}

fn password_of_role(address: &str, schema: &str) -> Option<String> {
    let config = Address::parse(address).ok()?.config;
    let is_ours = config.get_user() == Some(&format!("wharf_{schema}"));
    let password = is_ours.then(|| config.get_password())??;
    String::from_utf8(password.to_vec()).ok()
}

/// The password for a role that is made now, in a database that other copies of the host use too.
pub fn role_password(
    manifest: &Manifest,
    sources: &Sources,
    schema: &str,
) -> Result<String, Error> {
    let is_of =
        |source: &HostValue| matches!(source, HostValue::Postgres { schema: of } if of == schema);
    if asked(manifest, sources).any(|(_, source)| is_of(source)) {
        let databases = asked(manifest, sources)
            .filter(|(_, source)| matches!(source, HostValue::Postgres { .. }));
        must_be_none(databases)?;
    }
    // A role that no variable leads to gets a password that nobody knows.
    of_deployment(manifest, sources).role_password(schema)
}

/// What all copies share and nobody gave: made now, kept by whoever asked.
pub fn missing(
    manifest: &Manifest,
    sources: &Sources,
    postgres_url: Option<&str>,
) -> Result<BTreeMap<String, String>> {
    let values = of_deployment(manifest, sources);
    let addresses = Addresses {
        postgres_url: postgres_url.map(str::to_owned),
        ..Addresses::default()
    };
    // With its address said too, no copy needs that of the owner.
    let missing = asked(manifest, sources)
        .filter(|(_, source)| is_of_all_copies(source) || is_in_postgres(source));
    let mut made = BTreeMap::new();
    for (name, source) in missing {
        if is_in_postgres(source) && postgres_url.is_none() {
            return Err(Failure::Usage(format!(
                "variable {name} is to say where PostgreSQL is: give --postgres-url, as the owner of the database"
            )));
        }
        if let HostValue::Postgres { schema } = source {
            values.role_password(schema)?;
        }
        made.insert(name.clone(), values.resolve(name, source, &addresses, "")?);
    }
    Ok(made)
}

/// A value for every variable, and the passwords that were made for it just now.
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
    let mut of_the_host = BTreeMap::new();
    let mut fresh_passwords = BTreeMap::new();
    let given = of_deployment(manifest, sources);
    let has_given_key = manifest.wharf.variables.iter().any(|(name, source)| {
        matches!(source, HostValue::Ed25519Private) && sources.get(name).is_some()
    });
    for (name, source) in asked(manifest, sources) {
        let is_fresh = matches!(source, HostValue::Random { .. }) && values.random(name)?.is_none();
        let values = match source {
            // Not the public half of another key.
            HostValue::Ed25519Jwks if has_given_key => &given,
            _ => values,
        };
        let value = values.resolve(name, source, addresses, base_url)?;
        if is_fresh {
            fresh_passwords.insert(name.clone(), value.clone());
        }
        of_the_host.insert(name.clone(), value);
    }
    let variables = Variables::resolve(&manifest.variables, sources, |name| {
        of_the_host.get(name).cloned()
    })
    .map_err(|faults| Failure::Usage(faults.to_string()))?;
    Ok(Resolved {
        variables,
        fresh_passwords,
    })
}
