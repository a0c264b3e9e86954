//! What computes beside the processor: NVIDIA by `nvidia-smi`, Metal by `system_profiler`.

use serde_json::Value;

use super::command::{answer, on_path};
use crate::event::AcceleratorRecord;

/// The accelerators that the system's own tools report.
pub fn accelerators(lookup: &dyn Fn(&str) -> Option<String>) -> Vec<AcceleratorRecord> {
    if cfg!(target_os = "macos") {
        let asked = on_path("system_profiler", lookup).and_then(|tool| answer(&tool, &["-json", "SPDisplaysDataType"]));
        return asked.as_deref().map(metal).unwrap_or_default();
    }
    let query = ["--query-gpu=name,memory.total,memory.free,driver_version", "--format=csv,noheader,nounits"];
    let asked = on_path("nvidia-smi", lookup).and_then(|tool| answer(&tool, &query));
    asked.as_deref().map(cuda).unwrap_or_default()
}

/// Reads rows such as `NVIDIA H100 80GB HBM3, 81559, 81004, 570.86.15`; memory in MiB.
fn cuda(rows: &str) -> Vec<AcceleratorRecord> {
    let row = |row: &str| {
        let fields: Vec<&str> = row.split(',').map(str::trim).collect();
        let &[name, total, free, driver] = fields.as_slice() else { return None };
        let mib = |text: &str| text.parse::<u64>().ok().map(|mib| mib << 20);
        Some(AcceleratorRecord {
            kind: "cuda".to_owned(),
            name: name.to_owned(),
            memory: mib(total),
            memory_free: mib(free),
            driver: Some(driver.to_owned()),
            paravirtual: false,
        })
    };
    rows.lines().filter_map(row).collect()
}

/// Reads the JSON of `system_profiler SPDisplaysDataType`.
fn metal(text: &str) -> Vec<AcceleratorRecord> {
    let report: Value = serde_json::from_str(text).unwrap_or_default();
    let rows = report.get("SPDisplaysDataType").and_then(Value::as_array).into_iter().flatten();
    let row = |row: &Value| {
        let text = |key: &str| row.get(key).and_then(Value::as_str).map(str::to_owned);
        // `spdisplays_metal3` on newer systems, `spdisplays_mtlgpufamilysupport` on older ones.
        let driver = text("spdisplays_mtlgpufamilysupport").or_else(|| text("spdisplays_metal"))?;
        let name = text("sppci_model").or_else(|| text("_name"))?;
        let paravirtual = name.to_lowercase().contains("paravirtual");
        let driver = driver.trim_start_matches("spdisplays_").to_owned();
        Some(AcceleratorRecord {
            kind: "metal".to_owned(),
            name,
            driver: Some(driver),
            paravirtual,
            ..AcceleratorRecord::default()
        })
    };
    rows.filter_map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_nvidia_smi_are_read() {
        let found = cuda("NVIDIA H100 80GB HBM3, 81559, 81004, 570.86.15\nNVIDIA T4, [N/A], 1, 570\nbroken\n");
        assert_eq!(found.len(), 2);
        assert_eq!((found[0].name.as_str(), found[0].memory), ("NVIDIA H100 80GB HBM3", Some(81_559 << 20)));
        assert_eq!((found[1].memory, found[1].memory_free), (None, Some(1 << 20)));
        assert!(cuda("No devices were found").is_empty());
    }

    #[test]
    fn metal_devices_are_read_and_a_virtual_one_is_told() {
        let text = |name: &str| {
            format!(
                r#"{{"SPDisplaysDataType": [{{"sppci_model": "{name}", "spdisplays_mtlgpufamilysupport": "spdisplays_metal3"}}]}}"#
            )
        };
        let real = metal(&text("Apple M4 Pro"));
        assert_eq!(
            (real[0].name.as_str(), real[0].driver.as_deref(), real[0].paravirtual),
            ("Apple M4 Pro", Some("metal3"), false)
        );
        assert!(metal(&text("Apple Paravirtual device"))[0].paravirtual);
        assert!(metal("{").is_empty());
        assert!(metal(r#"{"SPDisplaysDataType": [{"sppci_model": "Old"}]}"#).is_empty());
    }
}
