//! The kinds of error that users and programs are told apart by, and the error of a store.

/// What an error means to a caller. HTTP and GraphQL both render from this.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// Who are you?
    Unauthenticated,
    /// Known, but not allowed.
    Forbidden,
    /// Not there, or not visible to the caller: the two are not told apart.
    NotFound,
    /// The input is wrong; the message says what and where.
    BadInput,
    /// Someone else changed it first, or it exists already.
    Conflict,
    /// Larger than the limit that the message names.
    TooLarge,
    /// Too many requests; try again later.
    RateLimited,
    /// The platform cannot serve this now; trying again may help.
    Unavailable,
    /// Our fault; the log has the details under the correlation id.
    Internal,
}

impl ErrorKind {
    /// The code of the GraphQL `extensions.code` and the problem type.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Unauthenticated => "UNAUTHENTICATED",
            Self::Forbidden => "FORBIDDEN",
            Self::NotFound => "NOT_FOUND",
            Self::BadInput => "BAD_INPUT",
            Self::Conflict => "CONFLICT",
            Self::TooLarge => "TOO_LARGE",
            Self::RateLimited => "RATE_LIMITED",
            Self::Unavailable => "UNAVAILABLE",
            Self::Internal => "INTERNAL",
        }
    }

    /// The HTTP status it is sent with.
    pub const fn http_status(self) -> u16 {
        match self {
            Self::Unauthenticated => 401,
            Self::Forbidden => 403,
            Self::NotFound => 404,
            Self::BadInput => 400,
            Self::Conflict => 409,
            Self::TooLarge => 413,
            Self::RateLimited => 429,
            Self::Unavailable => 503,
            Self::Internal => 500,
        }
    }
}

/// Why a store could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The row is not there, or not within the caller's rows.
    #[error("{what} not found")]
    NotFound {
        /// The kind of thing, e.g. "alarm".
        what: &'static str,
    },
    /// The row exists already or was changed meanwhile.
    #[error("{what}")]
    Conflict {
        /// What collided, in words for the user.
        what: String,
    },
    /// The hospital has as much of something as it may have.
    #[error("{what}")]
    QuotaExceeded {
        /// What there is too much of, in words for the user.
        what: String,
    },
    /// This node no longer owns what it tried to write.
    #[error("the partitions were taken over by another node (epoch {epoch} is over)")]
    Fenced {
        /// The epoch in which this node owned them.
        epoch: i64,
    },
    /// The database cannot be reached, is full, or failed; trying again may help.
    #[error("the database is not available")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// What was read is not what was written.
    #[error("stored data cannot be read: {what}")]
    Corrupt {
        /// Which data, without its content.
        what: String,
    },
}

impl StoreError {
    /// What the error means to a caller.
    pub const fn kind(&self) -> ErrorKind {
        match self {
            Self::NotFound { .. } => ErrorKind::NotFound,
            Self::Conflict { .. } | Self::QuotaExceeded { .. } => ErrorKind::Conflict,
            Self::Fenced { .. } | Self::Unavailable(_) => ErrorKind::Unavailable,
            Self::Corrupt { .. } => ErrorKind::Internal,
        }
    }
}
