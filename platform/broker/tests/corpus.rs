//! Plays what the fuzz target has found worth keeping (`fuzz/README.md`), and some that are made up on the spot.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on must stop")]

mod support;

use std::{
    fs,
    panic::{set_hook, take_hook},
    path::Path,
    sync::atomic::{AtomicUsize, Ordering},
};

use proptest::{prelude::*, test_runner::TestRunner};
use support::script;

/// A task that panics ends alone: it is counted here.
static PANICS: AtomicUsize = AtomicUsize::new(0);

fn watched(play: impl FnOnce()) {
    let told = take_hook();
    set_hook(Box::new(move |info| {
        PANICS.fetch_add(1, Ordering::Relaxed);
        told(info);
    }));
    play();
    assert_eq!(PANICS.load(Ordering::Relaxed), 0, "a task of the broker has panicked");
}

#[test]
fn scripts_that_were_kept_are_played_without_harm() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/conversation");
    let mut scripts: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    scripts.sort();
    assert!(scripts.len() > 1_000, "the corpus is there");
    watched(|| {
        for path in scripts {
            script::play(&fs::read(path).unwrap());
        }
    });
}

#[test]
fn scripts_of_any_bytes_are_played_without_harm() {
    let mut runner = TestRunner::new(ProptestConfig { cases: 300, ..ProptestConfig::default() });
    watched(|| {
        let any = proptest::collection::vec(any::<u8>(), 0..600);
        let played = runner.run(&any, |bytes| {
            script::play(&bytes);
            Ok(())
        });
        played.unwrap();
    });
}
