"""Reports: each is a function of the same results, as :meth:`Result.to_dict` gives them."""
