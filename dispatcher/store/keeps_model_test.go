package store

import (
	"maps"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestKeepsModel does random things to a keeps file, at times that are given, and
// holds it against a map. The map forgets a key at once when its time is over.
func TestKeepsModel(t *testing.T) {
	m := &keepsModel{path: filepath.Join(t.TempDir(), "keeps.db")}
	defer func() { m.file.close() }()
	rapid.Check(t, func(t *rapid.T) {
		m.keys, m.now = map[keepID]keepModel{}, monday
		m.reopen(t)
		if err := m.file.exec("DELETE FROM keeps; DELETE FROM usage"); err != nil {
			t.Fatal(err)
		}
		t.Repeat(map[string]func(*rapid.T){
			"":      m.check,
			"write": m.write,
			"tidy":  m.tidy,
			"wait":  m.wait,
		})
		m.recount(t)
	})
}

type keepsModel struct {
	path string
	file *keepFile
	now  time.Time
	keys map[keepID]keepModel
}

type keepID struct{ account, key string }

type keepModel struct {
	value string
	ends  time.Time // zero for never
}

// modelQuota is tight, so that keys which are over are in the way.
var modelQuota = KeepQuota{Keys: 4, Bytes: 40}

var (
	keepAccounts = rapid.SampledFrom([]string{"a", "b"})
	keepKeys     = rapid.SampledFrom([]string{"1", "22", "333", "4444", "55555", "666666"})
	keepValues   = rapid.SampledFrom([]string{"", "7", "-1", "text", "9223372036854775807", "twelve bytes"})
	keepTTLs     = rapid.SampledFrom([]time.Duration{0, 0, time.Second, 2 * time.Second, time.Minute})
)

// write does up to five things in one transaction.
func (m *keepsModel) write(t *rapid.T) {
	var asks []*keepAsk
	var want []keepAnswer
	for range rapid.IntRange(1, 5).Draw(t, "writes") {
		a := &keepAsk{
			do:      rapid.IntRange(keepSet, keepIncrement).Draw(t, "do"),
			account: keepAccounts.Draw(t, "account"),
			key:     keepKeys.Draw(t, "key"),
			value:   []byte(keepValues.Draw(t, "value")),
			by:      rapid.Int64Range(-2, 2).Draw(t, "by"),
			ttl:     keepTTLs.Draw(t, "ttl"),
		}
		asks = append(asks, a)
		want = append(want, m.expect(a))
	}
	written, _, err := m.file.write(m.now, asks, func(string) KeepQuota { return modelQuota })
	if err != nil || !written {
		t.Fatal(written, err)
	}
	for i, a := range asks {
		got := a.answer
		if got.found != want[i].found || got.number != want[i].number || got.err != want[i].err {
			t.Fatalf("%d of %s %s: %+v, want %+v", a.do, a.account, a.key, got, want[i])
		}
	}
}

func (m *keepsModel) expect(a *keepAsk) keepAnswer {
	id := keepID{a.account, a.key}
	old, there := m.keys[id]
	switch a.do {
	case keepDelete:
		delete(m.keys, id)
		return keepAnswer{found: there}
	case keepSet:
		return keepAnswer{err: m.put(id, keepModel{string(a.value), m.end(a.ttl)})}
	}
	next := keepModel{ends: old.ends}
	n := int64(0)
	if there {
		var err error
		if n, err = strconv.ParseInt(old.value, 10, 64); err != nil {
			return keepAnswer{err: ErrNotNumber}
		}
	} else {
		next.ends = m.end(a.ttl)
	}
	if a.by > 0 && n > math.MaxInt64-a.by {
		return keepAnswer{err: ErrOverflow}
	}
	next.value = strconv.FormatInt(n+a.by, 10)
	if err := m.put(id, next); err != nil {
		return keepAnswer{err: err}
	}
	return keepAnswer{number: n + a.by}
}

func (m *keepsModel) end(ttl time.Duration) time.Time {
	if ttl == 0 {
		return time.Time{}
	}
	return m.now.Add(ttl)
}

func (m *keepsModel) put(id keepID, k keepModel) error {
	after := maps.Clone(m.keys)
	after[id] = k
	before, then := usageIn(m.keys, id.account), usageIn(after, id.account)
	if then.keys > before.keys && then.keys > modelQuota.Keys || then.bytes > before.bytes && then.bytes > modelQuota.Bytes {
		return ErrQuota
	}
	m.keys = after
	return nil
}

func usageIn(keys map[keepID]keepModel, account string) (u keepUsage) {
	for id, k := range keys {
		if id.account == account {
			u.keys++
			u.bytes += int64(len(id.key) + len(k.value))
		}
	}
	return u
}

// wait lets time go on by seconds and a little, so that no key is at its very end.
func (m *keepsModel) wait(t *rapid.T) {
	m.now = m.now.Add(time.Duration(rapid.IntRange(0, 3).Draw(t, "seconds"))*time.Second + 5*time.Millisecond)
	maps.DeleteFunc(m.keys, func(_ keepID, k keepModel) bool { return !k.ends.IsZero() && !k.ends.After(m.now) })
}

// tidy removes all that is over, and nothing else.
func (m *keepsModel) tidy(t *rapid.T) {
	if _, _, err := m.file.write(m.now, nil, nil); err != nil {
		t.Fatal(err)
	}
	var rows int
	if err := m.file.ask("SELECT count(*) FROM keeps", &rows); err != nil || rows != len(m.keys) {
		t.Fatalf("%d rows, want %d, %v", rows, len(m.keys), err)
	}
	m.recount(t)
}

func (m *keepsModel) reopen(t *rapid.T) {
	if m.file != nil {
		if err := m.file.close(); err != nil {
			t.Fatal(err)
		}
	}
	file, damage, err := openSoundKeeps(m.path)
	if damage != nil || err != nil {
		t.Fatal(damage, err)
	}
	m.file = file
}

// check reads some keys.
func (m *keepsModel) check(t *rapid.T) {
	for range 3 {
		id := keepID{keepAccounts.Draw(t, "account"), keepKeys.Draw(t, "key")}
		want, there := m.keys[id]
		got := m.file.readers[0].read(m.now, &keepAsk{account: id.account, key: id.key})
		if got.err != nil || got.found != there || string(got.value) != want.value {
			t.Fatalf("%+v: %+v, want %+v", id, got, want)
		}
	}
}

// recount holds what is noted of each account against what is there.
func (m *keepsModel) recount(t *rapid.T) {
	counted := m.usages(t, "SELECT account, count(*), sum(length(key) + length(value)) FROM keeps GROUP BY account")
	noted := m.usages(t, "SELECT account, keys, bytes FROM usage")
	if !slices.Equal(counted, noted) {
		t.Fatalf("used %+v, noted %+v", counted, noted)
	}
}

func (m *keepsModel) usages(t *rapid.T, question string) (all []keepUsage) {
	rows, err := m.file.conn.QueryContext(t.Context(), question+" ORDER BY account")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var account string
		var u keepUsage
		if err := rows.Scan(&account, &u.keys, &u.bytes); err != nil {
			t.Fatal(err)
		}
		all = append(all, u)
	}
	return all
}

