"""Making the film."""
