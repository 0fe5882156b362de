//! Lists in parts, by key rather than by offset: a page costs the same wherever it stands, and rows added
//! meanwhile neither repeat nor hide others.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sea_orm::{
    Condition, DbBackend, EntityTrait, QueryFilter, QuerySelect, Select,
    sea_query::{Expr, ExprTrait, LikeExpr, SimpleExpr},
};
use twins::store::directory::{MAX_PAGE, PageRequest};

use crate::{
    columns::{folded, storable},
    errors::StorageError,
    tenant_tx::TenantTx,
};

/// A part of a table's rows.
pub(crate) struct Rows<M> {
    pub(crate) models: Vec<M>,
    pub(crate) has_next: bool,
    pub(crate) total: Option<u64>,
}

/// Reads a page of `list`, which has its conditions but no order yet; `after` is what comes after the cursor.
pub(crate) async fn read<E: EntityTrait>(
    tx: &TenantTx,
    list: Select<E>,
    after: Option<Condition>,
    page: &PageRequest,
    ordered: impl FnOnce(Select<E>) -> Select<E>,
) -> Result<Rows<E::Model>, StorageError>
where
    E::Model: Send + Sync,
{
    let total = if page.count { Some(tx.count(list.clone()).await?) } else { None };
    let first = page.first.clamp(1, MAX_PAGE);
    let rest = after.into_iter().fold(list, QueryFilter::filter);
    let mut models = tx.all(ordered(rest).limit(u64::from(first) + 1)).await?;
    let has_next = models.len() > first as usize;
    models.truncate(first as usize);
    Ok(Rows { models, has_next, total })
}

/// A place in a list, opaque to callers. It holds no patient's data.
pub(crate) fn cursor(key: &str) -> String {
    URL_SAFE_NO_PAD.encode(key)
}

/// The key that a cursor was made of.
pub(crate) fn key(page: &PageRequest) -> Result<Option<String>, StorageError> {
    let Some(cursor) = &page.after else { return Ok(None) };
    let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| unknown_cursor())?;
    let key = String::from_utf8(bytes).map_err(|_| unknown_cursor())?;
    if key.contains('\0') { Err(unknown_cursor()) } else { Ok(Some(key)) }
}

/// The cursor is of another list, or its row is gone.
pub(crate) fn unknown_cursor() -> StorageError {
    StorageError::NotFound { what: "page cursor" }
}

/// Rows where one of the texts, which are in lower case, contains what is searched for.
pub(crate) fn search(page: &PageRequest, texts: impl IntoIterator<Item = SimpleExpr>) -> Option<Condition> {
    let wanted = wanted(page)?;
    Some(texts.into_iter().fold(Condition::any(), |any, text| any.add(holds(text, wanted))))
}

/// What is searched for, if anything is.
pub(crate) fn wanted(page: &PageRequest) -> Option<&str> {
    page.search.as_deref().filter(|text| !text.is_empty())
}

/// Whether a text, which is in lower case, contains what is searched for.
pub(crate) fn holds(text: SimpleExpr, wanted: &str) -> SimpleExpr {
    text.like(LikeExpr::new(contains(wanted)).escape('!'))
}

/// A LIKE pattern for "contains", in which the wildcards of the searched text stand for themselves.
fn contains(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len() + 2);
    pattern.push('%');
    for c in storable(&folded(text)).chars() {
        if matches!(c, '%' | '_' | '!') {
            pattern.push('!');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

/// The column `id`, a UUID, as people see it. SQLite keeps the sixteen bytes.
pub(crate) fn uuid_text(backend: DbBackend) -> SimpleExpr {
    Expr::cust(match backend {
        DbBackend::Postgres => "id::text",
        _ => {
            "lower(substr(hex(id), 1, 8) || '-' || substr(hex(id), 9, 4) || '-' || substr(hex(id), 13, 4)
             || '-' || substr(hex(id), 17, 4) || '-' || substr(hex(id), 21))"
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_stand_for_themselves() {
        for (text, pattern) in [("Ab", "%ab%"), ("50%", "%50!%%"), ("a_b!", "%a!_b!!%"), ("ÄÖ", "%äö%")] {
            assert_eq!(contains(text), pattern);
        }
    }

    #[test]
    fn a_cursor_that_nobody_made_is_refused() {
        let page = |after: &str| PageRequest { after: Some(after.to_owned()), ..PageRequest::default() };
        assert_eq!(key(&page(&cursor("monitor-1"))).unwrap().as_deref(), Some("monitor-1"));
        assert!(key(&page("not base64!")).is_err());
        assert!(key(&page(&URL_SAFE_NO_PAD.encode([0xff, 0xfe]))).is_err());
        assert!(key(&page(&cursor("a\0"))).is_err());
    }
}
