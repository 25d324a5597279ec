//! The vocabulary's methods of texts.

use crate::rulebook::condition::TextTest;
use crate::rulebook::condition::vocabulary::{Asks, Method};

/// Every method of a text.
pub static METHODS: &[Method] = &[
    Method {
        name: "starts_with",
        doc: "the text starts with another",
        asks: Asks::Test(TextTest::StartsWith),
    },
    Method {
        name: "ends_with",
        doc: "the text ends with another",
        asks: Asks::Test(TextTest::EndsWith),
    },
    Method {
        name: "contains",
        doc: "another text occurs in the text; case matters",
        asks: Asks::Test(TextTest::Contains),
    },
    Method { name: "len", doc: "characters of the text", asks: Asks::Length },
    Method { name: "is_empty", doc: "the text has no characters", asks: Asks::Emptiness },
];
