//! Captures on disk: reading every age of them, converting old events, and writing current ones.
