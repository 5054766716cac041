"""The only room that starts processes.

The pytest process never opens a database connection.  It talks to two programs:

* the *stage* (:mod:`.stage_main`), one a run: makes, seeds, clones and drops scratch databases;
* the *worker* (:mod:`.apply_main`), one a sample: applies the migration and tells its peak.
"""
