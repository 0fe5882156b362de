//! Second factors over the API. What a code must be is `identity`'s: here one code is everybody's.

use std::{collections::HashMap, sync::Mutex};

use jiff::Timestamp;
use serde_json::json;
use tenants::{
    StoreError, UserId,
    access::{Caller, Principal, Role, Scope},
    audit::AuditEntry,
    authenticator::{Authenticators, Pairing, Standing},
    second_factor::{SecondFactor, SecondFactorError},
};

use crate::{answers::code, hospital::Hospital};

/// The code that counts as everybody's.
pub(crate) const CODE: &str = "246810";

/// Knows that code, and who has enrolled.
#[derive(Default)]
pub(crate) struct FixedCode(Mutex<HashMap<UserId, Timestamp>>);

fn user(caller: &Caller) -> Result<UserId, SecondFactorError> {
    match &caller.principal {
        Principal::User { id, .. } => Ok(*id),
        Principal::Operator(_) | Principal::Client { .. } | Principal::Device(_) => {
            Err(SecondFactorError::NotAPerson)
        }
    }
}

fn checked(code: &str) -> Result<(), SecondFactorError> {
    if code == CODE { Ok(()) } else { Err(SecondFactorError::Wrong) }
}

#[async_trait::async_trait]
impl SecondFactor for FixedCode {
    async fn confirm(&self, _: &Caller, code: &str) -> Result<(), SecondFactorError> {
        checked(code)
    }
}

#[async_trait::async_trait]
impl Authenticators for FixedCode {
    async fn standing(&self, caller: &Caller) -> Result<Standing, SecondFactorError> {
        let since = self.0.lock().unwrap().get(&user(caller)?).copied();
        Ok(Standing { since, recovery_codes: since.map_or(0, |_| 10) })
    }
    async fn pair(&self, caller: &Caller) -> Result<Pairing, SecondFactorError> {
        user(caller)?;
        Ok(Pairing { secret: "ABC".into(), uri: "otpauth://totp/x?secret=ABC".into() })
    }
    async fn enrol(
        &self,
        caller: &Caller,
        code: &str,
        audit: &AuditEntry,
    ) -> Result<Vec<String>, SecondFactorError> {
        let user = user(caller)?;
        checked(code)?;
        self.0.lock().unwrap().insert(user, audit.at);
        Ok(vec!["aaaa-bbbb".into()])
    }
    async fn renew_recovery_codes(
        &self,
        caller: &Caller,
        code: &str,
        _: &AuditEntry,
    ) -> Result<Vec<String>, SecondFactorError> {
        user(caller)?;
        checked(code)?;
        Ok(vec!["cccc-dddd".into()])
    }
    async fn remove(&self, caller: &Caller, code: &str, _: &AuditEntry) -> Result<(), SecondFactorError> {
        let user = user(caller)?;
        checked(code)?;
        self.0.lock().unwrap().remove(&user);
        Ok(())
    }
    async fn enrolled(&self, _: &Scope) -> Result<HashMap<UserId, Timestamp>, SecondFactorError> {
        Ok(self.0.lock().unwrap().clone())
    }
    async fn reset(&self, _: &Scope, user: UserId, _: &AuditEntry) -> Result<(), SecondFactorError> {
        match self.0.lock().unwrap().remove(&user) {
            Some(_) => Ok(()),
            None => Err(StoreError::NotFound { what: "second factor" }.into()),
        }
    }
}

const ENROL: &str = "mutation ($code: String!) { enrolAuthenticator(code: $code) }";
const STANDING: &str = "{ secondFactor { since recoveryCodes } }";
const RESET: &str = "mutation ($user: ID!) { resetSecondFactor(user: $user) }";

#[tokio::test]
async fn somebody_sets_up_a_second_factor_and_removes_it() {
    let hospital = Hospital::open().await;
    let ask = async |question: &str, code: &str| {
        let nurse = hospital.caller(Role::Nurse);
        hospital.in_session(nurse, question, json!({ "code": code })).await
    };
    let standing = async || ask(STANDING, "").await["data"]["secondFactor"].take();
    assert_eq!(standing().await, json!({ "since": null, "recoveryCodes": 0 }));
    let pairing =
        ask("mutation { pairAuthenticator { secret uri } }", "").await["data"]["pairAuthenticator"].take();
    assert!(pairing["uri"].as_str().unwrap().starts_with("otpauth://totp/"));
    assert_eq!(code(&ask(ENROL, "1").await).as_deref(), Some("BAD_INPUT"));
    let by_program = hospital.refusal(Role::Nurse, ENROL, json!({ "code": CODE })).await;
    assert_eq!(by_program, "FORBIDDEN", "without a session");
    assert_eq!(ask(ENROL, CODE).await["data"]["enrolAuthenticator"], json!(["aaaa-bbbb"]));
    assert_eq!(standing().await["recoveryCodes"], 10);
    let renew = "mutation ($code: String!) { renewRecoveryCodes(code: $code) }";
    assert_eq!(ask(renew, CODE).await["data"]["renewRecoveryCodes"], json!(["cccc-dddd"]));
    let remove = "mutation ($code: String!) { removeSecondFactor(code: $code) { since } }";
    assert_eq!(code(&ask(remove, "1").await).as_deref(), Some("BAD_INPUT"));
    assert_eq!(ask(remove, CODE).await["data"]["removeSecondFactor"]["since"], json!(null));
}

#[tokio::test]
async fn an_administrator_resets_it_for_who_has_lost_everything() {
    let hospital = Hospital::open().await;
    hospital.in_session(hospital.caller(Role::Nurse), ENROL, json!({ "code": CODE })).await;
    let users = "{ users { id secondFactorSince } }";
    let enrolled = hospital.data(Role::Admin, users, json!({})).await["users"].as_array().unwrap().clone();
    let enrolled: Vec<_> = enrolled.iter().filter(|user| !user["secondFactorSince"].is_null()).collect();
    assert_eq!(enrolled.len(), 1);
    let nurse = json!({ "user": enrolled[0]["id"] });
    assert_eq!(hospital.refusal(Role::Clinician, RESET, nurse.clone()).await, "FORBIDDEN");
    hospital.data(Role::Admin, RESET, nurse.clone()).await;
    assert_eq!(hospital.refusal(Role::Admin, RESET, nurse).await, "NOT_FOUND");
    let standing = hospital.data(Role::Nurse, STANDING, json!({})).await;
    assert_eq!(standing["secondFactor"]["since"], json!(null));
}
