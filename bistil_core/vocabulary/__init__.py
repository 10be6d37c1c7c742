"""Token counts and bilingual vocabulary trimming (BiStil section 3.1)."""
