"""Alerts kept, grouped, routed, searched and shown."""
