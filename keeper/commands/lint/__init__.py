"""What is allowed and often regretted: each warning about terms has a code, a sentence and something to do."""
