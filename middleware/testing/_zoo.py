"""The zoo: small WSGI apps that each do one thing which PEP 3333 allows, or which some app in the world does anyway.

>>> from overcoat.middleware.testing._server import call
>>> specimen = SPECIMENS["late_start"]
>>> app, probe = specimen.make()
>>> call(app).status == specimen.status
True
"""

from overcoat.middleware.testing import (  # noqa: F401 - each registers its own
    _zoo_bodies,
    _zoo_errors,
    _zoo_files,
    _zoo_odd,
    _zoo_responses,
    _zoo_starts,
    _zoo_writes,
)
from overcoat.middleware.testing._specimen import SPECIMENS, Probe, Specimen

__all__ = ["SPECIMENS", "Probe", "Specimen"]
