"""gunicorn for the demo: gunicorn --config docs/deploy/gunicorn.conf.py overcoat.demo.wsgi:app ."""

import os

bind = os.environ.get("BIND", "127.0.0.1:8000")
workers = int(os.environ.get("WORKERS", "4"))
worker_class = "gthread"
threads = 4

# A worker that does not answer for so long is replaced; one that is told to stop may finish what it has.
timeout = 30
graceful_timeout = 30

# The app's own log has a line for each request; gunicorn's would say it again.
accesslog = None

# ProxyFix decides whom to believe (TRUSTED_PROXIES): gunicorn believes nobody.
forwarded_allow_ips = ""

# gunicorn 25.1 and later listen for commands in the home directory, which a service seldom has.
control_socket_disable = True
