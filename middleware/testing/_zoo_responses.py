"""Responses whose status or headers a wrapper may be tempted to touch."""

from overcoat.middleware.testing._specimen import TEXT, App, Body, Probe, app_of, specimen

#: Long enough for a compressor to care.
LONG = b"<p>Outer layers, one by one.</p>\n" * 300


@specimen(b"abcd", method="HEAD", closes=1)
def head_with_a_body(probe: Probe) -> App:
    return app_of(lambda: Body(probe, b"ab", b"cd"), headers=[*TEXT, ("Content-Length", "4")])


@specimen(b"", method="HEAD")
def head_without_a_body(_: Probe) -> App:
    return app_of(list, headers=[*TEXT, ("Content-Length", "4")])


@specimen(b"ab", status="204 NO CONTENT")
def no_content_with_a_body(_: Probe) -> App:
    return app_of(lambda: [b"ab"], "204 NO CONTENT", [])


@specimen(b"", status="204 NO CONTENT")
def no_content(_: Probe) -> App:
    return app_of(list, "204 NO CONTENT", [])


@specimen(b"ab", status="304 NOT MODIFIED", closes=1)
def not_modified_with_a_body(probe: Probe) -> App:
    return app_of(lambda: Body(probe, b"ab"), "304 NOT MODIFIED", [("ETag", '"v1"')])


@specimen(b"", status="304 NOT MODIFIED")
def not_modified(_: Probe) -> App:
    return app_of(list, "304 NOT MODIFIED", [("ETag", '"v1"')])


@specimen(b"", status="102 PROCESSING")
def informational(_: Probe) -> App:
    return app_of(list, "102 PROCESSING")


@specimen(b"abcd")
def content_length(_: Probe) -> App:
    return app_of(lambda: [b"ab", b"cd"], headers=[*TEXT, ("Content-Length", "4")])


@specimen(b"abcd", closes=1)
def content_length_of_a_stream(probe: Probe) -> App:
    return app_of(lambda: Body(probe, b"ab", b"cd"), headers=[*TEXT, ("Content-Length", "4")])


@specimen(LONG)
def long_text(_: Probe) -> App:
    return app_of(lambda: [LONG], headers=[("Content-Type", "text/html"), ("Content-Length", str(len(LONG)))])


@specimen(b"abcd")
def content_length_too_long(_: Probe) -> App:
    return app_of(lambda: [b"ab", b"cd"], headers=[*TEXT, ("Content-Length", "9")])


@specimen(b"abcd", closes=1)
def content_length_too_short(probe: Probe) -> App:
    return app_of(lambda: Body(probe, b"ab", b"cd"), headers=[*TEXT, ("Content-Length", "3")])


@specimen(b"ab")
def two_cookies(_: Probe) -> App:
    return app_of(lambda: [b"ab"], headers=[*TEXT, ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2; Secure")])


@specimen(b"ab")
def existing_vary(_: Probe) -> App:
    return app_of(lambda: [b"ab"], headers=[*TEXT, ("Vary", "Cookie, origin"), ("vary", "Accept")])


@specimen(b"ab", status="206 PARTIAL CONTENT")
def partial_content(_: Probe) -> App:
    headers = [*TEXT, ("ETag", 'W/"v1"'), ("Content-Range", "bytes 0-1/10"), ("Accept-Ranges", "bytes")]
    return app_of(lambda: [b"ab"], "206 PARTIAL CONTENT", headers)


@specimen(b"ab")
def duplicates_in_odd_case(_: Probe) -> App:
    return app_of(lambda: [b"ab"], headers=[("CONTENT-type", "text/plain"), ("x-A", "1"), ("X-a", "2"), ("x-A", "1")])


@specimen(b"ab")
def latin_1_header(_: Probe) -> App:
    return app_of(lambda: [b"ab"], headers=[*TEXT, ("X-Name", "caf\xe9"), ("X-Empty", "")])


@specimen(b"no", status="404 NOT FOUND")
def not_found(_: Probe) -> App:
    return app_of(lambda: [b"no"], "404 NOT FOUND")


@specimen(b"oops", status="500 INTERNAL SERVER ERROR")
def handled_error(_: Probe) -> App:
    return app_of(lambda: [b"oops"], "500 INTERNAL SERVER ERROR")


@specimen(b"ab")
def many_headers(_: Probe) -> App:
    return app_of(lambda: [b"ab"], headers=[*TEXT, *((f"X-{number}", "v" * 100) for number in range(500))])


@specimen(b"", status="302 FOUND")
def redirect(_: Probe) -> App:
    return app_of(list, "302 FOUND", [*TEXT, ("Location", "/elsewhere")])


@specimen(b"", status="101 SWITCHING PROTOCOLS")
def upgrade(_: Probe) -> App:
    return app_of(list, "101 SWITCHING PROTOCOLS", [*TEXT, ("X-Upgrade", "websocket")])
