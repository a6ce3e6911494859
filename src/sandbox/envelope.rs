//! How every answer is wrapped (facts §1.2): the envelope of results and of refusals, and what comes without one.

use serde_json::{Map, Value, json};

/// The code of refusals whose own code is not documented anywhere.
pub(super) const GENERAL: u32 = 1004;

/// A refusal in the API's own words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    /// The HTTP status.
    pub(super) status: u16,
    /// The API's code; 0 when it gives none, as rulesets do.
    pub(super) code: u32,
    /// The API's message.
    pub(super) message: String,
    /// Where in the body it is wrong, as a JSON pointer.
    pub(super) pointer: Option<String>,
    /// The real cause, which older services hide here.
    chain: Option<(u32, &'static str)>,
    /// Whether the gateway answers instead of the service: it leaves `result` and `messages` out.
    gateway: bool,
}

impl Refusal {
    /// A refusal with its status.
    pub(super) fn new(status: u16, code: u32, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
            pointer: None,
            chain: None,
            gateway: false,
        }
    }

    /// What was asked cannot be done so: 400.
    pub(super) fn bad(code: u32, message: impl Into<String>) -> Self {
        Self::new(400, code, message)
    }

    /// A refusal by the gateway.
    pub(super) fn gateway(status: u16, code: u32, message: impl Into<String>) -> Self {
        Self {
            gateway: true,
            ..Self::new(status, code, message)
        }
    }

    /// The same refusal with the place in the body that it is about.
    pub(super) fn at(mut self, pointer: impl Into<String>) -> Self {
        self.pointer = Some(pointer.into());
        self
    }

    /// The same refusal with its cause beneath it.
    pub(super) fn because(mut self, code: u32, message: &'static str) -> Self {
        self.chain = Some((code, message));
        self
    }

    /// No body, or none that can be read.
    pub(super) fn body() -> Self {
        Self::bad(9207, "Request body is invalid.")
    }

    /// The token is wrong, or lacks a permission: the API does not say which.
    pub(super) fn forbidden() -> Self {
        Self::gateway(403, 10000, "Authentication error")
    }

    fn to_value(&self) -> Value {
        let mut error = Map::new();
        if self.code > 0 {
            error.insert("code".to_owned(), json!(self.code));
        }
        error.insert("message".to_owned(), json!(self.message));
        if let Some(pointer) = &self.pointer {
            error.insert("source".to_owned(), json!({ "pointer": pointer }));
        }
        if let Some((code, message)) = self.chain {
            error.insert("error_chain".to_owned(), json!([{ "code": code, "message": message }]));
        }
        let errors = [Value::Object(error)];
        if self.gateway {
            json!({ "success": false, "errors": errors })
        } else {
            json!({ "success": false, "errors": errors, "messages": [], "result": null })
        }
    }
}

/// One page of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Page {
    /// From 1.
    pub(super) number: usize,
    /// Entries on a page.
    pub(super) size: usize,
    /// Entries on all pages.
    pub(super) total: usize,
}

/// What a request comes to when it is not refused.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Answer {
    /// A result.
    Result(Value),
    /// A result with a message beside it.
    Told(Value, &'static str),
    /// One page of a list.
    List(Vec<Value>, Page),
    /// One page of a list whose pages have no numbers.
    Cursor(Vec<Value>, Cursors),
    /// A text without an envelope.
    Text(String),
    /// Done, and nothing to say: 204.
    Nothing,
}

/// The pages around one that has no number.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Cursors {
    pub(super) before: Option<String>,
    pub(super) after: Option<String>,
}

/// An answer as it goes out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) content_type: &'static str,
    pub(super) body: Vec<u8>,
    /// Seconds after which to come again.
    pub(super) retry_after: Option<u64>,
    /// Headers of another service, in place of the usual ones.
    pub(super) headers: Option<Vec<(&'static str, String)>>,
}

impl Reply {
    /// A reply without an envelope.
    pub(super) fn raw(status: u16, content_type: &'static str, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status,
            content_type,
            body: body.into(),
            retry_after: None,
            headers: None,
        }
    }

    fn json(status: u16, value: &Value) -> Self {
        Self::raw(status, "application/json", value.to_string())
    }

    /// Too many requests.
    pub(super) fn too_many(retry_after: u64) -> Self {
        let refusal = Refusal::new(429, 971, "Please wait and consider throttling your request speed");
        Self {
            retry_after: Some(retry_after),
            ..refusal.into()
        }
    }
}

impl From<Refusal> for Reply {
    fn from(refusal: Refusal) -> Self {
        Self::json(refusal.status, &refusal.to_value())
    }
}

impl From<Answer> for Reply {
    fn from(answer: Answer) -> Self {
        let envelope = |result: Value, messages: Value| json!({ "success": true, "errors": [], "messages": messages, "result": result });
        match answer {
            Answer::Nothing => Self::raw(204, "application/json", Vec::new()),
            Answer::Cursor(items, cursors) => {
                let mut whole = envelope(Value::Array(items), json!([]));
                let mut around = Map::new();
                for (key, cursor) in [("before", cursors.before), ("after", cursors.after)] {
                    if let Some(cursor) = cursor {
                        around.insert(key.to_owned(), json!(cursor));
                    }
                }
                // A list that fits on one page often comes without any paging.
                if !around.is_empty() {
                    whole["result_info"] = json!({ "cursors": around });
                }
                Self::json(200, &whole)
            }
            Answer::Text(text) => Self::raw(200, "text/plain; charset=utf-8", text),
            Answer::Result(result) => Self::json(200, &envelope(result, json!([]))),
            Answer::Told(result, words) => {
                let messages = json!([{ "code": 10000, "message": words, "type": null }]);
                Self::json(200, &envelope(result, messages))
            }
            Answer::List(items, page) => {
                let info = json!({
                    "page": page.number, "per_page": page.size, "count": items.len(), "total_count": page.total,
                    "total_pages": page.total.div_ceil(page.size).max(1),
                });
                let mut whole = envelope(Value::Array(items), json!([]));
                whole["result_info"] = info;
                Self::json(200, &whole)
            }
        }
    }
}
