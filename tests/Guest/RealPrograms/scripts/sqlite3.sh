# SPDX-License-Identifier: Apache-2.0
# needs: sqlite3
sqlite3 db 'create table t(id integer primary key, name text, n real); create index i on t(name);'
sqlite3 db "with recursive c(x) as (select 1 union all select x+1 from c where x<2000) insert into t(name, n) select 'row' || x, x*0.5 from c;"
sqlite3 db "select count(*), sum(n), max(name) from t; select name from t where name like 'row19%' order by id limit 3; pragma integrity_check;"
sqlite3 db 'pragma journal_mode=wal; begin; delete from t where id % 2; rollback; update t set n = n + 1 where id < 10; select sum(n) from t; vacuum; select count(*) from t;'
sqlite3 -csv -header db 'select * from t limit 2;'
