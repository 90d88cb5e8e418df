package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"time"
)

// What a keeps file says of itself.
const (
	keepsApplication = 0x4479616b // "Dyak"
	keepsVersion     = 1
)

// The time at which a key ends is in Unix ms, 0 for never. The indexes have only
// the keys that end; usage has the accounts that keep something.
//
// Unlike the calls file it is fsynced, when the log is carried over: what it has
// cannot be found out anew. A damaged log costs its end, a damaged file all.
const (
	keepsSchema = `CREATE TABLE keeps (row INTEGER PRIMARY KEY, account TEXT NOT NULL, key TEXT NOT NULL,` +
		` value BLOB NOT NULL, ends INTEGER NOT NULL, UNIQUE (account, key));` +
		` CREATE INDEX ending ON keeps (ends) WHERE ends > 0;` +
		` CREATE INDEX ending_of ON keeps (account, ends) WHERE ends > 0;` +
		` CREATE TABLE usage (account TEXT PRIMARY KEY, keys INTEGER NOT NULL, bytes INTEGER NOT NULL) WITHOUT ROWID`
	keepsSetup = `PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 1000;` +
		`PRAGMA journal_size_limit = 16777216;`
	keepsCheck = 2 * time.Second
)

// A keepFile is the SQLite file. The write loop owns everything but the readers,
// each of which belongs to a read loop.
type keepFile struct {
	db      *sql.DB
	conn    *sql.Conn
	readers []*keepReader

	begin, commit, rollback       *sql.Stmt
	find, add, change, set, erase *sql.Stmt
	usage, setUsage, eraseUsage   *sql.Stmt
	overdue, expire, expireOf     *sql.Stmt

	used map[string]*keepUsage // by the accounts of this transaction
}

// A keepReader is a connection that reads.
type keepReader struct {
	conn *sql.Conn
	get  *sql.Stmt
}

// openKeepFile opens or creates the file. An error that keepsUnfit approves of
// means that the file is not to be used, any other that it can not.
func openKeepFile(path string) (*keepFile, error) {
	if err := makePrivate(path); err != nil {
		return nil, err
	}
	absolute, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	name := url.URL{Scheme: "file", OmitHost: true, Path: absolute}
	db, err := sql.Open("sqlite", name.String())
	if err != nil {
		return nil, err
	}
	db.SetMaxIdleConns(0) // the memory of the one that checks goes with it
	f := &keepFile{db: db, used: map[string]*keepUsage{}}
	if err := f.open(); err != nil {
		return nil, errors.Join(err, f.close())
	}
	return f, nil
}

func (f *keepFile) open() (err error) {
	if f.conn, err = f.db.Conn(context.Background()); err != nil {
		return err
	}
	if err := f.exec(callsOpenWait); err != nil {
		return err
	}
	if err := f.identify(); err != nil { // before anything that writes
		return err
	}
	if err := f.exec(keepsSetup); err != nil {
		return err
	}
	if err := f.check(); err != nil {
		return err
	}
	if err := f.prepare(); err != nil {
		return err
	}
	for range keepsReaders {
		if err := f.openReader(); err != nil {
			return err
		}
	}
	return f.exec(callsWriteWait)
}

// identify finds out whether the file is ours, and makes an empty one so.
func (f *keepFile) identify() error {
	var application, version, tables int
	err := errors.Join(
		f.ask("PRAGMA application_id", &application),
		f.ask("PRAGMA user_version", &version),
		f.ask("SELECT count(*) FROM sqlite_schema", &tables))
	switch {
	case err != nil:
		return err
	case application == 0 && version == 0 && tables == 0:
		return f.exec(fmt.Sprintf("BEGIN IMMEDIATE; %s; PRAGMA application_id = %d; PRAGMA user_version = %d; COMMIT",
			keepsSchema, keepsApplication, keepsVersion))
	case application != keepsApplication:
		return fmt.Errorf("%w: application_id is %#x", errForeignKeeps, application)
	case version != keepsVersion:
		return fmt.Errorf("%w: it has version %d, this program reads %d", errForeignKeeps, version, keepsVersion)
	}
	return nil
}

