"""From samples to a verdict.  Pure: no Django, no pytest, no process."""
