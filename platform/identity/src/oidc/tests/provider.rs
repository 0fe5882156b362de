//! A provider on a loopback port that answers as a test tells it.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use parking_lot::Mutex;
use ring::{
    hmac,
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair},
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// A signing key with its public half as a JWK.
pub(super) enum Signer {
    Es256(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

impl Signer {
    pub(super) fn es256() -> Self {
        let random = SystemRandom::new();
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref(), &random);
        Self::Es256(pair.unwrap())
    }

    pub(super) fn ed25519() -> Self {
        let pkcs8 = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        Self::Ed25519(Ed25519KeyPair::from_pkcs8(pkcs8.as_ref()).unwrap())
    }

    pub(super) fn alg(&self) -> &'static str {
        match self {
            Self::Es256(_) => "ES256",
            Self::Ed25519(_) => "EdDSA",
        }
    }

    pub(super) fn jwk(&self, kid: &str) -> Value {
        let part = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        match self {
            Self::Es256(pair) => {
                let point = pair.public_key().as_ref();
                json!({ "kty": "EC", "crv": "P-256", "use": "sig", "kid": kid,
                    "x": part(&point[1..33]), "y": part(&point[33..]) })
            }
            Self::Ed25519(pair) => json!({ "kty": "OKP", "crv": "Ed25519", "use": "sig", "kid": kid,
                "x": part(pair.public_key().as_ref()) }),
        }
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        match self {
            Self::Es256(pair) => pair.sign(&SystemRandom::new(), message).unwrap().as_ref().to_vec(),
            Self::Ed25519(pair) => pair.sign(message).as_ref().to_vec(),
        }
    }

    /// A token as this key's owner makes it.
    pub(super) fn token(&self, header: &Value, claims: &Value) -> String {
        let signed = signing_input(header, claims);
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(self.sign(signed.as_bytes())))
    }
}

pub(super) fn signing_input(header: &Value, claims: &Value) -> String {
    format!("{}.{}", URL_SAFE_NO_PAD.encode(header.to_string()), URL_SAFE_NO_PAD.encode(claims.to_string()))
}

/// What somebody makes who knows the public key only, and hopes that it is taken for a secret.
pub(super) fn hs256(secret: &[u8], header: &Value, claims: &Value) -> String {
    let signed = signing_input(header, claims);
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), signed.as_bytes());
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(tag.as_ref()))
}

/// Which answer a path gets: status and body.
type Answers = Arc<Mutex<HashMap<String, (u16, String)>>>;

pub(super) struct Provider {
    pub(super) issuer: String,
    answers: Answers,
    /// How often the keys were asked for.
    pub(super) key_requests: Arc<AtomicUsize>,
    /// The last request for tokens.
    pub(super) asked: Arc<Mutex<String>>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Provider {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Provider {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let (answers, asked) = (Answers::default(), Arc::<Mutex<String>>::default());
        let key_requests = Arc::<AtomicUsize>::default();
        let served = (Arc::clone(&answers), Arc::clone(&asked), Arc::clone(&key_requests));
        let task = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(serve(stream, served.clone()));
            }
        });
        let provider = Self { issuer, answers, key_requests, asked, task };
        provider.describe(&json!({}));
        provider
    }

    /// Sets the discovery document, with these changes.
    pub(super) fn describe(&self, changes: &Value) {
        let at = |path: &str| format!("{}{path}", self.issuer);
        let mut document = json!({
            "issuer": self.issuer, "authorization_endpoint": at("/auth"), "token_endpoint": at("/token"),
            "jwks_uri": at("/keys"), "userinfo_endpoint": at("/me"), "end_session_endpoint": at("/end"),
            "response_types_supported": ["code"], "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["ES256"], "backchannel_logout_supported": true,
        });
        document.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        self.answer("/.well-known/openid-configuration", 200, &document);
    }

    pub(super) fn publish(&self, keys: &[Value]) {
        self.answer("/keys", 200, &json!({ "keys": keys }));
    }

    pub(super) fn give(&self, id_token: &str) {
        let tokens =
            json!({ "access_token": "at-1", "token_type": "Bearer", "expires_in": 60, "id_token": id_token });
        self.answer("/token", 200, &tokens);
    }

    pub(super) fn answer(&self, path: &str, status: u16, body: &Value) {
        self.answers.lock().insert(path.to_owned(), (status, body.to_string()));
    }
}

async fn serve(
    mut stream: TcpStream,
    (answers, asked, keys): (Answers, Arc<Mutex<String>>, Arc<AtomicUsize>),
) {
    let (mut request, mut buffer) = (Vec::new(), [0_u8; 4_096]);
    loop {
        let read = stream.read(&mut buffer).await.unwrap_or(0);
        if read == 0 {
            return;
        }
        request.extend_from_slice(&buffer[..read]);
        let text = String::from_utf8_lossy(&request).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().unwrap())
        });
        if body.len() < length.unwrap_or(0) {
            continue;
        }
        let path = head.split(' ').nth(1).unwrap().to_owned();
        if path == "/keys" {
            keys.fetch_add(1, SeqCst);
        }
        if path == "/token" {
            *asked.lock() = text.clone();
        }
        let (status, body) = answers.lock().get(&path).cloned().unwrap_or((404, "{}".to_owned()));
        let answer = format!(
            "HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        );
        drop(stream.write_all(answer.as_bytes()).await);
        return;
    }
}
