"""What all stages share: errors, optional libraries, what is asked of an encoder."""
