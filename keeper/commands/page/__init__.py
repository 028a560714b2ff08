"""An agreement as one HTML page that needs nothing else: no script, no request, every word of a stranger escaped."""
