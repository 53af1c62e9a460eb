"""Kernels of Debian, booted in QEMU."""
