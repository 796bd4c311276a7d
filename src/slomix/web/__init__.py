"""What all views share: who may do it, requests and responses, open pages, limits; nothing of the domain."""