// check has SQLite look through its structures, as far as it comes in 2 s: a
// front that is late costs every account more than a damaged page, which costs
// those whose keys it had.
func (f *keepFile) check() error {
	ctx, cancel := context.WithTimeout(context.Background(), keepsCheck)
	defer cancel()
	conn, err := f.db.Conn(ctx) // one of its own: it does not survive the interruption
	if err != nil {
		return err
	}
	defer conn.Close()
	var verdict string
	err = conn.QueryRowContext(ctx, "PRAGMA quick_check(1)").Scan(&verdict)
	switch {
	case err != nil && ctx.Err() != nil:
		return nil
	case err != nil:
		return err
	case verdict != "ok":
		return fmt.Errorf("%w: %s", errBroken, verdict)
	}
	return nil
}

func (f *keepFile) prepare() error {
	for _, s := range []struct {
		stmt **sql.Stmt
		text string
	}{
		{&f.begin, "BEGIN IMMEDIATE"},
		{&f.commit, "COMMIT"},
		{&f.rollback, "ROLLBACK"},
		{&f.find, "SELECT row, octet_length(value), ends, substr(value, 1, 20) FROM keeps WHERE account = ? AND key = ?"},
		{&f.add, "INSERT INTO keeps (account, key, value, ends) VALUES (?, ?, ?, ?)"},
		{&f.change, "UPDATE keeps SET value = ?, ends = ? WHERE row = ?"},
		{&f.set, "UPDATE keeps SET value = ? WHERE row = ?"},
		{&f.erase, "DELETE FROM keeps WHERE row = ?"},
		{&f.usage, "SELECT keys, bytes FROM usage WHERE account = ?"},
		{&f.setUsage, "REPLACE INTO usage (account, keys, bytes) VALUES (?, ?, ?)"},
		{&f.eraseUsage, "DELETE FROM usage WHERE account = ?"},
		{&f.overdue, "SELECT count(*) FROM (SELECT 1 FROM keeps WHERE ends > 0 AND ends <= ? LIMIT 1)"},
		{&f.expire, "DELETE FROM keeps WHERE row IN (SELECT row FROM keeps WHERE ends > 0 AND ends <= ?" +
			" ORDER BY ends LIMIT ?) RETURNING account, octet_length(key) + octet_length(value)"},
		{&f.expireOf, "DELETE FROM keeps WHERE row IN (SELECT row FROM keeps WHERE account = ? AND ends > 0 AND ends <= ?" +
			" ORDER BY ends LIMIT ?) RETURNING account, octet_length(key) + octet_length(value)"},
	} {
		stmt, err := f.conn.PrepareContext(context.Background(), s.text)
		if err != nil {
			return err
		}
		*s.stmt = stmt
	}
	return nil
}

func (f *keepFile) openReader() error {
	conn, err := f.db.Conn(context.Background())
	if err != nil {
		return err
	}
	r := &keepReader{conn: conn}
	f.readers = append(f.readers, r)
	if _, err := conn.ExecContext(context.Background(), callsWriteWait+"; PRAGMA query_only = 1"); err != nil {
		return err
	}
	r.get, err = conn.PrepareContext(context.Background(), "SELECT value, ends FROM keeps WHERE account = ? AND key = ?")
	return err
}

func (f *keepFile) ask(question string, answer any) error {
	return f.conn.QueryRowContext(context.Background(), question).Scan(answer)
}

func (f *keepFile) exec(text string) error {
	_, err := f.conn.ExecContext(context.Background(), text)
	return err
}

// close leaves one file, without a log, if every statement is closed before its
// connection, and the one that writes is the last.
func (f *keepFile) close() error {
	var errs []error
	for _, r := range f.readers {
		errs = append(errs, closeAll(r.conn, r.get))
	}
	errs = append(errs, closeAll(f.conn, f.begin, f.commit, f.rollback, f.find, f.add, f.change, f.set, f.erase,
		f.usage, f.setUsage, f.eraseUsage, f.overdue, f.expire, f.expireOf))
	return errors.Join(append(errs, f.db.Close())...)
}

func closeAll(conn *sql.Conn, stmts ...*sql.Stmt) error {
	var errs []error
	for _, stmt := range stmts {
		if stmt != nil {
			errs = append(errs, stmt.Close())
		}
	}
	if conn != nil {
		errs = append(errs, conn.Close())
	}
	return errors.Join(errs...)
}
