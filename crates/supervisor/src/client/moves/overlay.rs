//! Offered settings laid over those of the host: what they mean, or why they are refused. Pure.

use http::{HeaderName, HeaderValue};
use tidegate_opamp::{Headers, OpAMPConnectionSettings, ProxyConnectionSettings, TLSConnectionSettings};

use super::super::tls::{TlsSettings, Version};
use super::super::{Proxy, Target, headers};

/// Most headers that are taken.
const MOST_HEADERS: usize = 64;

/// What is in force once `offer` is taken: a part that it leaves out is kept (ruling A8, OpAMP C110, C112).
pub(super) fn merge(
    kept: &OpAMPConnectionSettings,
    offer: &OpAMPConnectionSettings,
) -> OpAMPConnectionSettings {
    let endpoint = [offer, kept]
        .map(|from| &from.destination_endpoint)
        .into_iter()
        .find(|endpoint| !endpoint.is_empty());
    OpAMPConnectionSettings {
        destination_endpoint: endpoint.cloned().unwrap_or_default(),
        headers: offer.headers.as_ref().or(kept.headers.as_ref()).cloned(),
        tls: offer.tls.as_ref().or(kept.tls.as_ref()).cloned(),
        proxy: offer.proxy.as_ref().or(kept.proxy.as_ref()).cloned(),
        ..OpAMPConnectionSettings::default()
    }
}

/// The server that settings name, where the host's own settings fill what they leave out.
///
/// # Errors
/// Why they are refused, in a sentence for operators.
pub(super) fn overlay(base: &Target, settings: &OpAMPConnectionSettings) -> Result<Target, String> {
    let endpoint = match settings.destination_endpoint.as_str() {
        "" => base.endpoint.clone(),
        text => text.parse().map_err(|error| format!("the endpoint cannot be used: {error}"))?,
    };
    let headers = match &settings.headers {
        Some(offered) => with_headers(&base.headers, offered)?,
        None => base.headers.clone(),
    };
    let tls = settings.tls.as_ref().map_or_else(|| Ok(base.tls.clone()), |tls| with_tls(&base.tls, tls))?;
    let proxy = match &settings.proxy {
        Some(offered) => Some(proxy(offered)?),
        None => base.proxy.clone(),
    };
    Ok(Target { endpoint, headers, tls, proxy })
}

/// Offered headers take the place of those offered before; headers of the host stay where they have another name
/// (OpAMP C117).
fn with_headers(
    base: &[(HeaderName, HeaderValue)],
    offered: &Headers,
) -> Result<Vec<(HeaderName, HeaderValue)>, String> {
    let offered = parsed(offered)?;
    let mut all: Vec<_> = base
        .iter()
        .filter(|(name, _)| offered.iter().all(|(replaces, _)| replaces != name))
        .cloned()
        .collect();
    all.extend(offered);
    Ok(all)
}

fn parsed(offered: &Headers) -> Result<Vec<(HeaderName, HeaderValue)>, String> {
    if offered.headers.len() > MOST_HEADERS {
        return Err(format!("there are more than {MOST_HEADERS} headers"));
    }
    let parsed = offered.headers.iter().map(|header| headers::parse(&header.key, &header.value));
    parsed.collect::<Result<_, _>>().map_err(|error| format!("a header cannot be used: {error}"))
}

/// OpAMP C115.
fn proxy(offered: &ProxyConnectionSettings) -> Result<Proxy, String> {
    let headers = offered.connect_headers.as_ref().map_or_else(|| Ok(Vec::new()), parsed)?;
    Proxy::new(&offered.url, headers).map_err(|error| format!("the proxy cannot be used: {error}"))
}

/// OpAMP C113, C114.
fn with_tls(base: &TlsSettings, offered: &TLSConnectionSettings) -> Result<TlsSettings, String> {
    if offered.insecure_skip_verify {
        return Err(
            "this host speaks to no server that it cannot verify: insecure_skip_verify is refused".into()
        );
    }
    let own = offered.ca_pem_contents.is_empty();
    let tls = TlsSettings {
        authorities: if own { base.authorities.clone() } else { offered.ca_pem_contents.clone() },
        system: offered.include_system_ca_certs_pool || (own && base.system),
        versions: (
            version(&offered.min_version)?.unwrap_or(Version::Tls12),
            version(&offered.max_version)?.unwrap_or(Version::Tls13),
        ),
        suites: offered.cipher_suites.clone(),
    };
    tls.check().map_err(|error| error.to_string())?;
    Ok(tls)
}

fn version(text: &str) -> Result<Option<Version>, String> {
    match text.strip_prefix("TLSv").unwrap_or(text) {
        "" => Ok(None),
        "1.2" => Ok(Some(Version::Tls12)),
        "1.3" => Ok(Some(Version::Tls13)),
        _ => Err(format!("the TLS version {} is not spoken here: 1.2 and 1.3 are", text.escape_debug())),
    }
}
