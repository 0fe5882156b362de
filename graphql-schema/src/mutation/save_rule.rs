//! Creating and changing a rule.

use async_graphql::{Context, ID, InputObject, Object};
use jiff::SignedDuration;
use readings::{Path, Unit};
use rules::{Condition, RuleError};
use tenants::{
    ErrorKind, RuleId,
    access::{Action, Object as Thing, Scope},
    clock::Clock,
};

use crate::{
    Services, arguments,
    context::RequestContext,
    errors::{ApiError, Result},
    types::{AlarmPriority, Comparison, Rule},
};

#[derive(InputObject)]
pub(super) struct SaveRuleInput {
    /// Omit to create.
    id: Option<ID>,
    /// The version that was edited; a newer one is a CONFLICT.
    version: Option<u32>,
    name: String,
    path: String,
    raise_when: Comparison,
    raise_value: f64,
    hold_seconds: i32,
    clear_when: Comparison,
    clear_value: f64,
    clear_hold_seconds: i32,
    unit: String,
    priority: AlarmPriority,
    enabled: bool,
}

impl From<RuleError> for ApiError {
    fn from(error: RuleError) -> Self {
        Self::of(error.kind(), error)
    }
}

#[derive(Default)]
pub(super) struct RuleMutation;

#[Object]
impl RuleMutation {
    async fn save_rule(&self, ctx: &Context<'_>, input: SaveRuleInput) -> Result<Rule> {
        let scope = ctx.grant(Thing::Rule, Action::Write).await?;
        let services = ctx.services()?;
        let edited = Edited::of(&input, &*services.clock)?;
        let rule = rule(input, edited.id(), edited.version()?)?;
        if let Edited::Version(id, version) = edited {
            expect(services, &scope, id, version).await?;
        }
        let entry = ctx.audit(&scope, "rule.save", format!("rule:{}", rule.id), in_words(&rule))?;
        services.rules.save(&scope, &rule, &entry).await?;
        services.twins.rules_changed(scope.tenant()).await.map_err(|error| {
            ApiError::from(error)
                .saying("the rule is saved, but not every device follows it yet; save it again in a moment")
        })?;
        Ok(Rule::from(&rule))
    }
}

/// What the caller had before them.
enum Edited {
    Nothing(RuleId),
    Version(RuleId, u32),
}

impl Edited {
    fn of(input: &SaveRuleInput, clock: &dyn Clock) -> Result<Self> {
        match (&input.id, input.version) {
            (None, None) => Ok(Self::Nothing(RuleId::new(clock))),
            (Some(id), Some(version)) => Ok(Self::Version(arguments::id(id)?, version)),
            (Some(_), None) => {
                Err(ApiError::bad_input("version: expected the version that was edited, because id is given"))
            }
            (None, Some(_)) => Err(ApiError::bad_input(
                "version: only a rule that exists has one; give its id, or omit both",
            )),
        }
    }

    fn id(&self) -> RuleId {
        match self {
            Self::Nothing(id) | Self::Version(id, _) => *id,
        }
    }

    /// The version that is to be written.
    fn version(&self) -> Result<u32> {
        match self {
            Self::Nothing(_) => Ok(1),
            Self::Version(_, version) => {
                version.checked_add(1).ok_or_else(|| ApiError::bad_input("version: no rule has this version"))
            }
        }
    }
}

fn rule(input: SaveRuleInput, id: RuleId, version: u32) -> Result<rules::Rule> {
    let condition = |comparison: Comparison, value| Condition { comparison: comparison.into(), value };
    let unit = match input.unit.trim() {
        "" => None,
        code => Some(Unit::parse(code).map_err(|error| ApiError::bad_input(format!("unit: {error}")))?),
    };
    let path = Path::parse(&input.path).map_err(|error| ApiError::bad_input(format!("path: {error}")))?;
    let rule = rules::Rule {
        id,
        name: input.name,
        path,
        raise: condition(input.raise_when, input.raise_value),
        hold: SignedDuration::from_secs(input.hold_seconds.into()),
        clear: condition(input.clear_when, input.clear_value),
        clear_hold: SignedDuration::from_secs(input.clear_hold_seconds.into()),
        unit,
        priority: input.priority.into(),
        enabled: input.enabled,
        version,
    };
    let rule = rule.validate()?;
    // A path that no device has, or a unit that its values are not in, would be a rule that never raises.
    let modeled = templates::builtin::ALL.into_iter().flat_map(|template| template().telemetry());
    rule.fits(modeled.map(|telemetry| (telemetry.path(), telemetry.unit())))?;
    Ok(rule)
}

