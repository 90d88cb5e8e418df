package dialplans

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"

	lua "github.com/yuin/gopher-lua"
)

const (
	// maxJSON is the longest JSON text read or written, in bytes.
	maxJSON = 256 << 10
	// maxJSONDepth is how deep objects and arrays may be nested.
	maxJSONDepth = 32
)

var jsonFunctions = map[string]lua.LGFunction{"json.decode": jsonDecode, "json.encode": jsonEncode}

// jsonDecode gives nil and a message for what is not JSON: text from outside is
// no mistake of the script.
func jsonDecode(L *lua.LState) int {
	text := L.CheckString(1)
	if len(text) > maxJSON {
		L.RaiseError("JSON of %d bytes is too long, the limit is %d", len(text), maxJSON)
	}
	pay(L, 4*len(text))
	d := json.NewDecoder(bytes.NewReader([]byte(text)))
	d.UseNumber()
	value, err := decodeValue(L, d, 0)
	if err == nil {
		if _, extra := d.Token(); extra != io.EOF {
			err = fmt.Errorf("more after the end of the value")
		}
	}
	if err != nil {
		L.Push(lua.LNil)
		L.Push(lua.LString("not JSON: " + err.Error()))
		return 2
	}
	L.Push(value)
	return 1
}

func decodeValue(L *lua.LState, d *json.Decoder, depth int) (lua.LValue, error) {
	if depth > maxJSONDepth {
		return nil, fmt.Errorf("nested more than %d deep", maxJSONDepth)
	}
	tok, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch t := tok.(type) {
	case json.Delim:
		if t == '[' {
			return decodeArray(L, d, depth)
		}
		return decodeObject(L, d, depth)
	case string:
		return lua.LString(t), nil
	case json.Number:
		n, err := t.Float64()
		return lua.LNumber(n), err
	case bool:
		return lua.LBool(t), nil
	default:
		return lua.LNil, nil
	}
}

func decodeArray(L *lua.LState, d *json.Decoder, depth int) (lua.LValue, error) {
	t := L.NewTable()
	for i := 1; d.More(); i++ {
		if i > maxTableLength {
			return nil, fmt.Errorf("an array has more than %d elements", maxTableLength)
		}
		v, err := decodeValue(L, d, depth+1)
		if err != nil {
			return nil, err
		}
		t.RawSetInt(i, v)
	}
	_, err := d.Token()
	return t, err
}

func decodeObject(L *lua.LState, d *json.Decoder, depth int) (lua.LValue, error) {
	t := L.NewTable()
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil, err
		}
		v, err := decodeValue(L, d, depth+1)
		if err != nil {
			return nil, err
		}
		t.RawSetString(key.(string), v)
	}
	_, err := d.Token()
	return t, err
}

func jsonEncode(L *lua.LState) int {
	text := encodeValue(L, nil, L.CheckAny(1), 0)
	pushBuilt(L, string(text))
	return 1
}

func encodeValue(L *lua.LState, out []byte, value lua.LValue, depth int) []byte {
	if depth > maxJSONDepth {
		L.RaiseError("a value for JSON is nested more than %d deep, or contains itself", maxJSONDepth)
	}
	if len(out) > maxJSON {
		L.RaiseError("the JSON is longer than %d bytes", maxJSON)
	}
	pay(L, 4)
	switch v := value.(type) {
	case lua.LBool:
		return strconv.AppendBool(out, bool(v))
	case lua.LString:
		return appendJSONString(out, string(v))
	case lua.LNumber:
		if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
			L.RaiseError("JSON has no way to write %s", numberText(float64(v)))
		}
		return append(out, numberText(float64(v))...)
	case *lua.LTable:
		if v.Len() > 0 {
			return encodeArray(L, out, v, depth)
		}
		return encodeObject(L, out, v, depth)
	case *lua.LNilType:
		return append(out, "null"...)
	}
	L.RaiseError("JSON has no way to write a %s", value.Type())
	return nil
}

func appendJSONString(out []byte, s string) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		return append(out, `""`...)
	}
	return append(out, bytes.TrimSuffix(b.Bytes(), []byte("\n"))...)
}

func encodeArray(L *lua.LState, out []byte, t *lua.LTable, depth int) []byte {
	out = append(out, '[')
	for i := 1; i <= t.Len(); i++ {
		if i > 1 {
			out = append(out, ',')
		}
		out = encodeValue(L, out, t.RawGetInt(i), depth+1)
	}
	return append(out, ']')
}

// encodeObject writes a table's string keys in order, so that the same table
// gives the same text.
func encodeObject(L *lua.LState, out []byte, t *lua.LTable, depth int) []byte {
	var keys []string
	for k, _ := t.Next(lua.LNil); k != lua.LNil; k, _ = t.Next(k) {
		name, ok := k.(lua.LString)
		if !ok {
			L.RaiseError("JSON has no way to write a %s as a key", k.Type())
		}
		pay(L, 4)
		keys = append(keys, string(name))
	}
	slices.Sort(keys)
	out = append(out, '{')
	for i, k := range keys {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(appendJSONString(out, k), ':')
		out = encodeValue(L, out, t.RawGetString(k), depth+1)
	}
	return append(out, '}')
}
