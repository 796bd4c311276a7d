#!/bin/sh
# Run once by the image of PostgreSQL, when its volume is empty: the two roles of docs/operations/database.md.
set -eu
psql --set ON_ERROR_STOP=1 --set owner="$OWNER_PASSWORD" --set app="$APP_PASSWORD" <<'SQL'
CREATE ROLE slomix_owner LOGIN PASSWORD :'owner';
CREATE ROLE website_app LOGIN PASSWORD :'app';
CREATE DATABASE slomix OWNER slomix_owner ENCODING 'UTF8' TEMPLATE template0;
REVOKE ALL ON DATABASE slomix FROM PUBLIC;
GRANT CONNECT ON DATABASE slomix TO website_app;
SQL
