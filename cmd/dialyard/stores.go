package main

import (
	"dialyard/dispatcher/call"
	"dialyard/dispatcher/journal"
	"dialyard/dispatcher/store"
)

// stores are what lies in the data directory.
type stores struct {
	data    *dataDir
	plans   *store.Plans
	records *store.Records
	calls   *store.Calls
	keeps   *store.Keeps
	journal *journal.Journal
}

// openData opens the data directory and all that lies there.
func (f *front) openData() (token string, err error) {
	cfg := f.config.Load()
	if f.data == nil {
		if f.data, err = openDataDir(cfg.Data.Dir); err != nil {
			return "", err
		}
	}
	if err := f.data.take(); err != nil {
		return "", err
	}
	f.journal = journal.Open(f.data.path)
	f.tellStart()
	if f.plans, err = store.Open(f.data.path); err != nil {
		return "", err
	}
	for _, damage := range f.plans.Damage() {
		f.log.Error("plan damaged", "reason", damage)
	}
	if token, err = store.Token(f.data.path); err != nil {
		return "", err
	}
	if f.records, err = store.OpenRecords(f.data.file("records.jsonl")); err != nil {
		return "", err
	}
	if f.calls, err = store.OpenCalls(f.data.file("calls.db")); err != nil {
		return "", err
	}
	if damage := f.calls.Damage(); damage != nil {
		f.log.Error("calls of an earlier process are lost", "reason", damage.Error())
	}
	if err := f.openReach(); err != nil {
		return "", err
	}
	return token, f.openBlame()
}

// record writes a call down; then the store may forget it.
func (f *front) record(r *call.Record, written func()) {
	if f.records.Append(r, written) != nil && written != nil {
		written()
	}
}

// closeStores flushes and closes what lies in the data directory. why is for the journal.
func (f *front) closeStores(why string) {
	f.endCases()
	if f.records != nil {
		if err := f.records.Close(); err != nil {
			f.log.Error("records", "reason", err)
		}
	}
	if f.calls != nil {
		if err := f.calls.Close(); err != nil {
			f.log.Error("calls", "reason", err)
		}
	}
	if f.keeps != nil {
		if err := f.keeps.Close(); err != nil {
			f.log.Error("keys and values", "reason", err)
		}
	}
	if f.journal != nil {
		if err := f.journal.Close(why); err != nil {
			f.log.Error("events", "reason", err)
		}
	}
}
