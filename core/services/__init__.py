"""Use cases: the order of steps and transactions. Decisions come from core.domain."""
