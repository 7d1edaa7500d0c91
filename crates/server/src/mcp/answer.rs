//! Answers: one JSON object, told as structured content and as text, of a bounded size.

use rmcp::model::{CallToolResult, ContentBlock};
use serde_json::Value;

use super::detail::Detail;
use super::fence;
use super::problem::Problem;

/// An answer that went well.
pub(super) fn good(value: Value, detail: Detail) -> CallToolResult {
    let text = value.to_string();
    if text.len() > detail.bytes() {
        return bad(&Problem::too_large(text.len(), detail));
    }
    let mut blocks = Vec::new();
    if text.contains(fence::KEY) {
        blocks.push(ContentBlock::text(fence::LABEL));
    }
    blocks.push(ContentBlock::text(text));
    let mut result = CallToolResult::success(blocks);
    result.structured_content = Some(value);
    result
}

/// An answer that tells why nothing was done, as a problem (RFC 9457).
pub(super) fn bad(problem: &Problem) -> CallToolResult {
    let value = problem.json();
    let mut result = CallToolResult::error(vec![ContentBlock::text(value.to_string())]);
    result.structured_content = Some(value);
    result
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn given_an_answer_beyond_its_bound_then_it_is_refused_and_not_sent() {
        let large = json!({"text": "x".repeat(5_000)});
        assert_eq!(good(large.clone(), Detail::Brief).is_error, Some(true));
        assert_eq!(good(large, Detail::Full).is_error, Some(false));
    }
}
