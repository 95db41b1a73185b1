//! The Ed25519 key pair for signing tokens: PKCS#8 PEM for the signer, JWKS for the verifiers.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{DecodePrivateKey as _, EncodePrivateKey as _};
use sha2::{Digest as _, Sha256};

use crate::error::{Error, Result};

/// A new private key as PEM.
pub(crate) fn generate() -> Result<String> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(|error| {
        Error::NoValue(format!(
            "cannot get random bytes for a signing key: {error}"
        ))
    })?;
    let pem = SigningKey::from_bytes(&seed).to_pkcs8_pem(LineEnding::LF);
    let pem =
        pem.map_err(|error| Error::NoValue(format!("cannot encode the signing key: {error}")))?;
    Ok(pem.to_string())
}

/// The JWKS of the public keys, in the order of the private ones.
pub(crate) fn jwks<'a>(private_pems: impl IntoIterator<Item = &'a str>) -> Result<String> {
    let keys = private_pems
        .into_iter()
        .map(jwk)
        .collect::<Result<Vec<_>>>()?;
    Ok(serde_json::json!({ "keys": keys }).to_string())
}

fn jwk(private_pem: &str) -> Result<serde_json::Value> {
    let key = SigningKey::from_pkcs8_pem(private_pem)
        .map_err(|error| Error::NoValue(format!("the signing key is damaged: {error}")))?;
    let x = URL_SAFE_NO_PAD.encode(key.verifying_key().as_bytes());
    Ok(
        serde_json::json!({ "kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": thumbprint(&x), "x": x }),
    )
}

/// RFC 7638: SHA-256 over the required members in lexicographic order without white space.
fn thumbprint(x: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(format!(
        r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_id_is_the_thumbprint_of_rfc_8037() {
        // Appendix A.3 of RFC 8037.
        assert_eq!(
            thumbprint("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"),
            "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
        );
    }

    #[test]
    fn the_published_key_matches_the_private_key() {
        let pem = generate().unwrap();
        assert!(pem.starts_with("-----BEGIN PRIVATE KEY-----\n"));
        let published: serde_json::Value =
            serde_json::from_str(&jwks([pem.as_str()]).unwrap()).unwrap();
        let private = SigningKey::from_pkcs8_pem(&pem).unwrap();
        assert_eq!(
            published["keys"][0]["x"],
            URL_SAFE_NO_PAD.encode(private.verifying_key().as_bytes())
        );
    }
}
