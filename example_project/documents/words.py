def count_words(value):
    """The number of words in all strings of a JSON document, keys left out."""
    if isinstance(value, str):
        return len(value.split())
    if isinstance(value, dict):
        return sum(map(count_words, value.values()))
    if isinstance(value, list):
        return sum(map(count_words, value))
    return 0
