package store

import (
	"database/sql"
	"errors"
)

// makeRoom says whether the account may keep so much more. If its quota stands in
// the way, keys of it whose time is over are removed first: every one of them was
// paid for when it was written, so that nobody gains from asking for room.
func (f *keepFile) makeRoom(now int64, account string, keys, bytes int64, quota KeepQuota) (refusal, err error) {
	for {
		used, err := f.usageOf(account)
		if err != nil {
			return nil, err
		}
		if (keys <= 0 || used.keys+keys <= quota.Keys) && (bytes <= 0 || used.bytes+bytes <= quota.Bytes) {
			return nil, nil
		}
		removed, err := f.remove(f.expireOf.Query(account, now, keepsSweptOf))
		if err != nil {
			return nil, err
		}
		if removed == 0 {
			return ErrQuota, nil
		}
	}
}

// remove reads what a statement that removes keys says of them.
func (f *keepFile) remove(rows *sql.Rows, err error) (removed int, _ error) {
	if err != nil {
		return 0, err
	}
	gone := map[string]keepUsage{}
	for rows.Next() {
		var account string
		var bytes int64
		if err := rows.Scan(&account, &bytes); err != nil {
			return 0, errors.Join(err, rows.Close())
		}
		u := gone[account]
		gone[account] = keepUsage{u.keys + 1, u.bytes + bytes}
		removed++
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return 0, err
	}
	for account, u := range gone { // now that the connection is free again
		if err := f.use(account, -u.keys, -u.bytes); err != nil {
			return 0, err
		}
	}
	return removed, nil
}

// use notes that an account has so much more in this transaction.
func (f *keepFile) use(account string, keys, bytes int64) error {
	used, err := f.usageOf(account)
	if err != nil {
		return err
	}
	used.keys += keys
	used.bytes += bytes
	return nil
}

// usageOf is what an account keeps, with what this transaction has changed.
func (f *keepFile) usageOf(account string) (*keepUsage, error) {
	if used := f.used[account]; used != nil {
		return used, nil
	}
	used := &keepUsage{}
	err := f.usage.QueryRow(account).Scan(&used.keys, &used.bytes)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return nil, err
	}
	f.used[account] = used
	return used, nil
}

func (f *keepFile) saveUsage() (err error) {
	for account, used := range f.used {
		if used.keys > 0 {
			_, err = f.setUsage.Exec(account, used.keys, used.bytes)
		} else {
			_, err = f.eraseUsage.Exec(account)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
