//! Asks a running agent's admin endpoints: always directly, never through a proxy.

use crate::sink::http;
use std::net::SocketAddr;
use std::time::Duration;

/// An agent that lives answers sooner.
const PATIENCE: Duration = Duration::from_secs(5);

/// What the agent answers at `path`: whether it is a success, and the text.
///
/// # Errors
/// Nobody answers; the text says why.
pub(super) fn get(address: SocketAddr, path: &str) -> Result<(bool, String), String> {
    let url = format!("http://{address}{path}");
    let asked = (|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|e| e.to_string())?;
        runtime.block_on(async {
            let client = reqwest::Client::builder().no_proxy().tls_certs_only([]).timeout(PATIENCE);
            let why = |error: reqwest::Error| http::chain(&error.without_url());
            let response = client.build().map_err(why)?.get(&url).send().await.map_err(why)?;
            let good = response.status().is_success();
            response.text().await.map(|text| (good, text)).map_err(why)
        })
    })();
    asked.map_err(|error: String| format!("no agent answers at {url}: {error}"))
}
