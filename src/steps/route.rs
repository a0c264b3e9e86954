//! Which provider of a composed stack is a request for? Its model says it, else its path; what neither tells goes to the first.

use serde::Deserialize;

use crate::wire::Request;

/// One provider of a composed stack.
#[derive(Debug, Clone, Default)]
pub struct Route {
    /// Abilities that are asked of it.
    pub abilities: Vec<String>,
    /// Models that it has.
    pub models: Vec<String>,
    /// Its base address.
    pub url: String,
    /// Its bearer token.
    pub bearer: Option<String>,
    /// The key that it is known to want.
    pub wanted_key: Option<String>,
}

impl Route {
    /// Sends a request to this provider: its address, and its token in place of the cell's.
    pub(super) fn apply(&self, request: &mut Request, cells: Option<&str>) {
        request.target = format!("{}{}", self.url, request.target);
        let of_cell = cells.map(|token| format!("Bearer {token}"));
        let Some(of_cell) = of_cell else {
            if let Some(bearer) = &self.bearer
                && !request.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("authorization"))
            {
                request.headers.push(("authorization".to_owned(), format!("Bearer {bearer}")));
            }
            return;
        };
        let is_of_cell = |(name, value): &(String, String)| name.eq_ignore_ascii_case("authorization") && *value == of_cell;
        if let Some(at) = request.headers.iter().position(is_of_cell) {
            match &self.bearer {
                Some(bearer) => request.headers[at].1 = format!("Bearer {bearer}"),
                None => drop(request.headers.remove(at)),
            }
        }
    }
}

/// Whether an address is at a base address, and not at one that only begins alike.
pub(super) fn is_below(address: &str, base: &str) -> bool {
    address.strip_prefix(base).is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']))
}

/// The route of a request; `None` where it goes to the cell's own address, or to a whole one of its own.
pub(super) fn of<'a>(routes: &'a [Route], request: &Request) -> Option<&'a Route> {
    if routes.is_empty() || !(request.target.starts_with('/') || request.target.is_empty()) {
        return None;
    }
    let model = request.body.as_deref().and_then(|body| serde_json::from_slice::<Asked>(body).ok()?.model);
    let by_model = model.and_then(|model| {
        let mut having = routes.iter().filter(|route| route.models.contains(&model));
        having.next().filter(|_| having.next().is_none())
    });
    let ability = ability_of(&request.target);
    let by_path = || routes.iter().find(|route| route.abilities.iter().any(|known| known == ability));
    by_model.or_else(by_path).or_else(|| routes.first())
}

/// The only key of a body that tells its way.
#[derive(Deserialize)]
struct Asked {
    model: Option<String>,
}

fn ability_of(target: &str) -> &'static str {
    let path = target.split(['?', '#']).next().unwrap_or_default().trim_end_matches('/');
    match path.strip_prefix("/v1").unwrap_or(path) {
        "/chat/completions" => "chat",
        "/completions" => "completions",
        "/embeddings" => "embeddings",
        "/models" => "models",
        "/metrics" => "metrics",
        "/health" => "health",
        path if path.starts_with("/responses") => "responses",
        path if path.starts_with("/models/") => "model_get",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn routes() -> Vec<Route> {
        let route = |abilities: &[&str], models: &[&str], url: &str, bearer: Option<&str>| Route {
            abilities: abilities.iter().map(|it| (*it).to_owned()).collect(),
            models: models.iter().map(|it| (*it).to_owned()).collect(),
            url: url.to_owned(),
            bearer: bearer.map(str::to_owned),
            wanted_key: None,
        };
        vec![
            route(&["chat", "models"], &["talks", "both"], "http://a", Some("key-a")),
            route(&["embeddings"], &["embeds", "both"], "http://b", None),
        ]
    }

    #[track_caller]
    fn check(target: &str, body: &Value, expect: Option<&str>) {
        let (routes, request) = (routes(), Request::post_json(target, body));
        assert_eq!(of(&routes, &request).map(|route| route.url.as_str()), expect, "{target} {body}");
    }

    #[test]
    fn the_model_tells_the_way_before_the_path() {
        check("/v1/chat/completions", &json!({}), Some("http://a"));
        check("/v1/embeddings", &json!({}), Some("http://b"));
        check("/v1/embeddings?x=1", &json!({"model": "both"}), Some("http://b"));
        check("/v1/chat/completions", &json!({"model": "embeds"}), Some("http://b"));
        check("/v1/embeddings", &json!({"model": "unheard"}), Some("http://b"));
        check("/v1/embeddings", &json!({"model": 7}), Some("http://b"));
        check("/v1/models", &json!([]), Some("http://a"));
        check("/tokenize", &json!({}), Some("http://a"));
        check("http://elsewhere/v1/embeddings", &json!({}), None);
        assert!(of(&[], &Request::get("/v1/models")).is_none());
    }

    #[test]
    fn each_provider_gets_its_own_token_and_an_authors_stays() {
        let mut request = Request::get("/v1/models").header("authorization", "Bearer key-cell");
        routes()[0].apply(&mut request, Some("key-cell"));
        assert_eq!(request.target, "http://a/v1/models");
        assert!(request.headers.contains(&("authorization".to_owned(), "Bearer key-a".to_owned())));
        let mut request = Request::get("/v1/models").header("authorization", "Bearer key-cell");
        routes()[1].apply(&mut request, Some("key-cell"));
        assert!(!request.headers.iter().any(|(name, _)| name == "authorization"));
        let mut request = Request::get("/v1/models").header("authorization", "Bearer mine");
        routes()[0].apply(&mut request, Some("key-cell"));
        assert!(request.headers.contains(&("authorization".to_owned(), "Bearer mine".to_owned())));
    }
}
