"""Networks from pictures to pictures, and the judges of patches."""
