//! Lists in parts.

/// The most rows a page holds.
pub const MAX_PAGE: u32 = 200;

/// Which part of a list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PageRequest {
    /// How many rows, 1 to [`MAX_PAGE`].
    pub first: u32,
    /// The cursor of the row before; from the start when `None`. Cursors are made by the store.
    pub after: Option<String>,
    /// Only rows whose name, id (patients: also MRN, ward, bed; where not masked) contain this text,
    /// regardless of case.
    pub search: Option<String>,
    /// Whether to count the whole list, too. That looks at every row, the page only at its own.
    pub count: bool,
}

/// A part of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// Each row with its cursor.
    pub rows: Vec<(String, T)>,
    /// Whether more follow.
    pub has_next: bool,
    /// How many there are in all, with the search applied; `None` when that was not asked for.
    pub total: Option<u64>,
}
