"""The questions that end a lesson, a module a lesson."""
