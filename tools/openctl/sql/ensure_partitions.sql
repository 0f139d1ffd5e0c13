select open.ensure_partitions()
