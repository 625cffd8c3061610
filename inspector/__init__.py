"""The `overcoat` command: it serves the demo and inspects request logs.

`overcoat logs` reads what `overcoat.middleware.RequestLog` writes, one JSON object a line, and answers what an
operator asks of it: the last requests, the slow ones, the failed ones, percentiles by route, everything about one
request.

>>> from overcoat.inspector.cli import main
>>> main(["logs", "/no/such/file.log"])
1

Importing this package loads neither DuckDB nor rich: the command parses with argparse alone, and a subcommand's
libraries load when it runs.
"""
