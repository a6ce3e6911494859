//! The MTA-STS policy as senders get it (RFC 8461 §3.3): over https with a valid certificate, redirects not followed,
//! within bounds. The host's addresses come from the same resolver as everything else.

use std::error::Error as _;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use crate::base::text;
use crate::mail::dns::{self, Dns, QueryName};
use crate::mail::findings::facts::PolicyFetch;

/// The most of an answer that is read, in bytes (RFC 8461 §3.3).
const MOST: usize = 64 * 1024;

/// Asks for the policy of `domain`.
pub async fn fetch(dns: &dyn Dns, domain: &QueryName, timeout: Duration) -> PolicyFetch {
    let Ok(host) = domain.prefixed("mta-sts") else {
        return PolicyFetch::Failed("its host would be longer than DNS allows".to_owned());
    };
    let (ip4, ip6) = (dns::a(dns, &host).await, dns::aaaa(dns, &host).await);
    let ip4 = ip4.records().iter().copied().map(IpAddr::V4);
    let addresses: Vec<SocketAddr> = ip4
        .chain(ip6.records().iter().copied().map(IpAddr::V6))
        .map(|ip| SocketAddr::new(ip, 443))
        .collect();
    if addresses.is_empty() {
        return PolicyFetch::Failed(format!("{host} has no address"));
    }
    match ask(&host, &addresses, timeout).await {
        Ok(answer) => answer,
        Err(error) => failed(&error),
    }
}

async fn ask(host: &QueryName, addresses: &[SocketAddr], timeout: Duration) -> Result<PolicyFetch, reqwest::Error> {
    let client = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .timeout(timeout)
        .resolve_to_addrs(host.as_str(), addresses)
        .build()?;
    let url = format!("https://{host}/.well-known/mta-sts.txt");
    let mut response = client.get(url).send().await?;
    let media_type = response
        .headers()
        .get(reqwest::header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .unwrap_or("no media type")
        .trim()
        .to_owned();
    let status = response.status().as_u16();
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        body.extend_from_slice(&chunk);
        if body.len() > MOST {
            // One byte too many is enough to know that it is too long.
            body.truncate(MOST + 1);
            break;
        }
    }
    Ok(PolicyFetch::Answer {
        status,
        media_type,
        body: String::from_utf8_lossy(&body).into_owned(),
    })
}

/// A certificate that nobody trusts is an answer; anything else may pass.
fn failed(error: &reqwest::Error) -> PolicyFetch {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        words = inner.to_string();
        cause = inner.source();
    }
    let words = text::shorten(&text::sanitize(&words), 200);
    if words.contains("certificate") {
        PolicyFetch::BadCertificate(words)
    } else {
        PolicyFetch::Failed(words)
    }
}
