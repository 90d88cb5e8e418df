package store

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// keepsCrashFile makes the test binary a writer of keys into that file, to be
// killed.
const keepsCrashFile = "DIALYARD_TEST_CRASH_KEEPS"

func init() {
	if path := os.Getenv(keepsCrashFile); path != "" {
		writeKeepsForEver(path)
	}
}

const crashKeepers = 20

// writeKeepsForEver counts in each account and prints "ACCOUNT NUMBER" for every
// step that is done. A step to n sets the key "at" n, adds to the count, and
// deletes the key of the step before.
func writeKeepsForEver(path string) {
	k, err := OpenKeeps(path, nil)
	if err != nil || k.Damage() != nil {
		fmt.Println("open:", err, k.Damage())
		os.Exit(1)
	}
	ctx := context.Background()
	for i := range crashKeepers {
		go func() {
			account := fmt.Sprint("account", i)
			number, _, _ := k.Get(ctx, account, "count")
			n, _ := strconv.ParseInt(string(number), 10, 64)
			for err := error(nil); err == nil; fmt.Println(account, n) {
				err = k.Set(ctx, account, fmt.Sprint("at", n+1), crashState(account, int(n+1)), time.Hour)
				if err == nil {
					n, err = k.Increment(ctx, account, "count", 1, 0)
				}
				if err == nil {
					_, err = k.Delete(ctx, account, fmt.Sprint("at", n-1))
				}
				if err != nil {
					fmt.Println("write:", err)
				}
			}
		}()
	}
	select {}
}

// TestKilledWhileWritingKeeps kills a writer at arbitrary moments, again and again
// over the same file: what was done is there, and at most what had been begun.
func TestKilledWhileWritingKeeps(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keeps.db")
	total := int64(0)
	for round := range 5 {
		said := writeKeepsAndKill(t, path, 200+97*round)
		k := openKeeps(t, path, nil)
		if k.Damage() != nil {
			t.Fatal(k.Damage())
		}
		for account, n := range said {
			checkKeepsAfterCrash(t, k, account, n)
			total += n
		}
		closeKeeps(t, k)
	}
	if total < 500 {
		t.Errorf("the writers came to %d in all: this has shown nothing", total)
	}
}

// checkKeepsAfterCrash looks at an account that has counted to n, and may be three
// writes further.
func checkKeepsAfterCrash(t *testing.T, k *Keeps, account string, n int64) {
	t.Helper()
	value, _, err := k.Get(t.Context(), account, "count")
	count, _ := strconv.ParseInt(string(value), 10, 64)
	if err != nil || count != n && count != n+1 {
		t.Errorf("%s: counted to %d, %q is there, %v", account, n, value, err)
	}
	expectKeep(t, k, account, fmt.Sprint("at", count), string(crashState(account, int(count))))
	if count == n {
		expectKeep(t, k, account, fmt.Sprint("at", n-1), "none")
	}
	if _, found, _ := k.Get(t.Context(), account, fmt.Sprint("at", count+2)); found {
		t.Errorf("%s: what had not been begun is there", account)
	}
}

// writeKeepsAndKill gives the last number that the writer printed of each account.
// It is killed after so many lines.
func writeKeepsAndKill(t *testing.T, path string, lines int) map[string]int64 {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), keepsCrashFile+"="+path)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	kill := time.AfterFunc(20*time.Second, func() { cmd.Process.Kill() })
	defer kill.Stop()
	said := map[string]int64{}
	reader := bufio.NewReader(out)
	for count := 0; ; count++ {
		if count == lines {
			cmd.Process.Kill()
		}
		line, err := reader.ReadString('\n')
		if err != nil {
			break // the end, and perhaps half a line
		}
		account, number, _ := strings.Cut(strings.TrimSpace(line), " ")
		n, err := strconv.ParseInt(number, 10, 64)
		if err != nil || said[account] != 0 && n != said[account]+1 {
			t.Fatalf("the writer says %q, of which %d was the last", line, said[account])
		}
		said[account] = n
	}
	cmd.Wait() // its error is the kill
	if len(said) == 0 {
		t.Fatal("the writer did nothing")
	}
	return said
}
