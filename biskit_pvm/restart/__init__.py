"""The restart file: what it holds, and how it is read and written safely."""
