"""The demo for any WSGI server: ``gunicorn overcoat.demo.wsgi:app``.

Set it up in the environment: ``DATABASE_URL``, ``LOG_FILE``, ``TRUSTED_PROXIES``; ``overcoat demo --help`` names all.
Without ``LOG_FILE`` the lines go to standard output, as JSON.
"""

from overcoat.demo import create_app

app = create_app()
