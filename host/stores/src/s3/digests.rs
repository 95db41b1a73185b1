//! Checksums of contents: claimed by the client, computed on arrival, stored with the object.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::HeaderMap;
use s3s::checksum::ChecksumHasher;
use s3s::crypto::{Checksum as _, Md5};
use s3s::{S3ErrorCode, S3Result, TrailingHeaders};
use serde::{Deserialize, Serialize};

/// Digests in Base64, as in S3.
pub(crate) type Digests = BTreeMap<Algorithm, String>;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Algorithm {
    Crc32,
    Crc32c,
    Crc64Nvme,
    Sha1,
    Sha256,
}

impl Algorithm {
    const ALL: [Self; 5] = [
        Self::Crc32,
        Self::Crc32c,
        Self::Crc64Nvme,
        Self::Sha1,
        Self::Sha256,
    ];

    /// The algorithm with this name in `x-amz-checksum-algorithm`.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|algorithm| algorithm.name() == name)
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Crc32 => "CRC32",
            Self::Crc32c => "CRC32C",
            Self::Crc64Nvme => "CRC64NVME",
            Self::Sha1 => "SHA1",
            Self::Sha256 => "SHA256",
        }
    }

    fn header(self) -> &'static str {
        match self {
            Self::Crc32 => "x-amz-checksum-crc32",
            Self::Crc32c => "x-amz-checksum-crc32c",
            Self::Crc64Nvme => "x-amz-checksum-crc64nvme",
            Self::Sha1 => "x-amz-checksum-sha1",
            Self::Sha256 => "x-amz-checksum-sha256",
        }
    }

    /// The parameters of a CRC. CRCs of parts can be combined into that of the whole; hashes cannot.
    fn crc(self) -> Option<(crc_fast::CrcAlgorithm, usize)> {
        match self {
            Self::Crc32 => Some((crc_fast::CrcAlgorithm::Crc32IsoHdlc, 4)),
            Self::Crc32c => Some((crc_fast::CrcAlgorithm::Crc32Iscsi, 4)),
            Self::Crc64Nvme => Some((crc_fast::CrcAlgorithm::Crc64Nvme, 8)),
            Self::Sha1 | Self::Sha256 => None,
        }
    }

    /// Whether a multipart upload gets a composite digest (that of its parts' digests) instead of a
    /// digest of its content, by the rules of S3.
    pub(crate) fn is_composite(self, wanted: Option<&str>) -> S3Result<bool> {
        match (self, wanted) {
            (Self::Crc64Nvme, None | Some("FULL_OBJECT")) => Ok(false),
            (Self::Crc32 | Self::Crc32c, Some("FULL_OBJECT")) => Ok(false),
            (Self::Crc64Nvme, Some(_)) | (Self::Sha1 | Self::Sha256, Some("FULL_OBJECT")) => {
                Err(S3ErrorCode::InvalidRequest.into())
            }
            (Self::Crc32 | Self::Crc32c | Self::Sha1 | Self::Sha256, _) => Ok(true),
        }
    }
}

/// The client's claims about the body it sends.
#[derive(Debug, Default)]
pub(crate) struct Claims {
    pub(crate) md5: Option<String>,
    pub(crate) digests: Digests,
    /// Digests to compute even without a claim.
    pub(crate) wanted: BTreeSet<Algorithm>,
    /// Trailers after the body, which may contain digests.
    pub(crate) trailers: Option<TrailingHeaders>,
}

/// Takes the claims from the input of an operation. A macro, because the inputs have the same fields
/// but no common type.
macro_rules! claims {
    ($request:expr) => {
        $crate::s3::digests::Claims {
            md5: $request.input.content_md5.take(),
            digests: $crate::s3::digests::claimed!($request.input),
            wanted: $crate::s3::digests::wanted(
                $request.input.checksum_algorithm.take(),
                &$request.headers,
            ),
            trailers: $request.trailing_headers.take(),
        }
    };
}
pub(crate) use claims;

/// Takes the digests from an input or from a listed part.
macro_rules! claimed {
    ($input:expr) => {{
        use $crate::s3::digests::Algorithm;
        [
            (Algorithm::Crc32, $input.checksum_crc32.take()),
            (Algorithm::Crc32c, $input.checksum_crc32c.take()),
            (Algorithm::Crc64Nvme, $input.checksum_crc64nvme.take()),
            (Algorithm::Sha1, $input.checksum_sha1.take()),
            (Algorithm::Sha256, $input.checksum_sha256.take()),
        ]
        .into_iter()
        .filter_map(|(algorithm, digest)| Some((algorithm, digest?)))
        .collect::<$crate::s3::digests::Digests>()
    }};
}
pub(crate) use claimed;

/// Sets the digests of an output.
macro_rules! with_digests {
    ($output:expr, $digests:expr) => {{
        use $crate::s3::digests::Algorithm;
        let mut output = $output;
        let digests: &$crate::s3::digests::Digests = $digests;
        output.checksum_crc32 = digests.get(&Algorithm::Crc32).cloned();
        output.checksum_crc32c = digests.get(&Algorithm::Crc32c).cloned();
        output.checksum_crc64nvme = digests.get(&Algorithm::Crc64Nvme).cloned();
        output.checksum_sha1 = digests.get(&Algorithm::Sha1).cloned();
        output.checksum_sha256 = digests.get(&Algorithm::Sha256).cloned();
        output
    }};
}
pub(crate) use with_digests;

