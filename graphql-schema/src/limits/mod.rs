//! How large a request may be. Everything here is checked before any resolver runs, and what could cost
//! more than linear time in the length of the document is checked before anything else walks it.

mod guard;
mod measure;
mod nesting;

pub(crate) use guard::Guard;

/// Largest body of a request over HTTP, in bytes: a document of full size with its variables. Whoever
/// reads the body enforces it; a larger one is TOO_LARGE.
pub const MAX_BODY_BYTES: usize = 128 * 1024;

/// What a request may ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Length of the document in bytes. The admin UI's largest has 1.5 kB, GraphiQL's introspection 2 kB.
    pub document_bytes: usize,
    /// Brackets within brackets in the document's text. The parser is recursive: without this a document of
    /// a few thousand `{` would exhaust the stack before any other limit could be looked at.
    pub nesting: usize,
    /// Named fragments. A client has a handful.
    pub fragments: usize,
    /// Fields with fragments written out. Without it twenty fragments that use each other twice would be
    /// a million fields.
    pub fields: usize,
    /// Fields with an alias, fragments written out: each alias runs a resolver again. A page that charts
    /// every vital sign in one request needs 8.
    pub aliases: usize,
    /// Fields within fields. The deepest that makes sense is a list's row's patient's score's parameter.
    pub depth: usize,
    /// The same below `__schema` and `__type`: what tools send to learn the schema has 15.
    pub introspection_depth: usize,
    /// Directives on one field: `@skip` and `@include`, with room for a client's own.
    pub directives: usize,
    /// Sum over all fields, where a list counts each row that it may have. A full page of 200 patients with
    /// vitals, score, devices and open alarms has about 12,000.
    pub complexity: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            document_bytes: 16 * 1024,
            nesting: 40,
            fragments: 50,
            fields: 1_000,
            aliases: 30,
            depth: 10,
            introspection_depth: 20,
            directives: 4,
            complexity: 25_000,
        }
    }
}

/// Complexity of a page: what each row costs, times the rows asked for.
pub(crate) fn rows(first: Option<i32>, default: i32, per_row: usize) -> usize {
    // A number out of range is refused by the resolver; here it must only not overflow.
    let rows = first.unwrap_or(default).clamp(1, 200).unsigned_abs() as usize;
    rows.saturating_mul(per_row).saturating_add(1)
}

/// Complexity of reading a trend, besides its points: it decodes up to a day of messages.
pub(crate) const TREND: usize = 200;
/// Complexity of a patient's devices: there are about this many.
pub(crate) const DEVICES_OF_PATIENT: usize = 3;
/// Complexity of a patient's open alarms: there are about this many.
pub(crate) const ALARMS_OF_PATIENT: usize = 3;
/// Complexity of what one person has open in an emergency: there are about this many.
pub(crate) const OPEN_RECORDS: usize = 3;
