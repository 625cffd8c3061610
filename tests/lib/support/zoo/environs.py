"""The hostile environs of the published kit."""

from overcoat.middleware.testing._zoo_environs import KEYS, ODD, VALUES, hostile

__all__ = ["KEYS", "ODD", "VALUES", "hostile"]
