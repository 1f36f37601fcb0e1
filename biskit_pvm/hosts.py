"""The computers of the user."""

import os
import socket

nodes_all = [socket.gethostname()]
cpus_all = nodes_all * (os.cpu_count() or 1)
