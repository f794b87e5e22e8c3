"""A build spread over the machines of a cluster."""
