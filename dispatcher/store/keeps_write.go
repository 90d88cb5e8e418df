package store

import (
	"database/sql"
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"
)

// The default quota of an account.
const (
	keepsOfAccount = 10_000
	bytesOfAccount = 1 << 20
)

// The keys whose time is over that are removed at once.
const (
	keepsSwept   = 1000 // when nothing is written
	keepsSweptOf = 100  // of an account that needs room; and again if that is not enough
)

// numberBytes is the longest that a number can be; one with more zeros is none.
const numberBytes = len("-9223372036854775808")

// keepUsage is what an account keeps, expired keys that are still in the file too.
type keepUsage struct{ keys, bytes int64 }

// A keepRow is a key as it was found; the zero value is one that is not there.
type keepRow struct {
	row    int64
	length int64 // of the value
	ends   int64
	begin  []byte // of the value, its first 20 bytes
}

// wallTime is what the file counts in. It is never 0, which would be for ever.
func wallTime(now time.Time) int64 { return max(1, now.UnixMilli()) }

// endOf is when a key ends that is kept for so long. The fractions of both count
// as whole milliseconds, so that no key ends before its time.
func endOf(now int64, ttl time.Duration) int64 {
	if ttl == 0 {
		return 0
	}
	return now + 1 + int64((ttl+time.Millisecond-1)/time.Millisecond)
}

func isOver(ends, now int64) bool { return ends > 0 && ends <= now }

// read answers a Get.
func (r *keepReader) read(now time.Time, a *keepAsk) (answer keepAnswer) {
	var value []byte
	var ends int64
	err := r.get.QueryRow(a.account, a.key).Scan(&value, &ends)
	switch {
	case errors.Is(err, sql.ErrNoRows) || err == nil && isOver(ends, wallTime(now)):
		return keepAnswer{}
	case err != nil:
		return keepAnswer{err: fmt.Errorf("read keeps: %w", err)}
	}
	return keepAnswer{value: value, found: true}
}

// write does all that is asked in one transaction, or nothing of it. The answers
// count if there is no error. It also removes some keys whose time is over, twice
// as many as were written so that they become fewer; if that is all it is asked
// for, and there are none, it says that nothing was written.
func (f *keepFile) write(wall time.Time, asks []*keepAsk, quota func(string) KeepQuota) (written bool, expired int, err error) {
	now := wallTime(wall)
	sweep := 2 * len(asks)
	if len(asks) == 0 {
		sweep = keepsSwept
		var overdue int
		if err := f.overdue.QueryRow(now).Scan(&overdue); err != nil || overdue == 0 {
			return false, 0, err
		}
	}
	if _, err := f.begin.Exec(); err != nil {
		f.rollback.Exec() // ends what an earlier rollback could not; most often there is nothing
		return false, 0, fmt.Errorf("begin: %w", err)
	}
	clear(f.used)
	expired, err = f.apply(now, asks, quota, sweep)
	if err != nil {
		f.rollback.Exec() // after some errors SQLite has done so itself
		return false, 0, fmt.Errorf("write keeps: %w", err)
	}
	return true, expired, nil
}

func (f *keepFile) apply(now int64, asks []*keepAsk, quota func(string) KeepQuota, sweep int) (expired int, err error) {
	for _, a := range asks {
		a.answer, err = f.do(now, a, quotaOf(quota, a.account))
		if err != nil {
			return 0, err
		}
	}
	if expired, err = f.remove(f.expire.Query(now, sweep)); err != nil {
		return 0, err
	}
	if err := f.saveUsage(); err != nil {
		return 0, err
	}
	_, err = f.commit.Exec()
	return expired, err
}

func quotaOf(quota func(string) KeepQuota, account string) (q KeepQuota) {
	if quota != nil {
		q = quota(account)
	}
	if q.Keys == 0 {
		q.Keys = keepsOfAccount
	}
	if q.Bytes == 0 {
		q.Bytes = bytesOfAccount
	}
	return q
}

// do does one thing. What the caller is to blame for is in the answer, and has
// changed nothing; an error is the disk's.
func (f *keepFile) do(now int64, a *keepAsk, quota KeepQuota) (answer keepAnswer, err error) {
	old, err := f.look(now, a)
	if err != nil {
		return answer, err
	}
	switch a.do {
	case keepDelete:
		if old.row == 0 {
			return answer, nil
		}
		return keepAnswer{found: true}, f.drop(a, old)
	case keepIncrement:
		sum, err := add(old, a.by)
		if err != nil {
			return keepAnswer{err: err}, nil
		}
		ends := old.ends
		if old.row == 0 {
			ends = endOf(now, a.ttl)
		}
		refusal, err := f.put(now, a, old, strconv.AppendInt(nil, sum, 10), ends, quota)
		if refusal != nil || err != nil {
			return keepAnswer{err: refusal}, err
		}
		return keepAnswer{number: sum}, nil
	default:
		refusal, err := f.put(now, a, old, a.value, endOf(now, a.ttl), quota)
		return keepAnswer{err: refusal}, err
	}
}

// add gives the sum of what a row holds and by.
func add(old keepRow, by int64) (sum int64, err error) {
	var n int64
	if old.length > int64(numberBytes) {
		return 0, ErrNotNumber
	}
	if old.row != 0 {
		if n, err = strconv.ParseInt(string(old.begin), 10, 64); err != nil {
			return 0, ErrNotNumber
		}
	}
	if by > 0 && n > math.MaxInt64-by || by < 0 && n < math.MinInt64-by {
		return 0, ErrOverflow
	}
	return n + by, nil
}

// look finds the key of an ask. One whose time is over is removed and not there.
func (f *keepFile) look(now int64, a *keepAsk) (old keepRow, err error) {
	err = f.find.QueryRow(a.account, a.key).Scan(&old.row, &old.length, &old.ends, &old.begin)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return keepRow{}, nil
	case err != nil || !isOver(old.ends, now):
		return old, err
	}
	return keepRow{}, f.drop(a, old)
}

func (f *keepFile) drop(a *keepAsk, old keepRow) error {
	if _, err := f.erase.Exec(old.row); err != nil {
		return err
	}
	return f.use(a.account, -1, -int64(len(a.key))-old.length)
}

// put gives the key of an ask a value, if the quota allows.
func (f *keepFile) put(now int64, a *keepAsk, old keepRow, value []byte, ends int64, quota KeepQuota) (refusal, err error) {
	keys, bytes := int64(0), int64(len(value))-old.length
	if old.row == 0 {
		keys, bytes = 1, int64(len(a.key)+len(value))
	}
	if refusal, err := f.makeRoom(now, a.account, keys, bytes, quota); refusal != nil || err != nil {
		return refusal, err
	}
	if value == nil {
		value = []byte{} // nil would be NULL, which the file refuses
	}
	switch {
	case old.row == 0:
		_, err = f.add.Exec(a.account, a.key, value, ends)
	case old.ends == ends:
		_, err = f.set.Exec(value, old.row) // touches no index
	default:
		_, err = f.change.Exec(value, ends, old.row)
	}
	if err != nil {
		return nil, err
	}
	return nil, f.use(a.account, keys, bytes)
}
