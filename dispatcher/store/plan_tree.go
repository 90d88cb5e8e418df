package store

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
)

// maxDepth bounds the folders inside a plan, and with them a loop of symbolic
// links.
const maxDepth = 8

// ReadPlans reads plans that lie as ACCOUNT/PLAN/**/*.lua, as plans.dir has
// them. Other files, names with a leading dot, and folders without Lua files
// are passed over; symbolic links are followed, as volumes of containers need.
//
// A plan that is not fit to be published is left out and named by the error;
// the others are in the map all the same.
func ReadPlans(fsys fs.FS) (map[PlanID]Bundle, error) {
	accounts, err := folders(fsys, ".")
	if err != nil {
		return nil, fmt.Errorf("read plans: %w", err)
	}
	plans := map[PlanID]Bundle{}
	var errs []error
	for _, account := range accounts {
		errs = append(errs, readAccount(fsys, account, account, plans))
	}
	return plans, errors.Join(errs...)
}

// ReadAccount reads plans that lie as PLAN/**/*.lua and gives them to account.
// It is otherwise like ReadPlans.
func ReadAccount(fsys fs.FS, account string) (map[PlanID]Bundle, error) {
	plans := map[PlanID]Bundle{}
	return plans, readAccount(fsys, ".", account, plans)
}

func readAccount(fsys fs.FS, dir, account string, plans map[PlanID]Bundle) error {
	names, err := folders(fsys, dir)
	if err != nil {
		return fmt.Errorf("read plans of %s: %w", account, err)
	}
	var errs []error
	for _, name := range names {
		id := PlanID{Account: account, Plan: name}
		b, err := readPlan(fsys, path.Join(dir, name))
		if err == nil && len(b) > 0 {
			err = checkInput(id, b)
		}
		switch {
		case err != nil:
			errs = append(errs, fmt.Errorf("read plan %s: %w", id, err))
		case len(b) > 0:
			plans[id] = b
		}
	}
	return errors.Join(errs...)
}

// readPlan collects the Lua files of one plan; there may be none.
func readPlan(fsys fs.FS, dir string) (Bundle, error) {
	sub, err := fs.Sub(fsys, dir)
	if err != nil {
		return nil, err
	}
	b := Bundle{}
	room := int64(MaxBundleBytes)
	return b, gather(sub, ".", 0, func(name string) error {
		if len(b) == MaxBundleFiles {
			return &TooLargeError{What: "files", Limit: MaxBundleFiles}
		}
		f, err := sub.Open(name)
		if err != nil {
			return err
		}
		defer f.Close()
		b[name], err = readAtMost(f, room)
		room -= int64(len(b[name]))
		return err
	})
}

// gather calls found for each Lua file under dir. It is not fs.WalkDir because
// that does not follow symbolic links.
func gather(fsys fs.FS, dir string, depth int, found func(name string) error) error {
	if depth > maxDepth {
		return &BundleError{File: dir, Problem: fmt.Sprintf("lies more than %d folders deep", maxDepth)}
	}
	entries, err := fs.ReadDir(fsys, dir)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		name := path.Join(dir, entry.Name())
		if strings.HasPrefix(entry.Name(), ".") {
			continue
		}
		info, err := fs.Stat(fsys, name)
		switch {
		case err != nil:
			return err
		case info.IsDir():
			err = gather(fsys, name, depth+1, found)
		case strings.HasSuffix(name, ".lua") && info.Mode().IsRegular():
			err = found(name)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// folders lists the directories in dir that are not hidden, in order.
func folders(fsys fs.FS, dir string) ([]string, error) {
	entries, err := fs.ReadDir(fsys, dir)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, entry := range entries {
		if strings.HasPrefix(entry.Name(), ".") {
			continue
		}
		info, err := fs.Stat(fsys, path.Join(dir, entry.Name()))
		if errors.Is(err, fs.ErrNotExist) {
			continue // gone since, or a link to nothing
		}
		if err != nil {
			return nil, err
		}
		if info.IsDir() {
			names = append(names, entry.Name())
		}
	}
	return names, nil
}
