"""The virtual machine: its tasks, hosts and daemons, as this process sees them."""
