//! Packages: what is offered and how far it has come.

use super::Headers;
use crate::wire::{message, open_enum};

message! {
    /// The packages that an agent should have.
    pub struct PackagesAvailable {
        /// By name.
        1 packages: map(PackageAvailable),
        /// Identifies the whole list.
        2 all_packages_hash: bytes,
    }
}

message! {
    /// One package on offer.
    pub struct PackageAvailable {
        /// Whether it is the agent itself or an addition.
        1 kind: open(PackageType),
        /// Its version.
        2 version: string,
        /// Where to get it.
        3 file: option(DownloadableFile),
        /// Identifies the package; opaque to the agent.
        4 hash: bytes,
    }
}

open_enum! {
    /// What a package is to the agent.
    pub enum PackageType {
        /// The agent itself.
        0 TopLevel = "top-level",
        /// An addition to it.
        1 Addon = "addon",
    }
}

message! {
    /// A file to download.
    pub struct DownloadableFile {
        /// Where, by HTTP GET.
        1 download_url: string,
        /// SHA-256 of the content.
        2 content_hash: bytes,
        /// Signature of the content, as the agent expects it.
        3 signature: bytes,
        /// Headers for the download.
        4 headers: option(Headers),
    }
}

message! {
    /// The packages that an agent has or is installing.
    pub struct PackageStatuses {
        /// By name.
        1 packages: map(PackageStatus),
        /// The hash of the last offer, as it was received.
        2 server_provided_all_packages_hash: bytes,
        /// An error that belongs to no single package.
        3 error_message: string,
    }
}

message! {
    /// How far one package has come.
    pub struct PackageStatus {
        /// Its name, the same as its key in the map.
        1 name: string,
        /// The version that the agent has.
        2 agent_has_version: string,
        /// The hash that the agent has.
        3 agent_has_hash: bytes,
        /// The version that was offered.
        4 server_offered_version: string,
        /// The hash that was offered.
        5 server_offered_hash: bytes,
        /// How far it has come.
        6 status: open(PackageStatusEnum),
        /// Why it failed.
        7 error_message: string,
        /// How the download goes.
        8 download_details: option(PackageDownloadDetails),
    }
}

message! {
    /// How a download goes.
    pub struct PackageDownloadDetails {
        /// 0 to 100.
        1 download_percent: double,
        /// Bytes per second.
        2 download_bytes_per_second: double,
    }
}

open_enum! {
    /// States of a package.
    pub enum PackageStatusEnum {
        /// It is there.
        0 Installed = "installed",
        /// It was offered and waits.
        1 InstallPending = "install-pending",
        /// It is being installed.
        2 Installing = "installing",
        /// It could not be installed.
        3 InstallFailed = "install-failed",
        /// It is being downloaded.
        4 Downloading = "downloading",
    }
}
