//! Data keys under the transit engine of a Vault (or of OpenBao, whose interface is the same). Each tenant has a key of
//! its own there, `iomt-<tenant>`, which never leaves it; deleting it shreds the tenant, backups included.

#[cfg(test)]
mod tests;

use std::time::Duration;

use async_trait::async_trait;
use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use reqwest::{Client, Method, StatusCode, redirect::Policy};
use serde::Deserialize;
use serde_json::{Value, json};
use tenants::{
    TenantId,
    keys::{KeyBytes, Kms, SealError, Shredded},
};
use url::Url;
use zeroize::Zeroizing;

use super::master::MasterKms;

const TIMEOUT: Duration = Duration::from_secs(5);
/// Largest answer that is read.
const MAX_ANSWER_BYTES: usize = 64 * 1024;

/// The transit engine of a Vault.
pub struct VaultKms {
    client: Client,
    /// Of the engine, with a slash at the end.
    engine: Url,
    token: Zeroizing<String>,
    /// What wrapped keys before there was a Vault.
    earlier: Option<MasterKms>,
}

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    data: Data,
}

#[derive(Default, Deserialize)]
struct Data {
    #[serde(default)]
    ciphertext: String,
    #[serde(default)]
    plaintext: Zeroizing<String>,
}

impl VaultKms {
    /// The transit engine mounted at `mount` of the Vault at `address`, for whoever has `token`. Its policy must allow to
    /// update `<mount>/encrypt/iomt-*`, `<mount>/decrypt/iomt-*`, `<mount>/rewrap/iomt-*` and `<mount>/keys/iomt-*/config`,
    /// and to create and delete `<mount>/keys/iomt-*`. What `earlier` has wrapped is opened by it, and wrapped anew here.
    ///
    /// # Errors
    /// [`SealError::Unreachable`] when no client can be made, or the address cannot be joined with the mount.
    pub fn new(
        address: &Url,
        mount: &str,
        token: Zeroizing<String>,
        earlier: Option<MasterKms>,
    ) -> Result<Self, SealError> {
        let failed = |error: &dyn std::error::Error| SealError::Unreachable(error.to_string());
        // Another may have been installed before; any will do.
        drop(rustls::crypto::ring::default_provider().install_default());
        let client = Client::builder()
            .redirect(Policy::none())
            .timeout(TIMEOUT)
            // Only the configuration reads the environment.
            .no_proxy()
            .build()
            .map_err(|error| failed(&error))?;
        let engine = address
            .join(&format!("{}/v1/{}/", address.path().trim_end_matches('/'), mount.trim_matches('/')))
            .map_err(|error| failed(&error))?;
        Ok(Self { client, engine, token, earlier })
    }

    fn wrapped_earlier(&self, wrapped: &[u8]) -> Option<&MasterKms> {
        self.earlier.as_ref().filter(|_| !wrapped.starts_with(b"vault:"))
    }

    async fn ask(
        &self,
        method: Method,
        path: &str,
        body: &Value,
    ) -> Result<(StatusCode, Vec<u8>), SealError> {
        // Neither the token nor what is sent is part of the error of a request.
        let unreachable =
            |error: reqwest::Error| SealError::Unreachable(format!("Vault: {}", error.without_url()));
        let url = self.engine.join(path).map_err(|error| SealError::Unreachable(error.to_string()))?;
        let request = self.client.request(method, url).header("X-Vault-Token", self.token.as_str());
        let mut answer = request.json(body).send().await.map_err(unreachable)?;
        let (status, mut text) = (answer.status(), Vec::new());
        while let Some(part) = answer.chunk().await.map_err(unreachable)? {
            if text.len() + part.len() > MAX_ANSWER_BYTES {
                return Err(SealError::Unreachable("Vault: the answer is too large".to_owned()));
            }
            text.extend_from_slice(&part);
        }
        Ok((status, text))
    }

    async fn work(&self, what: &str, tenant: TenantId, body: &Value) -> Result<Data, SealError> {
        let (status, text) = self.ask(Method::POST, &format!("{what}/{}", name(tenant)), body).await?;
        match status {
            StatusCode::OK => {
                let answer = serde_json::from_slice::<Answer>(&text);
                let wrong = |_| SealError::Unreachable(format!("Vault: {what} answered something else"));
                answer.map(|answer| answer.data).map_err(wrong)
            }
            // What it says of a key that is gone, or of a text that it did not make.
            StatusCode::BAD_REQUEST | StatusCode::NOT_FOUND => {
                Err(SealError::Lost(format!("Vault has no key {} that opens them", name(tenant))))
            }
            _ => Err(SealError::Unreachable(format!("Vault: {what} answered {status}"))),
        }
    }
}

#[async_trait]
impl Kms for VaultKms {
    async fn wrap(&self, tenant: TenantId, key: &KeyBytes) -> Result<Vec<u8>, SealError> {
        let plaintext = Zeroizing::new(BASE64.encode(key.as_slice()));
        let wrapped = self.work("encrypt", tenant, &json!({ "plaintext": plaintext.as_str() })).await?;
        Ok(wrapped.ciphertext.into_bytes())
    }

    async fn unwrap(&self, tenant: TenantId, wrapped: &[u8]) -> Result<KeyBytes, SealError> {
        let damaged = || SealError::Lost("a data key in the database is damaged".to_owned());
        if let Some(earlier) = self.wrapped_earlier(wrapped) {
            return earlier.unwrap(tenant, wrapped).await;
        }
        let ciphertext = std::str::from_utf8(wrapped).map_err(|_| damaged())?;
        let opened = self.work("decrypt", tenant, &json!({ "ciphertext": ciphertext })).await?;
        let bytes = BASE64.decode(opened.plaintext.as_str()).map(Zeroizing::new).map_err(|_| damaged())?;
        bytes.as_slice().try_into().map(Zeroizing::new).map_err(|_| damaged())
    }

    async fn rewrap(&self, tenant: TenantId, wrapped: &[u8]) -> Result<Option<Vec<u8>>, SealError> {
        if self.wrapped_earlier(wrapped).is_some() {
            let key = self.unwrap(tenant, wrapped).await?;
            return self.wrap(tenant, &key).await.map(Some);
        }
        let ciphertext = String::from_utf8_lossy(wrapped);
        let anew = self.work("rewrap", tenant, &json!({ "ciphertext": ciphertext })).await?.ciphertext;
        Ok((version(&anew) != version(&ciphertext)).then(|| anew.into_bytes()))
    }

    async fn shred(&self, tenant: TenantId) -> Result<Shredded, SealError> {
        if let Some(earlier) = &self.earlier {
            earlier.shred(tenant).await?;
        }
        let key = format!("keys/{}", name(tenant));
        let allow = json!({ "deletion_allowed": true });
        let gone = [StatusCode::BAD_REQUEST, StatusCode::NOT_FOUND];
        let (status, _) = self.ask(Method::POST, &format!("{key}/config"), &allow).await?;
        if gone.contains(&status) {
            return Ok(Shredded::WithBackups);
        }
        let (status, _) = self.ask(Method::DELETE, &key, &json!({})).await?;
        if status.is_success() || gone.contains(&status) {
            return Ok(Shredded::WithBackups);
        }
        Err(SealError::Unreachable(format!("Vault: the key {} was not deleted: {status}", name(tenant))))
    }
}

fn name(tenant: TenantId) -> String {
    format!("iomt-{tenant}")
}

/// `vault:v3:...` is of version `v3`.
fn version(ciphertext: &str) -> Option<&str> {
    ciphertext.split(':').nth(1)
}
