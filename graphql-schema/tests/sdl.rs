//! `schema.graphql` is what clients are built against; it must be what the server speaks.

use std::{fs, path::Path};

#[test]
fn the_schema_file_is_current() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("schema.graphql");
    let spoken = graphql_schema::sdl();
    if option_env!("UPDATE_SCHEMA").is_some() {
        fs::write(&file, &spoken).unwrap();
    }
    let written = fs::read_to_string(&file).unwrap();
    let differs = written.lines().zip(spoken.lines()).position(|(written, spoken)| written != spoken);
    assert!(
        written == spoken,
        "schema.graphql differs from what the server speaks, first in line {}; write it anew with \
         `UPDATE_SCHEMA=1 cargo test -p graphql-schema --test sdl`, and the admin UI's types with `npm run codegen`",
        differs.map_or_else(|| "after the end".to_owned(), |line| (line + 1).to_string())
    );
}
