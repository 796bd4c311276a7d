"""The JSON API as its views declare it: what they take and answer are models, and the description is made from them."""
