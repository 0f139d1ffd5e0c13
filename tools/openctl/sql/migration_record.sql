-- $1 number, $2 name, $3 SHA-256 in hex
insert into open.migrations (number, name, checksum) values ($1::integer, $2, $3)
