//! Where people say values: the command line, files, the environment.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use crate::faults;
use crate::manifest::Variable;
use crate::runtime_config::VariablesProvider;

const DEFAULT_PREFIX: &str = "SPIN_VARIABLE";

/// How the `.env` begins that `wharf services` writes for `spin up`. It is not for this host: left behind by a
/// `wharf services` that was killed, it names stores that are gone.
pub const WRITTEN_BY_SERVICES: &str = "# Written by `wharf services`";

/// Everything people said, the most important first.
#[derive(Default)]
pub struct Sources {
    sources: Vec<Source>,
    /// Names given one by one on the command line: a misspelt one is a mistake. A file may serve several applications.
    named: Vec<String>,
}

enum Source {
    Values(BTreeMap<String, String>),
    /// Read as `<prefix>_<NAME>`.
    Environment {
        prefix: String,
        environment: Environment,
    },
}

/// The environment of a process, and below it that of a `.env` file.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Environment {
    process: BTreeMap<String, String>,
    file: BTreeMap<String, String>,
}

impl Sources {
    /// `flags` are those of `--variable`; `environment` is asked last, with the prefix of Spin.
    pub fn read(
        flags: &[String],
        providers: &[VariablesProvider],
        environment: Environment,
    ) -> Result<Sources, Vec<String>> {
        let mut faults = Vec::new();
        let mut given = BTreeMap::new();
        let mut named = Vec::new();
        for flag in flags {
            match read_flag(flag) {
                // Of the same name given twice the last one counts.
                Ok(Given::One(name, value)) => {
                    named.push(name.clone());
                    given.insert(name, value);
                }
                Ok(Given::Many(values)) => given.extend(values),
                Err(why) => faults.push(why),
            }
        }
        let mut sources = vec![Source::Values(given)];
        for provider in providers {
            match Source::of_provider(provider, &environment) {
                Ok(source) => sources.push(source),
                Err(why) => faults.push(why),
            }
        }
        sources.push(Source::Environment {
            prefix: DEFAULT_PREFIX.to_owned(),
            environment,
        });
        if faults.is_empty() {
            Ok(Sources { sources, named })
        } else {
            Err(faults)
        }
    }

    /// What people said, if they did.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.sources.iter().find_map(|source| source.get(name))
    }

    pub(super) fn misspelt(&self, declared: &BTreeMap<String, Variable>) -> Vec<String> {
        let unknown = self
            .named
            .iter()
            .filter(|name| !declared.contains_key(*name));
        unknown
            .map(|name| {
                let hint = faults::suggestion(name, declared.keys().map(String::as_str));
                let hint = hint.map(|hint| format!("; {hint}")).unwrap_or_default();
                format!("--variable {name}: the application has no such variable{hint}")
            })
            .collect()
    }
}

impl Source {
    fn of_provider(
        provider: &VariablesProvider,
        environment: &Environment,
    ) -> Result<Source, String> {
        match provider {
            VariablesProvider::Static { values } => Ok(Source::Values(values.clone())),
            VariablesProvider::Environment {
                prefix,
                dotenv_path,
            } => Ok(Source::Environment {
                prefix: prefix.clone().unwrap_or_else(|| DEFAULT_PREFIX.to_owned()),
                environment: Environment {
                    process: environment.process.clone(),
                    file: dotenv_path
                        .as_deref()
                        .map(read_dotenv)
                        .transpose()?
                        .unwrap_or_default(),
                },
            }),
        }
    }

    fn get(&self, name: &str) -> Option<&str> {
        match self {
            Source::Values(values) => values.get(name).map(String::as_str),
            Source::Environment {
                prefix,
                environment,
            } => environment.get(&format!("{prefix}_{}", name.to_ascii_uppercase())),
        }
    }
}

impl Environment {
    /// That of this process, and of the `.env` in the given folder if somebody wrote one.
    pub fn of_process(folder: &Path) -> Result<Environment, String> {
        let variables = std::env::vars_os();
        let process = variables.filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        });
        let dotenv = folder.join(".env");
        Ok(Environment {
            process: process.collect(),
            file: match dotenv.exists() && !is_written_by_services(&dotenv) {
                true => read_dotenv(&dotenv)?,
                false => BTreeMap::new(),
            },
        })
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.process
            .get(name)
            .or_else(|| self.file.get(name))
            .map(String::as_str)
    }
}

/// An environment that is not that of this process.
impl FromIterator<(String, String)> for Environment {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(variables: I) -> Environment {
        Environment {
            process: variables.into_iter().collect(),
            file: BTreeMap::new(),
        }
    }
}

/// Whether it is the `.env` of `wharf services`, and nobody's own.
pub fn is_written_by_services(dotenv: &Path) -> bool {
    std::fs::read_to_string(dotenv).is_ok_and(|text| text.starts_with(WRITTEN_BY_SERVICES))
}

fn read_dotenv(path: &Path) -> Result<BTreeMap<String, String>, String> {
    let cannot = |why: dotenvy::Error| match why {
        // Its text quotes the line, and with it a secret.
        dotenvy::Error::LineParse(..) => {
            format!("{}: there is a line that is not NAME=value", path.display())
        }
        why => format!("{}: {why}", path.display()),
    };
    dotenvy::from_path_iter(path)
        .map_err(cannot)?
        .collect::<Result<_, _>>()
        .map_err(cannot)
}

/// What one flag gives.
enum Given {
    One(String, String),
    Many(BTreeMap<String, String>),
}

/// `name=value`, `name=@file`, `@file.json`, `@file.toml`
fn read_flag(flag: &str) -> Result<Given, String> {
    if let Some(file) = flag.strip_prefix('@') {
        return read_values(Path::new(file)).map(Given::Many);
    }
    let Some((name, value)) = flag.split_once('=') else {
        return Err(format!(
            "--variable {flag}: write name=value, name=@file, @file.json or @file.toml"
        ));
    };
    let value = match value.strip_prefix('@') {
        Some(file) => read(Path::new(file))?,
        None => value.to_owned(),
    };
    Ok(Given::One(name.to_owned(), value))
}

fn read_values(file: &Path) -> Result<BTreeMap<String, String>, String> {
    let text = read(file)?;
    // The parsers' own texts quote the file, and with it secrets.
    let wrong = |format: &str| {
        format!(
            "--variable @{}: this is no {format} table of strings",
            file.display()
        )
    };
    match file.extension().and_then(|extension| extension.to_str()) {
        Some("json") => serde_json::from_str(&text).map_err(|_| wrong("JSON")),
        Some("toml") => toml::from_str(&text).map_err(|_| wrong("TOML")),
        _ => Err(format!(
            "--variable @{}: a file of variables ends in .json or .toml",
            file.display()
        )),
    }
}

fn read(file: &Path) -> Result<String, String> {
    std::fs::read_to_string(file).map_err(|why| format!("--variable …@{}: {why}", file.display()))
}

/// Only names are shown.
impl fmt::Debug for Sources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.sources).finish()
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::Values(values) => f.debug_set().entries(values.keys()).finish(),
            Source::Environment {
                prefix,
                environment,
            } => write!(f, "{prefix}_* of {environment:?}"),
        }
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} variables and {} of a file",
            self.process.len(),
            self.file.len()
        )
    }
}
