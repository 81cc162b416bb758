//! What the engine does in its files was read in the source of these versions.

#[test]
fn the_engine_is_the_one_that_was_read() {
    let lock = include_str!("../../../Cargo.lock");
    for (name, version) in [("fjall", "3.1.13"), ("lsm-tree", "3.1.10"), ("sfa", "1.0.0")] {
        let package = format!("name = \"{name}\"\nversion = \"{version}\"\n");
        assert!(
            lock.contains(&package),
            "{name} is no longer {version}: read journal.rs, manifest.rs, table.rs, archive.rs against it"
        );
    }
}
