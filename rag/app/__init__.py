"""How people and programs reach the library: command line, page, tools for assistants, written answers."""
