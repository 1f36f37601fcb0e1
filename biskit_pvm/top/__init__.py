"""The live view of a virtual machine: `biskit-pvm top`."""
