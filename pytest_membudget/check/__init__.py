"""One check from its plan to its result: dry runs, samples, verdict, explanation."""
