"""Google's and Microsoft's sign-in on loopback, with switches that break them."""

from sandbox.signin.host import SignInHost

__all__ = ["SignInHost"]
