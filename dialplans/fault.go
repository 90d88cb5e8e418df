//go:build faults

package dialplans

import (
	"net"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"

	lua "github.com/yuin/gopher-lua"

	"dialyard/proto"
)

// With the build tag faults, scripts get a table fault of functions that do what
// a flaw of the runtime would, or what somebody would who has broken out of Lua: the
// end-to-end tests contain them with the program as it is otherwise.
//
//	fault.leak(n)        keeps n bytes for ever
//	fault.goroutines(n)  starts n goroutines that never end
//	fault.hang()         never returns and takes no notice of any limit
//	fault.spin()         the same, and uses all CPU time there is
//	fault.exit()         ends the process
//	fault.crash()        panics on a goroutine that nobody guards
//	fault.try(what)      exec, fork, socket, read or kill; returns "ok" or the refusal
//	fault.lie(what)      the worker breaks the protocol; see lie_faults.go in worker
func init() {
	plain := library
	library = sync.OnceValue(func() *libraryTables {
		lib := plain()
		faults := &lua.LTable{Metatable: lua.LNil}
		for name, f := range map[string]lua.LGFunction{
			"leak": leak, "goroutines": multiply, "try": try, "lie": lie, "spin": spin,
			"hang":  func(*lua.LState) int { select {} },
			"exit":  func(*lua.LState) int { os.Exit(7); return 0 },
			"crash": func(*lua.LState) int { go panic("fault.crash"); select {} },
		} {
			faults.RawSetString(name, function(f))
		}
		lib.env.RawGetString("__index").(*lua.LTable).RawSetString("fault", faults)
		return lib
	})
}

var leaked struct {
	sync.Mutex
	blocks [][]byte
}

func leak(L *lua.LState) int {
	block := make([]byte, L.CheckInt(1))
	for i := 0; i < len(block); i += 4096 {
		block[i] = 1
	}
	leaked.Lock()
	defer leaked.Unlock()
	leaked.blocks = append(leaked.blocks, block)
	return 0
}

func multiply(L *lua.LState) int {
	for range L.CheckInt(1) {
		go func() { select {} }()
	}
	return 0
}

func spin(*lua.LState) int {
	for n := 0; ; n++ {
		if n < 0 {
			return 0
		}
	}
}

// attempts are what somebody would try who is no longer held by Lua.
var attempts = map[string]func() error{
	"exec": func() error { return exec.Command("/bin/true").Run() },
	"fork": func() error {
		pid, _, errno := syscall.RawSyscall(syscall.SYS_CLONE, uintptr(syscall.SIGCHLD), 0, 0)
		if errno != 0 {
			return errno
		}
		if pid == 0 {
			syscall.RawSyscall(syscall.SYS_EXIT, 0, 0, 0)
		}
		return nil
	},
	"socket": func() error {
		c, err := net.DialTimeout("tcp", "127.0.0.1:9", time.Second)
		if err == nil {
			c.Close()
		}
		return err
	},
	"read": func() error { _, err := os.ReadFile("/etc/passwd"); return err },
	"kill": func() error { return syscall.Kill(os.Getppid(), syscall.SIGCONT) },
}

func try(L *lua.LState) int {
	attempt := attempts[L.CheckString(1)]
	if attempt == nil {
		L.ArgError(1, "no such attempt")
	}
	answer := "ok"
	if err := attempt(); err != nil {
		answer = err.Error()
	}
	L.Push(lua.LString(answer))
	return 1
}

// lie passes the wish on to the worker's end of the wire, the way a line of log goes.
func lie(L *lua.LState) int {
	r := runOf(L)
	r.host.Log(&proto.Log{Run: r.id, Level: "fault", Text: L.CheckString(1)})
	return 0
}
