"""The executor behind `biskit_pvm.futures`: its calls, its slaves and the places where these run."""
