use super::*;

const BLOCK: &str = "\
# Map
```text
server -> not, this
```
```arrows
# 4 roof
server -> broker, tenants   # wires
broker -> tenants

tenants
```
server -> nor, this
";

type Crates<'a> = &'a [(&'a str, &'a [&'a str])];

fn floor(name: &str, arrows: &[&str]) -> Floor {
    Floor { name: name.to_owned(), arrows: set(arrows) }
}

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn real(crates: Crates<'_>) -> BTreeMap<String, BTreeSet<String>> {
    crates.iter().map(|(name, arrows)| ((*name).to_owned(), set(arrows))).collect()
}

#[test]
fn the_block_is_read_and_nothing_around_it() {
    let expected =
        vec![floor("server", &["broker", "tenants"]), floor("broker", &["tenants"]), floor("tenants", &[])];
    assert_eq!(parse(BLOCK), Ok(expected));
}

#[test]
fn a_document_without_a_sound_block_is_refused() {
    for (document, reason) in [
        ("# Map", "no block"),
        ("```arrows\nserver -> tenants", "no end"),
        ("```arrows\na -> b\na -> c\n```", "twice"),
        ("```arrows\na -> b c\n```", "no name of a crate"),
        ("```arrows\n-> b\n```", "no name of a crate"),
    ] {
        let error = parse(document).unwrap_err();
        assert!(error.contains(reason), "{document:?} gave {error:?}");
    }
}

#[test]
fn real_arrows_are_compared_with_the_documented_ones() {
    let same: Crates<'_> = &[("server", &["broker", "tenants"]), ("broker", &["tenants"]), ("tenants", &[])];
    let cases: [(Crates<'_>, &[&str]); 5] = [
        (same, &[]),
        (&[("server", &["tenants"]), same[1], same[2]], &["server -> broker that no Cargo.toml has"]),
        (&[same[0], ("broker", &["tenants", "storage"]), same[2]], &["new arrow broker -> storage"]),
        (
            &[same[0], same[1], ("tenants", &["broker"])],
            &["new arrow tenants -> broker", "tenants -> broker does not point down"],
        ),
        (
            &[same[0], same[1], ("extra", &[])],
            &["extra is a crate", "tenants is in platform/ARCHITECTURE.md and is no"],
        ),
    ];
    let floors = parse(BLOCK).unwrap();
    for (crates, expected) in cases {
        let problems = compare(&floors, &real(crates));
        assert_eq!(problems.len(), expected.len(), "{problems:?}");
        for (problem, part) in problems.iter().zip(expected) {
            assert!(problem.contains(part), "{problem:?} does not say {part:?}");
        }
    }
}

#[test]
fn a_documented_arrow_that_points_up_is_no_excuse() {
    let floors = parse("```arrows\ntenants -> server\nserver -> tenants\n```").unwrap();
    let problems = compare(&floors, &real(&[("server", &["tenants"]), ("tenants", &["server"])]));
    assert_eq!(problems, ["arrow server -> tenants does not point down: tenants stands above it"]);
}

#[test]
fn an_arrow_to_itself_does_not_point_down() {
    let floors = parse("```arrows\ntenants -> tenants\n```").unwrap();
    assert_eq!(compare(&floors, &real(&[("tenants", &["tenants"])])).len(), 1);
}

#[test]
fn product_code_ends_where_the_tests_begin() {
    let source =
        "// env::var in a comment\nuse std::env;\n\n#[cfg(test)]\nmod tests {\n    env::var(\"X\");\n}\n";
    let lines: Vec<_> = product_lines(source).collect();
    assert_eq!(lines, [(2, "use std::env;"), (3, "")]);
}

#[test]
fn only_the_config_of_the_server_may_read_the_environment() {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in [
        ("src/config/http.rs", "std::env::var(\"IOMT_HTTP_ADDR\")"),
        ("src/cli.rs", "#[arg(long, env = \"IOMT_DATA\")]"),
        ("src/main.rs", "fn main() {}"),
    ] {
        let file = folder.path().join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }
    let package = |name: &str| Package {
        name: name.to_owned(),
        version: String::new(),
        license: None,
        folder: folder.path().to_path_buf(),
        member: true,
        dependencies: Vec::new(),
        tests: Vec::new(),
    };
    assert_eq!(environment_reads(&package("xtask")).unwrap(), Vec::<String>::new());
    assert_eq!(
        environment_reads(&package("server")).unwrap(),
        ["server src/cli.rs:1 reads the environment: only server/config may"]
    );
    assert_eq!(environment_reads(&package("broker")).unwrap().len(), 2);
}
