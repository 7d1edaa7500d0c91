//! What can go wrong with a store.

/// A store could not do what it was asked.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// The file cannot be opened or is no store of this version.
    #[error("cannot open the store {path}: {reason}")]
    Open {
        /// The file.
        path: String,
        /// Why.
        reason: String,
    },
    /// A store cannot be copied.
    #[error("cannot copy {from} to {to}: {reason}")]
    Copy {
        /// What was to be copied.
        from: String,
        /// Where to.
        to: String,
        /// Why.
        reason: String,
    },
    /// The disk is full.
    #[error("the disk of the store is full; free some space: nothing that was acknowledged is lost")]
    Full,
    /// The idempotency key of this transaction has an answer already.
    #[error("this idempotency key was answered already; ask for that answer")]
    Answered,
    /// Something cannot be written.
    #[error("cannot write to the store: {0}")]
    Write(String),
    /// Something cannot be read.
    #[error("cannot read {what} from the store: {reason}")]
    Read {
        /// What was to be read.
        what: &'static str,
        /// Why.
        reason: String,
    },
    /// The store was closed before.
    #[error("the store is closed")]
    Closed,
}

impl StoreError {
    pub(crate) fn read(what: &'static str) -> impl Fn(rusqlite::Error) -> Self {
        move |error| Self::Read { what, reason: error.to_string() }
    }

    #[expect(clippy::needless_pass_by_value, reason = "handed to `map_err`, which gives it away")]
    pub(crate) fn write(error: rusqlite::Error) -> Self {
        if matches!(error, rusqlite::Error::StatementChangedRows(_)) {
            return Self::Answered;
        }
        match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::DiskFull) => Self::Full,
            _ => Self::Write(error.to_string()),
        }
    }
}
