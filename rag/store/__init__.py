"""Where passages and vectors live, and what was asked of them."""
