"""A provider sandbox: the vendors' own HTTP contracts on this machine, with latency laws and every fault switch.

Production code knows nothing of it: it is reached through the vendors' base-URL settings alone.
"""
