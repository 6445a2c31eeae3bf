"""What the tests speak with: the platform's processes, the published client, the REST APIs, the cluster."""
