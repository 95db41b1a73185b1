SELECT settle_next()
