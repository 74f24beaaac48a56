"""Raw bytes become domain values here: gates, one parse, mail-parser behind a guard, worker processes.

`pool.WorkerPool` is the adapter of `service.ports.MessageReader`; everything else runs inside its workers.
"""
