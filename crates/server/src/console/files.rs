//! The files in the program.

use std::borrow::Cow;

/// A file with the hash of its content.
pub(super) struct File {
    pub(super) bytes: Cow<'static, [u8]>,
    hash: [u8; 32],
}

impl File {
    /// Names this content, for caches.
    pub(super) fn etag(&self) -> String {
        let hex: String = self.hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        format!("\"{hex}\"")
    }
}

#[cfg(feature = "console")]
#[derive(rust_embed::RustEmbed)]
#[folder = "../../console/dist/app"]
#[allow_missing = true]
struct Built;

/// A file by its path from the root of the console.
#[cfg(feature = "console")]
pub(super) fn get(path: &str) -> Option<File> {
    let file = Built::get(path)?;
    Some(File { hash: file.metadata.sha256_hash(), bytes: file.data })
}

/// A file by its path: there are none.
#[cfg(not(feature = "console"))]
pub(super) fn get(_path: &str) -> Option<File> {
    None
}

/// The media type of a file, by its name.
pub(super) fn media_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, extension)| extension) {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("ico") => "image/vnd.microsoft.icon",
        Some("woff2") => "font/woff2",
        Some("json" | "map" | "webmanifest") => "application/json",
        Some("txt") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}
