select number, name, checksum from open.migrations order by number
