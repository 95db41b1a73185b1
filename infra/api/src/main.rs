//! `cargo run --release -p wharf-api`: writes the API description of all functions to `docs/openapi.json`.
//! `-- check` says whether the file is current; `-- clients DIR` writes typed clients.
//! `-- succeeded FILE` fails unless the file names every operation; the tests write there which ones succeeded.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use wharf_api::{COMMITTED, document, text};
use wharf_openapi::{Document, clients};

const USAGE: &str = "usage: wharf-api              writes docs/openapi.json
       wharf-api check        fails unless docs/openapi.json is current
       wharf-api clients DIR  writes DIR/wharf.ts and DIR/wharf.rs
       wharf-api succeeded FILE  fails unless FILE names every operation";

fn main() -> Result<()> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        [] => write(PathBuf::from(COMMITTED), &text()?),
        ["check"] => check(),
        ["clients", folder] => write_clients(Path::new(folder)),
        ["succeeded", file] => succeeded(Path::new(file)),
        _ => bail!(USAGE),
    }
}

fn check() -> Result<()> {
    let committed = std::fs::read_to_string(COMMITTED).with_context(|| COMMITTED)?;
    if committed != text()? {
        bail!("{COMMITTED} is not current: run `cargo run --release -p wharf-api`");
    }
    Ok(())
}

fn write_clients(folder: &Path) -> Result<()> {
    let document = Document::new(document()?);
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    write(folder.join("wharf.ts"), &clients::typescript(&document)?)?;
    write(folder.join("wharf.rs"), &clients::rust(&document)?)
}

fn succeeded(file: &Path) -> Result<()> {
    let names = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
    let names: BTreeSet<_> = names.lines().collect();
    let document = Document::new(document()?);
    let operations = document.operations()?;
    let missing: Vec<_> = operations
        .iter()
        .filter(|it| !it.is_other_spelling && !names.contains(it.id))
        .map(|it| format!("{} ({} {})", it.id, it.method, it.path))
        .collect();
    if !missing.is_empty() {
        bail!("no test brings these to success:\n{}", missing.join("\n"));
    }
    Ok(())
}

fn write(file: PathBuf, text: &str) -> Result<()> {
    std::fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))?;
    println!("{}", file.display());
    Ok(())
}
