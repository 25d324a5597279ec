//! docent
fn main() {}
