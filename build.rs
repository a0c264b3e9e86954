//! Builds again when a built-in file is added or changed: the files are embedded in the binary.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    for folder in
        ["features", "cases", "suites", "setups", "tools", "phrases", "profiles", "assets", "tapes", "clients", "models.yaml"]
    {
        if std::path::Path::new(folder).exists() {
            println!("cargo::rerun-if-changed={folder}");
        }
    }
}
