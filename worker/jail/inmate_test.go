package jail

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
	_ "time/tzdata"

	"golang.org/x/sys/unix"
)

// The tests start their own binary again as an inmate: it builds the walls that
// it is told to, tries one thing, and prints how that went.
const (
	tryVariable      = "JAIL_TRY"
	wallsVariable    = "JAIL_WALLS"    // limits, landlock, seccomp, all or none
	argumentVariable = "JAIL_ARGUMENT" // of the thing tried
)

const (
	testMemory = 128 << 20
	tooMuch    = 512 << 20
)

func TestMain(m *testing.M) {
	if what := os.Getenv(tryVariable); what != "" {
		inmate(what)
		return
	}
	os.Exit(m.Run())
}

func inmate(what string) {
	argument := os.Getenv(argumentVariable)
	if what == "serve" {
		serveInside()
		return
	}
	if what == "host" {
		hostInside()
		return
	}
	runtime.LockOSThread()
	if err := buildWalls(os.Getenv(wallsVariable)); err != nil {
		fmt.Println("no walls:", err)
		return
	}
	if err := tries[what](argument); err != nil {
		fmt.Println("refused:", err)
		return
	}
	fmt.Println("ok")
}

// buildWalls builds one wall alone, so that each is seen to hold without the others.
func buildWalls(which string) error {
	switch which {
	case "limits":
		return limit(testMemory)
	case "landlock":
		return errors.Join(renouncePrivileges(), renounceFiles())
	case "seccomp":
		return errors.Join(renouncePrivileges(), renounceCalls())
	case "all":
		_, err := Confine(Spec{Level: BestEffort, Memory: testMemory})
		return err
	}
	return nil
}

// tries are what a script that broke out of Lua might want to do.
var tries = map[string]func(argument string) error{
	"open": func(string) error { f, err := os.Open("/etc/passwd"); f.Close(); return err },
	"write": func(string) error {
		return os.WriteFile("written", []byte("here"), 0o600)
	},
	"environment of another": func(pid string) error { _, err := os.ReadFile("/proc/" + pid + "/environ"); return err },
	"exec": func(string) error {
		return syscall.Exec("/proc/self/exe", []string{"inmate"}, []string{tryVariable + "=nothing"})
	},
	"fork": func(string) error {
		pid, err := syscall.ForkExec("/proc/self/exe", []string{"inmate"}, &syscall.ProcAttr{Env: []string{tryVariable + "=nothing"}})
		if err == nil {
			_, err = syscall.Wait4(pid, nil, 0, nil)
		}
		return err
	},
	"nothing":    func(string) error { return nil },
	"socket":     func(string) error { _, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_DGRAM, 0); return err },
	"socketpair": func(string) error { _, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0); return err },
	"sibling":    func(path string) error { _, err := net.Dial("unix", path); return err },
	"ptrace": func(pid string) error {
		runtime.LockOSThread()
		n, _ := strconv.Atoi(pid)
		return unix.PtraceSeize(n)
	},
	"kill":    func(pid string) error { n, _ := strconv.Atoi(pid); return syscall.Kill(n, 0) },
	"unshare": func(string) error { return syscall.Unshare(syscall.CLONE_NEWUTS) },
	"memory": func(string) error {
		debug.SetGCPercent(-1) // what the collector does without memory is another matter
		eat(tooMuch)
		return nil
	},
	"code": func(string) error {
		_, err := syscall.Mmap(-1, 0, 4096, syscall.PROT_READ|syscall.PROT_EXEC, syscall.MAP_ANON|syscall.MAP_PRIVATE)
		return err
	},
	"thread out of the net": func(string) error {
		pid, _, errno := syscall.RawSyscall(syscall.SYS_CLONE, syscall.CLONE_NEWNET|syscall.CLONE_NEWUSER, 0, 0)
		if pid == 0 && errno == 0 {
			syscall.RawSyscall(syscall.SYS_EXIT_GROUP, 0, 0, 0)
		}
		if errno != 0 {
			return errno
		}
		return nil
	},
	"live": live,
}

// eat takes memory piece by piece and touches every page.
func eat(octets int) {
	const piece = 1 << 20
	var all [][]byte
	for range octets / piece {
		b := make([]byte, piece)
		for i := 0; i < len(b); i += 4096 {
			b[i] = 1
		}
		all = append(all, b)
	}
	runtime.KeepAlive(all)
}

// live does what Go's runtime does in a worker: threads, collections, timers,
// signals to itself, and a time zone that is not in the binary's memory yet.
func live(string) error {
	var threads sync.WaitGroup
	for range 8 {
		threads.Go(func() {
			runtime.LockOSThread() // the thread ends here, too
			time.Sleep(time.Millisecond)
			eat(1 << 20)
		})
	}
	threads.Wait()
	spinning := make(chan int)
	go func() { // preempted by a signal only
		n := 0
		for end := time.Now().Add(50 * time.Millisecond); time.Now().Before(end); {
			n++
		}
		spinning <- n
	}()
	runtime.GC()
	<-spinning
	_, err := time.LoadLocation("Asia/Tokyo")
	return err
}

// serveInside is a worker in short: it listens where it is told to, is confined at
// the first connection, answers each line, and dies of what a line says.
func serveInside() {
	signal.Ignore(syscall.SIGPIPE)
	l, err := net.Listen("unix", os.Getenv(socketVariable)+"/socket")
	if err != nil {
		fmt.Println("refused:", err)
		return
	}
	fmt.Println(l.Addr())
	for first := true; ; first = false {
		c, err := l.Accept()
		if err != nil {
			return
		}
		if first {
			r, err := Confine(Spec{Level: BestEffort, Memory: testMemory})
			fmt.Fprintln(c, r, err)
		}
		for lines := bufio.NewScanner(c); lines.Scan(); {
			fmt.Fprintln(c, "heard "+lines.Text())
		}
		c.Close()
	}
}

// hostInside is a host that starts one inmate, says the inmate's pid and the report,
// and waits to be killed.
func hostInside() {
	runtime.LockOSThread() // the death of this thread is the inmate's
	j, err := New(BestEffort)
	if err != nil {
		fmt.Println("refused:", err)
		return
	}
	cell, err := j.Cell("w1.1", testMemory)
	if err != nil {
		fmt.Println("refused:", err)
		return
	}
	cmd := command("serve", "none", "")
	cmd.Env = append(cmd.Env, socketVariable+"="+os.Getenv(argumentVariable))
	if err := errors.Join(cell.Apply(cmd), cmd.Start()); err != nil {
		fmt.Println("refused:", err)
		return
	}
	fmt.Println(cmd.Process.Pid, j.Report(), cell.Enter(cmd.Process.Pid))
	time.Sleep(time.Minute)
}

// command is this binary as an inmate, with the attributes that workers have.
func command(what, walls, argument string) *exec.Cmd {
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = []string{tryVariable + "=" + what, wallsVariable + "=" + walls, argumentVariable + "=" + argument, "GOTRACEBACK=all", "GORACE=atexit_sleep_ms=0"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	return cmd
}

// gone reports whether a process is dead, reaped or not.
func gone(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return true
	}
	_, after, _ := strings.Cut(string(stat), ") ")
	return strings.HasPrefix(after, "Z") || strings.HasPrefix(after, "X")
}
