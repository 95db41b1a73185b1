//! The platform: manifests, and bytes from the addresses that it leads to.

use std::io::Read;
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use ureq::http::header::{AUTHORIZATION, LOCATION, RANGE, RETRY_AFTER};
use ureq::http::{Response, StatusCode};
use ureq::{Agent, Body};

/// A pack at the platform, by its address or a friend's link.
pub struct Remote {
    agent: Agent,
    /// The address of the pack or of the link, without a suffix.
    address: String,
    /// The beginning of the addresses of its files.
    files: String,
    token: Option<String>,
}

/// A version as the platform describes it.
#[derive(Deserialize)]
pub struct Manifest {
    pub pack: Named,
    pub version: Named,
    pub files: Vec<ManifestFile>,
}

#[derive(Deserialize)]
pub struct Named {
    pub id: i64,
    pub name: String,
}

#[derive(Clone, Debug, Deserialize)]
pub struct ManifestFile {
    pub id: i64,
    pub path: String,
    pub size: u64,
    pub sha256: Option<String>,
    pub sha512: Option<String>,
    pub side: String,
    pub optional: bool,
    pub keep: bool,
}

const CONNECTS_WITHIN: Duration = Duration::from_secs(15);
/// A connection without a byte for so long is dead.
const READS_WITHIN: Duration = Duration::from_secs(30);
/// Failures in a row.
const MAX_TRIES: u32 = 6;
const MAX_WAIT: Duration = Duration::from_secs(30);
/// A version has at most 10 000 files.
const MAX_MANIFEST: u64 = 32 << 20;

/// A failure that another try may get over.
enum Failure {
    Passing(anyhow::Error, Option<Duration>),
    Lasting(anyhow::Error),
}

impl Remote {
    pub fn new(address: &str, token: Option<String>) -> Result<Self> {
        let address = address.trim_end_matches('/').to_owned();
        let (platform, pack) = address
            .rsplit_once("/modpacks/")
            .context("the address is that of a modpack, …/modpacks/ID, or a link for friends")?;
        let host = platform
            .strip_prefix("http://")
            .or_else(|| platform.strip_prefix("https://"))
            .context("the address begins with https:// or http://")?;
        let host = host.split('/').next().unwrap_or_default();
        let is_local = ["localhost", "127.0.0.1", "[::1]"]
            .iter()
            .any(|it| host == *it || host.starts_with(&format!("{it}:")));
        ensure!(
            token.is_none() || is_local || platform.starts_with("https://"),
            "a token is sent over https only"
        );
        let files = match pack.strip_prefix("links/") {
            Some(_) => format!("{address}/files"),
            None => format!("{platform}/files"),
        };
        let agent = Agent::config_builder()
            .user_agent(concat!("wharf-sync/", env!("CARGO_PKG_VERSION")))
            .http_status_as_error(false)
            // Followed here: a token is not for S3.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_connect(Some(CONNECTS_WITHIN))
            .timeout_per_read(Some(READS_WITHIN))
            .build()
            .new_agent();
        Ok(Self {
            agent,
            address,
            files,
            token,
        })
    }

    /// The latest version, or that one.
    pub fn manifest(&self, version: Option<i64>) -> Result<Manifest> {
        let address = match version {
            Some(id) => format!("{}/versions/{id}/manifest.json", self.address),
            None => format!("{}/latest/manifest.json", self.address),
        };
        let mut tries = 0;
        loop {
            let read = self.ask(&address).and_then(|answer| {
                let body = answer.into_body().into_with_config().limit(MAX_MANIFEST);
                body.read_to_vec().map_err(passing)
            });
            match read {
                Ok(bytes) => {
                    return serde_json::from_slice(&bytes)
                        .context("the platform's manifest does not fit this client");
                }
                Err(failure) => wait(failure, &mut tries)?,
            }
        }
    }

