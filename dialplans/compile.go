package dialplans

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"

	lua "github.com/yuin/gopher-lua"
	"github.com/yuin/gopher-lua/parse"
)

// mainFile is the file of a bundle that a run executes.
const mainFile = "main.lua"

// fileName is what the files of a bundle may be called.
var fileName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}(/[A-Za-z0-9_-]{1,64}){0,3}\.lua$`)

// Plan is a compiled bundle. It is immutable and any number of runs may execute
// it at the same time. The Lua states it keeps for them never run another plan.
type Plan struct {
	files  map[string]*lua.FunctionProto
	states sync.Pool // of *state, clean ones only
}

// Compile checks, parses and compiles a bundle: its files by name, "main.lua"
// among them, at most 256 KiB and 64 files. The error is always an *Error.
//
// Source is refused, before anything costly is done with it, for shapes that no
// person writes: see the limits in prescan.go. Whatever it is, Compile takes
// milliseconds and does not panic.
func Compile(files map[string][]byte) (*Plan, error) {
	if err := checkBundle(files); err != nil {
		return nil, err
	}
	p := &Plan{files: make(map[string]*lua.FunctionProto, len(files))}
	var shape prescan
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if err := shape.file(name, files[name]); err != nil {
			return nil, err
		}
		compiled, err := compileFile(name, files[name])
		if err != nil {
			return nil, err
		}
		p.files[name] = compiled
	}
	return p, nil
}

// checkBundle checks names and sizes.
func checkBundle(files map[string][]byte) error {
	if _, ok := files[mainFile]; !ok {
		return &Error{File: mainFile, Message: "the bundle has no main.lua"}
	}
	if len(files) > maxFiles {
		return &Error{Message: fmt.Sprintf("the bundle has %d files, the limit is %d", len(files), maxFiles)}
	}
	size := 0
	for name, source := range files {
		size += len(source)
		if !fileName.MatchString(name) {
			return &Error{File: validText(name, maxSource), Message: "a file of a bundle is called like gateways.lua or lib/gateways.lua"}
		}
	}
	if size > maxBundle {
		return &Error{Message: fmt.Sprintf("the bundle has %d bytes, the limit is %d", size, maxBundle)}
	}
	return nil
}

// compileFile compiles one file that has passed the pre-scan.
func compileFile(name string, source []byte) (compiled *lua.FunctionProto, err error) {
	defer func() {
		if r := recover(); r != nil {
			compiled, err = nil, &Error{File: name, Message: fmt.Sprintf("the compiler gave up: %v", r)}
		}
	}()
	chunk, err := parse.Parse(bytes.NewReader(source), name)
	if err != nil {
		return nil, syntaxError(name, source, err)
	}
	budgetConcat(chunk)
	compiled, err = lua.Compile(chunk, name)
	if err != nil {
		return nil, syntaxError(name, source, err)
	}
	keepFrames(compiled)
	return compiled, nil
}

// keepFrames turns tail calls into calls. A frame is then kept for each, so that
// errors tell the way to them, and endless tail recursion is a stack overflow
// instead of a traceback that fills the memory.
func keepFrames(f *lua.FunctionProto) {
	const opcode = 26 // the opcode's place in an instruction
	for i, instruction := range f.Code {
		if int(instruction>>opcode) == lua.OP_TAILCALL {
			f.Code[i] = instruction&(1<<opcode-1) | uint32(lua.OP_CALL)<<opcode
		}
	}
	for _, inner := range f.FunctionPrototypes {
		keepFrames(inner)
	}
}

// syntaxError is what the parser or the compiler complained about.
func syntaxError(name string, source []byte, err error) *Error {
	e := &Error{File: name, Message: err.Error()}
	var parsing *parse.Error
	var compiling *lua.CompileError
	switch {
	case errors.As(err, &parsing):
		e.Line, e.Column = parsing.Pos.Line, parsing.Pos.Column
		e.Message = complaint(parsing)
	case errors.As(err, &compiling):
		e.Line, e.Message = compiling.Line, compiling.Message
	}
	if e.Line == parse.EOF {
		e.Line = 1 + bytes.Count(bytes.TrimRight(source, "\n"), []byte("\n"))
		e.Column = len(lineOf(source, e.Line)) + 1
	}
	e.Source = lineOf(source, e.Line)
	if parsing != nil {
		e.Column = tokenColumn(e.Source, parsing.Token, e.Column)
	}
	return e
}

// complaint puts the parser's words into a sentence.
func complaint(e *parse.Error) string {
	switch {
	case e.Pos.Line == parse.EOF:
		return "the file ends too early: is an 'end' or a bracket missing?"
	case e.Message == "syntax error":
		return fmt.Sprintf("unexpected '%s'", clip(e.Token))
	default:
		return fmt.Sprintf("%s near '%s'", e.Message, clip(e.Token))
	}
}

// tokenColumn is where a token begins, given a column somewhere in it.
func tokenColumn(line, token string, column int) int {
	if column < 1 || column > len(line)+1 {
		return 0
	}
	if token != "" && column <= len(line) && !strings.HasPrefix(line[column-1:], token) {
		if i := strings.LastIndex(line[:column], token); i >= 0 {
			return i + 1
		}
	}
	return column
}
