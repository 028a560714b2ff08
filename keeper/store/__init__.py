"""The one database: schema, migrations, engine, unit of work."""
