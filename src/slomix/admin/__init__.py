"""What admins see and settle: claims, links, rights, profiles, and the log of it all."""
