//! What does a chat template offer? Read from its words alone: a template that never names tools cannot show them to a model.

/// What a template does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Offers {
    /// It puts the tools of a request before the model.
    pub tools: bool,
    /// It has a place for thoughts.
    pub thinking: bool,
    /// It has a place for pictures.
    pub vision: bool,
}

/// Reads a Jinja template (Hugging Face, GGUF) or one of Go's (Ollama).
pub fn offers(template: &str) -> Offers {
    // Comments promise nothing.
    let code = without_comments(template);
    let any = |words: &[&str]| words.iter().any(|word| code.contains(word));
    Offers {
        tools: names(&code, "tools") || code.contains(".Tools"),
        thinking: any(&["<think>", "enable_thinking", "reasoning_content", "thinking", ".Thinking"]),
        vision: any(&["image_pad", "<image>", "'image'", "\"image\"", "image_url", "[IMG]", "<|image|>", "<start_of_image>"]),
    }
}

/// Whether a word stands in it as a whole name.
fn names(code: &str, word: &str) -> bool {
    let part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    code.match_indices(word).any(|(at, _)| {
        let (before, after) = (code[..at].chars().next_back(), code[at + word.len()..].chars().next());
        let tag = before == Some('<') || before == Some('/');
        !tag && !before.is_some_and(part) && !after.is_some_and(part)
    })
}

fn without_comments(template: &str) -> String {
    let mut out = String::with_capacity(template.len());
    let mut rest = template;
    while let Some(open) = rest.find("{#") {
        out.push_str(&rest[..open]);
        rest = rest[open..].find("#}").map_or("", |close| &rest[open + close + 2..]);
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(template: &str, expect: [bool; 3]) {
        let found = offers(template);
        assert_eq!([found.tools, found.thinking, found.vision], expect, "{template}");
    }

    #[test]
    fn a_template_is_read_for_what_it_offers() {
        check("{% for message in messages %}{{ message.content }}{% endfor %}", [false, false, false]);
        check("{% if tools %}{{ tools | tojson }}{% endif %}", [true, false, false]);
        check("{# tools and <think> #}{{ messages }}", [false, false, false]);
        check("{# tools", [false, false, false]);
        check("my_tools <tools></tools> toolset", [false, false, false]);
        check("{%- if enable_thinking is defined %}<think>{% endif %}", [false, true, false]);
        check("{{ if .Tools }}{{ .Thinking }}{{ end }}", [true, true, false]);
        check("{% if content['type'] == 'image' %}<|image_pad|>{% endif %}", [false, false, true]);
    }
}
