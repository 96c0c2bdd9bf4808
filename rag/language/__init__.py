"""What loading and asking both need of a text: terms, sentences, names, dates, numbers, speakers."""
