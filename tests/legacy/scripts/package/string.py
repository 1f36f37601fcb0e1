"""Has the name of a module of Python, and goes first inside its package."""
letters = 'own letters'