    /// Reads the bytes of a file from `start` on into `take`, which says how many it has by now. A line that breaks is
    /// taken up where it broke.
    pub fn read(
        &self,
        file: i64,
        size: u64,
        start: u64,
        take: &mut dyn FnMut(u64, &[u8]) -> Result<()>,
    ) -> Result<()> {
        let address = format!("{}/{file}/download", self.files);
        let mut tries = 0;
        let mut at = start;
        while at < size {
            let before = at;
            let read = self.read_on(&address, size, &mut at, take);
            if at > before {
                tries = 0;
            }
            match read {
                Ok(()) if at == before => {
                    wait(passing_text("the download ends too early"), &mut tries)?;
                }
                Ok(()) => {}
                Err(failure) => wait(failure, &mut tries)?,
            }
        }
        Ok(())
    }

    fn read_on(
        &self,
        address: &str,
        size: u64,
        at: &mut u64,
        take: &mut dyn FnMut(u64, &[u8]) -> Result<()>,
    ) -> Result<(), Failure> {
        // Requested anew each time, because an address of S3 is valid for a minute.
        let answer = self.ask(address)?;
        let location = answer
            .headers()
            .get(LOCATION)
            .and_then(|it| it.to_str().ok());
        let location = location.ok_or_else(|| lasting("the platform leads nowhere"))?;
        let answer = self
            .agent
            .get(location)
            .header(RANGE, format!("bytes={at}-"))
            .call()
            .map_err(passing)?;
        match answer.status() {
            StatusCode::PARTIAL_CONTENT => {}
            // The whole file, in spite of the range.
            StatusCode::OK => *at = 0,
            status => return Err(refused(&answer, status, "S3")),
        }
        let mut reading = answer.into_body().into_reader();
        let mut buffer = vec![0; 1 << 16];
        while *at < size {
            let read = reading.read(&mut buffer).map_err(passing)?;
            let bytes = buffer.get(..read).unwrap_or_default();
            let left = usize::try_from(size - *at).unwrap_or(usize::MAX);
            let Some(bytes) = bytes.get(..read.min(left)).filter(|it| !it.is_empty()) else {
                break;
            };
            take(*at, bytes).map_err(Failure::Lasting)?;
            *at += bytes.len() as u64;
        }
        Ok(())
    }

    fn ask(&self, address: &str) -> Result<Response<Body>, Failure> {
        let mut asking = self.agent.get(address);
        if let Some(token) = &self.token {
            asking = asking.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        let answer = asking.call().map_err(passing)?;
        match answer.status() {
            StatusCode::OK | StatusCode::FOUND => Ok(answer),
            status => Err(refused(&answer, status, "the platform")),
        }
    }
}

fn refused(answer: &Response<Body>, status: StatusCode, of: &str) -> Failure {
    let text = match status {
        StatusCode::NOT_FOUND => {
            "not found: the modpack is gone, or not shared with you any more".to_owned()
        }
        StatusCode::UNAUTHORIZED => "the token is not valid".to_owned(),
        status => format!("{of} answers {status}"),
    };
    let seconds = answer
        .headers()
        .get(RETRY_AFTER)
        .and_then(|it| it.to_str().ok());
    let wait = seconds
        .and_then(|it| it.parse().ok())
        .map(Duration::from_secs);
    if status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error() {
        Failure::Passing(anyhow::anyhow!(text), wait)
    } else {
        Failure::Lasting(anyhow::anyhow!(text))
    }
}

fn passing(error: impl Into<anyhow::Error>) -> Failure {
    Failure::Passing(error.into(), None)
}

fn passing_text(text: &'static str) -> Failure {
    Failure::Passing(anyhow::anyhow!(text), None)
}

fn lasting(text: &'static str) -> Failure {
    Failure::Lasting(anyhow::anyhow!(text))
}

/// Waits before another try, longer each time.
fn wait(failure: Failure, tries: &mut u32) -> Result<()> {
    match failure {
        Failure::Lasting(error) => Err(error),
        Failure::Passing(error, wait) => {
            *tries += 1;
            if *tries >= MAX_TRIES {
                return Err(error).context(format!("given up after {tries} tries"));
            }
            let usual = Duration::from_millis(250 << *tries);
            sleep(wait.unwrap_or(usual).min(MAX_WAIT));
            Ok(())
        }
    }
}
