//! Steps as FHIR R4 Observations, one, several in an array, or a Bundle of them: LOINC 55423-8, steps in
//! unspecified time, or 41950-7, steps in 24 hours, over an `effectivePeriod`. One without a device was
//! entered by hand. How much of the period was spent in motion an Observation does not say; it counts as
//! no more than the steps need.

use jiff::Timestamp;
use serde_json::Value;

use super::{ActivityError, RowError, Sample, at, push};
use crate::ledger::spec::STEPS_PER_ACTIVE_SECOND_MAX;

const LOINC: &str = "http://loinc.org";
const STEPS: [&str; 2] = ["55423-8", "41950-7"];
const FINISHED: [&str; 3] = ["final", "amended", "corrected"];

pub(super) fn samples(text: &str) -> Result<Vec<Sample>, ActivityError> {
    let broken = |what: String| ActivityError::Broken { format: "FHIR", what };
    let json: Value = serde_json::from_str(text).map_err(|error| broken(error.to_string()))?;
    let observations: Vec<&Value> = match (&json, json["resourceType"].as_str()) {
        (Value::Array(all), _) => all.iter().collect(),
        (_, Some("Bundle")) => {
            let entries = json["entry"].as_array();
            let entries = entries.ok_or_else(|| broken("a Bundle without entries".into()))?;
            entries.iter().map(|entry| &entry["resource"]).collect()
        }
        (_, Some(_)) => vec![&json],
        _ => return Err(broken("no resourceType".into())),
    };
    let mut samples = Vec::new();
    for (observation, row) in observations.into_iter().zip(1..) {
        match sample(observation, row) {
            Ok(sample) => push(&mut samples, sample)?,
            Err(error) => return at(row, error),
        }
    }
    // A Bundle has no order of its own.
    samples.sort_by_key(|sample: &Sample| sample.t0);
    Ok(samples)
}

fn sample(observation: &Value, row: u64) -> Result<Sample, RowError> {
    let not = |what| Err(RowError::NotAnObservation(what));
    if observation["resourceType"] != "Observation" {
        return not("not an Observation");
    }
    if !observation["status"].as_str().is_some_and(|status| FINISHED.contains(&status)) {
        return not("not a finished observation");
    }
    let codings = observation["code"]["coding"].as_array();
    let is_steps = |coding: &Value| {
        coding["system"] == LOINC
            && coding["code"].as_str().is_some_and(|code| STEPS.contains(&code))
    };
    if !codings.is_some_and(|codings| codings.iter().any(is_steps)) {
        return not("no code for steps (LOINC 55423-8 or 41950-7)");
    }
    let time = |name: &str| {
        let text = observation["effectivePeriod"][name].as_str().unwrap_or_default();
        let bad = || RowError::BadTime(text.chars().take(40).collect());
        let second = text.parse::<Timestamp>().map_err(|_| bad())?.as_second();
        u32::try_from(second).map_err(|_| bad())
    };
    let (t0, t1) = (time("start")?, time("end")?);
    let value = &observation["valueQuantity"]["value"];
    let steps = match (value.as_u64(), value.as_i64()) {
        (Some(steps), _) => steps,
        (None, Some(steps)) => return Err(RowError::NegativeSteps(steps)),
        _ => return Err(RowError::BadNumber(value.to_string().chars().take(40).collect())),
    };
    let has_device = observation["device"].is_object();
    if !has_device {
        return Err(RowError::EnteredByHand);
    }
    let seconds = u64::from(t1.saturating_sub(t0));
    let most = STEPS_PER_ACTIVE_SECOND_MAX * seconds;
    if steps > most {
        return Err(RowError::TooManySteps { steps, most });
    }
    let too_many = |_| RowError::TooManySteps { steps, most };
    let active = steps.div_ceil(STEPS_PER_ACTIVE_SECOND_MAX);
    let active_s = u32::try_from(active).map_err(too_many)?;
    let steps = u32::try_from(steps).map_err(too_many)?;
    Ok(Sample { row, t0, t1, wear_s: active_s, active_s, steps, heart: None })
}
