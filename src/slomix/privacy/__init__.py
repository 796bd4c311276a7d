"""One person, or one age, across all tables: unlinking, the download of one's data, retention."""
