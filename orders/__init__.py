"""What the fan asked for: orders, photos, the wizard."""
