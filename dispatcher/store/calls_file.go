package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"

	_ "modernc.org/sqlite" // the driver "sqlite"
)

// What a calls file says of itself.
const (
	callsApplication = 0x44796172 // "Dyar"
	callsVersion     = 1
)

// Measured, CPU per row of 1.5 KB in batches of 100 and more: with the id as the
// key 30 to 50 us, with a number as the key 5 for a new row and 10 to 15 for one
// somewhere in the file; each commit adds some 150. synchronous=NORMAL costs 1
// to 3 us more, and up to ten times the wait for a commit that falls on a
// checkpoint. Page sizes, larger caches, mmap and the exclusive lock made no
// difference.
//
// The write-ahead log starts again at its beginning after 1,000 pages, 4 MB;
// what a peak left of it beyond 16 MB is cut off.
const (
	callsSchema = `CREATE TABLE calls (row INTEGER PRIMARY KEY, id TEXT NOT NULL, state BLOB NOT NULL)`
	callsSetup  = `PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; PRAGMA wal_autocheckpoint = 1000;` +
		`PRAGMA journal_size_limit = 16777216;`
	callsOpenWait  = `PRAGMA busy_timeout = 5000` // ms for the lock of another process, at the start
	callsWriteWait = `PRAGMA busy_timeout = 100`  // and later, before it counts as a failure
)

// A callFile is the SQLite file. One goroutine writes, over a connection of its
// own; each reads over another.
type callFile struct {
	db   *sql.DB
	conn *sql.Conn
	rows map[string]int64 // as found when it was opened
	last int64            // the highest of them

	begin, commit, rollback, put, remove *sql.Stmt
}

// openCallFile opens or creates the file and reads it through. An error that
// isUnfit means that the file is not to be used, any other that it can not.
func openCallFile(path string) (*callFile, error) {
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
	db.SetMaxIdleConns(0) // a reader's memory goes with it
	f := &callFile{db: db, rows: map[string]int64{}}
	if err := f.open(); err != nil {
		return nil, errors.Join(err, f.close())
	}
	return f, nil
}

// makePrivate makes sure that there is a file, an empty one if need be, because
// SQLite would make it readable by all. Its companions copy its mode.
func makePrivate(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	return file.Close()
}

func (f *callFile) open() (err error) {
	if f.conn, err = f.db.Conn(context.Background()); err != nil {
		return err
	}
	if err := f.exec(callsOpenWait); err != nil {
		return err
	}
	if err := f.identify(); err != nil { // before anything that writes
		return err
	}
	if err := f.exec(callsSetup); err != nil {
		return err
	}
	if err := f.check(); err != nil {
		return err
	}
	if err := f.load(); err != nil {
		return err
	}
	if err := f.prepare(); err != nil {
		return err
	}
	return f.exec(callsWriteWait)
}

// identify finds out whether the file is ours, and makes an empty one so.
func (f *callFile) identify() error {
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
			callsSchema, callsApplication, callsVersion))
	case application != callsApplication:
		return fmt.Errorf("%w: application_id is %#x", errForeign, application)
	case version != callsVersion:
		return fmt.Errorf("%w: it has version %d, this program reads %d", errForeign, version, callsVersion)
	}
	return nil
}

// check has SQLite look through its structures; that does not cover the bytes
// of the states.
func (f *callFile) check() error {
	var verdict string
	if err := f.ask("PRAGMA quick_check(1)", &verdict); err != nil {
		return err
	}
	if verdict != "ok" {
		return fmt.Errorf("%w: %s", errBroken, verdict)
	}
	return nil
}

func (f *callFile) load() error {
	rows, err := f.conn.QueryContext(context.Background(), "SELECT row, id FROM calls")
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var row int64
		var id string
		if err := rows.Scan(&row, &id); err != nil {
			return err
		}
		if _, double := f.rows[id]; double || row <= 0 {
			return fmt.Errorf("%w: row %d has no place for call %q", errBroken, row, id)
		}
		f.rows[id] = row
		f.last = max(f.last, row)
	}
	return rows.Err()
}

func (f *callFile) prepare() error {
	for _, s := range []struct {
		stmt **sql.Stmt
		text string
	}{
		{&f.begin, "BEGIN IMMEDIATE"},
		{&f.commit, "COMMIT"},
		{&f.rollback, "ROLLBACK"},
		{&f.put, "REPLACE INTO calls (row, id, state) VALUES (?, ?, ?)"},
		{&f.remove, "DELETE FROM calls WHERE row = ?"},
	} {
		stmt, err := f.conn.PrepareContext(context.Background(), s.text)
		if err != nil {
			return err
		}
		*s.stmt = stmt
	}
	return nil
}

// write makes all changes in one transaction, or none of them.
func (f *callFile) write(batch []*change) error {
	if _, err := f.begin.Exec(); err != nil {
		f.rollback.Exec() // ends what an earlier rollback could not; most often there is nothing
		return fmt.Errorf("begin: %w", err)
	}
	if err := f.apply(batch); err != nil {
		f.rollback.Exec() // after some errors SQLite has done so itself
		return err
	}
	return nil
}

func (f *callFile) apply(batch []*change) error {
	for _, c := range batch {
		var err error
		switch {
		case c.row == 0: // deleted already
		case c.gone:
			_, err = f.remove.Exec(c.row)
		default:
			_, err = f.put.Exec(c.row, c.id, c.state)
		}
		if err != nil {
			return fmt.Errorf("write: %w", err)
		}
	}
	if _, err := f.commit.Exec(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

func (f *callFile) each(yield func(id string, state []byte) error) error {
	rows, err := f.db.Query("SELECT id, state FROM calls")
	if err != nil {
		return fmt.Errorf("read calls: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		var state []byte
		if err := rows.Scan(&id, &state); err != nil {
			return fmt.Errorf("read calls: %w", err)
		}
		if err := yield(id, state); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("read calls: %w", err)
	}
	return nil
}

func (f *callFile) ask(question string, answer any) error {
	return f.conn.QueryRowContext(context.Background(), question).Scan(answer)
}

func (f *callFile) exec(text string) error {
	_, err := f.conn.ExecContext(context.Background(), text)
	return err
}

// close leaves one file, without a log. A statement that stayed open would keep
// SQLite from that: a sql.Conn does not close its own.
func (f *callFile) close() error {
	var errs []error
	for _, stmt := range []*sql.Stmt{f.begin, f.commit, f.rollback, f.put, f.remove} {
		if stmt != nil {
			errs = append(errs, stmt.Close())
		}
	}
	if f.conn != nil {
		errs = append(errs, f.conn.Close())
	}
	return errors.Join(append(errs, f.db.Close())...)
}