// TestKeepsClock sets the clock: a key has the life that it was given, but for
// what the clock jumps, and never ends before it began.
func TestKeepsClock(t *testing.T) {
	file, _, err := openSoundKeeps(filepath.Join(t.TempDir(), "keeps.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.close()
	found := func(now time.Time, key string) bool {
		return file.readers[0].read(now, &keepAsk{account: "demo", key: key}).found
	}
	for name, now := range map[string]time.Time{"monday": monday, "1970": time.Unix(0, 0), "before": time.Unix(-1000, 0)} {
		a := &keepAsk{do: keepSet, account: "demo", key: name, ttl: time.Second + 1}
		if _, _, err := file.write(now, []*keepAsk{a}, nil); err != nil || a.answer.err != nil {
			t.Fatal(err, a.answer.err)
		}
		if now = time.UnixMilli(wallTime(now)); !found(now, name) || !found(now.Add(time.Second), name) {
			t.Errorf("%s: it has no life", name)
		}
		if found(now.Add(time.Second+3*time.Millisecond), name) {
			t.Errorf("%s: it does not end", name)
		}
	}
	if !found(monday.Add(-time.Hour), "monday") {
		t.Error("a clock set back has ended a key")
	}
}

// TestExpiredKeysMakeRoom fills a quota with keys that end, many more than are
// removed at once: nothing of them is in the way of one large value afterwards.
func TestExpiredKeysMakeRoom(t *testing.T) {
	file, _, err := openSoundKeeps(filepath.Join(t.TempDir(), "keeps.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.close()
	quota := func(string) KeepQuota { return KeepQuota{Bytes: KeepValueBytes + 100} }
	var asks []*keepAsk
	for i := range 2000 {
		key := strconv.Itoa(10_000 + i)
		asks = append(asks, &keepAsk{do: keepSet, account: "demo", key: key, value: make([]byte, 3), ttl: time.Minute})
	}
	if _, _, err := file.write(monday, asks, quota); err != nil {
		t.Fatal(err)
	}
	large := &keepAsk{do: keepSet, account: "demo", key: "large", value: make([]byte, KeepValueBytes)}
	for _, step := range []struct {
		after time.Duration
		want  error
	}{{0, ErrQuota}, {time.Hour, nil}} {
		if _, _, err := file.write(monday.Add(step.after), []*keepAsk{large}, quota); err != nil || large.answer.err != step.want {
			t.Errorf("after %v: %v, %v", step.after, large.answer.err, err)
		}
	}
}
