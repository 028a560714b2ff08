"""Every command once: validated input in, receipt out. Doors (the command line, later a page) only call these."""
