package main

import (
	"context"
	"io/fs"
	"path/filepath"
	"time"

	"github.com/fsnotify/fsnotify"
)

// settleTime is how long plans.dir must be still before it is read: an editor or
// a copy makes several changes of one.
const settleTime = 200 * time.Millisecond

// watchPlans takes in what changes in plans.dir until ctx ends. A plan that does
// not compile is said and not taken; what was live stays so.
func (f *front) watchPlans(ctx context.Context) {
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		f.log.Warn("plans.dir is not watched; SIGHUP reads it", "reason", err)
		return
	}
	defer watcher.Close()
	dir := f.config.Load().Plans.Dir
	watchTree(watcher, dir)
	still := time.NewTimer(settleTime)
	still.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-watcher.Events:
			still.Reset(settleTime)
		case err := <-watcher.Errors:
			f.log.Warn("plans.dir", "reason", err)
		case <-still.C:
			watchTree(watcher, dir)
			f.takeChanges(ctx, dir)
		}
	}
}

// watchTree watches every folder below dir, new ones too.
func watchTree(watcher *fsnotify.Watcher, dir string) {
	filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			watcher.Add(path)
		}
		return nil
	})
}

func (f *front) takeChanges(ctx context.Context, dir string) {
	given, err := givenPlans(dir)
	if err != nil {
		f.log.Error("plan not taken", "reason", err.Error())
	}
	good, err := f.checkPlans(ctx, given)
	if err != nil {
		f.log.Error("plan not taken", "reason", err.Error())
	}
	if err := f.importPlans(good); err != nil {
		f.log.Error("plan not taken", "reason", err.Error())
	}
	f.refresh()
}
