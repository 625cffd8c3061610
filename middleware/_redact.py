"""The registry of sensitive names that stands where nobody has given one.

>>> from overcoat.middleware._redact import redact_query
>>> redact_query("page=2&access_token=abc;X-Amz-Signature=f00")
'page=2&access_token=[redacted];X-Amz-Signature=[redacted]'
"""

from overcoat.middleware.sensitive import Sensitive

DEFAULT = Sensitive()
is_sensitive = DEFAULT.is_sensitive
redact_query = DEFAULT.redact_query
