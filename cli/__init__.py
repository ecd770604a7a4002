"""What `make up` and `make down` do around `pulumi up` and `pulumi destroy`."""
