//! What SIGCONT prints.

use super::log::stamp_seconds;
use super::snapshot::Snapshot;

/// The dump of one moment, in the real one's drawing.
pub(super) fn dump(state: &Snapshot) -> String {
    let mut text = format!("[{}] Fluent Bit Dump\n\n===== Input =====\n", stamp_seconds(state.now));
    for input in &state.inputs {
        let size = |bytes: u64| format!("{bytes}b ({bytes} bytes)");
        text += &format!(
            "{} ({})\n│\n├─ status\n│  └─ overlimit     : no\n│     ├─ mem size   : {}\n│     └─ mem limit  : 0b (0 bytes)\n│\n\
             ├─ tasks\n│  ├─ total tasks   : {}\n│  ├─ new           : 0\n│  ├─ running       : {}\n\
             │  └─ size          : {}\n│\n└─ chunks\n   └─ total chunks  : {}\n      ├─ up chunks  : {}\n\
             \x20     ├─ down chunks: 0\n      └─ busy chunks: {}\n         ├─ size    : {}\n         └─ size err: 0\n\n",
            input.name,
            input.plugin,
            size(input.chunk_bytes),
            input.busy,
            input.busy,
            size(input.busy_bytes),
            input.chunks,
            input.chunks,
            input.busy,
            size(input.busy_bytes),
        );
    }
    let chunks: u64 = state.inputs.iter().map(|input| input.chunks).sum();
    text += &format!(
        "\n===== Storage Layer =====\ntotal chunks     : {chunks}\n├─ mem chunks    : {chunks}\n└─ fs chunks     : 0\n   \
         ├─ up         : 0\n   └─ down       : 0\n"
    );
    text
}
