//! From what people gave and what this host has to the values of the application's variables, and
//! which stores it takes to have them.

use std::collections::BTreeMap;

use wharf_manifest::manifest::{HostValue, Manifest};
use wharf_manifest::runtime_config::RuntimeConfig;
use wharf_manifest::variables::{Environment, Sources, Variables};
use wharf_stores::{Addresses, Options, S3Address, Values, Wanted};

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
            HostValue::Redis | HostValue::RedisHost => embed(&mut options.redis),
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
    for (name, source) in asked(manifest, sources) {
        let is_fresh = matches!(source, HostValue::Random { .. }) && !values.has_random(name)?;
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
