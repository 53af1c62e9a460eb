"""Transports against their real counterparts."""
