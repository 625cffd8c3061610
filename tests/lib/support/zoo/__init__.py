"""The zoo: small WSGI apps that each do one thing which PEP 3333 allows, or which some app in the world does anyway.

>>> from support.wsgi import call
>>> from support.zoo import SPECIMENS
>>> specimen = SPECIMENS["late_start"]
>>> app, probe = specimen.make()
>>> call(app).status == specimen.status
True
"""

from support.zoo import bodies, errors, odd, responses, starts, writes  # noqa: F401 - each registers its own
from support.zoo.specimen import SPECIMENS, Probe, Specimen

__all__ = ["SPECIMENS", "Probe", "Specimen"]
