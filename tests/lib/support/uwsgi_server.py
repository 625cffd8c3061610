"""uWSGI as a module that any Python of the tests can run: ``python -m support.uwsgi_server OPTION...``."""

import sys

import pyuwsgi

#: SIGTERM ends it rather than reloads it, and threads of the app run; the app is loaded by each worker for itself.
OPTIONS = ["--die-on-term", "--enable-threads", "--lazy-apps", "--need-app", "--threads=4"]
#: Its own limit for each read and write, 4 s, is one that a busy machine reaches.
OPTIONS.append("--socket-timeout=120")

if __name__ == "__main__":
    pyuwsgi.run([*OPTIONS, *sys.argv[1:]])
