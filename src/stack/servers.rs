//! Which servers run on this machine? The ports where they usually listen are asked, and each answer has to say who it is.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use super::identity;
use super::probe::Probe;

/// Where servers listen unless told otherwise, and whose habit that is.
pub const USUAL_PORTS: [(u16, &str); 8] = [
    (11434, "Ollama"),
    (8080, "llama.cpp, mlx_lm"),
    (8000, "vLLM"),
    (1234, "LM Studio"),
    (4000, "LiteLLM"),
    (8321, "Llama Stack"),
    (30000, "SGLang"),
    (10240, "mlx-omni-server"),
];

/// A loopback port that takes no connection within this is nobody's.
const KNOCK: Duration = Duration::from_millis(500);
/// A server that does not say who it is within this is not waited for.
const PATIENCE: Duration = Duration::from_secs(8);

/// A server that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundServer {
    /// Address, without `/v1`.
    pub url: String,
    /// Name and version; or why it did not tell.
    pub server: Result<String, String>,
    /// Models that it lists.
    pub models: Vec<String>,
}

/// Asks the usual ports of this machine, all at once.
pub async fn running_servers(ports: &[u16]) -> Vec<FoundServer> {
    let asked = ports.iter().map(|&port| ask(port));
    futures::future::join_all(asked).await.into_iter().flatten().collect()
}

async fn ask(port: u16) -> Option<FoundServer> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let knocked = tokio::time::timeout(KNOCK, tokio::net::TcpStream::connect(address)).await;
    drop(knocked.ok()?.ok()?);
    let url = format!("http://{address}");
    let asked = async { identity::of_attached(&Probe::new(&url, None)?, &url).await };
    let found = match tokio::time::timeout(PATIENCE, asked).await {
        Ok(found) => found.map_err(|error| error.message),
        Err(_) => Err(format!("{url} takes connections and does not answer")),
    };
    let models = found.as_ref().map(|found| found.models.clone()).unwrap_or_default();
    Some(FoundServer { url, server: found.map(|found| found.server), models })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_port_of_nobody_is_no_server_and_a_stranger_does_not_pass_for_one() {
        let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        // It takes the connection and closes it.
        let stranger = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = stranger.local_addr().unwrap().port();
        std::thread::spawn(move || stranger.incoming().for_each(drop));
        let found = running_servers(&[nobody, port]).await;
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].server.is_err() && found[0].models.is_empty(), "{found:?}");
    }
}