/// Tells a rule that is not there from one that was changed; the store checks the version again as it writes.
async fn expect(services: &Services, scope: &Scope, id: RuleId, version: u32) -> Result<()> {
    let all = services.rules.all(scope).await?;
    let stored = all.iter().find(|rule| rule.id == id).ok_or_else(|| ApiError::not_found("rule"))?;
    if stored.version == version {
        return Ok(());
    }
    let message = format!(
        "the rule has version {}, the edited one was {version}: load it anew and change that",
        stored.version
    );
    Err(ApiError::new(ErrorKind::Conflict, message))
}

/// What the audit trail keeps of it.
fn in_words(rule: &rules::Rule) -> String {
    let unit = rule.unit.as_ref().map(|unit| format!(" {unit}")).unwrap_or_default();
    let state = if rule.enabled { "enabled" } else { "disabled" };
    format!(
        "version {}, {state}, {} priority: {} {}{unit} for {} s raises, {}{unit} for {} s clears",
        rule.version,
        rule.priority,
        rule.path,
        rule.raise,
        rule.hold.as_secs(),
        rule.clear,
        rule.clear_hold.as_secs()
    )
}

#[cfg(test)]
mod tests {
    use tenants::clock::SystemClock;

    use super::*;

    fn tachycardia() -> SaveRuleInput {
        SaveRuleInput {
            id: None,
            version: None,
            name: " Tachycardia ".into(),
            path: "heartRate".into(),
            raise_when: Comparison::Above,
            raise_value: 130.0,
            hold_seconds: 10,
            clear_when: Comparison::Below,
            clear_value: 120.0,
            clear_hold_seconds: 5,
            unit: "/min".into(),
            priority: AlarmPriority::High,
            enabled: true,
        }
    }

    fn saved(input: SaveRuleInput) -> std::result::Result<rules::Rule, ErrorKind> {
        let edited = Edited::of(&input, &SystemClock).map_err(|error| error.kind())?;
        let version = edited.version().map_err(|error| error.kind())?;
        rule(input, edited.id(), version).map_err(|error| error.kind())
    }

    #[test]
    fn a_new_rule_has_version_1_and_a_changed_one_the_next() {
        let new = saved(tachycardia()).unwrap();
        assert_eq!((new.version, new.name.as_str()), (1, "Tachycardia"));
        let changed = SaveRuleInput { id: Some(ID(new.id.to_string())), version: Some(7), ..tachycardia() };
        let changed = saved(changed).unwrap();
        assert_eq!((changed.version, changed.id), (8, new.id));
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let id = || Some(ID("00000000-0000-0000-0000-000000000007".into()));
        let rows = [
            SaveRuleInput { id: id(), ..tachycardia() },
            SaveRuleInput { version: Some(1), ..tachycardia() },
            SaveRuleInput { id: id(), version: Some(u32::MAX), ..tachycardia() },
            SaveRuleInput { id: Some(ID("seven".into())), version: Some(1), ..tachycardia() },
            SaveRuleInput { name: "  ".into(), ..tachycardia() },
            SaveRuleInput { path: "heart rate".into(), ..tachycardia() },
            SaveRuleInput { path: "heartrate".into(), ..tachycardia() },
            SaveRuleInput { unit: "beats".into(), ..tachycardia() },
            SaveRuleInput { unit: "Cel".into(), ..tachycardia() },
            SaveRuleInput { hold_seconds: -1, ..tachycardia() },
            SaveRuleInput { clear_hold_seconds: 86_401, ..tachycardia() },
            SaveRuleInput { clear_value: 140.0, ..tachycardia() },
            SaveRuleInput { raise_value: f64::INFINITY, ..tachycardia() },
        ];
        for (row, input) in rows.into_iter().enumerate() {
            assert_eq!(saved(input), Err(ErrorKind::BadInput), "row {row}");
        }
        assert_eq!(saved(SaveRuleInput { unit: String::new(), ..tachycardia() }).unwrap().unit, None);
    }
}
