use super::*;

fn finished(success: bool) -> Finished {
    Finished { success, output: String::new() }
}

fn tally(passed: u32, failed: u32, skipped: u32) -> Tally {
    Tally { passed, failed, skipped }
}

#[test]
fn a_run_of_tests_is_counted_and_never_fails_open() {
    for (success, counted, expected) in [
        (true, None, Tally::PASSED),
        (true, Some(tally(7, 0, 1)), tally(7, 0, 1)),
        (true, Some(tally(0, 0, 0)), Tally::PASSED),
        (false, None, Tally::FAILED),
        (false, Some(tally(7, 2, 0)), tally(7, 2, 0)),
        (false, Some(tally(7, 0, 1)), tally(7, 1, 1)),
        (false, Some(tally(0, 0, 0)), Tally::FAILED),
    ] {
        let outcome = Outcome::of_tests(&finished(success), counted);
        assert_eq!(outcome.tally, expected, "{success} {counted:?}");
        assert_eq!(outcome.usable, success);
    }
}

#[test]
fn what_a_check_needs_is_a_check_before_it() {
    for (at, step) in STEPS.iter().enumerate() {
        for need in step.needs {
            let before = STEPS.iter().take(at).find(|earlier| earlier.name == *need);
            let before =
                before.unwrap_or_else(|| panic!("{} needs {need}, which is not before it", step.name));
            assert!(
                step.lane == Lane::Whole || step.lane == before.lane,
                "{} cannot wait for {need}",
                step.name
            );
        }
    }
}

#[test]
fn checks_are_chosen_by_name_and_run_in_their_own_order() {
    let names =
        |wanted: &str| select(wanted).map(|steps| steps.iter().map(|step| step.name).collect::<Vec<_>>());
    assert_eq!(names("clippy,format"), Ok(vec!["format", "clippy"]));
    assert!(names("format,clipy").unwrap_err().contains("clipy"));
}

#[test]
fn a_failure_hides_only_what_needs_it() {
    const FAILS: Step =
        Step { name: "a", lane: Lane::Rust, needs: &[], run: |_, _| Outcome::of_result(Err(String::new())) };
    const NEEDS_IT: Step =
        Step { name: "b", lane: Lane::Whole, needs: &["a"], run: |_, _| Outcome::passed("") };
    const INDEPENDENT: Step =
        Step { name: "c", lane: Lane::Rust, needs: &[], run: |_, _| Outcome::passed("") };
    let outcomes = run_steps(&context(false), &[&FAILS, &NEEDS_IT, &INDEPENDENT]);
    let verdict = |name: &str| outcomes[name].1.tally;
    assert_eq!([verdict("a"), verdict("b"), verdict("c")], [Tally::FAILED, Tally::SKIPPED, Tally::PASSED]);
}

#[test]
fn a_missing_tool_is_a_skip_for_a_person_and_a_failure_for_ci() {
    assert_eq!(context(false).missing_tool("x").tally, Tally::SKIPPED);
    assert_eq!(context(true).missing_tool("x").tally, Tally::FAILED);
}

fn context(ci: bool) -> Context {
    let metadata = Metadata { packages: Vec::new(), target_directory: PathBuf::from("target") };
    Context { ci, console: Console::new(Detail::Progress), logs: PathBuf::from("target/verify"), metadata }
}
