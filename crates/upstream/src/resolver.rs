//! Turning names into addresses that may be connected to.
//!
//! Invariant: the addresses that were checked are the ones connected to, so a
//! name that resolves differently a moment later gains nothing (H35).

use std::collections::BTreeSet;
use std::net::SocketAddr;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::address::is_public;

/// A name resolves to no address that may be connected to.
#[derive(Debug, thiserror::Error)]
#[error("the name resolves to no public address")]
pub(crate) struct NotPublic;

/// Resolves to public addresses only.
#[derive(Debug)]
pub(crate) struct PublicResolver;

impl Resolve for PublicResolver {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let addresses = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let public: Vec<SocketAddr> = addresses
                .filter(|address| is_public(address.ip()))
                .collect();
            if public.is_empty() {
                Err(NotPublic.into())
            } else {
                Ok(Box::new(public.into_iter()) as Addrs)
            }
        })
    }
}

/// Resolves the names of the configured proxies to whatever they are, and no
/// other name: whoever goes through a proxy connects to nothing else.
#[derive(Debug)]
pub(crate) struct ProxyResolver {
    pub(crate) proxies: BTreeSet<String>,
}

impl Resolve for ProxyResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let known = self.proxies.contains(name.as_str());
        Box::pin(async move {
            if !known {
                return Err(NotPublic.into());
            }
            let addresses: Vec<SocketAddr> =
                tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

/// Whether a name resolves, and to no public address.
pub(crate) async fn resolves_to_private(name: &str) -> bool {
    match tokio::net::lookup_host((name, 0)).await {
        Ok(mut addresses) => addresses.all(|address| !is_public(address.ip())),
        Err(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn this_machine_is_not_public() {
        let error = PublicResolver
            .resolve("localhost".parse().unwrap())
            .await
            .err()
            .unwrap();
        assert!(error.is::<NotPublic>());
    }

    #[tokio::test]
    async fn only_proxies_are_resolved_for_going_through_them() {
        let resolver = ProxyResolver {
            proxies: BTreeSet::from(["localhost".to_owned()]),
        };
        assert!(
            resolver
                .resolve("localhost".parse().unwrap())
                .await
                .unwrap()
                .count()
                > 0
        );
        let error = resolver
            .resolve("files.example.com".parse().unwrap())
            .await
            .err()
            .unwrap();
        assert!(error.is::<NotPublic>());
    }
}
