//go:build faults

package dialplans

import (
	"os"
	"sync"

	lua "github.com/yuin/gopher-lua"
)

// With the build tag faults, scripts get a table fault of functions that do what
// a flaw of the runtime would: the end-to-end tests contain them with the program
// as it is otherwise.
//
//	fault.leak(n)  keeps n bytes for ever
//	fault.hang()   never returns and takes no notice of any limit
//	fault.exit()   ends the process
func init() {
	plain := library
	library = sync.OnceValue(func() *libraryTables {
		lib := plain()
		faults := &lua.LTable{Metatable: lua.LNil}
		faults.RawSetString("leak", function(leak))
		faults.RawSetString("hang", function(func(*lua.LState) int { select {} }))
		faults.RawSetString("exit", function(func(*lua.LState) int { os.Exit(7); return 0 }))
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
