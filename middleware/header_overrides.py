r"""override_security_headers: other security headers for the response of this request, said by the view.

>>> from overcoat.middleware import SecurityHeaders, override_security_headers
>>> def widget(environ, start_response):
...     override_security_headers(frame_options=None, cross_origin_resource_policy="cross-origin")
...     start_response("200 OK", [])
...     return [b"shown anywhere"]
>>> app = SecurityHeaders(widget, cross_origin_resource_policy="same-origin")
>>> _ = app({"wsgi.url_scheme": "http"}, lambda status, headers: print(*headers, sep="\n"))
('X-Content-Type-Options', 'nosniff')
('Referrer-Policy', 'strict-origin-when-cross-origin')
('Cross-Origin-Opener-Policy', 'same-origin')
('Cross-Origin-Resource-Policy', 'cross-origin')

For all views of a Flask blueprint, call it in a ``before_request`` function of that blueprint. A header that the app
sets itself needs no override: it wins anyway.
"""

from typing import Unpack

from overcoat.middleware._exchange import NO_HEADERS, current_exchange
from overcoat.middleware._header_compilers import HeaderOptions, refuse_unknown_options
from overcoat.middleware._header_values import Headers, compile_headers
from overcoat.middleware.nonce import wishes_of


def override_security_headers(**options: Unpack[HeaderOptions]) -> None:
    """Put these in place of what ``SecurityHeaders`` would send with this response; outside a request do nothing.

    A WSGI app that is itself a generator runs outside of it, unless a layer follows bodies, such as ``RequestLog()``.

    Args:
        **options: Those of ``SecurityHeaders`` that make headers. None turns one off. A policy replaces the whole
            policy; where it has ``frame-ancestors`` and ``frame_options`` is not given, X-Frame-Options follows it. The
            ``hsts_`` options are one header: give all that it needs. A later call wins, option by option.

    Raises:
        ValueError: An unknown option, or a value that the constructor would refuse, too.
        RuntimeError: The response has started, so that nothing would come of it.
    """
    refuse_unknown_options("override_security_headers", options)
    headers = compile_headers(options, endpoints=options.get("reporting_endpoints"))
    exchange = current_exchange()
    if exchange is None:
        return
    if exchange.headers is not NO_HEADERS and exchange.error is None:
        raise RuntimeError("override_security_headers(): the headers have gone out: call it before the response starts")
    wishes = wishes_of(exchange)
    earlier: Headers = wishes.get("headers", _NONE)
    kept = {name: policy for name, policy in earlier.policies.items() if name not in headers.values}
    wishes["headers"] = Headers(earlier.values | headers.values, kept | headers.policies)


_NONE = Headers({})
