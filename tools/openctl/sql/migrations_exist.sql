-- Whether the database was ever migrated.
select to_regclass('open.migrations') is not null
