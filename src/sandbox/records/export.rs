//! A zone as a zone file, with what such a file cannot say behind a semicolon (facts §3.8).

use super::super::envelope::Answer;
use super::super::world::now;
use super::super::zones::Zone;
use super::{Body, Record};

/// `GET …/dns_records/export`.
pub(in crate::sandbox) fn export(zone: &Zone) -> Answer {
    let mut text = format!(";;\n;; Domain:     {}.\n;; Exported:   {}\n;;\n", zone.name, now());
    let mut records: Vec<&Record> = zone.records.iter().collect();
    records.sort_by(|a, b| (&a.body.kind, &a.body.name).cmp(&(&b.body.kind, &b.body.name)));
    for record in records {
        let body = &record.body;
        let line = format!(
            "{}.\t{}\tIN\t{}\t{}",
            body.name,
            body.ttl,
            body.kind,
            presentation(body)
        );
        text.push_str(&format!("{line}{}\n", remark(body)));
    }
    Answer::Text(text)
}

/// The data as a zone file writes it, hosts with their final dot.
fn presentation(body: &Body) -> String {
    let absolute = |host: &str| {
        if host == "." {
            host.to_owned()
        } else {
            format!("{host}.")
        }
    };
    let priority = body.priority.unwrap_or_default();
    match body.kind.as_str() {
        "CNAME" | "NS" | "PTR" => absolute(&body.content),
        "MX" | "SRV" => format!("{priority} {}", absolute(&body.content)),
        "URI" => format!("{priority} {}", body.content),
        "TXT" if !body.content.starts_with('"') => {
            format!("\"{}\"", body.content.replace('\\', "\\\\").replace('"', "\\\""))
        }
        _ => body.content.clone(),
    }
}

fn remark(body: &Body) -> String {
    let mut tags = body.tags.clone();
    if body.proxiable {
        tags.push(format!("cf-proxied:{}", body.proxied));
    }
    if body.settings.get("flatten_cname") == Some(&serde_json::Value::Bool(true)) {
        tags.push("cf-flatten-cname".to_owned());
    }
    let comment = body
        .comment
        .as_deref()
        .map_or_else(String::new, |comment| format!(" {comment}"));
    match (comment.is_empty(), tags.is_empty()) {
        (true, true) => String::new(),
        (false, true) => format!(" ;{comment}"),
        _ => format!(" ;{comment} cf_tags={}", tags.join(",")),
    }
}