/// The algorithms that a request names or announces as trailers.
pub(crate) fn wanted(
    named: Option<s3s::dto::ChecksumAlgorithm>,
    headers: &HeaderMap,
) -> BTreeSet<Algorithm> {
    let named = named.and_then(|named| Algorithm::named(named.as_str()));
    let announced = headers
        .get_all("x-amz-trailer")
        .into_iter()
        .filter_map(|value| value.to_str().ok());
    let announced = announced.flat_map(|value| value.split(',')).map(str::trim);
    let announced = announced.filter_map(|name| {
        Algorithm::ALL
            .into_iter()
            .find(|algorithm| algorithm.header().eq_ignore_ascii_case(name))
    });
    named.into_iter().chain(announced).collect()
}

/// Hashes a body while it is received.
pub(crate) struct Hasher {
    md5: Md5,
    others: ChecksumHasher,
}

impl Hasher {
    pub(crate) fn new(claims: &Claims) -> Self {
        let is_on = |algorithm| {
            claims.wanted.contains(&algorithm) || claims.digests.contains_key(&algorithm)
        };
        let others = ChecksumHasher {
            crc32: is_on(Algorithm::Crc32).then(Default::default),
            crc32c: is_on(Algorithm::Crc32c).then(Default::default),
            crc64nvme: is_on(Algorithm::Crc64Nvme).then(Default::default),
            sha1: is_on(Algorithm::Sha1).then(Default::default),
            sha256: is_on(Algorithm::Sha256).then(Default::default),
        };
        Self {
            md5: Md5::new(),
            others,
        }
    }

    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.md5.update(bytes);
        self.others.update(bytes);
    }

    /// The MD5 and the digests of the body. Fails if they differ from the claims.
    pub(crate) fn finish(self, mut claims: Claims) -> S3Result<([u8; 16], Digests)> {
        let md5: [u8; 16] = self.md5.finalize();
        let mut computed = self.others.finalize();
        let computed = claimed!(computed);
        if let Some(claimed) = &claims.md5 {
            let claimed = STANDARD
                .decode(claimed)
                .map_err(|_| S3ErrorCode::InvalidDigest)?;
            if claimed.len() != md5.len() {
                return Err(S3ErrorCode::InvalidDigest.into());
            }
            if claimed != md5 {
                return Err(S3ErrorCode::BadDigest.into());
            }
        }
        // Available only after the whole body was read.
        if let Some(trailers) = claims.trailers.and_then(|trailers| trailers.take()) {
            for algorithm in Algorithm::ALL {
                if let Some(digest) = trailers
                    .get(algorithm.header())
                    .and_then(|value| value.to_str().ok())
                {
                    claims.digests.insert(algorithm, digest.to_owned());
                }
            }
        }
        // A digest in a trailer that was not announced was not computed: it counts as a mismatch.
        let is_true =
            |(algorithm, digest): (&Algorithm, &String)| computed.get(algorithm) == Some(digest);
        if !claims.digests.iter().all(is_true) {
            return Err(S3ErrorCode::BadDigest.into());
        }
        Ok((md5, computed))
    }
}

/// The digest of an object from the digests and sizes of its parts, composite or of the content, as
/// defined by S3.
pub(crate) fn combine_digests(
    algorithm: Algorithm,
    composite: bool,
    parts: &[(&Digests, u64)],
) -> Option<String> {
    let digests: Option<Vec<_>> = parts
        .iter()
        .map(|(digests, size)| Some((STANDARD.decode(digests.get(&algorithm)?).ok()?, *size)))
        .collect();
    let digests = digests?;
    if composite {
        let mut claims = Claims::default();
        claims.wanted.insert(algorithm);
        let mut hasher = Hasher::new(&claims);
        digests.iter().for_each(|(digest, _)| hasher.update(digest));
        let (_, mut computed) = hasher.finish(claims).ok()?;
        return Some(format!(
            "{}-{}",
            computed.remove(&algorithm)?,
            digests.len()
        ));
    }
    let (crc, width) = algorithm.crc()?;
    let number = |bytes: &[u8]| {
        bytes
            .iter()
            .fold(0, |number: u64, byte| number << 8 | u64::from(*byte))
    };
    let mut digests = digests.into_iter();
    let (first, _) = digests.next()?;
    let whole = digests.fold(number(&first), |whole, (digest, size)| {
        crc_fast::checksum_combine(crc, whole, number(&digest), size)
    });
    Some(STANDARD.encode(whole.to_be_bytes().get(8 - width..)?))
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digests(algorithm: Algorithm, bytes: &[u8]) -> Digests {
        let claims = Claims {
            wanted: [algorithm].into(),
            ..Claims::default()
        };
        let mut hasher = Hasher::new(&claims);
        hasher.update(bytes);
        hasher.finish(claims).unwrap().1
    }

    #[test]
    fn the_combined_crc_of_parts_is_the_crc_of_the_whole() {
        for algorithm in [Algorithm::Crc32, Algorithm::Crc32c, Algorithm::Crc64Nvme] {
            let parts = [
                digests(algorithm, b"first,"),
                digests(algorithm, b"second,"),
                digests(algorithm, b"last"),
            ];
            let parts = [(&parts[0], 6), (&parts[1], 7), (&parts[2], 4)];
            let whole = digests(algorithm, b"first,second,last");
            assert_eq!(
                combine_digests(algorithm, false, &parts).as_ref(),
                whole.get(&algorithm),
                "{algorithm:?}"
            );
        }
    }

    #[test]
    fn a_composite_digest_ends_with_the_number_of_parts() {
        let part = digests(Algorithm::Sha256, b"x");
        let raw = STANDARD.decode(&part[&Algorithm::Sha256]).unwrap();
        let both = digests(Algorithm::Sha256, &[raw.clone(), raw].concat());
        let expected = format!("{}-2", both[&Algorithm::Sha256]);
        assert_eq!(
            combine_digests(Algorithm::Sha256, true, &[(&part, 1), (&part, 1)]),
            Some(expected)
        );
    }
}
