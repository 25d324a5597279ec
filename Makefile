# The two commands. Both work from a fresh clone with Rust and Node.js on the machine.

.PHONY: run test

# Builds, then serves this workspace. `make run ARGS=--virtual-clock` passes flags on.
run:
	cargo run --locked -- serve $(ARGS)

# Installs what the tests need, then runs every check and test there is.
test:
	@.ci/test
