"""The whole life of a cloud's stack without an account: the real engine and program, a cloud that says no where the
real one would.

`make rehearse STACK=prod-aws`
"""
