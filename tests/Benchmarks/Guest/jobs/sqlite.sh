# SPDX-License-Identifier: Apache-2.0
# figures: sqlite_insert
# needs: sqlite3
elapsed sqlite_insert sqlite3 data.db <"$INPUT/inserts.sql"
