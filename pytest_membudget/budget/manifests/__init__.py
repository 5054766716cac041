"""Memory limits as a Kubernetes manifest or a Compose file has them."""
