//! A reload that never ends because an output of the former config cannot deliver (hard-cases.md, 5). Nothing is
//! collected meanwhile, and the process is deaf to SIGTERM: it is killed at the deadline.

/// What runs after a reload that hangs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnHang {
    /// The new config, in a new process: it has passed the agent's own check, the former one is what hangs, and the new
    /// one may well be its cure. It has to pass all the proofs, as ever.
    #[default]
    New,
    /// The former config; the offer has failed.
    Old,
}

impl OnHang {
    /// Each with its word in settings.
    pub const WORDS: [(Self, &'static str); 2] = [(Self::New, "new"), (Self::Old, "old")];
}

/// What is told of a reload that hung for `waited` seconds, where collection stood still for `stood`.
pub(super) fn told(waited: u64, stood: u64) -> String {
    format!(
        "the reload hung for {waited} s on an output that could not deliver, and its process was killed: what it held in \
         memory is lost; collection stood still for {stood} s"
    )
}
