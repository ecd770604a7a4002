"""`pulumi-language-python` for a pulumi that was built from Go modules, where the official host is not to be had.

It answers what the engine asks of a language (preview, up, refresh, destroy, about, policy packs, plugins in a folder)
and leaves out what only code generation and `pulumi new` need.
"""
