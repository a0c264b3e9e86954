//! The machine of a run, as its record keeps it.

use serde::{Deserialize, Serialize};

/// What a machine is. What it does not tell is left out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostRecord {
    /// `linux`, `macos`.
    pub os: String,
    /// Name and version for people (`Debian GNU/Linux 12`, `macOS 15.5`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub os_version: Option<String>,
    /// `x86_64`, `aarch64`.
    pub arch: String,
    /// Name of the processor (`Apple M4 Pro`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chip: Option<String>,
    /// Processor cores that this process may use.
    pub cores: u32,
    /// Extensions of the processor that matter to inference (`avx512f`, `i8mm`).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub features: Vec<String>,
    /// Memory, or the container's share of it. **Units**: bytes.
    pub memory: u64,
    /// Free memory at that moment. **Units**: bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_free: Option<u64>,
    /// What computes beside the processor.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accelerators: Vec<AcceleratorRecord>,
    /// Commands on PATH that setups need, with the version that each reports.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub commands: Vec<(String, String)>,
}

/// One accelerator.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AcceleratorRecord {
    /// `metal`, `cuda`.
    pub kind: String,
    /// Name (`Apple M4 Pro`, `NVIDIA H100 80GB HBM3`).
    pub name: String,
    /// Its own memory; Metal's is the machine's. **Units**: bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<u64>,
    /// Free part of it at that moment. **Units**: bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_free: Option<u64>,
    /// Version of the driver, or of Metal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub driver: Option<String>,
    /// Whether it is a virtual machine's stand-in, which hangs or lies under real work.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub paravirtual: bool,
}
