"""Loops: wake, call one use case, back off, stop when told."""
