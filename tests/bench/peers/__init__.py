"""What the service is measured against: the limit, and the designs others would write."""
