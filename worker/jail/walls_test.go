package jail

import (
	"bufio"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// sandboxed lists, for each thing tried, the walls that refuse it alone. "cell" is
// all that a host builds. Every one of them is refused by the whole jail, and none
// without any walls.
var sandboxed = map[string][]string{
	"open":                   {"landlock", "seccomp"},
	"write":                  {"landlock", "seccomp"},
	"environment of another": {"landlock", "seccomp", "cell"},
	"exec":                   {"landlock", "seccomp"},
	"fork":                   {"landlock", "seccomp"},
	"socket":                 {"seccomp"},
	"socketpair":             {"seccomp"},
	"sibling":                {"seccomp"},
	"ptrace":                 {"seccomp", "cell"},
	"kill":                   {"seccomp", "cell"},
	"unshare":                {"seccomp", "cell"},
	"code":                   {"seccomp"},
	"thread out of the net":  {"seccomp"},
	"memory":                 {"limits", "cell"},
}

func TestEachWallRefusesWhatItIsFor(t *testing.T) {
	j := build(t)
	argument := arguments(t)
	for what, walls := range sandboxed {
		t.Run(what, func(t *testing.T) {
			if got := try(t, nil, what, "none", argument[what]); got != "ok" {
				t.Skip("this system refuses it without a jail: " + got)
			}
			for _, wall := range append(walls, "all") {
				cell, inside := (*Jail)(nil), wall
				switch {
				case wall == "cell" && cellRefuses(j, what):
					cell, inside = j, "none"
				case wall == "all" && complete(j):
					cell = j
				case wall == "limits" || j.Report().Has(wall):
				default:
					t.Logf("%s: this system has no %s", what, wall)
					continue
				}
				got := try(t, cell, what, inside, argument[what])
				if died := what == "memory" && got != "ok"; !died && !strings.HasPrefix(got, "refused") {
					t.Errorf("with %s: %q, want a refusal", wall, got)
				}
			}
		})
	}
}

// cellRefuses reports whether the walls that a host could build here are such as
// refuse it.
func cellRefuses(j *Jail, what string) bool {
	r := j.Report()
	switch what {
	case "memory":
		return r.Has(CgroupV1) || r.Has(CgroupV2)
	case "kill", "ptrace":
		return r.Has(PidNS) || r.Has(User)
	}
	return r.Has(User)
}

// complete reports whether the inner walls refuse everything here: seccomp alone does.
func complete(j *Jail) bool { return j.Report().Has(Seccomp) }

func TestAWorkerLivesInTheWholeJail(t *testing.T) {
	j := build(t)
	if !complete(j) {
		t.Skip(j.Report().Gaps())
	}
	if got := try(t, j, "live", "all", ""); got != "ok" {
		t.Error(got)
	}
}

func TestACellGivesASocketAndLetsTheHostSee(t *testing.T) {
	w := startServing(t, build(t))
	for range 2 { // its listener goes on, too
		c, err := net.Dial("unix", w.address)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		lines := bufio.NewScanner(c)
		if w.report == "" && lines.Scan() {
			w.report = lines.Text()
		}
		c.Write([]byte("hello\n"))
		if !lines.Scan() || lines.Text() != "heard hello" {
			t.Fatalf("%q %v", lines.Text(), lines.Err())
		}
		c.Close()
	}
	if want := w.jail.Report().String() + " <nil>"; w.report != want {
		t.Errorf("the worker says %q, its host %q", w.report, want)
	}
	files, err := os.ReadDir("/proc/" + strconv.Itoa(w.cmd.Process.Pid) + "/fd")
	if err != nil || len(files) < 4 {
		t.Errorf("the host sees %d files of its worker, %v", len(files), err)
	}
	if text, err := os.ReadFile("/proc/" + strconv.Itoa(w.cmd.Process.Pid) + "/statm"); err != nil || len(text) < 10 {
		t.Errorf("the host sees %q, %v", text, err)
	}
	w.cmd.Process.Signal(syscall.SIGABRT)
	w.cmd.Wait()
	if dump := w.stderr.String(); !strings.Contains(dump, "SIGABRT") || !strings.Contains(dump, "serveInside") {
		t.Errorf("no stack dump but %q", dump)
	}
}

func TestSignalsOfTheHostArrive(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
		w := startServing(t, build(t))
		c, err := net.Dial("unix", w.address)
		if err != nil {
			t.Fatal(err)
		}
		bufio.NewScanner(c).Scan() // confined
		w.cmd.Process.Signal(sig)
		ended := make(chan struct{})
		go func() { w.cmd.Wait(); close(ended) }()
		select {
		case <-ended:
		case <-time.After(5 * time.Second):
			t.Errorf("%v did nothing", sig)
			w.cmd.Process.Kill()
			<-ended
		}
		c.Close()
	}
}

