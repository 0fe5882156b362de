//! Passwords and their Argon2id hashes, checked by a bounded number of threads.

use std::{num::NonZero, sync::Arc};

use argon2::{
    Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version,
    password_hash::{self, phc::PasswordHash},
};
use tokio::sync::Semaphore;

use crate::IdentityError;

/// OWASP Password Storage Cheat Sheet (2023), Argon2id: 19 MiB of memory, 2 iterations, 1 lane.
const MEMORY_KIB: u32 = 19 * 1024;
const ITERATIONS: u32 = 2;
const LANES: u32 = 1;

/// Sign-ins that may wait for a thread. Further ones are told to come back: at about 30 ms each, nobody in
/// this queue waits for more than a few seconds.
const QUEUE: usize = 64;
/// Threads at most, each with 19 MiB.
const MAX_THREADS: usize = 4;

/// Longest password that is looked at; hashing more would be work for nothing.
pub(crate) const MAX_PASSWORD_BYTES: usize = 1_024;

/// The hash of no password, with the parameters above. Checking against it takes as long as checking
/// against anybody's, so that the time of an answer does not tell who has an account.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5J3Mgc2FsdCEhIQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Hashes and checks passwords.
pub(crate) struct Passwords {
    threads: Arc<Semaphore>,
    places: Arc<Semaphore>,
}

impl Passwords {
    pub(crate) fn new() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
        let threads = cores.min(MAX_THREADS);
        Self { threads: Arc::new(Semaphore::new(threads)), places: Arc::new(Semaphore::new(threads + QUEUE)) }
    }

    /// The PHC string of a password.
    pub(crate) async fn hash(&self, password: &str) -> Result<String, IdentityError> {
        let password = password.to_owned();
        let hashed = self.run(move || {
            hasher()?.hash_password(password.as_bytes()).map(|hash| hash.to_string()).map_err(of_library)
        });
        hashed.await
    }

    /// Whether it is the password of the hash. Without a hash it never is, and takes as long.
    pub(crate) async fn verify(&self, password: &str, hash: Option<&str>) -> Result<bool, IdentityError> {
        if password.len() > MAX_PASSWORD_BYTES {
            return Ok(false);
        }
        let (password, hash) = (password.to_owned(), hash.unwrap_or(NOBODY).to_owned());
        let verified = self.run(move || {
            let hash =
                PasswordHash::new(&hash).map_err(|error| IdentityError::Hash(error.to_string().into()))?;
            match hasher()?.verify_password(password.as_bytes(), &hash) {
                Ok(()) => Ok(true),
                Err(password_hash::Error::PasswordInvalid) => Ok(false),
                Err(error) => Err(of_library(error)),
            }
        });
        verified.await
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, IdentityError> + Send + 'static,
    ) -> Result<T, IdentityError> {
        let _place = self.places.clone().try_acquire_owned().map_err(|_| IdentityError::Busy)?;
        let thread = self.threads.clone().acquire_owned().await.map_err(|_| IdentityError::Busy)?;
        // The permit goes along: a caller that gives up does not free the thread that still works for it.
        let done = tokio::task::spawn_blocking(move || {
            let _thread = thread;
            work()
        });
        done.await.map_err(|error| IdentityError::Hash(error.into()))?
    }
}

fn hasher() -> Result<Argon2<'static>, IdentityError> {
    let params = Params::new(MEMORY_KIB, ITERATIONS, LANES, None)
        .map_err(|error| IdentityError::Hash(error.to_string().into()))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn of_library(error: password_hash::Error) -> IdentityError {
    IdentityError::Hash(error.to_string().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_password_itself_is_taken() {
        let passwords = Passwords::new();
        let hash = passwords.hash("correct horse battery").await.unwrap();
        assert_ne!(
            hash,
            passwords.hash("correct horse battery").await.unwrap(),
            "every hash has its own salt"
        );
        let long = "x".repeat(MAX_PASSWORD_BYTES + 1);
        for (password, right) in [
            ("correct horse battery", true),
            ("correct horse batterz", false),
            ("Correct horse battery", false),
            (" correct horse battery", false),
            ("", false),
            (long.as_str(), false),
        ] {
            assert_eq!(passwords.verify(password, Some(&hash)).await.unwrap(), right, "{password:.30}");
            assert!(!passwords.verify(password, None).await.unwrap(), "nobody has a password");
        }
        assert!(
            passwords.verify("x", Some("plain text")).await.is_err(),
            "a broken hash is not a wrong password"
        );
    }

    #[tokio::test]
    async fn nobody_costs_as_much_as_anybody() {
        let hash = Passwords::new().hash("x").await.unwrap();
        let parameters = |phc: &str| phc.split('$').take(4).map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(parameters(NOBODY), parameters(&hash));
        assert_eq!(parameters(NOBODY)[3], format!("m={MEMORY_KIB},t={ITERATIONS},p={LANES}"));
        let (nobody, anybody) = (PasswordHash::new(NOBODY).unwrap(), PasswordHash::new(&hash).unwrap());
        assert_eq!(nobody.salt.unwrap().len(), anybody.salt.unwrap().len());
        assert_eq!(nobody.hash.unwrap().len(), anybody.hash.unwrap().len());
    }

    #[tokio::test]
    async fn a_queue_that_is_full_says_so() {
        let passwords = Passwords::new();
        let places = u32::try_from(passwords.places.available_permits()).unwrap();
        let _all = passwords.places.clone().acquire_many_owned(places).await.unwrap();
        assert!(matches!(passwords.verify("x", None).await, Err(IdentityError::Busy)));
    }
}
