"""Eyas watches hosts as things happen, judges every event by rules and raises an alert within seconds."""
