"""A database backend that refuses: for every alias that is not the scratch database.

Whatever the settings say, a migration under measurement can't reach a real database by them.
"""
