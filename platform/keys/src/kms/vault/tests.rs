//! Against a server that answers as the transit engine's documentation says, on a loopback port. It keeps one key per
//! name, encrypts by turning bytes over, and knows no other token than its own.

use std::{collections::HashMap, sync::Arc};

use parking_lot::Mutex;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use uuid::Uuid;

use super::*;

/// Versions of the keys by name, and whether each may be deleted.
type Engine = Arc<Mutex<HashMap<String, (u32, bool)>>>;

struct Vault {
    address: Url,
    engine: Engine,
    task: JoinHandle<()>,
}

impl Drop for Vault {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Vault {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
        let engine = Engine::default();
        let served = engine.clone();
        let task = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(serve(stream, served.clone()));
            }
        });
        Self { address, engine, task }
    }

    fn kms(&self, token: &str, earlier: Option<MasterKms>) -> VaultKms {
        VaultKms::new(&self.address, "transit", Zeroizing::new(token.to_owned()), earlier).unwrap()
    }
}

/// Answers one request, and closes.
async fn serve(mut stream: TcpStream, engine: Engine) {
    let mut text = Vec::new();
    let (head, body) = loop {
        let mut part = [0; 4096];
        let read = stream.read(&mut part).await.unwrap();
        text.extend_from_slice(&part[..read]);
        let whole = String::from_utf8(text.clone()).unwrap();
        let Some((head, body)) = whole.split_once("\r\n\r\n") else { continue };
        let length =
            head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
        if body.len() >= length.unwrap_or(0) {
            break (head.to_owned(), body.to_owned());
        }
    };
    let (status, answer) = answer(&head, &serde_json::from_str(&body).unwrap(), &engine);
    let answer = answer.to_string();
    let text = format!(
        "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{answer}",
        answer.len()
    );
    stream.write_all(text.as_bytes()).await.unwrap();
}

fn answer(head: &str, body: &Value, engine: &Engine) -> (u16, Value) {
    if !head.to_lowercase().contains("x-vault-token: hvs.right") {
        return (403, json!({ "errors": ["permission denied"] }));
    }
    let mut line = head.lines().next().unwrap().split(' ');
    let (method, path) = (line.next().unwrap(), line.next().unwrap().strip_prefix("/v1/transit/").unwrap());
    let mut keys = engine.lock();
    let refused = |why: &str| (400, json!({ "errors": [why] }));
    match (method, path.split('/').collect::<Vec<_>>().as_slice()) {
        ("POST", ["encrypt", name]) => {
            let (version, _) = *keys.entry((*name).to_owned()).or_insert((1, false));
            (
                200,
                json!({ "data": { "ciphertext": encrypted(version, body["plaintext"].as_str().unwrap()) } }),
            )
        }
        ("POST", ["decrypt", name]) if keys.contains_key(*name) => match decrypted(body) {
            Some(plain) => (200, json!({ "data": { "plaintext": plain } })),
            None => refused("invalid ciphertext: no prefix"),
        },
        ("POST", ["rewrap", name]) if keys.contains_key(*name) => {
            let version = keys[*name].0;
            (200, json!({ "data": { "ciphertext": encrypted(version, &decrypted(body).unwrap()) } }))
        }
        ("POST", ["keys", name, "config"]) if keys.contains_key(*name) => {
            keys.get_mut(*name).unwrap().1 = body["deletion_allowed"].as_bool().unwrap();
            (200, json!({ "data": {} }))
        }
        ("DELETE", ["keys", name]) if keys.get(*name).is_some_and(|key| key.1) => {
            keys.remove(*name);
            (204, Value::Null)
        }
        _ => refused("encryption key not found"),
    }
}

fn encrypted(version: u32, plain: &str) -> String {
    format!("vault:v{version}:{}", plain.chars().rev().collect::<String>())
}

fn decrypted(body: &Value) -> Option<String> {
    let text = body["ciphertext"].as_str()?.strip_prefix("vault:v")?;
    Some(text.split_once(':')?.1.chars().rev().collect())
}

fn tenant(n: u128) -> TenantId {
    TenantId::from_uuid(Uuid::from_u128(n))
}

fn key(n: u8) -> KeyBytes {
    Zeroizing::new([n; 32])
}

#[tokio::test]
async fn each_tenant_has_a_key_in_the_vault_that_is_deleted_with_it() {
    let vault = Vault::start().await;
    let kms = vault.kms("hvs.right", None);
    let wrapped = kms.wrap(tenant(1), &key(1)).await.unwrap();
    assert!(wrapped.starts_with(b"vault:v1:"));
    assert_eq!(kms.unwrap(tenant(1), &wrapped).await.unwrap(), key(1));
    let others = kms.wrap(tenant(2), &key(2)).await.unwrap();
    assert_eq!(kms.rewrap(tenant(1), &wrapped).await, Ok(None));
    vault.engine.lock().get_mut(&name(tenant(1))).unwrap().0 = 2;
    let anew = kms.rewrap(tenant(1), &wrapped).await.unwrap().unwrap();
    assert!(anew.starts_with(b"vault:v2:"));

    for _ in 0..2 {
        assert_eq!(kms.shred(tenant(1)).await, Ok(Shredded::WithBackups), "asked again it is done already");
    }
    for gone in [wrapped, anew] {
        assert!(matches!(kms.unwrap(tenant(1), &gone).await, Err(SealError::Lost(_))));
    }
    assert_eq!(kms.unwrap(tenant(2), &others).await.unwrap(), key(2));
}

#[tokio::test]
async fn a_vault_that_refuses_or_is_away_is_named_and_nothing_secret_is() {
    let vault = Vault::start().await;
    let refused = vault.kms("hvs.wrong", None).wrap(tenant(1), &key(1)).await.unwrap_err();
    assert!(matches!(&refused, SealError::Unreachable(why) if why.contains("403")), "{refused}");
    let kms = vault.kms("hvs.right", None);
    let wrapped = kms.wrap(tenant(1), &key(1)).await.unwrap();
    assert!(matches!(kms.unwrap(tenant(1), b"vault:nonsense").await, Err(SealError::Lost(_))));
    drop(vault);
    let away = kms.unwrap(tenant(1), &wrapped).await.unwrap_err();
    assert!(matches!(&away, SealError::Unreachable(why) if why.contains("Vault")), "{away}");
    assert!(!format!("{refused} {away}").contains("hvs."));
}

#[tokio::test]
async fn what_a_master_key_has_wrapped_moves_into_the_vault() {
    let vault = Vault::start().await;
    let master = || MasterKms::new(&key(7), &[], None).unwrap();
    let wrapped = master().wrap(tenant(1), &key(1)).await.unwrap();
    let both = vault.kms("hvs.right", Some(master()));
    assert_eq!(both.unwrap(tenant(1), &wrapped).await.unwrap(), key(1));
    let moved = both.rewrap(tenant(1), &wrapped).await.unwrap().unwrap();
    assert_eq!(both.rewrap(tenant(1), &moved).await, Ok(None));
    assert_eq!(vault.kms("hvs.right", None).unwrap(tenant(1), &moved).await.unwrap(), key(1));
}
