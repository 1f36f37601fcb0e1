"""Slaves that run as scripts of their own; installed as ``biskit_pvm.slave_scripts``."""
