use proptest::prelude::*;

use super::*;

fn at(micros: i64) -> Timestamp {
    Timestamp::from_microsecond(1_767_322_800_000_000 + micros).unwrap()
}

fn any_points() -> impl Strategy<Value = Vec<Point>> {
    // Few distinct values and gaps of zero, so that ties are met.
    prop::collection::vec((0_i64..5_000_000, -50_i32..50), 0..800).prop_map(|steps| {
        let mut micros = 0;
        let points = steps.into_iter().map(|(gap, value)| {
            micros += if gap < 1_000_000 { 0 } else { gap };
            Point { at: at(micros), value: f64::from(value) / 2.0 }
        });
        points.collect()
    })
}

fn extremes(points: &[Point]) -> Option<(f64, f64)> {
    let values = || points.iter().map(|point| point.value);
    Some((values().reduce(f64::min)?, values().reduce(f64::max)?))
}

proptest! {
    #[test]
    fn a_thinned_trend_is_a_part_of_the_whole(points in any_points(), most in 10_usize..300) {
        let thinned = thin(&points, most);
        prop_assert!(thinned.len() <= most.max(points.len().min(most)));
        let mut rest = points.iter();
        for point in &thinned {
            prop_assert!(rest.any(|whole| whole == point), "{point:?} is not there, or not in order");
        }
        if points.len() <= most {
            prop_assert_eq!(thinned, points);
        }
    }

    #[test]
    fn no_extreme_and_no_end_is_lost(points in any_points(), most in 10_usize..300) {
        let thinned = thin(&points, most);
        prop_assert_eq!(extremes(&thinned), extremes(&points));
        prop_assert_eq!(thinned.first(), points.first());
        prop_assert_eq!(thinned.last(), points.last());
    }

    #[test]
    fn every_stretch_keeps_its_extremes(points in any_points(), most in 10_usize..80) {
        prop_assume!(points.len() > most);
        let thinned = thin(&points, most);
        let stretches = (most - 2) / 2;
        let (first, last) = (points[0].at, points[points.len() - 1].at);
        let span = micros(first, last) + 1;
        for stretch in 0..stretches as u128 {
            let within = |of: &[Point]| -> Vec<Point> {
                let of = of.get(1..of.len() - 1).unwrap_or_default().iter();
                of.filter(|p| micros(first, p.at) * stretches as u128 / span == stretch).copied().collect()
            };
            prop_assert_eq!(extremes(&within(&thinned)), extremes(&within(&points)));
        }
    }
}

#[test]
fn a_single_spike_in_a_day_survives() {
    let mut points: Vec<_> =
        (0..86_400).map(|second| Point { at: at(second * 1_000_000), value: 72.0 }).collect();
    points[43_210].value = 190.0;
    let thinned = thin(&points, 600);
    assert!(thinned.len() <= 600 && thinned.len() > 250, "{}", thinned.len());
    assert!(thinned.contains(&points[43_210]));
}

#[test]
fn slices_cover_the_period_and_what_came_late_without_overlap() {
    let hour = |hours: i64| at(hours * 3_600_000_000);
    let long_ago = slices(Period { since: hour(0), until: hour(3) }, hour(100));
    assert_eq!(long_ago.len(), 4);
    let until_now = slices(Period { since: hour(0), until: at(5_400_000_001) }, at(5_400_000_000));
    assert_eq!(until_now.len(), 2);
    for parts in [long_ago, until_now] {
        assert_eq!(parts[0].since, hour(0));
        assert!(parts.windows(2).all(|pair| pair[0].until == pair[1].since));
        assert!(parts.iter().all(|part| part.since < part.until));
    }
    assert!(slices(Period { since: hour(9), until: hour(10) }, hour(1)).is_empty());
}

#[test]
fn a_value_is_converted_or_left_out_and_never_guessed() {
    let unit = |code| Unit::parse(code).unwrap();
    let celsius = VitalSign::Temperature.unit();
    assert_eq!(canonical(38.5, Some(&unit("Cel")), celsius.as_ref()), Some(38.5));
    assert_eq!(
        canonical(100.4, Some(&unit("[degF]")), celsius.as_ref()).map(|v| (v * 1e6).round()),
        Some(38e6)
    );
    assert_eq!(canonical(38.5, Some(&unit("/min")), celsius.as_ref()), None);
    assert_eq!(canonical(38.5, None, celsius.as_ref()), None);
    assert_eq!(canonical(1.0, None, None), Some(1.0));
}
