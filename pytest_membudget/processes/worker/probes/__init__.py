"""What a worker records or changes in a run that is not measured."""
