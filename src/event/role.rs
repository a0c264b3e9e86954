//! Which of a setup's models is asked? By the abilities that a scenario's tags name.

/// Tags and the roles they ask for, the first that fits: a thinking model that calls tools is the reasoning one.
const ROLES: [(&str, &str); 4] =
    [("@vision", "vision"), ("@thinking", "reasoning"), ("@tools", "tools"), ("@parallel_tools", "tools")];

/// Role of the model that a scenario with these tags asks in a chat: `text` where none has a role of its own.
pub fn role_of(tags: &[String]) -> &'static str {
    let role = ROLES.iter().find(|(tag, _)| tags.iter().any(|of| of == tag));
    role.map_or("text", |(_, role)| role)
}
