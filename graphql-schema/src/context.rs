//! What a resolver asks of its request: who calls, what they may do, and the batched rows.

use std::{
    any::{Any, TypeId},
    sync::Arc,
};

use async_graphql::{
    Context, Request, ServerResult,
    dataloader::DataLoader,
    extensions::{Extension, ExtensionContext, ExtensionFactory, NextPrepareRequest},
};
use tenants::{
    CorrelationId, ErrorKind, SessionId, UserId,
    access::{Action, Caller, Object, Principal, Scope},
    audit::{AuditEntry, Origin},
    onboarding::Initiator,
    paging::PageRequest,
};

use crate::{
    Services, arguments,
    errors::{ApiError, Result},
    loaders::Rows,
    reads::{Kind, Reads},
};

/// The request, as resolvers see it.
#[async_trait::async_trait]
pub(crate) trait RequestContext: Sync {
    /// What the API stands on.
    fn services(&self) -> Result<&Arc<Services>>;
    /// Who calls.
    fn caller(&self) -> Result<&Caller>;
    /// Rows, batched over the fields of this request.
    fn rows(&self) -> Result<&DataLoader<Rows>>;
    /// Leads to the traces.
    fn correlation(&self) -> CorrelationId;
    /// Who calls, when it is a person or one of their programs.
    fn person(&self) -> Result<UserId> {
        match &self.caller()?.principal {
            Principal::User { id, .. } => Ok(*id),
            Principal::Operator(_) => {
                let message = "you have no account in this hospital; leave it to do this with your own";
                Err(ApiError::new(ErrorKind::Forbidden, message))
            }
            Principal::Client { .. } => {
                Err(ApiError::new(ErrorKind::Forbidden, "this is for people, not for a service client"))
            }
            Principal::Device(_) => {
                Err(ApiError::new(ErrorKind::Forbidden, "devices have no access to this API"))
            }
        }
    }
    /// The session in which a person calls; refused for a program that presents a token.
    fn session(&self) -> Result<SessionId>;
    /// The line of the audit trail that says what the caller does with their own account.
    fn own_audit(&self, action: &str, subject: String, detail: String) -> Result<AuditEntry> {
        Ok(AuditEntry {
            detail,
            origin: self.origin(),
            correlation: self.correlation(),
            ..AuditEntry::by(self.caller()?, self.services()?.clock.now(), action, subject)
        })
    }
    /// The line of the audit trail that says what is done in a scope.
    fn audit(&self, scope: &Scope, action: &str, subject: String, detail: String) -> Result<AuditEntry> {
        Ok(AuditEntry {
            detail,
            origin: self.origin(),
            correlation: self.correlation(),
            ..AuditEntry::by(scope.caller(), self.services()?.clock.now(), action, subject)
        })
    }
    /// The caller, as whoever takes a hospital aboard or lets it go.
    fn initiator(&self, scope: &Scope) -> Initiator {
        Initiator {
            actor: scope.caller().actor(),
            actor_name: scope.caller().name(),
            origin: self.origin(),
            correlation: self.correlation(),
        }
    }
    /// Which part of a list is wanted: counted as a whole only for whoever asks for its `totalCount`.
    fn page(&self, first: Option<i32>, after: Option<String>, search: Option<String>) -> Result<PageRequest>;
    /// Where the request comes from.
    fn origin(&self) -> Origin;
    /// What the request has read of whom.
    fn reads(&self) -> Result<&Reads>;
    /// The scope in which the caller may do this: the only way to any row. Who is refused to read patient data is
    /// written down.
    async fn grant(&self, object: Object, action: Action) -> Result<Scope> {
        let granted = self.granted(object, action).await;
        let kind = match object {
            Object::Patient => Some(Kind::Patient),
            Object::Alarm => Some(Kind::Alarm),
            _ => None,
        };
        if let (Err(error), Action::Read, Some(kind)) = (&granted, action, kind)
            && error.kind() == ErrorKind::Forbidden
        {
            self.reads()?.refused(kind, None);
        }
        granted
    }
    /// The same for a resolver that is content with less when it is refused, or that says itself what was refused.
    async fn granted(&self, object: Object, action: Action) -> Result<Scope> {
        Ok(self.services()?.access.grant(self.caller()?, object, action).await?)
    }
    /// The scope of those who may register any device of the hospital: for what speaks for all of them.
    async fn any_device(&self) -> Result<Scope> {
        let scope = self.grant(Object::Device, Action::Write).await?;
        if scope.rows().cover_partly(&|_| None) == Some(true) {
            return Ok(scope);
        }
        Err(ApiError::new(ErrorKind::Forbidden, "this is for those only who may register any device"))
    }
}

#[async_trait::async_trait]
impl RequestContext for Context<'_> {
    fn services(&self) -> Result<&Arc<Services>> {
        self.data_opt::<Arc<Services>>().ok_or_else(|| ApiError::internal("the schema has no services"))
    }

    fn caller(&self) -> Result<&Caller> {
        self.data_opt::<Caller>().ok_or_else(unauthenticated)
    }

    fn session(&self) -> Result<SessionId> {
        self.caller()?;
        self.data_opt::<SessionId>().copied().ok_or_else(|| {
            let message = "only somebody who is signed in can do this, not a program with a token";
            ApiError::new(ErrorKind::Forbidden, message)
        })
    }

    fn rows(&self) -> Result<&DataLoader<Rows>> {
        self.data_opt::<DataLoader<Rows>>().ok_or_else(unauthenticated)
    }

    fn correlation(&self) -> CorrelationId {
        self.data_opt::<CorrelationId>().copied().unwrap_or_default()
    }

    fn reads(&self) -> Result<&Reads> {
        self.data_opt::<Reads>().ok_or_else(unauthenticated)
    }

    fn page(&self, first: Option<i32>, after: Option<String>, search: Option<String>) -> Result<PageRequest> {
        let count = self.look_ahead().field("totalCount").exists();
        Ok(PageRequest { count, ..arguments::page(first, after, search)? })
    }

    fn origin(&self) -> Origin {
        self.data_opt::<Origin>().cloned().unwrap_or_default()
    }
}

fn unauthenticated() -> ApiError {
    ApiError::new(ErrorKind::Unauthenticated, "sign in, or send an API token as a bearer token")
}

/// What came with a request, or with the connection it came on, before it is prepared.
pub(crate) fn request_data<'a, D: Any + Send + Sync>(
    ctx: &ExtensionContext<'a>,
    request: &'a Request,
) -> Option<&'a D> {
    let own = request.data.get(&TypeId::of::<D>()).and_then(|data| data.downcast_ref());
    own.or_else(|| ctx.data_opt::<D>())
}

/// Gives each request of a known caller its own loaders, so that no batch ever mixes two callers.
pub(crate) struct Loading(pub(crate) Arc<Services>);

impl ExtensionFactory for Loading {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(Self(Arc::clone(&self.0)))
    }
}

#[async_trait::async_trait]
impl Extension for Loading {
    async fn prepare_request(
        &self,
        ctx: &ExtensionContext<'_>,
        mut request: Request,
        next: NextPrepareRequest<'_>,
    ) -> ServerResult<Request> {
        let caller = request_data::<Caller>(ctx, &request).cloned();
        let reads = request_data::<Reads>(ctx, &request).cloned();
        if let (Some(caller), Some(reads)) = (caller, reads) {
            request.data.insert(Rows::new(Arc::clone(&self.0), caller, reads).batched());
        }
        next.run(ctx, request).await
    }
}
