"""Who says what: in quotations, reported speech and transcripts. What asking needs of it is `vocabulary` alone."""
