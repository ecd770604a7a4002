"""`make bench`: what a control plane of this machine costs, as min, median and max of several runs."""
