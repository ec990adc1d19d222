"""Quality: predictions beside labels that come later, and what is known without them."""
