"""The schema of the demo's database, step by step: Alembic migrations, for ``flask db`` of Flask-Migrate too.

``create_app`` brings a database up to the newest by itself (``overcoat.demo.schema``). By hand, with the settings of
the demo in the environment::

    flask --app overcoat.demo.wsgi db current
    flask --app overcoat.demo.wsgi db downgrade base
"""
