"""Hook bundles for Flask: before, after and teardown functions as named units that are ordered and isolated.

>>> from flask import Flask
>>> from overcoat.hooks import HookBundle, register
>>> audit = HookBundle("audit")
>>> app = Flask("shop")
>>> register(app, [audit])
>>> audit.is_registered(app)
True
"""

try:
    import flask as _flask  # noqa: F401
except ImportError as error:  # pragma: no cover
    raise ImportError("overcoat.hooks is for Flask, which is missing: pip install 'overcoat[flask]'") from error

from overcoat.hooks.bundle import HookBundle, register

__all__ = [
    "HookBundle",
    "register",
]
