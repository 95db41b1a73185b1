//! Sources of variables: the command line, files, the environment.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use crate::faults;
use crate::manifest::Variable;
use crate::runtime_config::VariablesProvider;

const DEFAULT_PREFIX: &str = "SPIN_VARIABLE";

/// The first words of the `.env` that `wharf services` writes for `spin up`. This host ignores that file: after a
/// `wharf services` that was killed it names stores that no longer run.
pub const WRITTEN_BY_SERVICES: &str = "# Written by `wharf services`";

/// All sources, in order of precedence.
#[derive(Default)]
pub struct Sources {
    sources: Vec<Source>,
    /// Names from the command line, which must be declared. A file may have other names: it may serve several
    /// applications.
    flag_names: Vec<String>,
}

enum Source {
    Values(BTreeMap<String, String>),
    /// Read as `<prefix>_<NAME>`.
    Environment {
        prefix: String,
        environment: Environment,
    },
}

/// The environment of a process, then the variables of a `.env` file.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Environment {
    process: BTreeMap<String, String>,
    file: BTreeMap<String, String>,
}

impl Sources {
    /// `flags` are the arguments of `--variable`; `environment` is read last, with Spin's prefix.
    pub fn read(
        flags: &[String],
        providers: &[VariablesProvider],
        environment: Environment,
    ) -> Result<Sources, Vec<String>> {
        let mut faults = Vec::new();
        let mut values = BTreeMap::new();
        let mut flag_names = Vec::new();
        for flag in flags {
            match read_flag(flag) {
                // The last value of a repeated name wins.
                Ok(Flag::Value(name, value)) => {
                    flag_names.push(name.clone());
                    values.insert(name, value);
                }
                Ok(Flag::File(file)) => values.extend(file),
                Err(why) => faults.push(why),
            }
        }
        let mut sources = vec![Source::Values(values)];
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
            Ok(Sources {
                sources,
                flag_names,
            })
        } else {
            Err(faults)
        }
    }

    /// The value from the first source that has one.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.sources.iter().find_map(|source| source.get(name))
    }

    pub(super) fn find_undeclared_flags(
        &self,
        declared: &BTreeMap<String, Variable>,
    ) -> Vec<String> {
        let unknown = self
            .flag_names
            .iter()
            .filter(|name| !declared.contains_key(*name));
        unknown
            .map(|name| {
                let hint = faults::suggest(name, declared.keys().map(String::as_str));
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
    /// The environment of this process and the `.env` of the folder, if the user wrote one.
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

/// An environment from given variables, for tests and for empty ones.
impl FromIterator<(String, String)> for Environment {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(variables: I) -> Environment {
        Environment {
            process: variables.into_iter().collect(),
            file: BTreeMap::new(),
        }
    }
}

/// Whether `wharf services` wrote this `.env`, rather than the user.
pub fn is_written_by_services(dotenv: &Path) -> bool {
    std::fs::read_to_string(dotenv).is_ok_and(|text| text.starts_with(WRITTEN_BY_SERVICES))
}

fn read_dotenv(path: &Path) -> Result<BTreeMap<String, String>, String> {
    let cannot = |why: dotenvy::Error| match why {
        // The message of the parser quotes the line, which may hold a secret.
        dotenvy::Error::LineParse(..) => {
            format!("{}: a line is not NAME=value", path.display())
        }
        why => format!("{}: {why}", path.display()),
    };
    dotenvy::from_path_iter(path)
        .map_err(cannot)?
        .collect::<Result<_, _>>()
        .map_err(cannot)
}

/// A parsed `--variable`.
enum Flag {
    Value(String, String),
    File(BTreeMap<String, String>),
}

/// `name=value`, `name=@file`, `@file.json`, `@file.toml`
fn read_flag(flag: &str) -> Result<Flag, String> {
    if let Some(file) = flag.strip_prefix('@') {
        return read_value_file(Path::new(file)).map(Flag::File);
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
    Ok(Flag::Value(name.to_owned(), value))
}

fn read_value_file(file: &Path) -> Result<BTreeMap<String, String>, String> {
    let text = read(file)?;
    // The messages of the parsers quote the file, which may hold secrets.
    let not_a_table = |format: &str| {
        format!(
            "--variable @{}: this is not a {format} table of strings",
            file.display()
        )
    };
    match file.extension().and_then(|extension| extension.to_str()) {
        Some("json") => serde_json::from_str(&text).map_err(|_| not_a_table("JSON")),
        Some("toml") => toml::from_str(&text).map_err(|_| not_a_table("TOML")),
        _ => Err(format!(
            "--variable @{}: the name of a file of variables must end with .json or .toml",
            file.display()
        )),
    }
}

fn read(file: &Path) -> Result<String, String> {
    std::fs::read_to_string(file).map_err(|why| format!("--variable …@{}: {why}", file.display()))
}

/// Shows names only.
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
