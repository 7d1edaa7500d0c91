//! Bounds on what one config may cost, since configs come over the network.

/// Largest file that is parsed, in bytes; a larger one is kept as text with an error diagnostic.
pub const MAX_FILE_BYTES: usize = 4 * 1024 * 1024;

/// Most bytes that the files of one config may have together.
pub const MAX_TOTAL_BYTES: usize = 16 * 1024 * 1024;

/// Most files in one config, the main file included. Fluent Bit stops at the same number for classic files.
pub const MAX_FILES: usize = 1000;

/// Deepest chain of includes below the main file.
pub const MAX_INCLUDE_DEPTH: usize = 32;

/// Deepest nesting of YAML collections, for block and for flow collections each.
pub const MAX_YAML_NESTING: usize = 64;

/// Most YAML nodes, or classic entries, in one file.
pub const MAX_NODES: usize = 250_000;

/// Most diagnostics kept for one file, a last one then says that there are more; also the most that are
/// kept about includes and about plugins of one config.
pub const MAX_DIAGNOSTICS: usize = 100;
