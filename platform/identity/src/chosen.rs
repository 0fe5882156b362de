//! Passwords that people choose for a new account: long enough, and not among those that are tried first.

use zxcvbn::{Score, zxcvbn};

use crate::{Identity, IdentityError, passwords::MAX_PASSWORD_BYTES};

/// Shortest password that is taken for a new account.
pub const PASSWORD_MIN_CHARACTERS: usize = 12;
/// What of a password is looked at for being guessed: the time for that grows faster than its length, and a longer one
/// is not weaker.
const LOOKED_AT: usize = 64;
/// Shortest word about a person that is looked for in their password, in characters.
const WORD: usize = 3;
/// Characters that a password has beside such words.
const LEFT: usize = 8;

impl Identity {
    /// Refuses a password that is too short or too long, that is tried first, or that is in the file of breached ones.
    ///
    /// # Errors
    /// [`IdentityError::BadInput`] saying what is wrong; [`IdentityError::Breached`] when the file cannot be read.
    pub(crate) async fn check_password(&self, password: &str, about: &[&str]) -> Result<(), IdentityError> {
        check_password(password, about)?;
        let Some(breached) = self.breached.clone() else { return Ok(()) };
        let looked_up = password.to_owned();
        let found = tokio::task::spawn_blocking(move || breached.contain(&looked_up)).await;
        match found.map_err(std::io::Error::other).flatten() {
            Ok(false) => Ok(()),
            Ok(true) => {
                let problem = "was found in a breach of another site, so it is tried early; choose another";
                Err(refused(problem.to_owned()))
            }
            Err(error) => Err(IdentityError::Breached(error)),
        }
    }
}

/// Refuses what somebody who knows the account would guess within 10^8 attempts: common passwords, words and names with
/// their usual disguises, keyboard rows, dates; and what is little more than what is known `about` the person.
fn check_password(password: &str, about: &[&str]) -> Result<(), IdentityError> {
    if password.chars().count() < PASSWORD_MIN_CHARACTERS {
        return Err(refused(format!("must have at least {PASSWORD_MIN_CHARACTERS} characters")));
    }
    if password.len() > MAX_PASSWORD_BYTES {
        return Err(refused(format!("must have at most {MAX_PASSWORD_BYTES} bytes")));
    }
    if is_made_of(password, about) {
        return Err(refused("is little more than your name, address or hospital; choose another".to_owned()));
    }
    let looked_at: String = password.chars().take(LOOKED_AT).collect();
    let estimate = zxcvbn(&looked_at, &[]);
    if estimate.score() >= Score::Three {
        return Ok(());
    }
    let why = estimate.feedback().and_then(|feedback| feedback.warning());
    let why =
        why.map_or_else(String::new, |warning| format!(" ({})", warning.to_string().trim_end_matches('.')));
    Err(refused(format!(
        "is among those that are tried first{why}; choose another, such as four unrelated words"
    )))
}

/// Whether little is left of a password without what is known about the person.
fn is_made_of(password: &str, about: &[&str]) -> bool {
    let plain = |text: &str| -> String {
        text.chars().filter(|c| c.is_alphanumeric()).collect::<String>().to_lowercase()
    };
    let words = about.iter().flat_map(|text| text.split(|c: char| !c.is_alphanumeric())).map(plain);
    let mut words: Vec<_> = words.filter(|word| word.chars().count() >= WORD).collect();
    words.sort_by_key(|word| std::cmp::Reverse(word.len()));
    let whole = plain(password);
    let rest = words.iter().fold(whole.clone(), |rest, word| rest.replace(word.as_str(), ""));
    rest != whole && rest.chars().count() < LEFT
}

fn refused(problem: String) -> IdentityError {
    IdentityError::bad_input("password", problem)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_tried_first_is_refused() {
        let about = ["ada.lovelace@ward.example", "Ada Lovelace", "St. Elsewhere"];
        for weak in [
            "password1234",
            "Passw0rd1234",
            "qwertyuiop123",
            "123456789012",
            "aaaaaaaaaaaaaaaa",
            "abcdefghijklmnop",
            "letmeinletmein",
        ] {
            let refused = check_password(weak, &about).expect_err(weak).to_string();
            assert!(
                refused.starts_with("password: is among those that are tried first"),
                "{weak}: {refused}"
            );
            assert!(!refused.contains(weak), "what was chosen is not repeated");
        }
        for own in ["ada.lovelace1", "AdaLovelace2026", "!St.Elsewhere!", "Elsewhere-Ada-1"] {
            let refused = check_password(own, &about).expect_err(own).to_string();
            assert!(refused.contains("your name, address or hospital"), "{own}: {refused}");
        }
        for good in [
            "correct horse battery staple",
            "a password of some length",
            "Zw4r!kq9-Lp2x",
            "漢字仮名交じり文の長い合言葉",
        ] {
            assert!(check_password(good, &about).is_ok(), "{good}");
        }
        let long = "correct horse battery staple ".repeat(30);
        assert!(check_password(&long, &about).is_ok());
    }
}
