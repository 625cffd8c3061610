"""The app of ``served_lines`` as a Flask app, for Flask's development server."""

from flask import Flask
from support.served_lines import app as wsgi_app

app = Flask("served_lines")
app.wsgi_app = wsgi_app  # type: ignore[method-assign]
