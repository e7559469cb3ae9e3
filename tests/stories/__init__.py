"""Stories played over HTTP against the running service, as callers and clocks play them."""
