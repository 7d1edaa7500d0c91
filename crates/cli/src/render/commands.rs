//! What came of commands.

use serde_json::Value;
use tidegate_api::Command;

use super::structured;
use crate::failure::Failure;
use crate::sanitise;

/// One line: the agent's name, the state and the reason.
pub(crate) fn line(name: &str, uid: &str, state: &str, reason: &str) -> String {
    let why = if reason.is_empty() { String::new() } else { format!(": {}", sanitise::cell(reason, 2048)) };
    let uid = super::agents::short_uid(uid);
    format!(
        "{:<12} {} ({}){why}\n",
        sanitise::cell(state, 16),
        sanitise::cell(name, 64),
        sanitise::line(&uid)
    )
}

/// The data of a command's answer: text as it is, but safe, anything else as JSON. Empty when there is none.
///
/// # Errors
/// [`Failure::Encode`].
pub(crate) fn answer(command: &Command) -> Result<String, Failure> {
    match command.answer.as_ref().map(|answer| &answer.data) {
        None | Some(Value::Null) => Ok(String::new()),
        Some(Value::String(text)) => Ok(format!("{}\n", sanitise::block(text.trim_end_matches('\n')))),
        Some(data) => structured::json(data),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use serde_json::json;
    use tidegate_api::Answer;

    use super::super::examples::now;
    use super::*;

    pub(crate) fn command(state: &str) -> Command {
        Command {
            id: "c1".into(),
            agent: "0190aaaa".into(),
            kind: "custom".into(),
            capability: None,
            message_type: None,
            state: state.into(),
            ended: !matches!(state, "queued" | "sent" | "acknowledged"),
            reason: String::new(),
            actor: "admin".into(),
            created_at: now(),
            deadline: now(),
            sent_at: None,
            finished_at: None,
            answer: None,
        }
    }

    #[test]
    fn given_answers_when_shown_then_text_is_safe_and_json_is_indented() {
        for (data, expected) in [
            (Value::Null, ""),
            (json!("two\nlines\n"), "two\nlines\n"),
            (json!("\x1b[2J"), "\\u{1b}[2J\n"),
            (json!({"a": [1, "\u{9b}"]}), "{\n  \"a\": [\n    1,\n    \"\\u009b\"\n  ]\n}\n"),
        ] {
            let mut command = command("succeeded");
            command.answer = Some(Answer { message_type: "t".into(), data });
            assert_eq!(answer(&command).unwrap(), expected);
        }
        assert_eq!(answer(&command("succeeded")).unwrap(), "");
    }

    #[test]
    fn given_a_result_when_shown_then_it_is_one_line() {
        assert_eq!(
            line("web\n1", "0190aaaa-1", "failed", "no\x07"),
            "failed       web\\n1 (0190aaaa): no\\u{7}\n"
        );
        assert_eq!(line("web-1", "0190aaaa", "succeeded", ""), "succeeded    web-1 (0190aaaa)\n");
    }
}