func TestNoWorkerOutlivesItsHost(t *testing.T) {
	host := command("host", "none", t.TempDir())
	out, err := host.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := host.Start(); err != nil {
		t.Fatal(err)
	}
	line, _ := bufio.NewReader(out).ReadString('\n')
	fields := strings.Fields(line)
	host.Process.Kill()
	host.Wait()
	defer sweepAfter(t, host.Process.Pid)
	if len(fields) != 3 || fields[2] != "<nil>" {
		t.Fatal(line)
	}
	pid, _ := strconv.Atoi(fields[0])
	for end := time.Now().Add(5 * time.Second); !gone(pid); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			syscall.Kill(pid, syscall.SIGKILL)
			t.Fatal("it lives")
		}
	}
}

// A host that is not root has walls as well, and none that only root could give.
func TestAHostThatIsNotRoot(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("the other tests run as such a host already")
	}
	host := command("host", "none", t.TempDir())
	host.SysProcAttr.Credential = &syscall.Credential{Uid: nobody, Gid: nobody}
	out, err := host.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := host.Start(); err != nil {
		t.Fatal(err)
	}
	line, _ := bufio.NewReader(out).ReadString('\n')
	host.Process.Kill()
	host.Wait()
	fields := strings.Fields(line)
	if len(fields) != 3 || fields[2] != "<nil>" || !strings.HasSuffix(fields[1], Rlimits) || strings.Contains(fields[1], User) {
		t.Fatal(line)
	}
	t.Log(fields[1])
}

// build is a jail as good as this system gives, for one test.
func build(t *testing.T) *Jail {
	t.Helper()
	j, err := New(BestEffort)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

// arguments prepares what some tries aim at.
func arguments(t *testing.T) map[string]string {
	t.Helper()
	dir := reachable(t)
	socket := filepath.Join(dir, "sibling")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	if err := os.Chmod(socket, 0o777); err != nil {
		t.Fatal(err)
	}
	self := strconv.Itoa(os.Getpid())
	return map[string]string{"sibling": socket, "ptrace": self, "kill": self, "environment of another": self}
}

// reachable is a directory that any user can use: what is refused there is not
// refused for its mode.
func reachable(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "jail")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	return dir
}

// try starts an inmate, in a cell of j unless that is nil, and returns what it says
// or how it died.
func try(t *testing.T, j *Jail, what, walls, argument string) string {
	t.Helper()
	cell, err := j.Cell(t.Name()[strings.LastIndex(t.Name(), "/")+1:], testMemory)
	if err != nil {
		t.Fatal(err)
	}
	defer cell.Release()
	cmd := command(what, walls, argument)
	cmd.Dir = reachable(t)
	if err := cell.Apply(cmd); err != nil {
		t.Fatal(err)
	}
	out, err := startIn(cell, cmd)
	if err != nil {
		return err.Error()
	}
	first, _, _ := strings.Cut(out, "\n")
	return first
}

// startIn runs a command to its end in a cell, from a thread that lives as long.
func startIn(cell *Cell, cmd *exec.Cmd) (string, error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var out output
	cmd.Stdout = &out
	if err := cmd.Start(); err != nil {
		return "", err
	}
	if err := cell.Enter(cmd.Process.Pid); err != nil {
		cmd.Process.Kill()
		cmd.Wait()
		return "", err
	}
	watchdog := time.AfterFunc(10*time.Second, func() { cmd.Process.Kill() })
	defer watchdog.Stop()
	err := cmd.Wait()
	return out.String(), err
}

// serving is an inmate with a socket.
type serving struct {
	jail            *Jail
	cmd             *exec.Cmd
	stderr          output
	address, report string
}

func startServing(t *testing.T, j *Jail) *serving {
	t.Helper()
	runtime.LockOSThread()
	t.Cleanup(runtime.UnlockOSThread)
	dir := filepath.Join(t.TempDir(), "s")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	cell, err := j.Cell("w1.1", testMemory)
	if err != nil {
		t.Fatal(err)
	}
	w := &serving{jail: j, cmd: command("serve", "none", "")}
	t.Cleanup(func() { w.cmd.Process.Kill(); w.cmd.Wait(); cell.Release() })
	w.cmd.Env = append(w.cmd.Env, socketVariable+"="+dir)
	w.cmd.Stderr = &w.stderr
	out, err := w.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cell.Apply(w.cmd); err != nil {
		t.Fatal(err)
	}
	if err := w.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if err := cell.Enter(w.cmd.Process.Pid); err != nil {
		t.Fatal(err)
	}
	address, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	w.address = cell.Outside(strings.TrimSpace(address))
	return w
}

// output is what a process writes, safe to read meanwhile.
type output struct {
	mu   sync.Mutex
	text strings.Builder
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(b)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// sweepAfter removes what a host that was killed has left, once its inmate is reaped.
func sweepAfter(t *testing.T, host int) {
	t.Helper()
	for _, h := range survey().cgroups {
		for end := time.Now().Add(5 * time.Second); ; time.Sleep(5 * time.Millisecond) {
			sweep(h, func(pid int) bool { return pid != host })
			if left, _ := filepath.Glob(filepath.Join(h.dir, cgroupPrefix+strconv.Itoa(host)+"-*")); len(left) == 0 {
				break
			} else if time.Now().After(end) {
				t.Errorf("%v cannot be removed", left)
				break
			}
		}
	}
}
