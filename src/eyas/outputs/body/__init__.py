"""Shapes that several receivers share: the event as JSON, chat cards, escapes, OCSF, OTLP."""
