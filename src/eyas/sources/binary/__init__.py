"""Falco's binary plugins: shared objects with its C interface, run in a process of their own so that their crash is not
ours. Their events become records of a log source like any other."""
