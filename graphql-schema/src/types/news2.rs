//! The early-warning score.

use async_graphql::SimpleObject;
use care::news2;

use super::{ClinicalRisk, VitalSign};

/// One parameter's part in the score.
#[derive(SimpleObject)]
pub(crate) struct News2Parameter {
    sign: VitalSign,
    label: &'static str,
    /// 0 to 3; null when missing or stale
    points: Option<u8>,
    age_seconds: Option<i64>,
    /// For a clinician, e.g. 22 /min is 21 to 24
    reason: String,
}

/// The National Early Warning Score, second version (Royal College of Physicians 2017).
#[derive(SimpleObject)]
pub(crate) struct News2 {
    /// Sum of the known parameters; null when none is known.
    score: Option<u8>,
    /// True when all seven parameters are known and fresh.
    complete: bool,
    missing: Vec<VitalSign>,
    /// Null unless it can be told from the known parameters.
    risk: Option<ClinicalRisk>,
    /// 1, or 2 for hypercapnic respiratory failure.
    spo2_scale: u8,
    parameters: Vec<News2Parameter>,
}

impl From<news2::News2> for News2 {
    fn from(score: news2::News2) -> Self {
        let parameters = score.parameters.into_iter().map(|parameter| News2Parameter {
            sign: parameter.sign.into(),
            label: parameter.sign.label(),
            points: parameter.points,
            age_seconds: parameter.age.map(|age| age.as_secs()),
            reason: parameter.reason,
        });
        Self {
            score: score.total,
            complete: score.complete,
            missing: score.missing.into_iter().map(Into::into).collect(),
            risk: score.risk.map(Into::into),
            spo2_scale: score.scale.number(),
            parameters: parameters.collect(),
        }
    }
}
