SELECT close_next()
