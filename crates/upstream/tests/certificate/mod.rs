//! A self-signed certificate made by hand, in DER (RFC 5280): a few lines
//! instead of a library with its own versions of everything.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OCTET_STRING: u8 = 0x04;
const OBJECT: u8 = 0x06;
const UTF8_STRING: u8 = 0x0c;
const TIME: u8 = 0x18;
const VERSION: u8 = 0xa0;
const EXTENSIONS: u8 = 0xa3;
const DNS_NAME: u8 = 0x82;

const COMMON_NAME: &[u8] = &[0x55, 4, 3];
const SUBJECT_ALT_NAME: &[u8] = &[0x55, 0x1d, 0x11];
const EC_PUBLIC_KEY: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1];
const P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7];
const ECDSA_WITH_SHA256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2];

/// A certificate and its key.
pub(crate) struct Certificate {
    pub(crate) der: Vec<u8>,
    /// PKCS #8.
    pub(crate) key: Vec<u8>,
}

impl Certificate {
    /// For a host name, until a time like `20300101000000Z`.
    pub(crate) fn new(host: &str, until: &str) -> Self {
        let random = SystemRandom::new();
        let key = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random).unwrap();
        let key = key.as_ref().to_vec();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &key).unwrap();
        let body = body(host, until, pair.public_key().as_ref());
        let signature = pair.sign(&random, &body).unwrap();
        let der = der(SEQUENCE, &[body, algorithm(), bits(signature.as_ref())]);
        Self { der, key }
    }

    pub(crate) fn pem(&self) -> String {
        format!(
            "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n",
            STANDARD.encode(&self.der)
        )
    }
}

/// What is signed.
fn body(host: &str, until: &str, point: &[u8]) -> Vec<u8> {
    let name = der(
        SEQUENCE,
        &[
            der(OBJECT, &[COMMON_NAME]),
            der(UTF8_STRING, &["fake index"]),
        ],
    );
    let name = der(SEQUENCE, &[der(SET, &[name])]);
    let validity = der(
        SEQUENCE,
        &[der(TIME, &["20240101000000Z"]), der(TIME, &[until])],
    );
    let curve = der(
        SEQUENCE,
        &[der(OBJECT, &[EC_PUBLIC_KEY]), der(OBJECT, &[P256])],
    );
    let key = der(SEQUENCE, &[curve, bits(point)]);
    let hosts = der(OCTET_STRING, &[der(SEQUENCE, &[der(DNS_NAME, &[host])])]);
    let extension = der(SEQUENCE, &[der(OBJECT, &[SUBJECT_ALT_NAME]), hosts]);
    let extensions = der(EXTENSIONS, &[der(SEQUENCE, &[extension])]);
    let version = der(VERSION, &[der(INTEGER, &[[2]])]);
    let serial = der(INTEGER, &[[1]]);
    der(
        SEQUENCE,
        &[
            version,
            serial,
            algorithm(),
            name.clone(),
            validity,
            name,
            key,
            extensions,
        ],
    )
}

fn algorithm() -> Vec<u8> {
    der(SEQUENCE, &[der(OBJECT, &[ECDSA_WITH_SHA256])])
}

fn bits(content: &[u8]) -> Vec<u8> {
    der(BIT_STRING, &[&[0], content])
}

/// Tag, length, content.
fn der<T: AsRef<[u8]>>(tag: u8, parts: &[T]) -> Vec<u8> {
    let len: usize = parts.iter().map(|part| part.as_ref().len()).sum();
    let mut encoded = vec![tag];
    match u8::try_from(len) {
        Ok(short @ ..0x80) => encoded.push(short),
        Ok(long) => encoded.extend([0x81, long]),
        Err(_) => {
            encoded.push(0x82);
            encoded.extend(u16::try_from(len).unwrap().to_be_bytes());
        }
    }
    for part in parts {
        encoded.extend(part.as_ref());
    }
    encoded
}
