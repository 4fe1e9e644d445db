"""What the services ask of the outside, one file a consumer area."""
