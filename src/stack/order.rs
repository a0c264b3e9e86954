//! In which order do services start? After those they name in `after:`, and those whose port they mention.

use indexmap::IndexMap;

use super::{StackError, fill};
use crate::spec::setup::Service;

/// Names in start order: the file's, as far as dependencies allow.
pub(super) fn order(services: &IndexMap<String, Service>) -> Result<Vec<&str>, StackError> {
    let mut sorted: Vec<&str> = Vec::new();
    while sorted.len() < services.len() {
        let mut next = None;
        for (name, service) in services {
            let before = before(service);
            if let Some(unknown) = before.iter().find(|other| !services.contains_key(other.as_str())) {
                return Err(StackError::start(format!(
                    "the service `{name}` waits for `{unknown}`, which the setup does not have"
                )));
            }
            let met = before.iter().all(|other| sorted.contains(&other.as_str()));
            if met && !sorted.contains(&name.as_str()) {
                next = Some(name.as_str());
                break;
            }
        }
        let Some(next) = next else {
            let left: Vec<&str> = services.keys().map(String::as_str).filter(|name| !sorted.contains(name)).collect();
            return Err(StackError::start(format!("the services {} wait for each other", left.join(", "))));
        };
        sorted.push(next);
    }
    Ok(sorted)
}

/// The one that is asked: the service named `server`, else the last.
pub fn asked(services: &IndexMap<String, Service>) -> Option<&str> {
    services.get_key_value("server").or_else(|| services.last()).map(|(name, _)| name.as_str())
}

fn before(service: &Service) -> Vec<String> {
    let texts = service.command.iter().chain(service.env.values());
    texts.flat_map(|text| fill::ports_of_others(text)).chain(service.after.iter().cloned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(services: &str, expect: Result<&[&str], &str>) {
        let services: IndexMap<String, Service> = serde_yaml::from_str(services).unwrap();
        assert_eq!(order(&services).map_err(|error| error.message), expect.map(<[&str]>::to_vec).map_err(str::to_owned));
    }

    #[test]
    fn services_start_after_what_they_need() {
        check("{a: {command: [x]}, b: {command: [x]}}", Ok(&["a", "b"]));
        check("{a: {command: [x], after: [b]}, b: {command: [x]}}", Ok(&["b", "a"]));
        check("{a: {command: ['--to=<port:b>']}, b: {command: [x]}}", Ok(&["b", "a"]));
        check("{a: {command: [x], env: {E: '<port:c>'}}, b: {command: [x]}, c: {command: [x]}}", Ok(&["b", "c", "a"]));
        check("{a: {command: [x], after: [b]}, b: {command: [x], after: [a]}}", Err("the services a, b wait for each other"));
        check("{a: {command: [x], after: [z]}}", Err("the service `a` waits for `z`, which the setup does not have"));
    }

    #[test]
    fn the_service_named_server_is_asked() {
        let of = |text: &str| -> Option<String> {
            let services: IndexMap<String, Service> = serde_yaml::from_str(text).unwrap();
            asked(&services).map(str::to_owned)
        };
        assert_eq!(of("{server: {command: [x]}, b: {command: [x]}}").as_deref(), Some("server"));
        assert_eq!(of("{a: {command: [x]}, b: {command: [x]}}").as_deref(), Some("b"));
        assert_eq!(of("{}"), None);
    }
}
