"""The launch of a Flex Template, done on this machine: environment, launcher, job file."""
