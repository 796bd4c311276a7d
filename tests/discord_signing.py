"""The key pair of the simulator, with which tests sign what Discord would."""

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from slomix.dev.simulator.people import PUBLIC_KEY, SIGNING_SEED

KEY = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(SIGNING_SEED))
assert KEY.public_key().public_bytes_raw().hex() == PUBLIC_KEY
