"""The schema's history: one file a revision, run by alembic inside one transaction."""
