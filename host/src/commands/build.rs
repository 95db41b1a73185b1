//! `wharf build`: runs the build commands of the components. Cargo commands that differ only in the package
//! are merged into one: when little has changed, most of a cargo call is the check that nothing is to be done.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::Command;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use wharf_manifest::manifest::{Component, Manifest};
use wharf_stores::set_parent_death_signal;

use crate::cli;
use crate::failure::{Failure, Result};
use crate::stop;

/// Time between SIGTERM and SIGKILL, for a compiler to clean up its files.
const TERM_GRACE: Duration = Duration::from_secs(2);

pub async fn run(args: &cli::Build) -> Result<()> {
    let manifest = super::load(&args.compile.manifest)?;
    for id in &args.component_id {
        if !manifest.components.contains_key(id) {
            return Err(Failure::Usage(format!("there is no component \"{id}\"")));
        }
    }
    let stopped = stop::on_signal()?;
    build(&manifest, &stopped, |component| {
        args.component_id.is_empty() || args.component_id.contains(&component.id)
    })
    .await?;
    if args.component_id.is_empty() {
        super::compile::compile(&manifest, &args.compile.data_dir)?;
    }
    Ok(())
}

/// Builds the components that `is_wanted` selects, until `stopped` is cancelled.
pub async fn build(
    manifest: &Manifest,
    stopped: &CancellationToken,
    is_wanted: impl Fn(&Component) -> bool,
) -> Result<()> {
    let steps = plan(
        manifest
            .components
            .values()
            .filter(|component| is_wanted(component)),
    );
    let begun = Instant::now();
    for (number, step) in steps.iter().enumerate() {
        eprintln!(
            "[{}/{}] {} ({})",
            number + 1,
            steps.len(),
            step.command,
            step.components.join(", ")
        );
        step.run(stopped).await?;
    }
    eprintln!(
        "built {} in {:.1} s",
        count_components(&steps),
        begun.elapsed().as_secs_f64()
    );
    Ok(())
}

fn count_components(steps: &[Step]) -> String {
    match steps
        .iter()
        .map(|step| step.components.len())
        .sum::<usize>()
    {
        1 => "1 component".to_owned(),
        many => format!("{many} components"),
    }
}

/// One command to run, and the components it builds.
#[derive(Debug, PartialEq, Eq)]
struct Step {
    command: String,
    workdir: PathBuf,
    components: Vec<String>,
}

impl Step {
    async fn run(&self, stopped: &CancellationToken) -> Result<()> {
        let no_shell = |cause| Failure::Build(format!("cannot run a shell: {cause}"));
        let mut command = Command::new("sh");
        command
            .args(["-c", &self.command])
            .current_dir(&self.workdir)
            .stdin(Stdio::null())
            // A process group of its own, to end everything that it starts.
            .process_group(0);
        // Covers a SIGKILL of this process: commands are started by its main thread, which lives until then.
        set_parent_death_signal(command.as_std_mut(), Signal::TERM);
        let mut shell = command.spawn().map_err(no_shell)?;
        let group = shell.id().and_then(|pid| Pid::from_raw(pid.cast_signed()));
        let status = tokio::select! {
            status = shell.wait() => status.map_err(no_shell)?,
            () = stopped.cancelled() => {
                // Signals to a group that has ended already fail, which is harmless.
                let signal_group = |signal| group.map(|group| kill_process_group(group, signal));
                let _ = signal_group(Signal::TERM);
                let _ = timeout(TERM_GRACE, shell.wait()).await;
                let _ = signal_group(Signal::KILL);
                return Err(Failure::Build(format!("`{}` was stopped", self.command)));
            }
        };
        if status.success() {
            return Ok(());
        }
        let components = self.components.join(", ");
        Err(Failure::Build(format!(
            "{components}: `{}` failed ({status})",
            self.command
        )))
    }
}

fn plan<'a>(components: impl Iterator<Item = &'a Component>) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for component in components {
        let Some(build) = &component.build else {
            continue;
        };
        let workdir: &Path = if build.workdir.as_os_str().is_empty() {
            Path::new(".")
        } else {
            &build.workdir
        };
        // Several commands of one component must run in their order, so they are not merged.
        let is_single = build.commands.len() == 1;
        for command in &build.commands {
            let merged = steps.iter_mut().find_map(|step| {
                let command = (is_single && step.workdir == workdir)
                    .then(|| merge(&step.command, command))??;
                Some((step, command))
            });
            match merged {
                Some((step, command)) => {
                    step.command = command;
                    step.components.push(component.id.clone());
                }
                None => steps.push(Step {
                    command: command.clone(),
                    workdir: workdir.to_owned(),
                    components: vec![component.id.clone()],
                }),
            }
        }
    }
    steps
}

/// One cargo call for both, if they differ only in their packages.
fn merge(one: &str, other: &str) -> Option<String> {
    let (flags, mut packages) = parse_cargo_build(one)?;
    let (other_flags, other_packages) = parse_cargo_build(other)?;
    if flags != other_flags {
        return None;
    }
    for package in other_packages {
        if !packages.contains(&package) {
            packages.push(package);
        }
    }
    let packages: String = packages
        .iter()
        .map(|package| format!(" -p {package}"))
        .collect();
    Some(format!("cargo build {}{packages}", flags.join(" ")))
}

/// The flags and the packages of a plain `cargo build … -p package`.
fn parse_cargo_build(command: &str) -> Option<(Vec<&str>, Vec<&str>)> {
    let is_plain =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, ' ' | '-' | '_' | '=' | '.' | '/' | ',');
    let words = command
        .chars()
        .all(is_plain)
        .then(|| command.split_whitespace())?;
    let mut words = words.peekable();
    if (words.next()?, words.next()?) != ("cargo", "build") {
        return None;
    }
    let (mut flags, mut packages) = (Vec::new(), Vec::new());
    while let Some(word) = words.next() {
        match word {
            "-p" | "--package" => packages.push(words.next()?),
            // These concern one package and may not fit another.
            "--features" | "-F" | "--bin" | "--example" | "--manifest-path" => return None,
            flag => flags.push(flag),
        }
    }
    (!packages.is_empty()).then_some((flags, packages))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cargo_calls_that_differ_only_in_the_package_become_one() {
        let release = "cargo build --release --target wasm32-wasip2";
        assert_eq!(
            merge(&format!("{release} -p one"), &format!("{release} -p two")).unwrap(),
            format!("{release} -p one -p two")
        );
        for other in [
            "cargo build --target wasm32-wasip2 -p two",
            "cargo build --release --target wasm32-wasip2",
            "cargo build --release --target wasm32-wasip2 -p two && true",
            "cargo build --release --target wasm32-wasip2 -p two --features x",
            "cargo component build --release -p two",
            "npm run build",
        ] {
            assert_eq!(merge(&format!("{release} -p one"), other), None, "{other}");
        }
    }
}
