//! Hexadecimal and base64 in their one spelling.

use base64::Engine as _;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::error::DataError;
use super::fields::Field;

/// Hexadecimal digits in lower case, an even number of them; `expected` is how many bytes there must be.
pub(super) fn hex(field: &Field, what: &str, expected: Option<usize>) -> Result<String, DataError> {
    let text = field.text()?;
    let wrong = |words: String| DataError::new(field.span.clone(), words);
    if !text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err(wrong(format!("the {what} is written in hexadecimal digits")));
    }
    if !text.len().is_multiple_of(2) {
        return Err(wrong(format!(
            "the {what} has an odd number of hexadecimal digits ({})",
            text.len()
        )));
    }
    match expected {
        Some(expected) if text.len() != expected * 2 => Err(wrong(format!(
            "the {what} has {} bytes; of this kind it has {expected}",
            text.len() / 2
        ))),
        _ => Ok(text.to_ascii_lowercase()),
    }
}

/// Base64 with its padding.
pub(super) fn base64(field: &Field, what: &str) -> Result<String, DataError> {
    let engine = GeneralPurpose::new(
        &base64::alphabet::STANDARD,
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
    );
    let bytes = engine
        .decode(&field.bytes)
        .map_err(|_| DataError::new(field.span.clone(), format!("the {what} is not base64")))?;
    if bytes.is_empty() {
        return Err(DataError::new(field.span.clone(), format!("the {what} is empty")));
    }
    Ok(base64::engine::general_purpose::STANDARD.encode(bytes))
}
