"""What `./dev` is made of. Only the standard library is imported until the environment stands."""
