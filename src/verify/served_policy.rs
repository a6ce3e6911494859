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
    let unanswered = ip4.failure().or(ip6.failure()).map(str::to_owned);
    let ip4 = ip4.records().iter().copied().map(IpAddr::V4);
    let addresses: Vec<SocketAddr> = ip4
        .chain(ip6.records().iter().copied().map(IpAddr::V6))
        .map(|ip| SocketAddr::new(ip, 443))
        .collect();
    if addresses.is_empty() {
        return unanswered.map_or(PolicyFetch::NoHost, |why| {
            PolicyFetch::Failed(format!("the addresses of {host}: {why}"))
        });
    }
    let url = format!("https://{host}/.well-known/mta-sts.txt");
    match ask(&url, &host, &addresses, timeout).await {
        Ok(answer) => answer,
        Err(error) => failed(&error),
    }
}

async fn ask(
    url: &str,
    host: &QueryName,
    addresses: &[SocketAddr],
    timeout: Duration,
) -> Result<PolicyFetch, reqwest::Error> {
    // Installed once a process; a second time changes nothing.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder()
        .user_agent(concat!("launchctl/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .timeout(timeout)
        .resolve_to_addrs(host.as_str(), addresses)
        .build()?;
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

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(10);

    /// What is made of an answer that a server gives as it stands here.
    async fn answered(answer: Vec<u8>) -> PolicyFetch {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = [0; 2048];
            let length = stream.read(&mut request).unwrap();
            // The reader may have had enough before all of it is sent.
            let _ = stream.write_all(&answer);
            String::from_utf8_lossy(&request[..length]).into_owned()
        });
        let host = QueryName::parse("mta-sts.acme.example").unwrap();
        let url = format!("http://{host}:{}/.well-known/mta-sts.txt", address.port());
        let fetched = ask(&url, &host, &[address], PATIENCE)
            .await
            .unwrap_or_else(|error| failed(&error));
        let request = server.join().unwrap();
        assert!(
            request.starts_with("GET /.well-known/mta-sts.txt HTTP/1.1\r\n"),
            "{request}"
        );
        fetched
    }

    #[tokio::test]
    async fn an_answer_is_taken_as_it_is_and_a_redirect_is_not_followed() {
        let policy = "version: STSv1\nmode: none\nmax_age: 86400\n";
        let text = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {}\r\n\r\n{policy}",
            policy.len()
        );
        let expected = PolicyFetch::Answer {
            status: 200,
            media_type: "text/plain".into(),
            body: policy.into(),
        };
        assert_eq!(answered(text.into_bytes()).await, expected);
        let moved = "HTTP/1.1 301 Moved\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n";
        let PolicyFetch::Answer { status, .. } = answered(moved.into()).await else {
            panic!("a redirect is an answer");
        };
        assert_eq!(status, 301);
    }

    #[tokio::test]
    async fn an_endless_answer_is_cut_and_no_answer_is_a_failure() {
        let mut endless = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n".to_vec();
        endless.extend(vec![b'x'; 4 * MOST]);
        let PolicyFetch::Answer { body, .. } = answered(endless).await else {
            panic!("a long answer is an answer");
        };
        assert_eq!(body.len(), MOST + 1);
        assert!(matches!(answered(b"nonsense".to_vec()).await, PolicyFetch::Failed(_)));
    }
}
