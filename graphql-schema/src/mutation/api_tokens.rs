//! Making API tokens, and revoking them.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use tenants::{
    ErrorKind, RoleName, StoreError, TokenId, UnitId,
    access::{Action, Object as Thing, Principal, Restriction},
    api_token as domain,
    topics::{TopicFilter, TopicFilters},
};

use crate::{
    arguments,
    context::RequestContext,
    errors::{ApiError, Result},
    types::ApiToken,
};

#[derive(InputObject)]
pub(super) struct CreateApiTokenInput {
    /// What it is for: 1 to 100 characters.
    name: String,
    /// One of one's own roles.
    role: String,
    /// Where at most, and everywhere below it: within where one holds the role.
    unit: ID,
    /// How long it counts: 1 to 365, 90 when omitted.
    days: Option<u32>,
    /// What of the hospital's topic space it may use over MQTT; nothing of it when omitted.
    topics: Option<TopicFiltersInput>,
}

/// Topics of the hospital's topic space: what one of `allow` names and none of `deny`.
#[derive(InputObject)]
pub(super) struct TopicFiltersInput {
    /// 1 to 32 topic filters of MQTT; `#` is every topic but the platform's own.
    allow: Vec<String>,
    /// At most 32.
    #[graphql(default)]
    deny: Vec<String>,
}

impl TopicFiltersInput {
    fn parsed(&self) -> Result<TopicFilters> {
        if self.allow.is_empty() {
            return Err(ApiError::bad_input("topics.allow: expected at least one topic filter".to_owned()));
        }
        Ok(TopicFilters {
            allow: filters("topics.allow", &self.allow)?,
            deny: filters("topics.deny", &self.deny)?,
        })
    }
}

fn filters(field: &str, texts: &[String]) -> Result<Vec<TopicFilter>> {
    if texts.len() > TopicFilters::MAX {
        let (most, count) = (TopicFilters::MAX, texts.len());
        return Err(ApiError::bad_input(format!(
            "{field}: expected at most {most} topic filters, got {count}"
        )));
    }
    let parsed = texts.iter().enumerate().map(|(position, text)| {
        TopicFilter::parse(text).map_err(|error| ApiError::bad_input(format!("{field}[{position}]: {error}")))
    });
    parsed.collect()
}

/// A token that was made.
#[derive(SimpleObject)]
pub(super) struct CreatedApiToken {
    token: ApiToken,
    /// What the program presents as a bearer token. It is told only now.
    secret: String,
}

#[derive(Default)]
pub(super) struct ApiTokenMutation;

#[Object]
impl ApiTokenMutation {
    /// Makes a token for a program that has one of one's own roles, or a part of it. Only somebody who is signed in can:
    /// a token makes no tokens, or it would have no end.
    async fn create_api_token(
        &self,
        ctx: &Context<'_>,
        input: CreateApiTokenInput,
    ) -> Result<CreatedApiToken> {
        ctx.session()?;
        let services = ctx.services()?;
        let owner = (ctx.caller()?.tenant, ctx.person()?);
        let name = arguments::name("name", &input.name, domain::ApiToken::MAX_NAME)?;
        let days = input.days.unwrap_or(domain::ApiToken::DAYS);
        if !(1..=domain::ApiToken::MAX_DAYS).contains(&days) {
            let most = domain::ApiToken::MAX_DAYS;
            return Err(ApiError::bad_input(format!("days: expected 1 to {most}, got {days}")));
        }
        let topics = input.topics.as_ref().map(TopicFiltersInput::parsed).transpose()?;
        let restriction = restriction(ctx, &input.role, &input.unit).await?;
        if topics.is_some() {
            check_topics(ctx, &restriction).await?;
        }
        let detail = format!("{} in org_unit:{} for {days} days", restriction.role, restriction.unit);
        let (token, secret) = domain::ApiToken::new(owner, name, restriction, days, &*services.clock)
            .map_err(ApiError::internal)?;
        let token = domain::ApiToken { topics, ..token };
        let entry = ctx.own_audit("token.create", format!("token:{}", token.id), detail)?;
        let entry = entry.with("name", &token.name);
        services.tokens.create_token(owner.0, &token, &entry).await?;
        let units = services.access.units(owner.0).await?;
        Ok(CreatedApiToken { token: ApiToken::new(token, &units), secret: secret.reveal().to_owned() })
    }

    /// Revokes a token: one's own, or anybody's for whoever may. It is refused within a second, on open connections, too.
    async fn revoke_api_token(&self, ctx: &Context<'_>, id: ID) -> Result<ID> {
        let (services, token): (_, TokenId) = (ctx.services()?, arguments::id(&id)?);
        let caller = ctx.caller()?;
        let subject = format!("token:{token}");
        let own = ctx.own_audit("token.revoke", subject.clone(), "one's own".to_owned())?;
        let done = match ctx.session() {
            Ok(_) => services.tokens.revoke_own_token(caller, token, &own).await,
            Err(_) => Err(StoreError::NotFound { what: "API token" }),
        };
        match done {
            Ok(()) => {}
            Err(StoreError::NotFound { .. }) => {
                let scope = ctx.grant(Thing::Token, Action::Write).await?;
                let entry = ctx.audit(&scope, "token.revoke", subject, String::new())?;
                services.tokens.revoke_token(&scope, token, &entry).await?;
            }
            Err(error) => return Err(error.into()),
        }
        services.revocations.tell(caller.tenant);
        Ok(id)
    }
}

/// A token is not made for topics that its role could never use.
async fn check_topics(ctx: &Context<'_>, to: &Restriction) -> Result<()> {
    let (services, mut caller) = (ctx.services()?, ctx.caller()?.clone());
    if let Principal::User { restricted_to, .. } = &mut caller.principal {
        *restricted_to = Some(Arc::from([to.clone()]));
    }
    for action in [Action::Read, Action::Publish] {
        if services.access.grant(&caller, Thing::Topic, action).await.is_ok() {
            return Ok(());
        }
    }
    let message = format!(
        "topics: the role {} may not use topics there; it must be held in the whole hospital",
        to.role
    );
    Err(ApiError::new(ErrorKind::Forbidden, message))
}

/// One of the caller's roles, in a unit where the caller holds it.
async fn restriction(ctx: &Context<'_>, role: &str, unit: &ID) -> Result<Restriction> {
    let (services, caller) = (ctx.services()?, ctx.caller()?);
    let held = services.access.roles(caller).await?;
    let role = RoleName::parse(role).ok().filter(|role| held.iter().any(|grant| grant.role == *role));
    let role = role.ok_or_else(|| {
        let names = held.iter().map(|grant| grant.role.as_str()).collect::<Vec<_>>().join(", ");
        ApiError::bad_input(format!("role: expected one of your own: {names}"))
    })?;
    let (unit, units): (UnitId, _) = (arguments::id(unit)?, services.access.units(caller.tenant).await?);
    if held.iter().any(|grant| grant.role == role && units.within(unit, grant.unit)) {
        return Ok(Restriction { role, unit });
    }
    let message = format!("unit: you do not hold the role {role} there");
    Err(ApiError::new(ErrorKind::Forbidden, message))
}
