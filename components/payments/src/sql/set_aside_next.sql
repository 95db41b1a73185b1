SELECT set_aside_next()
