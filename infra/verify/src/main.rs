//! `cargo run --release -p wharf-verify -- FILE KEYS [PHOTO…]`: checks a signed file of fines offline.
//!
//! FILE is an answer of `/api/v1/fines/{id}/case` or `/api/v1/zones/{id}/offline`, KEYS one of `/api/v1/fines/keys`. The
//! document goes to standard output; faults go to standard error, and the exit status is 1.

use std::fmt::Write;
use std::fs;
use std::process::ExitCode;

use anyhow::{Context, Result, anyhow, bail, ensure};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signature, VerifyingKey};
use serde_json::Value;
use sha2::{Digest, Sha256};

fn main() -> ExitCode {
    match run(std::env::args().skip(1).collect()) {
        Ok(document) => {
            println!("{document:#}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("not verified: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Vec<String>) -> Result<Value> {
    let [file, keys, photos @ ..] = arguments.as_slice() else {
        bail!("usage: wharf-verify FILE KEYS [PHOTO…]");
    };
    let read = |path: &String| fs::read(path).with_context(|| path.clone());
    let file: Value = serde_json::from_slice(&read(file)?).context("the file is not JSON")?;
    let keys: Value = serde_json::from_slice(&read(keys)?).context("the keys are not JSON")?;
    let document = verify(&file, &keys)?;
    for photo in photos {
        check_photo(&document, &read(photo)?).with_context(|| photo.clone())?;
    }
    Ok(document)
}

fn decode(file: &Value, member: &str) -> Result<Vec<u8>> {
    let text = file.get(member).and_then(Value::as_str);
    let text = text.with_context(|| format!("the file has no `{member}`"))?;
    URL_SAFE_NO_PAD
        .decode(text)
        .with_context(|| format!("`{member}` is not base64url"))
}

/// The document of a signed file, if one of the keys signed it and its parts agree.
fn verify(file: &Value, keys: &Value) -> Result<Value> {
    let header: Value =
        serde_json::from_slice(&decode(file, "protected")?).context("the header is not JSON")?;
    ensure!(
        header.get("alg") == Some(&"EdDSA".into()),
        "the file is not signed with EdDSA"
    );
    let key = keys
        .get("keys")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .find(|it| it.get("kid").is_some() && it.get("kid") == header.get("kid"))
        .context("none of the keys signed it")?;
    let public: [u8; 32] = decode(key, "x")?
        .try_into()
        .map_err(|_| anyhow!("the key is not Ed25519"))?;
    let public = VerifyingKey::from_bytes(&public).context("the key is not Ed25519")?;
    let signature: [u8; 64] = decode(file, "signature")?
        .try_into()
        .map_err(|_| anyhow!("the signature is too short"))?;
    let part = |member: &str| file.get(member).and_then(Value::as_str).unwrap_or_default();
    let signed = format!("{}.{}", part("protected"), part("payload"));
    public
        .verify_strict(signed.as_bytes(), &Signature::from_bytes(&signature))
        .context("the signature does not fit")?;
    let document: Value =
        serde_json::from_slice(&decode(file, "payload")?).context("the document is not JSON")?;
    if let Some(rule) = document.get("rule") {
        let stated = document.get("rule_sha256").and_then(Value::as_str);
        ensure!(
            stated == Some(&sha256(rule.to_string().as_bytes())),
            "the digest is not that of the rule"
        );
    }
    Ok(document)
}

fn check_photo(document: &Value, bytes: &[u8]) -> Result<()> {
    let hash = sha256(bytes);
    let photos = document.get("photos").and_then(Value::as_array);
    let is_known = photos
        .into_iter()
        .flatten()
        .any(|it| it.get("sha256").and_then(Value::as_str) == Some(&hash));
    ensure!(is_known, "the file names no photo with the digest {hash}");
    Ok(())
}

fn sha256(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(64);
    for byte in Sha256::digest(bytes) {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::{Signer, SigningKey};
    use serde_json::json;

    use super::*;

    fn encode(bytes: impl AsRef<[u8]>) -> String {
        URL_SAFE_NO_PAD.encode(bytes)
    }

    fn signed(document: &Value) -> (Value, Value) {
        let key = SigningKey::from_bytes(&[7; 32]);
        let protected = encode(json!({ "alg": "EdDSA", "kid": "k" }).to_string());
        let payload = encode(document.to_string());
        let signature = key.sign(format!("{protected}.{payload}").as_bytes());
        let file = json!({ "protected": protected, "payload": payload, "signature": encode(signature.to_bytes()) });
        let public = encode(key.verifying_key().as_bytes());
        (file, json!({ "keys": [{ "kid": "k", "x": public }] }))
    }

    #[test]
    fn a_file_that_was_changed_is_not_verified() {
        let rule = json!({ "amount_cents": 2000 });
        let document = json!({
            "rule": rule,
            "rule_sha256": sha256(rule.to_string().as_bytes()),
            "photos": [{ "sha256": sha256(b"a photo") }],
        });
        let (file, keys) = signed(&document);
        assert_eq!(verify(&file, &keys).unwrap(), document);
        assert!(check_photo(&document, b"a photo").is_ok());
        assert!(check_photo(&document, b"another").is_err());

        let mut changed = file.clone();
        changed["payload"] = encode(json!({ "rule": { "amount_cents": 1 } }).to_string()).into();
        assert!(verify(&changed, &keys).is_err());
        assert!(verify(&file, &json!({ "keys": [] })).is_err());
        let (wrong_rule, keys) =
            signed(&json!({ "rule": rule, "rule_sha256": sha256(b"another rule") }));
        assert!(verify(&wrong_rule, &keys).is_err());
    }
}
