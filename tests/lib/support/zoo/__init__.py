"""The zoo of the published kit."""

from overcoat.middleware.testing._zoo import SPECIMENS, Probe, Specimen

__all__ = ["SPECIMENS", "Probe", "Specimen"]
