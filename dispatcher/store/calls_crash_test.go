package store

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// callsCrashFile makes the test binary a writer of calls into that file, to be
// killed. The variable is looked at before TestMain, which has a writer of its
// own kind.
const callsCrashFile = "DIALYARD_TEST_CRASH_CALLS"

func init() {
	if path := os.Getenv(callsCrashFile); path != "" {
		writeCallsForEver(path, os.Getenv(callsCrashFile+"_ROUND"))
	}
}

// The writer changes some calls in turn, with numbered changes, each number
// divisible by crashDelete being a deletion. At most crashAhead changes of a call are
// not yet known to be saved.
const (
	crashCalls  = 40
	crashDelete = 5
	crashAhead  = 3
)

// writeCallsForEver prints "CALL NUMBER" for each change that is saved.
func writeCallsForEver(path, round string) {
	c, err := OpenCalls(path)
	if err != nil || c.Damage() != nil {
		fmt.Println("open:", err, c.Damage())
		os.Exit(1)
	}
	for i := range crashCalls {
		go func() {
			id := fmt.Sprintf("%s-%d", round, i)
			ahead := make(chan struct{}, crashAhead)
			for n := 1; ; n++ {
				ahead <- struct{}{}
				saved := func() {
					fmt.Println(id, n)
					<-ahead
				}
				if n%crashDelete == 0 {
					c.Delete(id, saved)
				} else {
					c.Put(id, crashState(id, n), saved)
				}
			}
		}()
	}
	select {}
}

// crashState is a state of 1.2 to 1.7 KB that cannot be mistaken for another.
func crashState(id string, n int) []byte {
	return bytes.Repeat(fmt.Appendf(nil, "%s %d\n", id, n), 1200/len(id)/2+n%20)
}

// TestKilledWhileWritingCalls kills a writer at arbitrary moments, again and
// again over the same file: what it said is saved is there, or something newer
// that it had begun, and what earlier rounds left is untouched.
func TestKilledWhileWritingCalls(t *testing.T) {
	path := filepath.Join(t.TempDir(), "calls.db")
	before := map[string]string{}
	total := 0
	for round := range 10 {
		said := writeCallsAndKill(t, path, round)
		c := openCalls(t, path)
		if c.Damage() != nil {
			t.Fatal(c.Damage())
		}
		found := kept(t, c)
		for id, state := range before {
			if found[id] != state {
				t.Fatalf("round %d: call %s of an earlier round has changed", round, id)
			}
		}
		for i := range crashCalls {
			id := fmt.Sprintf("%d-%d", round, i)
			checkAfterCrash(t, id, said[id], found[id])
			total += said[id]
		}
		before = found
		closeCalls(t, c)
	}
	if total < 1000 {
		t.Errorf("only %d changes were saved in all: this has shown nothing", total)
	}
}

// checkAfterCrash compares the state of a call, "" for none, with the last
// change that was said to be saved.
func checkAfterCrash(t *testing.T, id string, said int, state string) {
	t.Helper()
	for n := said; n <= said+crashAhead; n++ {
		gone := n%crashDelete == 0 // at 0 nothing had been put yet
		if gone && state == "" || !gone && state == string(crashState(id, n)) {
			return
		}
	}
	first, _, _ := strings.Cut(state, "\n")
	t.Errorf("call %s: change %d was saved, %d bytes %q are there", id, said, len(state), first)
}

// writeCallsAndKill gives the last change of each call that the writer printed.
// It is killed after some hundred of them.
func writeCallsAndKill(t *testing.T, path string, round int) map[string]int {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), callsCrashFile+"="+path, fmt.Sprintf("%s_ROUND=%d", callsCrashFile, round))
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	kill := time.AfterFunc(20*time.Second, func() { cmd.Process.Kill() })
	defer kill.Stop()
	said := map[string]int{}
	lines := bufio.NewReader(out)
	for count := 0; ; count++ {
		if count == 300+97*round {
			cmd.Process.Kill()
		}
		line, err := lines.ReadString('\n')
		if err != nil {
			break // the end, and perhaps half a line
		}
		id, number, _ := strings.Cut(strings.TrimSpace(line), " ")
		n, err := strconv.Atoi(number)
		if err != nil || n != said[id]+1 {
			t.Fatalf("the writer says %q, of which %d was the last", line, said[id])
		}
		said[id] = n
	}
	cmd.Wait() // its error is the kill
	if len(said) == 0 {
		t.Fatal("the writer saved nothing")
	}
	return said
}
