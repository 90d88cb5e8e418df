package main

import (
	"bytes"
	"io"
	"os"
)

// recordTail is how much of the record file's end is searched for calls that were
// written down just before the process died, in octets.
const recordTail = 4 << 20

// restoreCalls hands the calls of an earlier process to the dispatcher. One whose
// record is written already had ended; only its row was left.
func (f *front) restoreCalls() {
	written := f.writtenRecords()
	restored := 0
	err := f.calls.Each(func(id string, state []byte) error {
		if written[id] {
			f.calls.Delete(id, nil)
			return nil
		}
		if err := f.dispatcher.Restore(id, state); err != nil {
			f.log.Error("call of an earlier process unreadable", "id", id, "reason", err)
			f.calls.Delete(id, nil)
			return nil
		}
		restored++
		return nil
	})
	if err != nil {
		f.log.Error("calls of an earlier process", "reason", err)
	}
	if restored > 0 {
		f.log.Info("calls of an earlier process go on", "calls", restored)
	}
}

// writtenRecords are the ids of the last records.
func (f *front) writtenRecords() map[string]bool {
	ids := map[string]bool{}
	file, err := os.Open(f.data.file("records.jsonl"))
	if err != nil {
		return ids
	}
	defer file.Close()
	if end, err := file.Seek(0, io.SeekEnd); err == nil {
		file.Seek(max(0, end-recordTail), io.SeekStart)
	}
	data, _ := io.ReadAll(io.LimitReader(file, recordTail))
	for line := range bytes.Lines(data) {
		if rest, ok := bytes.CutPrefix(line, []byte(`{"id":"`)); ok {
			id, _, _ := bytes.Cut(rest, []byte(`"`))
			ids[string(id)] = true
		}
	}
	return ids
}
